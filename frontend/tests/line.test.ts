// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from "vitest";
import { Line, lineAfterKey, lineLimits, onAxis } from "../src/plot/line.ts";
import type { LineMarks } from "../src/protocol/index.ts";
import { axis } from "./axes.ts";

const options: LineMarks = { value: 0.1, axis: "x", name: "threshold" };

describe("lineLimits", () => {
  it("are the ends of the axis, whichever way it runs", () => {
    expect(lineLimits(axis({ low: 2, high: 5 }), {})).toEqual([2, 5]);
    expect(lineLimits(axis({ low: 2, high: 5, reversed: true }), {})).toEqual([2, 5]);
  });

  it("are what was asked for, also zero", () => {
    expect(lineLimits(axis({ low: -1 }), { minimum: 0, maximum: 0.5 })).toEqual([0, 0.5]);
  });
});

describe("lineAfterKey", () => {
  it("goes a hundredth of a linear axis, ten of them with a page", () => {
    const linear = axis({ low: 0, high: 2 });
    expect(lineAfterKey("ArrowRight", linear, options, 0.1)).toBeCloseTo(0.12);
    expect(lineAfterKey("ArrowDown", linear, options, 0.1)).toBeCloseTo(0.08);
    expect(lineAfterKey("PageUp", linear, options, 0.1)).toBeCloseTo(0.3);
  });

  it("goes a hundredth of the decades of a log axis, and leaves zero", () => {
    const log = axis({ low: -4, high: 0, log: true });
    expect(lineAfterKey("ArrowRight", log, options, 0.01)).toBeCloseTo(10 ** -1.96);
    expect(lineAfterKey("PageDown", log, options, 0.1)).toBeCloseTo(10 ** -1.4);
    expect(lineAfterKey("ArrowUp", log, options, 0)).toBeCloseTo(10 ** -3.96);
  });

  it("goes by a given step, and to the ends", () => {
    const linear = axis();
    expect(lineAfterKey("ArrowLeft", linear, { ...options, step: 0.25 }, 0.5)).toBe(0.25);
    expect(lineAfterKey("Home", linear, { ...options, minimum: 0.05 }, 0.5)).toBe(0.05);
    expect(lineAfterKey("End", linear, options, 0.5)).toBe(1);
    expect(lineAfterKey("a", linear, options, 0.5)).toBeNull();
  });
});

describe("onAxis", () => {
  it("puts zero at the edge of a log axis", () => {
    expect(onAxis(axis({ low: -4, high: 0, log: true }), 0)).toBeCloseTo(1e-4);
    expect(onAxis(axis(), 0)).toBe(0);
  });
});

describe("Line", () => {
  const axes = {
    x: axis({ length: 200, offset: 50 }),
    y: axis({ length: 80, offset: 10, reversed: true }),
  };
  let moved: number[];
  let line: Line;

  beforeEach(() => {
    moved = [];
    line = new Line(document.body, (value) => moved.push(value));
    line.options = options;
    line.value = 0.1;
  });
  const key = (name: string) =>
    line.handle.dispatchEvent(new KeyboardEvent("keydown", { key: name, cancelable: true }));

  it("stands upright at its value, and says so", () => {
    line.place(axes);
    expect(line.handle.hidden).toBe(false);
    expect(line.handle.className).toBe("explorer-plot-line upright");
    expect(line.handle.style.left).toBe("70px");
    expect(line.handle.style.height).toBe("80px");
    expect(line.handle.getAttribute("aria-label")).toBe("threshold");
    expect(line.handle.getAttribute("aria-valuetext")).toBe("0.100");
    expect(line.handle.getAttribute("aria-orientation")).toBe("horizontal");
  });

  it("lies level on the y axis", () => {
    line.options = { ...options, axis: "y" };
    line.value = 0.25;
    line.place(axes);
    expect(line.handle.style.top).toBe("70px");
    expect(line.handle.style.width).toBe("200px");
  });

  it("is hidden without a value and before the first drawing", () => {
    line.place(null);
    expect(line.handle.hidden).toBe(true);
    line.value = null;
    line.place(axes);
    expect(line.handle.hidden).toBe(true);
    key("End");
    expect(moved).toEqual([]);
  });

  it("is moved by keys, no further than its limits", () => {
    line.options = { ...options, step: 0.05, maximum: 0.12 };
    line.place(axes);
    key("ArrowRight");
    key("x");
    expect(moved).toEqual([0.12]);
    expect(line.value).toBe(0.12);
    expect(line.handle.getAttribute("aria-valuenow")).toBe("0.12");
  });

  it("follows a pointer from where it was taken", () => {
    line.handle.setPointerCapture = () => {};
    line.place(axes);
    const pointer = (kind: string, clientX: number) =>
      line.handle.dispatchEvent(new MouseEvent(kind, { clientX, button: 0, cancelable: true }));
    pointer("pointerdown", 73); // three pixels beside the line
    expect(line.held).toBe(true);
    pointer("pointermove", 73);
    expect(moved[0]).toBeCloseTo(0.1);
    pointer("pointermove", 113);
    expect(moved[1]).toBeCloseTo(0.3);
    pointer("pointermove", 900);
    expect(moved[2]).toBe(1);
    line.handle.dispatchEvent(new Event("lostpointercapture"));
    expect(line.held).toBe(false);
    pointer("pointermove", 73);
    expect(moved).toHaveLength(3);
  });
});
