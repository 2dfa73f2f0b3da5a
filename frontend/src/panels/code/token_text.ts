// Lines of code made of tokens that can be tinted, hovered, pinned and walked with the arrow keys.

import { inkOn } from "../../lib/colour.ts";
import { h } from "../../lib/dom.ts";
import { followTheme, type Theme } from "../../lib/theme.ts";
import type { CodeDocument, LinePart, Palette } from "../../protocol/index.ts";

const KINDS = ["", "ex-special", "ex-break"];
/** Colours up to this one are left out, so that tokens without attention stay plain text. */
const FAINTEST = 6;

export interface TokenGestures {
  hover(index: number | null): void;
  pin(index: number | null): void;
  walk(index: number): void;
}

export class TokenText {
  readonly node: HTMLElement;
  private spans: (HTMLElement[] | undefined)[] = []; // token index -> its elements
  private marked: HTMLElement[] = [];
  private pinned: number | null = null;
  private hovered: number | null = null;
  private found: HTMLElement[] = [];
  private theme: Theme = "light";
  private tinted: { codes: DataView; palette: Palette } | null = null;
  private readonly stop: () => void;

  constructor(
    label: string,
    private readonly on: TokenGestures,
  ) {
    this.node = h("div", {
      class: "ex-code",
      role: "group",
      "aria-label": label,
      tabindex: "0",
      onPointerover: (event) => this.hover(tokenOf(event)),
      onPointerleave: () => this.hover(null),
      onClick: (event) => {
        if (window.getSelection()?.toString()) return; // the user is selecting text to copy
        on.pin(tokenOf(event));
        this.node.focus({ preventScroll: true });
      },
      onDblclick: () => on.pin(null),
      onKeydown: (event) => this.key(event),
    });
    this.stop = followTheme((theme) => {
      this.theme = theme;
      if (this.tinted) this.tint(this.tinted.codes, this.tinted.palette);
    });
  }

  close(): void {
    this.stop();
  }

  /** Show other lines. */
  build(lines: CodeDocument["lines"]): void {
    this.spans = [];
    const part = ([text, token, kind]: LinePart) => {
      if (token < 0) return text;
      const node = h("span", { class: `ex-token ${KINDS[kind]}`, "data-token": token });
      node.textContent = text;
      const spans = this.spans[token] ?? [];
      spans.push(node);
      this.spans[token] = spans;
      return node;
    };
    this.node.replaceChildren(
      ...lines.map(([number, parts]) =>
        h(
          "div",
          { class: "ex-line" },
          h("span", { class: "ex-line-number", "aria-hidden": "true" }, number ?? ""),
          h("span", { class: "ex-line-text" }, parts.map(part)),
        ),
      ),
    );
  }

  /** Mark the pinned token, and the tokens of the pinned unit. */
  mark(pinned: number | null, unit: readonly number[]): void {
    for (const node of this.marked) {
      node.removeAttribute("data-pinned");
      node.removeAttribute("data-marked");
    }
    const moved = pinned !== null && pinned !== this.pinned;
    this.pinned = pinned;
    const inUnit = unit.flatMap((token) => this.spans[token] ?? []);
    const own = pinned === null ? [] : (this.spans[pinned] ?? []);
    for (const node of inUnit) node.setAttribute("data-marked", "");
    for (const node of own) node.setAttribute("data-pinned", "");
    this.marked = [...inUnit, ...own];
    if (moved) this.reveal(pinned);
  }

  /** Mark the token that a search has found, and scroll to it. */
  find(token: number | null): void {
    for (const node of this.found) node.removeAttribute("data-found");
    this.found = token === null ? [] : (this.spans[token] ?? []);
    for (const node of this.found) node.setAttribute("data-found", "");
    if (token !== null) this.reveal(token);
  }

  /** Break long lines, or scroll them; returns whether they are broken now. */
  toggleWrap(): boolean {
    return this.node.classList.toggle("ex-wrap");
  }

  /** Scroll to a token, unless it can be seen; the page itself stays where it is. */
  reveal(token: number): void {
    const [node] = this.spans[token] ?? [];
    if (!node) return;
    const box = this.node.closest(".ex-live") ?? this.node;
    const all = box.getBoundingClientRect();
    const one = node.getBoundingClientRect();
    if (one.top < all.top || one.bottom > all.bottom) {
      box.scrollTop += one.top - all.top - (all.height - one.height) / 2;
    }
    if (one.left < all.left + 32 || one.right > all.right) {
      box.scrollLeft += one.left - all.left - all.width / 3;
    }
  }

  /** Colour every token by its code. */
  tint(codes: DataView, palette: Palette): void {
    this.tinted = { codes, palette };
    const colours = palette[this.theme];
    const name = `${palette.name} ${this.theme}`;
    this.spans.forEach((nodes, token) => {
      const code = token < codes.byteLength ? codes.getUint8(token) : 0;
      for (const node of nodes ?? []) {
        if (node.dataset.value === String(code) && node.dataset.lut === name) continue;
        node.dataset.value = String(code);
        node.dataset.lut = name;
        const colour = colours[code];
        node.style.backgroundColor = code > FAINTEST ? colour : "";
        node.style.color = code > FAINTEST ? inkOn(colour) : "";
      }
    });
  }

  private hover(token: number | null): void {
    if (token === this.hovered) return;
    this.hovered = token;
    this.on.hover(token);
  }

  private key(event: KeyboardEvent): void {
    if (event.key === "Escape") {
      event.preventDefault();
      this.on.pin(null);
      return;
    }
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const present = [...this.spans.keys()].filter((token) => this.spans[token]);
    const at = this.pinned === null ? -1 : present.indexOf(this.pinned);
    const next = at < 0 ? 0 : Math.min(present.length - 1, Math.max(0, at + step));
    if (present.length) this.on.walk(present[next]);
  }
}

function tokenOf(event: Event): number | null {
  const node = (event.target as Element).closest<HTMLElement>("[data-token]");
  return node ? Number(node.dataset.token) : null;
}
