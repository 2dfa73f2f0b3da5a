// A grid of all heads, coloured by a measure, with the chosen head framed and a set of heads dotted.

import { h } from "../../lib/dom.ts";
import { threeDigits } from "../../lib/format.ts";
import type { HeadSelectorContent, HeadSet } from "../../protocol/index.ts";

const SVG = "http://www.w3.org/2000/svg";
const MANY = 40; // of so many heads only those that count for something are marked

export interface Cell {
  readonly layer: number;
  readonly head: number;
}

export class HeadGrid {
  readonly node: HTMLElement;
  /** What the colours mean: the least value, the scale, the largest value. */
  readonly legend = h("div", { class: "ex-grid-legend" });
  private readonly canvas = h("canvas", { class: "ex-grid-canvas" });
  private readonly marks = document.createElementNS(SVG, "svg");
  private readonly frame = h("div", { class: "ex-grid-frame" });
  private values = new Float32Array();
  private layers = 1;
  private heads = 1;

  constructor(roleDescription: string) {
    this.marks.setAttribute("class", "ex-grid-marks");
    this.marks.setAttribute("preserveAspectRatio", "none");
    this.marks.setAttribute("aria-hidden", "true");
    this.node = h(
      "div",
      {
        class: "ex-grid",
        tabindex: "0",
        role: "application",
        "aria-roledescription": roleDescription,
      },
      this.canvas,
      this.marks,
      this.frame,
    );
  }

  /** Return the cell under the pointer, or null. */
  cellAt(event: MouseEvent): Cell | null {
    const box = this.canvas.getBoundingClientRect();
    const head = Math.floor(((event.clientX - box.left) / box.width) * this.heads);
    const layer = Math.floor(((event.clientY - box.top) / box.height) * this.layers);
    const inside = layer >= 0 && layer < this.layers && head >= 0 && head < this.heads;
    return inside ? { layer, head } : null;
  }

  /** Return a cell in words, with its value where there is one. */
  describe({ layer, head }: Cell): string {
    const value = this.values[layer * this.heads + head];
    const where = `L${layer} H${head}`;
    return Number.isFinite(value) ? `${where}  ${threeDigits(value)}` : where;
  }

  /** Colour the cells by their values, from the least to the largest. */
  paint(
    { layers, heads }: Pick<HeadSelectorContent, "heads" | "layers">,
    values: Float32Array<ArrayBuffer>,
    colours: readonly string[] | undefined,
    dark: boolean,
  ): void {
    Object.assign(this, { layers, heads, values });
    this.node.style.setProperty("--ex-rows", String(layers));
    this.canvas.width = heads;
    this.canvas.height = layers;
    const context = this.canvas.getContext("2d") as CanvasRenderingContext2D;
    context.fillStyle = dark ? "#ffffff14" : "#0000000d";
    context.fillRect(0, 0, heads, layers);
    this.legend.hidden = !values.length || !colours;
    if (!values.length || !colours) return;
    const finite = values.filter(Number.isFinite);
    const low = Math.min(...finite);
    const high = Math.max(...finite);
    const stops = [0, 0.25, 0.5, 0.75, 1].map(
      (at) => colours[Math.round(at * (colours.length - 1))],
    );
    this.legend.replaceChildren(
      threeDigits(low),
      h("span", {
        class: "ex-grid-scale",
        style: `background:linear-gradient(to right,${stops.join(",")})`,
      }),
      threeDigits(high),
    );
    values.forEach((value, index) => {
      if (!Number.isFinite(value)) return;
      const at = high > low ? (value - low) / (high - low) : 0.5;
      context.fillStyle = colours[Math.round(at * (colours.length - 1))];
      context.fillRect(index % heads, Math.floor(index / heads), 1, 1);
    });
  }

  /** Frame the chosen head; a whole row or column where a mean is chosen. */
  frameHead(layer: number | null, head: number | null): void {
    const part = (place: number | null, count: number) =>
      place === null ? [0, 100] : [(100 * place) / count, 100 / count];
    const [top, height] = part(layer, this.layers);
    const [left, width] = part(head, this.heads);
    this.frame.style.inset = `${top}% auto auto ${left}%`;
    this.frame.style.height = `${height}%`;
    this.frame.style.width = `${width}%`;
  }

  /** Mark the heads of a set by dots, the larger the more they weigh. */
  markSet(cells: HeadSet["cells"]): void {
    const wanted = JSON.stringify([this.layers, this.heads, cells]);
    if (this.marks.dataset.shown === wanted) return;
    this.marks.dataset.shown = wanted;
    this.marks.setAttribute("viewBox", `0 0 ${this.heads} ${this.layers}`);
    const least = cells.length > MANY ? 0.125 : 0;
    const paths = new Map<number, string>(); // size -> dots
    for (const [layer, head, share] of cells) {
      if (layer >= this.layers || head >= this.heads || share < least) continue;
      const size = 1.5 + Math.round(share * 4);
      // A line of no length with round ends is a dot that stays round however cells are stretched.
      paths.set(size, `${paths.get(size) ?? ""}M${head + 0.5} ${layer + 0.5}h0`);
    }
    const dots = (kind: "ex-dot" | "ex-halo", wider: number) =>
      [...paths].map(([size, d]) => {
        const path = document.createElementNS(SVG, "path");
        path.setAttribute("class", kind);
        path.setAttribute("d", d);
        path.setAttribute("stroke-width", String(size + wider));
        return path;
      });
    this.marks.replaceChildren(...dots("ex-halo", 1.5), ...dots("ex-dot", 0));
  }
}
