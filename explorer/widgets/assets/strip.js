// The line of controls that both tabs share: threshold, score, units, colours, and the counts.
const FLOOR = -4; // the log slider ends at 1e-4; smaller thresholds can be typed

function render({ model, el }) {
  const tell = messenger(model);
  el.classList.add("ex-region", "ex-strip");
  keepKeys(el);
  let content = {};

  const slider = h("input", {
    type: "range",
    class: "ex-threshold",
    "aria-label": "Threshold",
    onInput: () => {
      const value = fromSlider(Number(slider.value));
      number.value = digits(value);
      slider.setAttribute("aria-valuetext", digits(value));
      tell.set(content.threshold_name, value);
    },
  });
  const number = h("input", {
    type: "text",
    inputmode: "decimal",
    class: "ex-number",
    "aria-label": "Threshold, typed",
    onChange: () => {
      const value = Number(number.value.replace(",", ".").replace("−", "-"));
      if (Number.isFinite(value)) tell.set(content.threshold_name, value);
      else update(content);
    },
    // What the kernel refused must not stay there as if it held.
    onBlur: () => setTimeout(() => (number.value = digits(content.threshold)), 400),
  });
  const thresholdLabel = h("span", {}, "threshold");
  const scale = segmented(
    "Scale of the threshold",
    [
      ["log", "log", "Logarithmic: scores are mostly small"],
      ["linear", "lin", "Linear"],
    ],
    (value) => tell.set("threshold_scale", value),
  );
  const pick = (name, label, title) => {
    const select = h("select", {
      "aria-label": label,
      title,
      onChange: () => tell.set(name, select.value),
    });
    return select;
  };
  const reduction = pick("reduction", "Reduction", "How the tokens of a unit become one number");
  const normalisation = pick("normalisation", "Normalisation", "Raw score, share of all units, or lift over length");
  const unitKind = pick("unit_kind", "Units", "What is scored in the code");
  const order = pick("bar_order", "Order of the bars", "Order of the bars");
  const colours = pick("colour_scale", "Colour scale", "Colour scale of attention");
  const scaling = pick("scaling", "Colour scaling", "How a weight becomes a colour");
  const check = (name, text, title) => {
    const box = h("input", { type: "checkbox", onChange: () => tell.set(name, box.checked) });
    const label = h("label", { class: "ex-check", title }, box, text);
    label.box = box;
    return label;
  };
  const special = check("hide_special", "hide special", "Hide the model's special tokens");
  const sink = check("hide_sink", "hide sink", "Hide the first key column, which draws attention whatever it says");
  const counts = h("span", { class: "ex-counts", role: "status", "aria-label": "Verdicts" });
  const reductionLabel = h("label", { class: "ex-field" }, "score", reduction);
  const normalisationLabel = h("label", { class: "ex-field" }, "as", normalisation);
  const orderLabel = h("label", { class: "ex-field" }, "bars by", order);
  const coloursLabel = h("label", { class: "ex-field" }, "colours", colours, scaling);
  const unitLabel = h("label", { class: "ex-field" }, "units", unitKind);

  el.replaceChildren(
    h("div", { class: "ex-field ex-threshold-field" }, thresholdLabel, slider, number, scale),
    reductionLabel,
    normalisationLabel,
    unitLabel,
    orderLabel,
    coloursLabel,
    h("span", { class: "ex-field" }, special, sink),
    h("span", { class: "ex-grow" }),
    counts,
  );

  const isLog = () => content.threshold_scale === "log";
  const fromSlider = (x) => (isLog() ? (x <= FLOOR ? 0 : Number((10 ** x).toPrecision(4))) : x);
  const toSlider = (t) => (isLog() ? (t > 0 ? Math.max(FLOOR, Math.log10(t)) : FLOOR) : t);

  function update(next) {
    content = next;
    if (content.threshold === undefined) return;
    setText(thresholdLabel, content.threshold_label);
    reductionLabel.hidden = normalisationLabel.hidden = scale.hidden = !content.of_attention;
    slider.min = isLog() ? FLOOR : 0;
    slider.max = isLog() ? 0 : 1;
    slider.step = isLog() ? 0.01 : 0.001;
    if (document.activeElement !== slider || !slider.matches(":active"))
      slider.value = toSlider(content.threshold);
    slider.setAttribute("aria-valuetext", digits(content.threshold));
    if (document.activeElement !== number || !number.matches(":focus"))
      number.value = digits(content.threshold);
    const place = (t) => {
      const low = Number(slider.min);
      return `${(100 * (toSlider(t) - low)) / (Number(slider.max) - low)}%`;
    };
    const [low, high] = content.reachable ?? [0, 0];
    slider.style.setProperty("--ex-low", place(low));
    slider.style.setProperty("--ex-high", place(high));
    slider.title = content.reachable
      ? `Scores here lie between ${digits(low)} and ${digits(high)} (the dark part of the track)`
      : "";
    for (const label of [reductionLabel, normalisationLabel]) {
      label.classList.toggle("ex-overridden", Boolean(content.of_set));
      label.title = content.of_set ? "A set of heads is in the place of this; to choose here takes it away" : "";
    }
    scale.show(content.threshold_scale);
    fillSelect(reduction, content.choices.reduction, content.reduction);
    fillSelect(normalisation, content.choices.normalisation, content.normalisation);
    orderLabel.hidden = coloursLabel.hidden = content.judging;
    unitLabel.hidden = content.unit_kind === null;
    if (content.unit_kind !== null) fillSelect(unitKind, content.choices.unit_kind, content.unit_kind);
    fillSelect(order, content.choices.bar_order, content.bar_order);
    fillSelect(colours, content.choices.colour_scale, content.colour_scale);
    fillSelect(scaling, content.choices.scaling, content.scaling);
    special.hidden = sink.hidden = !content.of_code;
    special.box.checked = content.hide_special;
    sink.box.checked = content.hide_sink;
    const shown = JSON.stringify(content.counts);
    if (counts.dataset.shown !== shown) {
      counts.dataset.shown = shown;
      counts.replaceChildren(
        ...content.counts.map(([verdict, count, mark, colour]) =>
          h(
            "span",
            { class: "ex-count", "data-verdict": verdict },
            h("span", { class: "ex-mark", style: `color:${colour}`, "aria-hidden": "true" }, mark),
            `${count} ${verdict}`,
          ),
        ),
      );
    }
  }
  const stop = follow(model, update);
  return () => {
    stop();
    tell.close();
  };
}
export default region(render);
