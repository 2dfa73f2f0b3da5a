// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { FlatPoints } from "../src/plot/flat_points.ts";
import type { PlotElement, PointRecord } from "../src/plot/plotly_internals.ts";

const SVG = "http://www.w3.org/2000/svg";

// Two texts and two points as plotly.js leaves them, on axes that can be zoomed or not.
function drawn({ fixedrange = true, made = "used" } = {}) {
  const gd = document.createElement("div") as unknown as PlotElement & Record<string, unknown>;
  const full = { index: 0, visible: true, type: "scatter", mode: "markers+text" };
  Object.assign(gd, { _fullData: [full], _fullLayout: axes(fixedrange) });
  const group = document.createElementNS(SVG, "g");
  group.setAttribute("class", "trace scatter");
  Object.assign(group, { __data__: [{ trace: full }] });
  const records: PointRecord[] = [{ mrc: 6.5 }, { mrc: 0 }];
  const points = records.map((record) => {
    const point = document.createElementNS(SVG, "path");
    point.setAttribute("class", "point");
    group.append(Object.assign(point, { __data__: record }));
    return point;
  });
  const texts = records.map((record, n) => {
    const text = document.createElementNS(SVG, "text");
    text.setAttribute("x", "124");
    text.setAttribute("y", String(9 + 18 * n));
    text.innerHTML = made;
    const holder = document.createElementNS(SVG, "g");
    holder.setAttribute("class", "textpoint");
    holder.setAttribute("transform", "translate(0,2.75)");
    holder.append(text);
    group.append(Object.assign(holder, { __data__: record }));
    return text;
  });
  gd.append(group);
  return { gd, texts, points, records, flat: new FlatPoints(gd) };
}

const axes = (fixedrange: boolean) => ({ xaxis: { fixedrange }, yaxis: { fixedrange } });
const places = (texts: Element[]) =>
  texts.map((text) => [text.getAttribute("x"), text.getAttribute("y")]);
const moves = (texts: Element[]) =>
  texts.map((text) => text.parentElement?.getAttribute("transform"));

describe("texts", () => {
  it("lie where they lay, without a transform each", () => {
    const { flat, texts } = drawn();
    flat.flatten();
    expect(moves(texts)).toEqual([null, null]);
    expect(places(texts)).toEqual([
      ["124", "11.75"],
      ["124", "29.75"],
    ]);
    flat.flatten();
    expect(places(texts)[0]).toEqual(["124", "11.75"]);
  });

  it("that plotly styles anew are not moved twice", () => {
    const { flat, texts } = drawn();
    flat.flatten();
    texts[0].parentElement?.setAttribute("transform", "translate(0,2.75)");
    texts[1].parentElement?.setAttribute("transform", "translate(1,3)");
    flat.flatten();
    expect(places(texts)).toEqual([
      ["124", "11.75"],
      ["125", "30"],
    ]);
  });

  it("that plotly draws anew are moved from their new place", () => {
    const { flat, texts } = drawn();
    flat.flatten();
    texts[0].setAttribute("y", "40");
    texts[0].parentElement?.setAttribute("transform", "translate(0,2.75)");
    flat.flatten();
    expect(places(texts)[0]).toEqual(["124", "42.75"]);
  });

  it("of several lines keep their transform, and so do those on axes that can be zoomed", () => {
    const lines = drawn({ made: '<tspan x="124" y="9">a</tspan>' });
    const zoomable = drawn({ fixedrange: false });
    for (const { flat, texts } of [lines, zoomable]) {
      flat.flatten();
      expect(moves(texts)).toEqual(["translate(0,2.75)", "translate(0,2.75)"]);
    }
  });
});

describe("points", () => {
  it("without a size are taken away until they have one", () => {
    const { flat, points, records } = drawn();
    flat.flatten();
    expect(points.map((point) => point.style.display)).toEqual(["", "none"]);
    records[1].mrc = 6.5;
    flat.flatten();
    expect(points[1].style.display).toBe("");
  });
});
