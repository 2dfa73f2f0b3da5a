// Arrays as the kernel sends them: {dtype, shape, buffer}.

const TYPED = {
  uint8: Uint8Array, int8: Int8Array, uint16: Uint16Array, int16: Int16Array,
  int32: Int32Array, uint32: Uint32Array, float32: Float32Array, float64: Float64Array,
};

function decodeArray({ dtype, shape, buffer }) {
  const Type = TYPED[dtype];
  // A message's buffers need not start where this type may: copy those that do not.
  const aligned = buffer.byteOffset % Type.BYTES_PER_ELEMENT === 0;
  const bytes = aligned ? buffer.buffer : buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength);
  const flat = new Type(bytes, aligned ? buffer.byteOffset : 0, buffer.byteLength / Type.BYTES_PER_ELEMENT);
  const nest = (from, dims) => {
    const size = dims.reduce((product, d) => product * d, 1);
    if (dims.length <= 1) return flat.subarray(from, from + size);
    const inner = size / dims[0];
    return Array.from({ length: dims[0] }, (_, i) => nest(from + i * inner, dims.slice(1)));
  };
  return nest(0, shape);
}

function isEncoded(value) {
  return value && typeof value === "object" && typeof value.dtype === "string" && "buffer" in value;
}

// A copy of the kernel's tree that plotly may write into.
function decode(value) {
  if (Array.isArray(value)) return value.map(decode);
  if (isEncoded(value)) return decodeArray(value);
  if (!value || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
}

function asArray(value) {
  return value && value.length !== undefined && typeof value !== "string" ? value : null;
}
