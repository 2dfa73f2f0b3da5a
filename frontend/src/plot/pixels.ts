// From cells to pixels: which cells a pixel shows, and what colour that makes it.

/** The code of a cell without a value. */
export const MISSING = 255;

/** For every pixel along an axis the first and last cell that it covers; first > last: none. */
export type Coverage = readonly [first: Int32Array, last: Int32Array];

/**
 * Return which cells each pixel covers along one axis.
 *
 * A pixel inside a cell takes the cell under its centre, a pixel over several takes them all.
 * `valueAt` gives the value on the axis at a pixel's edge; cell 0 has its centre at `start`.
 */
export function coverage(
  valueAt: (pixel: number) => number,
  pixels: number,
  start: number,
  step: number,
  count: number,
): Coverage {
  const first = new Int32Array(pixels);
  const last = new Int32Array(pixels);
  const cellAt = (pixel: number) => (valueAt(pixel) - start) / step + 0.5;
  let left = cellAt(0);
  for (let i = 0; i < pixels; i++) {
    const right = cellAt(i + 1);
    const low = Math.min(left, right);
    const high = Math.max(left, right);
    let from = Math.floor((low + high) / 2);
    let to = from;
    if (high - low >= 1) {
      from = Math.floor(low + 1e-6);
      to = Math.max(from, Math.ceil(high - 1e-6) - 1);
    }
    const outside = !(to >= 0 && from < count); // NaN too: a log axis below zero
    first[i] = outside ? 1 : Math.max(0, from);
    last[i] = outside ? 0 : Math.min(count - 1, to);
    left = right;
  }
  return [first, last];
}

/** Return the largest code of a block, where a missing cell counts for nothing. */
export function largest(
  codes: Uint8Array,
  columns: number,
  r0: number,
  r1: number,
  c0: number,
  c1: number,
): number {
  let best = -1;
  for (let r = r0; r <= r1; r++) {
    const row = r * columns;
    for (let i = row + c0; i <= row + c1; i++) {
      const code = codes[i];
      if (code > best && code !== MISSING) best = code;
    }
  }
  return best < 0 ? MISSING : best;
}

/** Paint codes by a table of 256 colours; where a pixel covers several cells, the largest shows. */
export function paintCells(
  pixels: Uint32Array,
  codes: Uint8Array,
  columns: number,
  colours: Uint32Array,
  [c0, c1]: Coverage,
  [r0, r1]: Coverage,
): void {
  const width = c0.length;
  const height = r0.length;
  for (let j = 0, at = 0; j < height; j++, at += width) {
    const top = r0[j];
    const bottom = r1[j];
    if (top > bottom) {
      pixels.fill(0, at, at + width);
    } else if (j > 0 && top === r0[j - 1] && bottom === r1[j - 1]) {
      pixels.copyWithin(at, at - width, at);
    } else {
      const row = top * columns;
      const single = top === bottom;
      for (let i = 0; i < width; i++) {
        const from = c0[i];
        const to = c1[i];
        if (from > to) pixels[at + i] = 0;
        else if (single && from === to) pixels[at + i] = colours[codes[row + from]];
        else pixels[at + i] = colours[largest(codes, columns, top, bottom, from, to)];
      }
    }
  }
}
