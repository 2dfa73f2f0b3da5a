import { describe, expect, it } from "vitest";
import { extentOf, positionsOf, standIn } from "../src/plot/cells.ts";
import { coverage, largest, MISSING, paintCells } from "../src/plot/pixels.ts";
import type { CellsMessage } from "../src/protocol/index.ts";

const pairs = ([first, last]: readonly [Int32Array, Int32Array]) =>
  Array.from(first, (from, i) => [from, last[i]]);

describe("coverage", () => {
  const along = (from: number, perPixel: number) => (pixel: number) => from + pixel * perPixel;

  it("gives a pixel inside a cell that cell", () => {
    // Three cells around 0, 1 and 2, two pixels each.
    expect(pairs(coverage(along(-0.5, 0.5), 6, 0, 1, 3))).toEqual([
      [0, 0],
      [0, 0],
      [1, 1],
      [1, 1],
      [2, 2],
      [2, 2],
    ]);
  });

  it("gives a pixel over several cells all of them, and every cell some pixel", () => {
    expect(pairs(coverage(along(-0.5, 2), 3, 0, 1, 5))).toEqual([
      [0, 1],
      [2, 3],
      [4, 4],
    ]);
  });

  it("gives a pixel outside no cell", () => {
    const covered = pairs(coverage(along(-3.5, 1), 7, 0, 1, 3));
    expect(covered.map(([from, to]) => from <= to)).toEqual([
      false,
      false,
      false,
      true,
      true,
      true,
      false,
    ]);
  });

  it("reads an axis that runs the other way", () => {
    expect(pairs(coverage(along(2.5, -1), 3, 0, 1, 3))).toEqual([
      [2, 2],
      [1, 1],
      [0, 0],
    ]);
  });

  it("gives nothing where the axis has no value", () => {
    const [[from, to]] = pairs(coverage(() => Number.NaN, 1, 0, 1, 3));
    expect(from).toBeGreaterThan(to);
  });
});

describe("largest", () => {
  const codes = Uint8Array.from([1, 9, MISSING, 4, 200, 3]); // two rows of three

  it("is the largest code of a block", () => {
    expect(largest(codes, 3, 0, 1, 0, 2)).toBe(200);
    expect(largest(codes, 3, 0, 0, 0, 2)).toBe(9);
  });

  it("counts a missing cell for nothing, and a block of them as missing", () => {
    expect(largest(codes, 3, 0, 1, 2, 2)).toBe(3);
    expect(largest(codes, 3, 0, 0, 2, 2)).toBe(MISSING);
  });
});

describe("paintCells", () => {
  const colours = Uint32Array.from({ length: 256 }, (_, code) => 1000 + code);
  const paint = (codes: number[], columns: number, width: number, height: number) => {
    const rows = codes.length / columns;
    const pixels = new Uint32Array(width * height).fill(7);
    paintCells(
      pixels,
      Uint8Array.from(codes),
      columns,
      colours,
      coverage((p) => -0.5 + (p * columns) / width, width, 0, 1, columns),
      coverage((p) => -0.5 + (p * rows) / height, height, 0, 1, rows),
    );
    return Array.from(pixels);
  };

  it("repeats cells that are larger than pixels", () => {
    const [a, b, c, d] = [1001, 1002, 1003, 1004];
    const rows = [a, a, b, b, a, a, b, b, c, c, d, d, c, c, d, d];
    expect(paint([1, 2, 3, 4], 2, 4, 4)).toEqual(rows);
  });

  it("shows the largest of cells that share a pixel", () => {
    const codes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
    expect(paint(codes, 4, 2, 2)).toEqual([1006, 1008, 1014, 1016]);
    expect(paint(codes, 4, 4, 2)).toEqual([1005, 1006, 1007, 1008, 1013, 1014, 1015, 1016]);
  });

  it("leaves what no cell covers empty", () => {
    const pixels = new Uint32Array(4).fill(7);
    const outside = coverage((p) => p + 10, 2, 0, 1, 1);
    const inside = coverage((p) => (p - 1) / 2, 2, 0, 1, 1);
    paintCells(pixels, Uint8Array.of(5), 1, colours, outside, inside);
    expect(Array.from(pixels)).toEqual([0, 0, 0, 0]);
  });
});

const message: CellsMessage = {
  rows: 2,
  columns: 3,
  codes: new DataView(new ArrayBuffer(6)),
  zmin: 0.25,
  zmax: 0.75,
  x0: 0,
  dx: 1,
  y0: 1.5,
  dy: 4,
};

describe("cells on the axes", () => {
  it("cover half a step beyond the outer centres, or all labels", () => {
    expect(extentOf(message)).toEqual({ x0: -0.5, x1: 2.5, y0: -0.5, y1: 7.5 });
    const labels = { x: ["a", "b", "c", "d"], y: null };
    expect(extentOf(message, labels)).toEqual({ x0: -0.5, x1: 3.5, y0: -0.5, y1: 7.5 });
  });

  it("stand for one position each, or for as many as were pooled", () => {
    expect(positionsOf(2, 0, 1)).toEqual([2, 2]);
    expect(positionsOf(0, 1.5, 4)).toEqual([0, 3]);
    expect(positionsOf(1, 1.5, 4)).toEqual([4, 7]);
  });

  it("leave plotly a trace that covers the same and shows nothing", () => {
    const trace = standIn({ type: "heatmap", opacity: 1 }, message, extentOf(message));
    expect(trace).toMatchObject({ type: "heatmap", opacity: 0, zmin: 0.25, zmax: 0.75 });
    // Two by two cells from edge to edge.
    expect([trace.x0 - trace.dx / 2, trace.x0 + 1.5 * trace.dx]).toEqual([-0.5, 2.5]);
    expect([trace.y0 - trace.dy / 2, trace.y0 + 1.5 * trace.dy]).toEqual([-0.5, 7.5]);
  });
});
