// @ts-check
// One answer of Python: a safetensors file whose metadata hold, as JSON, all that is not an array.

let halves = null; // every float16 as a float32: made when the first comes
function fromHalves(bits) {
  halves ??= Float32Array.from({ length: 65536 }, (_, h) => {
    const sign = h & 0x8000 ? -1 : 1, exponent = (h >> 10) & 31, fraction = h & 1023;
    return exponent === 0 ? sign * fraction * 2 ** -24 : exponent === 31 ? (fraction ? NaN : sign * Infinity) : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
  const out = new Float32Array(bits.length);
  for (let k = 0; k < bits.length; k++) out[k] = halves[bits[k]];
  return out;
}

const READ = {
  F16: [2, (bytes) => fromHalves(new Uint16Array(bytes))],
  F32: [4, (bytes) => new Float32Array(bytes)],
  F64: [8, (bytes) => new Float64Array(bytes)],
  U8: [1, (bytes) => new Uint8Array(bytes)],
  I32: [4, (bytes) => new Int32Array(bytes)],
  I64: [8, (bytes) => Float64Array.from(new BigInt64Array(bytes), Number)],
};

/**
 * @typedef {{shape: number[], data: any}} Numbers an array: its shape, and its numbers row by row
 * @param {ArrayBuffer} buffer
 * @returns {any} what the metadata say, and `arrays` by name
 */
export function decode(buffer) {
  const wrong = (what) => new Error(`the answer cannot be read: ${what}`);
  if (buffer.byteLength < 8) throw wrong("it is cut off");
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  if (8 + length > buffer.byteLength) throw wrong("it is cut off");
  const header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(buffer, 8, length)));
  const arrays = {};
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    if (!(dtype in READ)) throw wrong(`${name} is of type ${dtype}`);
    const [width, read] = READ[dtype], size = shape.reduce((a, b) => a * b, 1), [from, to] = data_offsets;
    if (to - from !== width * size || from < 0 || 8 + length + to > buffer.byteLength) throw wrong(`${name} has not the bytes of its shape`);
    arrays[name] = { shape, data: read(buffer.slice(8 + length + from, 8 + length + to)) };
  }
  return { ...JSON.parse(header.__metadata__.meta), arrays };
}

/** Row `i` of the last axis but one, in place `at` of the axes before. @param {Numbers} array */
export const rowOf = ({ data, shape }, i, at = 0) => {
  const columns = shape[shape.length - 1], rows = shape[shape.length - 2];
  return data.subarray((at * rows + i) * columns, (at * rows + i + 1) * columns);
};

/** The array as it is written in Python. @param {Numbers} array */
export function asNumPy({ data, shape }) {
  const number = (v) => (Number.isNaN(v) ? "np.nan" : v === Infinity ? "np.inf" : v === -Infinity ? "-np.inf" : String(+v.toPrecision(7)));
  const written = (axis, from) => {
    if (axis === shape.length) return number(data[from]);
    const step = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    return `[${Array.from({ length: shape[axis] }, (_, k) => written(axis + 1, from + k * step)).join(axis === shape.length - 1 ? ", " : ",\n ")}]`;
  };
  return `np.array(${written(0, 0)})`;
}
