import { describe, expect, it } from "vitest";
import { asArray, decode, decodeArray, putAt, sameItems } from "../src/plot/arrays.ts";
import type { EncodedArray } from "../src/protocol/index.ts";

function encoded(numbers: Float32Array | Int32Array | Uint8Array, shape: number[], shift = 0) {
  const bytes = new Uint8Array(numbers.byteLength + shift);
  bytes.set(new Uint8Array(numbers.buffer), shift);
  const dtype = { Float32Array: "float32", Int32Array: "int32", Uint8Array: "uint8" }[
    numbers.constructor.name
  ];
  return { dtype, shape, buffer: new DataView(bytes.buffer, shift) } as EncodedArray;
}

describe("decodeArray", () => {
  it("reads numbers from wherever they lie in the message", () => {
    for (const shift of [0, 1, 2, 3, 4]) {
      const array = encoded(Float32Array.of(0.5, -2, 3), [3], shift);
      expect(decodeArray(array)).toEqual(Float32Array.of(0.5, -2, 3));
    }
  });

  it("nests further dimensions", () => {
    const array = encoded(Int32Array.of(1, 2, 3, 4, 5, 6, 7, 8), [2, 2, 2]);
    expect(decodeArray(array)).toEqual([
      [Int32Array.of(1, 2), Int32Array.of(3, 4)],
      [Int32Array.of(5, 6), Int32Array.of(7, 8)],
    ]);
    expect(decodeArray(encoded(new Uint8Array(), [0]))).toEqual(new Uint8Array());
  });
});

describe("decode", () => {
  it("decodes arrays anywhere, and copies what it leaves", () => {
    const sent = { x: encoded(Uint8Array.of(1, 2), [2]), marker: { color: ["a", null] }, n: 1 };
    const decoded = decode(sent as never);
    expect(decoded).toEqual({ x: Uint8Array.of(1, 2), marker: { color: ["a", null] }, n: 1 });
    decoded.marker.color[0] = "b";
    expect(sent.marker.color[0]).toBe("a");
  });

  it("takes a trace that has a dtype of its own for no array", () => {
    expect(decode({ dtype: "float32" })).toEqual({ dtype: "float32" });
    expect(decode(undefined)).toBeUndefined();
  });
});

describe("lists", () => {
  it("are arrays of every kind, and no text", () => {
    expect(asArray(Float32Array.of(1))).toHaveLength(1);
    expect(asArray([])).toEqual([]);
    for (const value of ["text", 5, null, undefined, {}]) expect(asArray(value)).toBeNull();
  });

  it("are the same when they hold the same", () => {
    expect(sameItems([1, "a"], [1, "a"])).toBe(true);
    expect(sameItems(Float32Array.of(1, 2), [1, 2])).toBe(true);
    expect(sameItems([1], [1, 2])).toBe(false);
    expect(sameItems([1], null)).toBe(false);
    expect(sameItems(null, undefined)).toBe(false);
  });
});

describe("putAt", () => {
  it("puts a value at a dotted name and leaves what others hold", () => {
    const marker = { color: "red", size: 3 };
    const trace: Record<string, unknown> = { marker };
    putAt(trace, "marker.color", "blue");
    putAt(trace, "error_x.array", [1]);
    putAt(trace, "x", [2]);
    expect(trace).toEqual({
      marker: { color: "blue", size: 3 },
      error_x: { array: [1] },
      x: [2],
    });
    expect(marker.color).toBe("red");
  });
});
