// What draws everything: sent to a page once, and asked by every widget on it to show its part.

import { h } from "./lib/dom.ts";
import { fill } from "./lib/format.ts";
import { type LibraryState, loadPlotly, oncePerPage } from "./lib/library.ts";
import type { Model } from "./lib/model.ts";
import { PANELS } from "./panels/index.ts";
import type { Plotly } from "./plot/plotly_internals.ts";
import { mountPlot } from "./plot/view.ts";
import type { PlotState, PlotTexts } from "./protocol/index.ts";

const SLOW_MS = 300; // what is over sooner needs no words

type PlotModel = Model<PlotState<PlotTexts>>;

/** Show a plot or a panel in an element; returns what takes it away. */
export function mount(
  part: string,
  model: Model<object>,
  library: Model<LibraryState>,
  el: HTMLElement,
): () => void {
  if (part === "plot") return startPlot(model as PlotModel, library, el);
  const panel = PANELS[part];
  if (!panel) throw new Error(`there is no part “${part}”`);
  return panel(model, el);
}

function startPlot(model: PlotModel, library: Model<LibraryState>, el: HTMLElement): () => void {
  const texts = model.get("texts");
  let unmount: (() => void) | undefined;
  let removed = false;
  el.classList.add("explorer-plot");
  el.dataset.state = "loading";
  el.style.height = `${model.get("marks").height}px`;
  const note = (text: string, role: "alert" | "status") =>
    el.replaceChildren(h("p", { class: "explorer-plot-note", role }, text));
  const slow = setTimeout(() => note(texts.loading, "status"), SLOW_MS);
  const start = async () => {
    const plotly = await oncePerPage(library, "plotly", () => loadPlotly(library));
    clearTimeout(slow);
    if (removed) return;
    el.replaceChildren();
    unmount = mountPlot(model, el, plotly as Plotly);
  };
  start().catch((error) => {
    clearTimeout(slow);
    console.error("[explorer] plot", error);
    el.dataset.state = "failed";
    note(fill(texts.not_started, { reason: error?.message ?? String(error) }), "alert");
  });
  return () => {
    removed = true;
    clearTimeout(slow);
    unmount?.();
  };
}
