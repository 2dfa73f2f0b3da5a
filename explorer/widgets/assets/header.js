// The top line: name, tabs, model and its state, copy, save, help.
const OTHER_MODEL = "other…";

function render({ model, el }) {
  const tell = messenger(model);
  el.classList.add("ex-region", "ex-header");
  keepKeys(el);

  const tabs = h("div", { class: "ex-tabs", role: "tablist", "aria-label": "Views" });
  const modelSelect = h("select", {
    "aria-label": "Model",
    class: "ex-model",
    onChange: () => {
      if (modelSelect.value === OTHER_MODEL) return askForModel(true);
      tell.now("set", { name: "model", value: modelSelect.value });
    },
  });
  const modelInput = h("input", {
    type: "text",
    class: "ex-model-input",
    "aria-label": "Folder of a model, or its id on the hub",
    placeholder: "folder or hub id, then Enter",
    spellcheck: "false",
    hidden: true,
    onKeydown: (event) => {
      if (event.key === "Escape") askForModel(false);
      if (event.key !== "Enter" || !modelInput.value.trim()) return;
      tell.now("set", { name: "model", value: modelInput.value.trim() });
      askForModel(false);
    },
  });
  const light = h("span", { class: "ex-light", "aria-hidden": "true" });
  const state = h("span", { class: "ex-model-state", role: "status" });
  const said = h("span", { class: "ex-said", role: "status" });

  function askForModel(open) {
    modelInput.hidden = !open;
    modelSelect.hidden = open;
    if (open) {
      modelInput.value = "";
      modelInput.focus();
    } else update(model.get("content"));
  }

  const menu = (label, title, items) => {
    const list = h("div", { class: "ex-menu-list", role: "menu", hidden: true });
    const button = h(
      "button",
      {
        type: "button",
        class: "ex-quiet",
        title,
        "aria-haspopup": "menu",
        "aria-expanded": "false",
        onClick: () => toggle(list.hidden),
      },
      label,
    );
    const node = h("div", { class: "ex-menu" }, button, list);
    const toggle = (open) => {
      list.hidden = !open;
      button.setAttribute("aria-expanded", String(open));
      if (open) list.querySelector("button")?.focus();
    };
    list.append(
      ...items.map(([text, action]) =>
        h(
          "button",
          {
            type: "button",
            role: "menuitem",
            onClick: () => {
              toggle(false);
              action();
            },
          },
          text,
        ),
      ),
    );
    node.addEventListener("focusout", (event) => {
      if (!node.contains(event.relatedTarget)) toggle(false);
    });
    node.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        toggle(false);
        button.focus();
      }
      const buttons = [...list.querySelectorAll("button")];
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!list.hidden && step) {
        const at = buttons.indexOf(document.activeElement);
        buttons[(at + step + buttons.length) % buttons.length].focus();
        event.preventDefault();
      }
    });
    return node;
  };

  const help = h(
    "div",
    { class: "ex-help", role: "dialog", "aria-label": "Help", hidden: true, tabindex: "-1" },
    h("strong", {}, "Reading the picture"),
    h("p", {}, "Rows are the positions that look (queries), columns the positions looked at (keys). Each row of a head sums to 1; hidden columns keep their share."),
    h("strong", {}, "Hands"),
    h(
      "dl",
      {},
      [
        ["click", "pin a token, a cell or a unit; it is pinned in every view"],
        ["Esc", "unpin"],
        ["drag in the heatmap", "zoom; double click to see all"],
        ["arrows on the grid of heads", "up, down: layer; left, right: head"],
        ["drag the line in the bars", "move the threshold"],
        ["PgUp, PgDn on the traces", "previous, next trace"],
        ["Ctrl+Enter in the editor", "run the code"],
      ].map(([key, what]) => [h("dt", {}, key), h("dd", {}, what)]),
    ),
    h("p", {}, "High attention is not proof of use: check a threshold against labels before it steers anything."),
  );
  const helpButton = h(
    "button",
    {
      type: "button",
      class: "ex-quiet",
      title: "Keys and how to read the picture",
      "aria-label": "Help",
      "aria-expanded": "false",
      onClick: () => showHelp(help.hidden),
    },
    "?",
  );
  function showHelp(open) {
    help.hidden = !open;
    helpButton.setAttribute("aria-expanded", String(open));
    if (open) help.focus();
  }
  help.addEventListener("keydown", (event) => event.key === "Escape" && showHelp(false));

  el.replaceChildren(
    h("span", { class: "ex-name" }, "explorer"),
    tabs,
    h("span", { class: "ex-grow" }),
    h("span", { class: "ex-model-box" }, light, modelSelect, modelInput, state),
    said,
    h(
      "button",
      {
        type: "button",
        class: "ex-quiet",
        title: "Copy Python that shows this view again",
        onClick: () => tell.now("copy"),
      },
      "copy",
    ),
    menu("save", "Save what is shown", [
      ["Feedback table (CSV)", () => tell.now("save", { what: "table" })],
      ["Page (HTML, interactive)", () => tell.now("save", { what: "html" })],
      ["Picture (PNG)", () => tell.now("save", { what: "png" })],
      ["Traces with labels (JSON Lines)", () => tell.now("save", { what: "traces" })],
      ["Settings (JSON)", () => tell.now("save", { what: "settings" })],
    ]),
    helpButton,
    help,
  );

  function update(content) {
    if (!content.tabs) return;
    if (tabs.childElementCount !== content.tabs.length) {
      tabs.replaceChildren(
        ...content.tabs.map(([value, label]) =>
          h(
            "button",
            {
              type: "button",
              role: "tab",
              "data-value": value,
              onClick: () => tell.now("set", { name: "tab", value }),
              onKeydown: (event) => {
                if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
                const all = [...tabs.children];
                const step = event.key === "ArrowRight" ? 1 : all.length - 1;
                const next = all[(all.indexOf(event.currentTarget) + step) % all.length];
                next.focus();
                next.click();
              },
            },
            label,
          ),
        ),
      );
    }
    for (const tab of tabs.children) {
      const chosen = tab.dataset.value === content.tab;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
    }
    fillSelect(modelSelect, [...content.models, [OTHER_MODEL, "folder or hub id…"]], content.model);
    light.dataset.state = content.status.kind;
    light.title = content.status.text;
    setText(state, content.status.text);
    state.title = content.status.text;
  }

  const onMessage = (message) => {
    if (message.download) {
      const { name, mime, text } = message.download;
      const bytes = message.download.base64
        ? Uint8Array.from(atob(message.download.base64), (c) => c.charCodeAt(0))
        : text;
      download(name, mime, bytes);
      say(`saved ${name}`);
    } else if (message.copy) copyText(message.copy).then(() => say("copied"));
  };
  let quiet;
  function say(text) {
    setText(said, text);
    clearTimeout(quiet);
    quiet = setTimeout(() => setText(said, ""), 2500);
  }
  model.on("msg:custom", onMessage);
  const stop = follow(model, update);
  return () => {
    stop();
    tell.close();
    model.off("msg:custom", onMessage);
  };
}
export default region(render);
