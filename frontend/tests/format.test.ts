import { describe, expect, it } from "vitest";
import cases from "../../tests/shared/number_format.json" with { type: "json" };
import { fill, threeDigits, typedNumber } from "../src/lib/format.ts";

describe("threeDigits", () => {
  it.each(cases as [number | null, string][])("writes %s as Python does: %s", (value, text) => {
    expect(threeDigits(value)).toBe(text);
  });

  it("writes what is no number as a dash or a sign", () => {
    expect(threeDigits(Number.NaN)).toBe("–");
    expect(threeDigits(undefined)).toBe("–");
    expect(threeDigits(-0)).toBe("0");
    expect(threeDigits(Number.POSITIVE_INFINITY)).toBe("∞");
    expect(threeDigits(Number.NEGATIVE_INFINITY)).toBe("-∞");
  });

  it("can be read back below a thousand, to three digits", () => {
    for (let value = 3.3e-9; value < 900; value *= 1.37) {
      expect(Math.abs(typedNumber(threeDigits(value)) / value - 1)).toBeLessThan(0.0051);
    }
  });
});

describe("typedNumber", () => {
  it("takes what people type", () => {
    expect(typedNumber(" 0,05 ")).toBe(0.05);
    expect(typedNumber("−2")).toBe(-2);
    expect(typedNumber("5e−5")).toBe(5e-5);
    expect(typedNumber("5.00e-5")).toBe(5e-5);
  });

  it("takes nothing else for a number", () => {
    for (const text of ["", "  ", "a", "0.1.2", "1,000.5"]) expect(typedNumber(text)).toBeNaN();
  });
});

describe("fill", () => {
  it("puts values in their places and leaves other braces", () => {
    expect(fill("{low} to {high} of {0}", { low: 1, high: "2" })).toBe("1 to 2 of {0}");
  });

  it("takes a value as it is", () => {
    expect(fill("{id}: {label}", { id: "{label} $& $1", label: "used" })).toBe(
      "{label} $& $1: used",
    );
  });
});
