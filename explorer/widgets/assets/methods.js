// Above the bars: what feedback is worked out from, side by side or one at a time, and how far they agree.
function render({ model, el }) {
  const tell = messenger(model);
  el.classList.add("ex-region", "ex-methods");
  keepKeys(el);
  const label = h("span", { class: "ex-panel-title" }, "feedback by");
  const list = h("div", { class: "ex-segmented", role: "group", "aria-label": "Method" });
  const compare = h(
    "button",
    { type: "button", class: "ex-quiet ex-toggle", title: "Show the methods side by side", onClick: () => tell.set("compare", compare.getAttribute("aria-pressed") !== "true") },
    "compare",
  );
  const said = h("span", { class: "ex-note", role: "status" });
  el.replaceChildren(h("div", { class: "ex-panel-head" }, label, list, compare), said);

  let shown = "";
  function update(content) {
    if (content.methods === undefined) return;
    el.hidden = content.hidden;
    const wanted = JSON.stringify(content.methods);
    if (wanted !== shown) {
      shown = wanted;
      list.replaceChildren(
        ...content.methods.map(([value, text, title, there]) =>
          h("button", { type: "button", class: "ex-segment", "data-method": value, "data-there": String(there), title, onClick: () => tell.set("method", value) }, text),
        ),
      );
    }
    for (const button of list.children) button.setAttribute("aria-pressed", String(button.dataset.method === content.method));
    compare.setAttribute("aria-pressed", String(content.compare));
    setText(said, content.said);
  }
  const stop = follow(model, update);
  return () => {
    stop();
    tell.close();
  };
}
export default region(render);
