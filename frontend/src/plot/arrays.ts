// Arrays as the kernel sends them, and figures that hold them.

import type { Encoded, EncodedArray } from "../protocol/index.ts";

const TYPED = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  float32: Float32Array,
  float64: Float64Array,
};

type Typed = InstanceType<(typeof TYPED)[keyof typeof TYPED]>;
type Nested = Typed | Nested[];

/** An array of whatever kind plotly takes. */
export type AnyArray = ArrayLike<unknown>;

/** Return the numbers of an array, as typed arrays in as many lists as it has further dimensions. */
export function decodeArray({ dtype, shape, buffer }: EncodedArray): Nested {
  const Type = TYPED[dtype];
  const { byteOffset, byteLength } = buffer;
  // A message's buffers need not start where this type may: copy those that do not.
  const aligned = byteOffset % Type.BYTES_PER_ELEMENT === 0;
  const whole = buffer.buffer as ArrayBuffer;
  const bytes = aligned ? whole : whole.slice(byteOffset, byteOffset + byteLength);
  const flat = new Type(bytes, aligned ? byteOffset : 0, byteLength / Type.BYTES_PER_ELEMENT);
  const nest = (from: number, dims: readonly number[]): Nested => {
    const size = dims.reduce((product, d) => product * d, 1);
    if (dims.length <= 1) return flat.subarray(from, from + size);
    const inner = size / dims[0];
    return Array.from({ length: dims[0] }, (_, i) => nest(from + i * inner, dims.slice(1)));
  };
  return nest(0, shape);
}

function isEncoded(value: object): value is EncodedArray {
  return "buffer" in value && "dtype" in value && typeof value.dtype === "string";
}

/** Return a copy of what the kernel sent that plotly may write into. */
// biome-ignore lint/suspicious/noExplicitAny: attributes of figures are of every kind
export function decode(value: Encoded | undefined): any {
  if (Array.isArray(value)) return value.map(decode);
  if (!value || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
  if (isEncoded(value)) return decodeArray(value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
}

/** Return a value where it is an array, and null where it is not. */
export function asArray(value: unknown): AnyArray | null {
  const listed = typeof value === "object" && value !== null && "length" in value;
  return listed ? (value as AnyArray) : null;
}

/** Put a value at plotly's dotted name, in place. */
export function putAt(trace: Record<string, unknown>, path: string, value: unknown): void {
  const steps = path.split(".");
  const last = steps.pop() as string;
  let place = trace;
  for (const step of steps) {
    const inner = { ...(place[step] as Record<string, unknown> | undefined) };
    place[step] = inner;
    place = inner;
  }
  place[last] = value;
}

/** Whether two lists hold the same. */
export function sameItems(a?: AnyArray | null, b?: AnyArray | null): boolean {
  if (a === b) return true;
  if (!a || !b || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
