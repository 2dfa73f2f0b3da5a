// The code: an editor to paste into, and the same code as tokens tinted by attention.
function render({ model, el }) {
  const tell = messenger(model);
  el.classList.add("ex-region", "ex-code-text");
  keepKeys(el);
  let content = {};
  let dark = false;
  let editing = false;
  let spans = []; // token index -> its elements

  const title = h("span", { class: "ex-panel-title" }, "code");
  const examples = h("select", {
    "aria-label": "Example programs",
    title: "Example programs",
    onChange: () => {
      if (examples.value) tell.now("example", { name: examples.value });
    },
  });
  const direction = segmented(
    "Direction",
    [
      ["row", "looks at", "Where the token looks (its row)"],
      ["column", "looked at by", "Who looks at the token (its column)"],
    ],
    (value) => tell.set("direction", value),
  );
  const edit = h("button", { type: "button", class: "ex-quiet", onClick: () => setEditing(!editing) }, "edit");
  const run = h(
    "button",
    { type: "button", class: "ex-primary", title: "Ctrl+Enter", onClick: () => submit() },
    "run",
  );
  const editor = h("textarea", {
    class: "ex-editor",
    "aria-label": "Code to explore",
    placeholder: "Paste code here, or try one of the examples above.",
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
        editor.setRangeText("    ", editor.selectionStart, editor.selectionEnd, "end");
      }
    },
  });
  const code = h("div", { class: "ex-code", role: "group", "aria-label": "Code as tokens", tabindex: "0" });
  const note = h("div", { class: "ex-note ex-window", hidden: true });

  el.replaceChildren(
    h("div", { class: "ex-panel-head" }, title, h("span", { class: "ex-grow" }), direction, examples, edit, run),
    note,
    editor,
    code,
  );

  let byHand = false; // the editor was asked for, and is not there for want of anything else
  let draft = null; // what was typed and not run; kept over "back" and over a failed run
  function submit() {
    draft = editor.value === model.get("source") ? null : editor.value;
    tell.now("run", { source: editor.value });
    setEditing(false, true);
  }
  function setEditing(on, submitted = false) {
    if (editing && !on && !submitted)
      draft = editor.value === model.get("source") ? null : editor.value;
    byHand = on;
    editing = on || empty();
    el.classList.toggle("ex-editing", editing);
    editor.hidden = !editing;
    code.hidden = editing;
    run.hidden = !editing;
    direction.hidden = editing;
    edit.hidden = empty();
    setText(edit, editing ? "back" : "edit");
    if (on) {
      editor.value = draft ?? model.get("source");
      editor.focus();
      tell.now("editing");
    }
  }

  const tokenOf = (event) => {
    const node = event.target.closest?.("[data-token]");
    return node ? Number(node.dataset.token) : null;
  };
  let hovered = null;
  code.addEventListener("pointerover", (event) => {
    const token = tokenOf(event);
    if (token === hovered) return;
    hovered = token;
    tell.latest("hover", { index: token });
  });
  code.addEventListener("pointerleave", () => {
    if (hovered === null) return;
    hovered = null;
    tell.latest("hover", { index: null });
  });
  code.addEventListener("click", (event) => {
    const token = tokenOf(event);
    if (window.getSelection()?.toString()) return; // the user is selecting text to copy
    tell.now("pin", { index: token });
    code.focus({ preventScroll: true });
  });
  code.addEventListener("dblclick", () => tell.now("pin", { index: null }));
  code.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return tell.now("pin", { index: null });
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const present = spans.map((nodes, index) => (nodes ? index : -1)).filter((index) => index >= 0);
    const at = present.indexOf(content.pinned);
    const next = present[at < 0 ? 0 : Math.min(present.length - 1, Math.max(0, at + step))];
    if (next !== undefined) tell.latest("pin", { index: next });
  });

  function build(lines) {
    spans = [];
    const part = ([text, token, kind]) => {
      if (token < 0) return document.createTextNode(text);
      const node = h("span", { class: `ex-token ${["", "ex-special", "ex-break"][kind]}`, "data-token": token });
      node.textContent = text;
      (spans[token] ??= []).push(node);
      return node;
    };
    code.replaceChildren(
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
  function tint() {
    const view = model.get("tint");
    const palette = model.get("palette");
    const lut = palette?.[dark ? "dark" : "light"];
    const name = `${palette?.name} ${dark}`;
    if (!view || !lut) return;
    const codes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    for (let token = 0; token < spans.length; token++) {
      const value = codes[token] ?? 0;
      for (const node of spans[token] ?? []) {
        if (node.dataset.value === String(value) && node.dataset.lut === name) continue;
        node.dataset.value = value;
        node.dataset.lut = name;
        const colour = lut[value];
        // The lowest colours are left out, so that text nobody looks at stays plain text.
        node.style.backgroundColor = value > 6 ? colour : "";
        node.style.color = value > 6 ? inkOn(colour) : "";
      }
    }
  }
  let built = null;
  const empty = () => !(model.get("document").lines ?? []).length;
  let marked = [];
  function update(next) {
    content = next;
    if (content.programs === undefined) return;
    const { serial, lines } = model.get("document");
    if (built !== serial) {
      built = serial;
      build(lines ?? []);
      if (draft === model.get("source")) draft = null; // it has been run
      // Whoever is typing goes on typing; the new tokens are behind the editor.
      const typing = byHand || (editor.value.trim() && editor.value !== model.get("source"));
      if (!editing || !typing) {
        editor.value = draft ?? model.get("source");
        setEditing(false, true);
      }
    }
    fillSelect(examples, [["", "examples…"], ...content.programs], "");
    examples.hidden = !content.programs.length;
    edit.hidden = editing ? edit.hidden : !content.editable;
    setText(title, content.title);
    direction.show(content.direction);
    for (const node of marked) {
      node.removeAttribute("data-pinned");
      node.removeAttribute("data-marked");
    }
    const inUnit = (content.marked ?? []).flatMap((token) => spans[token] ?? []);
    const pinned = content.pinned === null ? [] : (spans[content.pinned] ?? []);
    for (const node of inUnit) node.setAttribute("data-marked", "");
    for (const node of pinned) node.setAttribute("data-pinned", "");
    marked = [...inUnit, ...pinned];
    note.hidden = !content.window;
    if (content.window) {
      const { text, previous, next: following } = content.window;
      note.replaceChildren(
        h("span", {}, text),
        h("button", { type: "button", class: "ex-quiet", disabled: previous === null, onClick: () => tell.now("window", { start: previous }) }, "‹ earlier"),
        h("button", { type: "button", class: "ex-quiet", disabled: following === null, onClick: () => tell.now("window", { start: following }) }, "later ›"),
      );
    }
    tint();
  }
  const stop = follow(model, update);
  const stopDocument = follow(model, () => update(model.get("content")), "document");
  const stopTint = follow(model, tint, "tint");
  const stopPalette = follow(model, tint, "palette");
  const stopTheme = followTheme((value) => {
    dark = value;
    tint();
  });
  return () => {
    stop();
    stopTint();
    stopDocument();
    stopPalette();
    stopTheme();
    tell.close();
  };
}
export default region(render);
