// Numbers and sentences as a person reads them. `explorer._number_format` writes numbers in the same
// way, and `tests/shared/number_format.json` holds the cases that both must meet.

/** Shown for an unknown number. */
export const NO_NUMBER = "–";

/** Powers of ten between which a number is written without an exponent. */
const SMALLEST_PLAIN = -4;
const LARGEST_PLAIN = 6;

/**
 * Return a number to three significant digits: `0.0431`, `0.862`, `12.3`, `1,234`, `5.00e-5`.
 *
 * Zero is `0`, what is not known is a dash. The text of a number below a thousand can be read back
 * by `Number`.
 */
export function threeDigits(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return NO_NUMBER;
  if (value === 0) return "0";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  const [digits, exponent] = value.toExponential(2).split("e");
  const place = Number(exponent);
  if (place < SMALLEST_PLAIN || place >= LARGEST_PLAIN) return `${digits}e${place}`;
  return place < 3 ? value.toFixed(2 - place) : count(Number(value.toFixed(0)));
}

/** Return a whole number with its thousands set apart. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** Return the number that a person typed, or NaN. A comma and a minus sign of print count too. */
export function typedNumber(text: string): number {
  const plain = text.trim().replace(",", ".").replace("−", "-");
  return plain === "" ? Number.NaN : Number(plain);
}

/** Put values in the places of a sentence that are named in braces. */
export function fill(sentence: string, values: Record<string, string | number>): string {
  return sentence.replace(/\{(\w+)\}/g, (place, name: string) =>
    name in values ? String(values[name]) : place,
  );
}
