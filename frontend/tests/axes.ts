// Axes as plotly.js works them out, for tests without plotly.js.

import { Axis } from "../src/plot/plotly_internals.ts";

interface AxisOptions {
  readonly low?: number;
  readonly high?: number;
  readonly length?: number;
  readonly offset?: number;
  readonly log?: boolean;
  readonly reversed?: boolean;
}

/** Return a linear axis, or one of base 10 whose `low` and `high` are exponents. */
export function axis({
  low = 0,
  high = 1,
  length = 100,
  offset = 0,
  log = false,
  reversed = false,
}: AxisOptions = {}): Axis {
  const [first, last] = reversed ? [high, low] : [low, high];
  const calculated = (value: number) => (log ? Math.log10(value) : value);
  const pixel = (c: number) => ((c - first) / (last - first)) * length;
  const value = (p: number) => {
    const c = first + (p / length) * (last - first);
    return log ? 10 ** c : c;
  };
  return new Axis({
    _offset: offset,
    _length: length,
    type: log ? "log" : "linear",
    range: [first, last],
    p2d: value,
    d2p: (d: unknown) => pixel(calculated(Number(d))),
    c2p: pixel,
    r2c: (r: unknown) => Number(r),
    d2c: (d: unknown) => calculated(Number(d)),
  });
}
