// The code: an editor to paste into, and the same code as tokens tinted by attention.

import { fillSelect, quietButton, segmented } from "../../lib/controls.ts";
import { h, setText } from "../../lib/dom.ts";
import type {
  CodeDocument,
  CodeTextContent,
  CodeTextGesture,
  CodeTextTexts,
} from "../../protocol/index.ts";
import { isFilled, panel } from "../panel.ts";
import { codeFrame } from "./code_frame.ts";
import { liveCode } from "./live_code.ts";
import { tokenSearch } from "./token_search.ts";
import { TokenText } from "./token_text.ts";
import { windowNote } from "./window_note.ts";

const INDENT = "    ";

export const codeText = panel<CodeTextContent, CodeTextTexts, CodeTextGesture, CodeDocument>(
  "ex-code-text",
  (place) => {
    const { el, model, texts, tell, follow, listen, atEnd } = place;
    const first = model.get("content");
    if (isFilled(first) && first.live) return liveCode(place);
    let content: CodeTextContent;
    let editing = false;
    let byHand = false; // the editor was asked for, and is not there for want of anything else
    let draft: string | null = null; // what was typed and not run; kept over a failed run
    const title = h("span", { class: "ex-panel-title" });
    const examples: HTMLSelectElement = h("select", {
      "aria-label": texts.examples_title,
      title: texts.examples_title,
      onChange: () => {
        if (examples.value) tell.now({ kind: "example", name: examples.value });
      },
    });
    const direction = segmented(
      texts.direction,
      [
        ["row", texts.row, texts.row_title],
        ["column", texts.column, texts.column_title],
      ],
      (value) => tell.set("direction", value),
    );
    const edit = quietButton(texts.edit, null, () => setEditing(!editing));
    const run = h(
      "button",
      { type: "button", class: "ex-primary", title: texts.run_title, onClick: () => submit() },
      texts.run,
    );
    const editor = h("textarea", {
      class: "ex-editor",
      "aria-label": texts.editor,
      placeholder: texts.placeholder,
      spellcheck: "false",
      autocapitalize: "off",
      autocomplete: "off",
      onKeydown: (event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          submit();
        } else if (event.key === "Escape") {
          setEditing(false);
        } else if (event.key === "Tab" && !event.shiftKey && !event.altKey && !event.ctrlKey) {
          event.preventDefault();
          editor.setRangeText(INDENT, editor.selectionStart, editor.selectionEnd, "end");
        }
      },
    });
    const code = new TokenText(texts.tokens, {
      hover: (index) => tell.latest({ kind: "hover", index }),
      pin: (index) => tell.now({ kind: "pin", index }),
      walk: (index) => tell.latest({ kind: "pin", index }),
    });
    atEnd(() => code.close());
    const language: HTMLSelectElement = h("select", {
      class: "ex-language",
      "aria-label": texts.language,
      title: texts.language_title,
      onChange: () => tell.set("language", language.value),
    });
    const search = tokenSearch(texts, (token) => code.find(token));
    const wrap: HTMLElement = h(
      "button",
      {
        type: "button",
        class: "ex-segment ex-mean",
        title: texts.wrap_title,
        "aria-pressed": "false",
        onClick: () => wrap.setAttribute("aria-pressed", String(code.toggleWrap())),
      },
      texts.wrap,
    );
    const note = windowNote(texts, (start) => tell.now({ kind: "window", start }));
    const head = h(
      "div",
      { class: "ex-panel-head" },
      title,
      language,
      h("span", { class: "ex-grow" }),
      search.node,
      wrap,
      examples,
      edit,
      run,
    );
    const frame = codeFrame(el, texts, tell, [head, note.node, editor, code.node], direction.node);
    atEnd(() => frame.close());
    listen((message) => {
      if (message.kind === "reveal") code.reveal(message.index);
    });

    const isEmpty = () => !documentOf(model.get("document")).lines.length;
    const typed = () => (editor.value === model.get("source") ? null : editor.value);
    function submit(): void {
      draft = typed();
      tell.now({ kind: "run", source: editor.value });
      setEditing(false, true);
    }
    function setEditing(on: boolean, submitted = false): void {
      if (editing && !on && !submitted) draft = typed();
      byHand = on;
      editing = on || isEmpty();
      el.classList.toggle("ex-editing", editing);
      editor.hidden = !editing;
      code.node.hidden = editing;
      run.hidden = !editing;
      wrap.hidden = search.node.hidden = editing;
      edit.hidden = isEmpty();
      setText(edit, editing ? texts.back : texts.edit);
      if (!on) return;
      editor.value = draft ?? model.get("source");
      editor.focus();
      tell.now({ kind: "editing" });
    }

    let built: number | null = null;
    function buildDocument(): void {
      const { serial, lines } = documentOf(model.get("document"));
      if (built === serial) return;
      built = serial;
      code.build(lines);
      search.build(lines);
      const source = model.get("source");
      if (draft === source) draft = null; // it has been run
      // Whoever is typing goes on typing; the new tokens are behind the editor.
      const typing = byHand || (editor.value.trim() && editor.value !== source);
      if (editing && typing) return;
      editor.value = draft ?? source;
      setEditing(false, true);
    }
    function draw(next: CodeTextContent): void {
      content = next;
      buildDocument();
      fillSelect(examples, [["", texts.examples], ...content.programs], "");
      examples.hidden = !content.programs.length;
      if (!editing) edit.hidden = !content.editable;
      setText(title, content.title);
      fillSelect(language, content.languages, content.language);
      direction.show(content.direction);
      code.mark(content.pinned, content.marked);
      note.show(content.window);
      frame.show(content);
      tint();
    }
    function tint(): void {
      const palette = model.get("palette");
      if (isFilled(palette)) code.tint(model.get("tint"), palette);
    }
    follow("document", () => content && draw(content));
    follow("tint", tint);
    follow("palette", tint);
    return draw;
  },
);

function documentOf(sent: CodeDocument | Record<string, never>): CodeDocument {
  return isFilled(sent) ? sent : { serial: 0, lines: [] };
}
