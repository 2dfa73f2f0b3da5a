// The code as it is typed: a text area without colours of its own over the tinted tokens.

import { h } from "../../lib/dom.ts";
import type { CodeDocument, Palette } from "../../protocol/index.ts";
import { linesOf, movedPieces, textOf, tokenAt } from "./live_lines.ts";
import { TokenText } from "./token_text.ts";

const INDENT = "    ";
const WALKS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"]);

export interface LiveGestures {
  typed(source: string): void;
  hover(index: number | null): void;
  pin(index: number | null): void;
  walk(index: number): void;
}

export class LiveText {
  readonly node: HTMLElement;
  private readonly editor: HTMLTextAreaElement;
  private readonly tokens: TokenText;
  private document: CodeDocument["lines"] = [];
  private pieces: ReturnType<typeof movedPieces> = [];
  private pinned: number | null = null;
  private hovered: number | null = null;
  private marks: readonly number[] = [];
  private tinted: { codes: DataView; palette: Palette } | null = null;
  private leaving = false; // Esc was the last key: Tab goes on to the next control

  constructor(
    label: string,
    placeholder: string,
    title: string,
    private readonly on: LiveGestures,
  ) {
    this.tokens = new TokenText("", { hover: () => {}, pin: () => {}, walk: () => {} });
    this.tokens.node.removeAttribute("tabindex");
    this.tokens.node.removeAttribute("role");
    this.tokens.node.setAttribute("aria-hidden", "true");
    this.editor = h("textarea", {
      class: "ex-live-editor",
      "aria-label": label,
      placeholder,
      title,
      spellcheck: "false",
      autocapitalize: "off",
      autocomplete: "off",
      onInput: () => this.typed(),
      onKeydown: (event) => this.key(event),
      onKeyup: (event) => {
        if (this.pinned !== null && WALKS.has(event.key)) this.walk();
      },
      onClick: (event) => {
        if (this.editor.selectionStart !== this.editor.selectionEnd) return; // selecting text
        on.pin(this.under(event));
      },
      onPointermove: (event) => this.hover(this.under(event)),
      onPointerleave: () => this.hover(null),
    });
    this.node = h("div", { class: "ex-live" }, this.tokens.node, this.editor);
  }

  get value(): string {
    return this.editor.value;
  }

  /** Show another text, such as an example. */
  setValue(source: string): void {
    this.editor.value = source;
    this.draw();
  }

  /** Take the tokens of a text that was read. */
  build(lines: CodeDocument["lines"]): void {
    this.document = lines;
    this.draw();
  }

  mark(pinned: number | null, unit: readonly number[]): void {
    this.pinned = pinned;
    this.marks = unit;
    this.tokens.mark(pinned, unit);
  }

  tint(codes: DataView, palette: Palette): void {
    this.tinted = { codes, palette };
    this.tokens.tint(codes, palette);
  }

  close(): void {
    this.tokens.close();
  }

  private draw(): void {
    const [before, pieces] = textOf(this.document);
    this.pieces = movedPieces(before, pieces, this.editor.value);
    this.tokens.build(linesOf(this.editor.value, this.pieces));
    this.tokens.mark(this.pinned, this.marks);
    if (this.tinted) this.tokens.tint(this.tinted.codes, this.tinted.palette);
  }

  private typed(): void {
    this.draw();
    this.on.typed(this.editor.value);
  }

  private key(event: KeyboardEvent): void {
    const leaving = this.leaving;
    this.leaving = event.key === "Escape" || (leaving && event.key === "Shift");
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key === "Escape") this.on.pin(null);
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.on.pin(this.atCursor());
    } else if (event.key === "Enter" && plain && !event.shiftKey) {
      const { value, selectionStart } = this.editor;
      const line = value.slice(value.lastIndexOf("\n", selectionStart - 1) + 1, selectionStart);
      const indent = /^[ \t]*/.exec(line)?.[0] ?? "";
      if (indent) this.insert(event, `\n${indent}`);
    } else if (event.key === "Tab" && plain && !event.shiftKey && !leaving) {
      this.insert(event, INDENT);
    }
  }

  /** Insert a text as typing does, so that it can be undone. */
  private insert(event: KeyboardEvent, text: string): void {
    event.preventDefault();
    if (document.execCommand("insertText", false, text)) return;
    this.editor.setRangeText(text, this.editor.selectionStart, this.editor.selectionEnd, "end");
    this.typed();
  }

  private atCursor(): number | null {
    return tokenAt(this.pieces, this.editor.selectionStart);
  }

  private walk(): void {
    const token = this.atCursor();
    if (token !== null && token !== this.pinned) this.on.walk(token);
  }

  private hover(token: number | null): void {
    if (token === this.hovered) return;
    this.hovered = token;
    this.on.hover(token);
  }

  /** Return the token under the pointer: the text area lies over it. */
  private under({ clientX, clientY }: MouseEvent): number | null {
    const nodes = document.elementsFromPoint(clientX, clientY) as HTMLElement[];
    const token = nodes.find((node) => node.dataset.token !== undefined)?.dataset.token;
    return token === undefined ? null : Number(token);
  }
}
