// The view in the address: after the #, so that neither code nor settings reach the service's log.

const LONGEST_CODE = 50_000;

/** Settings of the view by their names, as the page begins with them. */
export type View = Record<string, unknown>;

const NUMBERS = new Set(["threshold"]);
const INDICES = new Set(["layer", "head"]);
const SWITCHES = new Set(["hide_special", "hide_sink"]);
const NAMES = new Set([
  "model",
  "unit_kind",
  "threshold_mode",
  "threshold_scale",
  "reduction",
  "normalisation",
  "direction",
  "colour_scale",
  "colour_range",
  "scaling",
  "measure",
  "bar_order",
]);
/** Values that an address leaves out: those of the app. */
const DEFAULTS: View = {
  threshold_mode: "auto",
  threshold_scale: "linear",
  unit_kind: "line",
  reduction: "mean",
  normalisation: "lift",
  direction: "row",
  colour_scale: "",
  colour_range: "fixed",
  scaling: "sqrt",
  hide_special: false,
  hide_sink: true,
  measure: "entropy",
  bar_order: "order",
};
const MEAN = "mean";
const CODE = "code";

/** Return the view that an address holds; what it does not know is left out. */
export function readAddress(hash: string): View {
  const view: View = {};
  for (const [name, text] of new URLSearchParams(hash.replace(/^#/, ""))) {
    if (INDICES.has(name)) {
      if (text === MEAN) view[name] = null;
      else if (/^-?\d{1,6}$/.test(text)) view[name] = Number(text);
    } else if (NUMBERS.has(name)) {
      const value = Number(text);
      if (text !== "" && value >= 0 && value <= 1) view[name] = value;
    } else if (SWITCHES.has(name)) view[name] = text === "true";
    else if (NAMES.has(name)) view[name] = text;
    else if (name === CODE && text.trim()) view.source = text.replace(/\r\n?/g, "\n");
  }
  return view;
}

/** Return the address of a view, and whether the code found room in it. */
export function writeAddress(view: View): [hash: string, whole: boolean] {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(view)) {
    if (name === "source" || value === undefined || value === DEFAULTS[name]) continue;
    // What auto found, it finds again.
    if (name === "threshold" && view.threshold_mode === "auto") continue;
    found.set(name, INDICES.has(name) && value === null ? MEAN : String(value));
  }
  const code = String(view.source ?? "");
  const whole = code.length <= LONGEST_CODE;
  if (code && whole) found.set(CODE, code);
  return [`#${found}`, whole];
}
