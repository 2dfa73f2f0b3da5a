import { describe, expect, it } from "vitest";
import { allTicks, asText, shortened, type Tick, thinned } from "../src/plot/ticks.ts";
import { axis } from "./axes.ts";

const tokens = (count: number): Tick[] =>
  Array.from({ length: count }, (_, i) => [i, `t${i}`] as const);

describe("thinned", () => {
  it("keeps every label where there is room", () => {
    const wide = axis({ low: -0.5, high: 9.5, length: 10 * 14 });
    expect(thinned(tokens(10), wide).ticktext).toEqual(tokens(10).map(([, text]) => text));
  });

  it("keeps labels at least fourteen pixels apart, at round positions", () => {
    const narrow = axis({ low: -0.5, high: 99.5, length: 300 });
    expect(thinned(tokens(100), narrow).tickvals).toEqual(
      Array.from({ length: 20 }, (_, i) => 5 * i),
    );
  });

  it("keeps labels where they were while the axis is moved", () => {
    const moved = axis({ low: 11.5, high: 111.5, length: 300 });
    const { tickvals } = thinned(tokens(500), moved);
    expect(tickvals[0]).toBe(15);
    expect(tickvals.every((value) => Number(value) % 5 === 0)).toBe(true);
  });

  it("reads an axis that runs the other way, and one where no label is in view", () => {
    const reversed = axis({ low: -0.5, high: 2.5, length: 100, reversed: true });
    expect(thinned(tokens(3), reversed).tickvals).toEqual([0, 1, 2]);
    expect(thinned(tokens(3), axis({ low: 10, high: 20 }))).toEqual({ tickvals: [], ticktext: [] });
  });
});

describe("labels", () => {
  it("are tokens as text, cut by letters and not by halves of them", () => {
    expect(allTicks(["<b>", "a & b"])).toEqual([
      [0, "&lt;b&gt;"],
      [1, "a &amp; b"],
    ]);
    expect(shortened("𝓪".repeat(20))).toBe(`${"𝓪".repeat(13)}…`);
    expect(shortened("fourteen chars")).toBe("fourteen chars");
    expect(asText("&lt;")).toBe("&amp;lt;");
  });

  it("are those of the figure where it has no tokens, or plotly's own", () => {
    const given = { tickvals: Float32Array.of(0, 2), ticktext: ["a", "<i>b</i>"] };
    expect(allTicks(null, given)).toEqual([
      [0, "a"],
      [2, "<i>b</i>"],
    ]);
    expect(allTicks(null, {})).toBeNull();
    expect(allTicks(null, { ...given, tickmode: "linear" })).toBeNull();
    expect(allTicks([], { tickvals: [1], ticktext: ["one"] })).toBeNull();
  });
});
