// The last line: the view in words, what is being done and how far, and what went wrong.
const SLOW_MS = 200; // what is over sooner is not worth a flicker

function render({ model, el }) {
  const tell = messenger(model);
  el.classList.add("ex-region", "ex-status");
  keepKeys(el);
  const sentence = h("span", { class: "ex-sentence", role: "status", "aria-live": "polite" });
  const jobs = h("span", { class: "ex-jobs" });
  const failure = h("div", { class: "ex-failure", role: "alert", hidden: true });
  const notes = h("div", { class: "ex-notes" });
  el.replaceChildren(failure, notes, h("div", { class: "ex-status-line" }, sentence, h("span", { class: "ex-grow" }), jobs));
  const bars = new Map();

  function job(report) {
    const bar = h("progress", { max: 1, "aria-label": report.message });
    const text = h("span", {});
    const node = h(
      "span",
      { class: "ex-job" },
      text,
      bar,
      h("button", { type: "button", class: "ex-quiet", onClick: () => tell.now("cancel", { lane: report.lane }) }, "cancel"),
    );
    node.hidden = true;
    node.timer = setTimeout(() => (node.hidden = false), SLOW_MS);
    node.show = (latest) => {
      setText(text, latest.message);
      if (latest.fraction === null) bar.removeAttribute("value");
      else bar.value = latest.fraction;
    };
    return node;
  }
  function update(content) {
    if (content.sentence === undefined) return;
    setText(sentence, content.sentence);
    const lanes = new Set(content.jobs.map((report) => report.lane));
    for (const [lane, node] of bars) {
      if (lanes.has(lane)) continue;
      clearTimeout(node.timer);
      node.remove();
      bars.delete(lane);
    }
    for (const report of content.jobs) {
      if (!bars.has(report.lane)) {
        bars.set(report.lane, job(report));
        jobs.append(bars.get(report.lane));
      }
      bars.get(report.lane).show(report);
    }
    const shown = JSON.stringify([content.error, content.notes]);
    if (el.dataset.shown === shown) return;
    el.dataset.shown = shown;
    failure.hidden = !content.error;
    if (content.error)
      failure.replaceChildren(
        h("span", { class: "ex-failure-text" }, content.error),
        h("button", { type: "button", class: "ex-quiet", "aria-label": "Dismiss the message", onClick: () => tell.now("dismiss") }, "dismiss"),
      );
    notes.replaceChildren(...content.notes.map((note) => h("span", { class: "ex-badge", title: note[1], tabindex: "0", "aria-label": note[1] }, note[0])));
  }
  const stop = follow(model, update);
  return () => {
    stop();
    tell.close();
  };
}
export default region(render);
