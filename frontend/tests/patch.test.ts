// @vitest-environment happy-dom
import { describe, expect, it } from "vitest";
import { barPath, Patch, plainLetters } from "../src/plot/patch.ts";
import type { PlotElement, PointRecord } from "../src/plot/plotly_internals.ts";
import type { ArrayChange } from "../src/protocol/index.ts";

const SVG = "http://www.w3.org/2000/svg";

// What plotly.js leaves behind for one trace: 100 pixels for the values from 0 to 1, both ways.
function drawn(trace: Record<string, unknown>, records: PointRecord[], axes = {}) {
  const gd = document.createElement("div") as unknown as PlotElement & Record<string, unknown>;
  const axis = { c2p: (value: number) => 100 * value, range: [0, 1], type: "linear", ...axes };
  const full = { index: 0, visible: true, xaxis: "x", yaxis: "y", ...trace };
  Object.assign(gd, {
    data: [{ ...trace }],
    layout: {},
    calcdata: [records],
    _fullData: [full],
    _fullLayout: { xaxis: axis, yaxis: axis, barmode: "group" },
  });
  const isBar = trace.type === "bar";
  const group = document.createElementNS(SVG, "g");
  group.setAttribute("class", isBar ? "trace bars" : "trace scatter");
  Object.assign(group, { __data__: [{ trace: full }] });
  const elements = records.map((record) => {
    const isText = "tx" in record;
    const element = document.createElementNS(SVG, isBar || isText ? "g" : "path");
    element.setAttribute("class", isText ? "textpoint" : "point");
    if (isBar) element.append(document.createElementNS(SVG, "path"));
    if (isText) {
      const text = document.createElementNS(SVG, "text");
      text.setAttribute("x", String(100 * record.x + 5));
      text.setAttribute("y", String(100 * record.y));
      text.dataset.unformatted = record.tx;
      text.innerHTML = record.made ?? record.tx;
      element.append(text);
    }
    Object.assign(element, { __data__: record });
    if (!isText || record.tx) group.append(element);
    return element;
  });
  gd.append(group);
  return { gd, full, elements, group };
}

const change = (path: string, value: ArrayChange["value"]): ArrayChange => ({
  trace: 0,
  path,
  serial: 1,
  value,
});

function apply(gd: PlotElement, ...changes: ArrayChange[]): boolean {
  const steps = new Patch(gd).plan(changes);
  for (const step of steps ?? []) step();
  return steps !== null;
}

const bars = () =>
  drawn({ type: "bar", orientation: "h", x: [0.2, 0.4], marker: { color: ["#111", "#222"] } }, [
    { p0: 0, p1: 0.1, s0: 0, s1: 0.2, b: 0 },
    { p0: 0.2, p1: 0.3, s0: 0, s1: 0.4, b: 0 },
  ]);

describe("bars", () => {
  it("get other lengths, in the picture and in what plotly keeps", () => {
    const { gd, full, elements } = bars();
    expect(apply(gd, change("x", [0.5, 0.1]))).toBe(true);
    const paths = elements.map((element) => element.querySelector("path")?.getAttribute("d"));
    expect(paths).toEqual(["M0,0L50,0L50,10L0,10Z", "M0,20L10,20L10,30L0,30Z"]);
    expect(gd.data[0].x).toEqual([0.5, 0.1]);
    expect(full).toMatchObject({ x: [0.5, 0.1] });
  });

  it("get other colours", () => {
    const { gd, elements } = bars();
    expect(apply(gd, change("marker.color", ["red", "blue"]))).toBe(true);
    const fills = elements.map((element) => element.querySelector("path")?.style.fill);
    expect(fills).toEqual(["red", "blue"]);
    expect(gd.data[0].marker.color).toEqual(["red", "blue"]);
  });

  it("are left to plotly where an axis would have to change", () => {
    const { gd } = drawn({ type: "bar", orientation: "h", marker: {} }, [{ p0: 0, p1: 1 }], {
      autorange: true,
    });
    expect(apply(gd, change("x", [2]))).toBe(false);
  });

  it("are left to plotly in another number, or with colours that are numbers", () => {
    const { gd, elements } = bars();
    expect(apply(gd, change("x", [0.5]))).toBe(false);
    expect(apply(gd, change("marker.color", [1, 2]))).toBe(false);
    expect(elements[0].querySelector("path")?.getAttribute("d")).toBeNull();
  });

  it("change all together or not at all", () => {
    const { gd } = bars();
    expect(apply(gd, change("x", [0.5, 0.1]), change("width", [1, 2]))).toBe(false);
    expect(gd.data[0].x).toEqual([0.2, 0.4]);
  });
});

describe("points", () => {
  const points = () =>
    drawn({ type: "scatter", mode: "markers", x: [0], y: [0], marker: { size: [4] } }, [
      { x: 0, y: 0 },
    ]);

  it("move along one axis and then along the other", () => {
    const { gd, elements } = points();
    expect(apply(gd, change("x", [0.5]), change("y", [0.25]))).toBe(true);
    expect(elements[0].getAttribute("transform")).toBe("translate(50,25)");
  });

  it("get other sizes", () => {
    const { gd, elements } = points();
    expect(apply(gd, change("marker.size", [10]))).toBe(true);
    expect(elements[0].getAttribute("d")).toContain("M5,0A5,5");
  });

  it("without a size are not shown", () => {
    const { gd, elements } = points();
    expect(apply(gd, change("marker.size", [0]))).toBe(true);
    expect(elements[0].style.display).toBe("none");
    expect(apply(gd, change("marker.size", [10]))).toBe(true);
    expect(elements[0].style.display).toBe("");
  });

  it("are left to plotly where they would vanish", () => {
    expect(apply(points().gd, change("x", [null]))).toBe(false);
  });

  it("get hover texts without any drawing", () => {
    const { gd } = points();
    expect(apply(gd, change("hovertext", ["other"]))).toBe(true);
    expect(gd.data[0].hovertext).toEqual(["other"]);
  });
});

describe("texts", () => {
  const texts = () =>
    drawn({ type: "scatter", mode: "text", text: ["0.100", "<b>x</b>", ""] }, [
      { x: 0, y: 0, tx: "0.100" },
      { x: 0.5, y: 0, tx: "<b>x</b>", made: "<tspan>x</tspan>" },
      { x: 0.9, y: 0, tx: "" },
    ]);
  const shown = (group: Element) => [...group.querySelectorAll("text")].map((t) => t.textContent);

  it("are written as letters, never as markup of their own", () => {
    const { gd, group } = texts();
    expect(apply(gd, change("text", ["a &lt;b&gt;", "<b>x</b>", ""]))).toBe(true);
    expect(shown(group)).toEqual(["a <b>", "x"]);
    expect(group.querySelector("tspan")).not.toBeNull();
  });

  it("are written into the text node that is there", () => {
    const { gd, group } = texts();
    const before = group.querySelector("text")?.firstChild;
    expect(apply(gd, change("text", ["0.200", "<b>x</b>", ""]))).toBe(true);
    expect(group.querySelector("text")?.firstChild).toBe(before);
    expect(shown(group)).toEqual(["0.200", "x"]);
  });

  it("are read back only where they have markup, and once", () => {
    const { gd, group } = texts();
    let reads = 0;
    for (const text of group.querySelectorAll("text")) {
      const made = text.innerHTML;
      Object.defineProperty(text, "innerHTML", {
        get: () => {
          reads += 1;
          return made;
        },
        set: (svg: string) => {
          text.replaceChildren(svg);
        },
      });
    }
    const patch = new Patch(gd);
    for (const values of [
      ["0.200", "<b>x</b>", ""],
      ["0.300", "y", ""],
      ["0.400", "<b>x</b>", ""],
    ]) {
      for (const step of patch.plan([change("text", values)]) ?? []) step();
    }
    expect(reads).toBe(1);
    expect(shown(group)).toEqual(["0.400", "<tspan>x</tspan>"]);
  });

  it("appear where plotly had made none", () => {
    const { gd, group } = texts();
    expect(apply(gd, change("text", ["0.100", "<b>x</b>", "new"]))).toBe(true);
    const added = [...group.querySelectorAll("text")].at(-1);
    expect(added?.textContent).toBe("new");
    expect(added?.getAttribute("x")).toBe("95"); // beside its point like the others
  });

  it("are left to plotly where they have markup that plotly has not made yet", () => {
    const { gd, group } = texts();
    expect(apply(gd, change("text", ["<i>new</i>", "", ""]))).toBe(false);
    expect(shown(group)).toEqual(["0.100", "x"]);
  });
});

describe("traces", () => {
  it("that are hidden or of another kind are left to plotly", () => {
    const hidden = drawn({ type: "bar", visible: "legendonly" }, []);
    expect(apply(hidden.gd, change("x", []))).toBe(false);
    expect(apply(drawn({ type: "box" }, []).gd, change("x", []))).toBe(false);
    expect(apply(bars().gd, { ...change("x", []), trace: 3 })).toBe(false);
  });
});

describe("plainLetters", () => {
  it("reads entities", () => {
    expect(plainLetters("a &amp; b &lt; &#65; &quot;")).toBe('a & b < A "');
  });

  it("refuses tags, lines, formulas and what it does not know", () => {
    for (const text of ["<b>", "a\nb", "$x$", "&eacute;", "AT&T"]) {
      expect(plainLetters(text)).toBeNull();
    }
  });
});

describe("barPath", () => {
  it("rounds the far corners, by no more than the bar is wide or long", () => {
    expect(barPath(true, [0, 50], [0, 10], 3)).toBe(
      "M0,0L47,0A3,3 0 0 1 50,3L50,7A3,3 0 0 1 47,10L0,10Z",
    );
    expect(barPath(true, [0, 2], [0, 10], { value: 8 })).toContain("A2,2");
    expect(barPath(false, [90, 40], [10, 0], "3px")).toBe(
      "M0,90L0,43A3,3 0 0 1 3,40L7,40A3,3 0 0 1 10,43L10,90Z",
    );
  });

  it("is nothing without length, width or place", () => {
    for (const [along, across] of [
      [
        [5, 5],
        [0, 1],
      ],
      [
        [0, 5],
        [1, 1],
      ],
      [
        [0, Number.NaN],
        [0, 1],
      ],
    ] as const) {
      expect(barPath(true, along as [number, number], across as [number, number])).toBe("M0,0Z");
    }
  });
});
