// Under the bars: the entities of this trace's hyperedges, or how weights move over all traces.
function render({ model, el }) {
  const tell = messenger(model);
  el.classList.add("ex-region", "ex-weights");
  keepKeys(el);
  const view = segmented(
    "What stands under the bars",
    [
      ["entities", "entities", "The hyperedges of this trace with their entities, sized by weight"],
      ["weights", "weights", "How the weights move over all traces at this threshold"],
    ],
    (value) => tell.set("weight_view", value),
  );
  const strategy = h("select", { "aria-label": "Update strategy", title: "How feedback moves the weights", onChange: () => tell.set("update_strategy", strategy.value) });
  const field = h("label", { class: "ex-field" }, "update", strategy);
  const said = h("span", { class: "ex-note", role: "status" });
  const cancel = h("button", { type: "button", class: "ex-quiet", onClick: () => tell.now("cancel") }, "cancel");
  el.replaceChildren(h("div", { class: "ex-panel-head" }, view, field, cancel), said);
  function update(content) {
    if (content.view === undefined) return;
    el.hidden = content.hidden;
    view.show(content.view);
    field.hidden = content.view !== "weights";
    fillSelect(strategy, content.strategies, content.strategy);
    cancel.hidden = !content.busy;
    setText(said, content.said);
  }
  const stop = follow(model, update);
  return () => {
    stop();
    tell.close();
  };
}
export default region(render);
