// These fields of plotly.js are private: the tests look for them in the vendored copy, and check that
// only one module of the sources reads them.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Axis } from "../src/plot/plotly_internals.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const SOURCES = join(import.meta.dirname, "..", "src");
const MODULE = "plotly_internals.ts";

function vendored(): string {
  const figures = join(ROOT, "explorer", "figures");
  const found = readdirSync(figures, { recursive: true, encoding: "utf8" });
  const [path, ...others] = found.filter((name) => /plotly-cartesian-.*\.min\.js$/.test(name));
  expect(others).toEqual([]);
  return readFileSync(join(figures, path), "utf8");
}

const PRIVATE =
  /\._(?:fullLayout|fullData|offset|length|dfltTitle)\b|__data__|calcdata|svg-container|unformatted/;

describe("the fields that plotly.js keeps to itself", () => {
  const plotly = vendored();

  it.each([
    "_fullLayout",
    "_fullData",
    "_offset",
    "_length",
    "_dfltTitle",
    "calcdata",
    "__data__",
    "cornerradius",
    "data-unformatted",
    "svg-container",
    "textpoint",
    ".p2d=",
    ".d2p=",
    ".c2p=",
    ".r2c=",
    ".d2c=",
    "Click to enter",
  ])("are in the vendored copy: %s", (name) => {
    expect(plotly).toContain(name);
  });

  it("are read by one module alone", () => {
    const readers = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .filter((name) => PRIVATE.test(readFileSync(join(SOURCES, name), "utf8")));
    expect(readers.map((name) => name.split("/").at(-1))).toEqual([MODULE]);
  });
});

describe("Axis", () => {
  const full = {
    _offset: 40,
    _length: 200,
    type: "linear",
    range: [2, 0] as [unknown, unknown],
    autorange: "reversed",
    p2d: (p: number) => p,
    d2p: (d: unknown) => Number(d),
    c2p: (c: number) => c,
  };

  it("has ends also where plotly has no way to calculate them", () => {
    const axis = new Axis(full);
    expect(axis.ends).toEqual([2, 0]);
    expect(axis.reversed).toBe(true);
    expect(axis.autorange).toBe(true);
    expect(axis.calculated("7")).toBe(7);
  });

  it("has no title where plotly made one up", () => {
    const titled = (text?: string) =>
      new Axis({ ...full, title: { text }, _dfltTitle: { x: "made up" } }).title;
    expect(titled("score")).toBe("score");
    for (const text of ["made up", "Click to enter X axis title", "", undefined]) {
      expect(titled(text)).toBeNull();
    }
  });
});
