// The words and numbers of the thresholds tab. One module for its places: "figures" (what the
// labels say of the threshold), "between" (the two thresholds of the flips), "free" (the
// baselines), "measure" (how the map judges heads), "moves" (what becomes of the weights) and
// "agree" (what other methods call).
function figuresPart(el, tell) {
  const button = (text, title, onClick) => h("button", { type: "button", class: "ex-quiet", title, onClick }, text);
  const methods = h("div", { class: "ex-segmented", role: "group", "aria-label": "Scores to judge" });
  const said = h("span", { class: "ex-note", role: "status" });
  const judged = h("p", { class: "ex-note" });
  const refusal = h("p", { role: "status" });
  const toTraces = button("label in the traces tab", "Each card there has a mark for used and one for not used", () => tell.set("tab", "traces"));
  const offer = h("p", { role: "status" });
  const accept = button("", "", () => tell.now(content.offer.kind));
  const refused = h("div", { class: "ex-refused" }, refusal, offer, h("div", { class: "ex-actions" }, toTraces, accept));
  const truthRoom = h("span");
  const drop = h("input", {
    class: "ex-number",
    inputmode: "decimal",
    "aria-label": "Least drop of log-probability",
    title: "Used is what lowers the log-probability of the answer by at least this when it is left out; 0.693 makes the answer half as likely",
    onChange: () => {
      const value = Number(drop.value);
      if (drop.value.trim() && Number.isFinite(value) && value > 0) tell.set("least_drop", value);
      else drop.value = digits(content.least_drop);
    },
    onKeydown: (event) => event.key === "Enter" && drop.blur(),
  });
  const dropField = h("label", { class: "ex-field" }, "drop from", drop);
  let truth;
  const columns = [0, 1].map(() => h("th", { scope: "col" }));
  const cells = [0, 1, 2, 3].map(() => h("td"));
  const [both, alarm, missed, left] = cells;
  const counts = h(
    "table",
    { class: "ex-confusion", "aria-label": "Confusion counts" },
    h("thead", {}, h("tr", {}, h("td"), columns)),
    h(
      "tbody",
      {},
      h("tr", {}, h("th", { scope: "row" }, "called used"), both, alarm),
      h("tr", {}, h("th", { scope: "row" }, "called not"), missed, left),
    ),
  );
  both.className = left.className = "ex-right";
  const rows = h("div", { class: "ex-figures", role: "list", "aria-label": "Figures at this threshold" });
  const warning = h("p", { class: "ex-note ex-warning" });
  const notes = h("div", { class: "ex-notes" });
  const best = button("", "", () => tell.now("best", { threshold: content.best }));
  const recommend = button("recommend", "", () => tell.now(content.recommending ? "cancel recommend" : "recommend"));
  const json = button("JSON", "Save the config of a FeedbackExtractor that works as shown here", () => tell.now("export", { what: "JSON" }));
  const python = button("Python", "Save Python that makes a FeedbackExtractor as shown here", () => tell.now("export", { what: "Python" }));
  const report = button("report", "Save every figure and number of this tab as one page, to keep or to send", () => tell.now("report"));
  const actions = h("div", { class: "ex-actions" }, best, recommend, h("span", { class: "ex-grow" }), h("span", { class: "ex-note" }, "export"), json, python, report);
  const advice = h("p", { class: "ex-advice-text" });
  const take = button("show it", "", () => tell.now(content.recommended?.shown ? "go back" : "take"));
  const adviceJson = button("JSON", "Save the recommendation: its config, and the figures that it was judged by", () => tell.now("export", { what: "recommended JSON" }));
  const advicePython = button("Python", "Save Python that makes the recommended extractor", () => tell.now("export", { what: "recommended Python" }));
  const adviceNotes = h("div", { class: "ex-advice-notes" });
  const adviceExport = h("span", { class: "ex-note" }, "export the recommendation");
  const moreSaid = h("span", { class: "ex-note" });
  const again = button("read them again for more to choose from", "Let the chosen model read them again with the rows of the question and a question without content; attention that traces brought themselves stays", () => tell.now("read_again"));
  const stopReading = button("cancel", "Stop reading; what was read until then is kept", () => tell.now("cancel scoring"));
  const more = h("div", { class: "ex-actions ex-more", role: "status" }, moreSaid, again, stopReading);
  const box = h("div", { class: "ex-advice", role: "status" }, advice, adviceNotes, h("div", { class: "ex-actions" }, take, h("span", { class: "ex-grow" }), adviceExport, adviceJson, advicePython));
  el.replaceChildren(
    h("div", { class: "ex-panel-head" }, h("span", { class: "ex-panel-title" }, "scores by"), methods),
    h("div", { class: "ex-panel-head" }, h("span", { class: "ex-panel-title" }, "judged by"), truthRoom, dropField, said),
    refused,
    judged,
    h("div", { class: "ex-lab-numbers" }, counts, rows),
    warning,
    notes,
    actions,
    box,
    more,
  );
  const badges = (node, list) => {
    const wanted = JSON.stringify(list);
    if (node.dataset.shown === wanted) return;
    node.dataset.shown = wanted;
    node.replaceChildren(...list.map(([code, message]) => h("span", { class: "ex-badge", title: message, tabindex: "0", "aria-label": message }, code)));
  };
  // In a box of its own a note is said in full: it is there to be read before the choice is used.
  const sentences = (node, list) => {
    const wanted = JSON.stringify(list);
    if (node.dataset.shown === wanted) return;
    node.dataset.shown = wanted;
    node.replaceChildren(...list.map(([code, message]) => h("p", { class: "ex-note" }, h("b", {}, code), ". ", message)));
  };
  let content = {};
  el.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target !== drop && content.recommended?.shown) tell.now("go back");
  });
  return (next) => {
    content = next;
    if (methods.childElementCount !== content.methods.length)
      methods.replaceChildren(
        ...content.methods.map(([value, text, title]) =>
          h("button", { type: "button", class: "ex-segment", "data-method": value, title, onClick: () => tell.set("method", value) }, text),
        ),
      );
    for (const node of methods.children) node.setAttribute("aria-pressed", String(node.dataset.method === content.method));
    setText(said, content.said);
    said.title = content.said;
    if (!truth) {
      truth = segmented("Truth", content.truths, (value) => tell.set("truth", value));
      truthRoom.replaceWith(truth);
    }
    truth.show(content.truth);
    dropField.hidden = content.truth !== "ablation";
    if (document.activeElement !== drop) drop.value = digits(content.least_drop);
    columns.forEach((column, place) => setText(column, content.columns[place]));
    refused.hidden = !content.refused && !content.offer;
    toTraces.hidden = !content.refused || !content.can_label;
    refusal.hidden = !content.refused;
    setText(refusal, content.refused);
    offer.hidden = accept.hidden = !content.offer;
    setText(offer, content.offer?.text ?? "");
    setText(accept, content.offer?.action ?? "");
    const there = content.there;
    for (const node of [judged, counts, rows, warning, actions]) node.hidden = !there;
    setText(judged, content.judged);
    content.counts.forEach((count, place) => setText(cells[place], count.toLocaleString("en")));
    if (rows.childElementCount !== content.rows.length)
      rows.replaceChildren(
        ...content.rows.map(([label, title]) =>
          h("div", { title, role: "listitem" }, h("span", { class: "ex-figure-name" }, label), h("b", { class: "ex-number-text" }), h("span", { class: "ex-interval" })),
        ),
      );
    content.rows.forEach(([, , value, low, high], place) => {
      setText(rows.children[place].querySelector("b"), value || "–");
      setText(rows.children[place].lastChild, low === "" ? "" : `${low} to ${high}`);
    });
    setText(warning, content.warning);
    badges(notes, content.notes);
    report.disabled = content.reporting;
    best.hidden = content.best === null;
    best.disabled = Boolean(content.at_best);
    best.title = `${digits(content.best)}: the threshold with the largest F1 on these very hyperedges`;
    setText(best, content.best === null ? "" : "go to the best F1");
    setText(recommend, content.recommending ? "cancel" : "recommend");
    recommend.title = content.recommending
      ? "Stop choosing; what is finished is kept for the next time"
      : "Choose heads and a threshold by nested cross-validation";
    more.hidden = !content.more;
    setText(moreSaid, content.more?.said ?? "");
    again.hidden = Boolean(content.more?.busy);
    stopReading.hidden = !content.more?.busy;
    const found = content.recommended;
    box.hidden = !found;
    if (found) {
      setText(advice, found.said);
      sentences(adviceNotes, found.notes);
      setText(take, found.shown ? "go back" : "show it");
      take.title = found.shown ? "Show again what was shown before (Esc)" : "Show scores and threshold as recommended, in every tab";
      take.hidden = adviceExport.hidden = adviceJson.hidden = advicePython.hidden = !found.accepted;
    }
  };
}

function betweenPart(el, tell) {
  const number = h("input", {
    class: "ex-number",
    inputmode: "decimal",
    "aria-label": "Reference threshold",
    title: "The threshold that the current one is held against",
    onChange: () => {
      const value = Number(number.value);
      if (number.value.trim() && Number.isFinite(value)) tell.set("reference_threshold", value);
      else number.value = digits(content.reference);
    },
    onKeydown: (event) => event.key === "Enter" && number.blur(),
  });
  const to = h("span", { class: "ex-number-text" });
  const here = h("button", { type: "button", class: "ex-quiet", title: "Hold further moves of the line against where it stands now", onClick: () => tell.now("here") }, "compare with here");
  el.replaceChildren(
    h("div", { class: "ex-panel-head" }, h("span", { class: "ex-panel-title" }, "what flips from"), number, h("span", { class: "ex-panel-title" }, "to"), to, h("span", { class: "ex-grow" }), here),
  );
  let content = {};
  return (next) => {
    content = next;
    el.hidden = content.hidden;
    if (document.activeElement !== number) number.value = digits(content.reference);
    setText(to, digits(content.threshold));
    here.disabled = content.reference === content.threshold;
  };
}

function freePart(el, tell) {
  const said = h("span", { class: "ex-note" });
  const embed = h("button", { type: "button", class: "ex-quiet", title: "Put the embedding's similarity beside them; loads the embedding model", onClick: () => tell.now("embed") }, "add embedding");
  el.replaceChildren(h("div", { class: "ex-panel-head" }, h("span", { class: "ex-panel-title" }, "beside what is free"), h("span", { class: "ex-grow" }), embed), said);
  return (content) => {
    el.hidden = content.hidden;
    embed.hidden = content.embedded;
    embed.disabled = content.busy;
    setText(said, content.said);
  };
}

function agreePart(el, tell) {
  const embed = h("button", { type: "button", class: "ex-quiet", title: "Compare with the embedding as well; loads the embedding model", onClick: () => tell.now("embed") }, "add embedding");
  const rows = h("div", { class: "ex-agreement", role: "list", "aria-label": "Agreement with other methods" });
  el.replaceChildren(
    h("div", { class: "ex-panel-head" }, h("span", { class: "ex-panel-title" }, "agreement, which is no truth"), h("span", { class: "ex-grow" }), embed),
    rows,
    h("p", { class: "ex-note" }, "Cohen’s kappa of the calls at this threshold with those of other methods: 1 always the same, 0 as by chance. Two methods may agree and both be wrong."),
  );
  return (content) => {
    el.hidden = content.hidden;
    embed.hidden = !content.embed;
    embed.disabled = content.busy;
    if (rows.childElementCount !== content.rows.length)
      rows.replaceChildren(...content.rows.map(() => h("div", { role: "listitem" }, h("span", { class: "ex-figure-name" }), h("b", { class: "ex-number-text" }), h("span", { class: "ex-interval" }), h("span", { class: "ex-interval" }))));
    content.rows.forEach((texts, place) => texts.forEach((text, column) => setText(rows.children[place].children[column], text)));
  };
}

// A heading, a choice beside it, and a sentence under them.
function choicePart(title, label, trait) {
  return (el, tell) => {
    const room = h("span");
    const said = h("p", { class: "ex-note" });
    el.replaceChildren(h("div", { class: "ex-panel-head" }, h("span", { class: "ex-panel-title" }, title), room), said);
    let choice;
    return (hidden, choices, chosen, text) => {
      el.hidden = hidden;
      if (!choice) {
        choice = segmented(label, choices, (value) => tell.set(trait, value));
        room.replaceWith(choice);
      }
      choice.show(chosen);
      said.hidden = !text;
      setText(said, text);
      return choice;
    };
  };
}

function measurePart(el, tell) {
  const show = choicePart("every head by", "How heads are judged", "quality")(el, tell);
  return (content) => {
    const text = content.heads ? `No map of the heads: ${content.heads}` : "";
    show(content.hidden, content.measures, content.measure, text).hidden = !content.there;
  };
}

function movesPart(el, tell) {
  const show = choicePart("weights at this threshold", "Update strategy", "update_strategy")(el, tell);
  return (content) => show(content.hidden, content.strategies, content.strategy, content.said);
}

function render({ model, el }) {
  const tell = messenger(model);
  el.classList.add("ex-region", "ex-lab");
  keepKeys(el);
  const parts = { figures: figuresPart, between: betweenPart, free: freePart, measure: measurePart, moves: movesPart, agree: agreePart };
  let draw;
  function update(content) {
    if (!content.part) return;
    if (!draw) {
      el.classList.add(`ex-lab-${content.part}`);
      draw = parts[content.part](el, tell);
    }
    draw(content);
  }
  const onMessage = (message) => {
    if (message?.download) download(message.download.name, message.download.mime, message.download.text);
  };
  model.on("msg:custom", onMessage);
  const stop = follow(model, update);
  return () => {
    stop();
    model.off("msg:custom", onMessage);
    tell.close();
  };
}
export default region(render);
