// Columns to values and back. Buffers come and go as Uint8Array, in Arrow's layout.

const EMPTY = new Uint8Array(0);

/** How each type is stored: a typed array for numbers. */
const ARRAYS = {
  int32: Int32Array,
  int64: BigInt64Array,
  integer: BigInt64Array,
  float32: Float32Array,
  float64: Float64Array,
  timestamp: BigInt64Array,
};

/** The type of a field as it is written: "int64", or "int64?" where there may be nulls. */
export function parseType(text, where) {
  const nullable = text.endsWith("?");
  const name = nullable ? text.slice(0, -1) : text;
  if (!(name in ARRAYS) && !["boolean", "text", "bytes"].includes(name)) {
    throw new TypeError(
      `${where}: there is no type "${text}"; there are boolean, int32, int64, integer, float32, float64, timestamp, text and bytes, with "?" behind where there may be nulls`,
    );
  }
  return { name, nullable, wire: name === "integer" ? "int64" : name };
}

/** What stands where there is no value. */
export function zero(type) {
  if (type.nullable) return null;
  switch (type.name) {
    case "boolean": return false;
    case "int64": case "timestamp": return 0n;
    case "text": return "";
    case "bytes": return EMPTY;
    default: return 0;
  }
}

/** A typed array over bytes that may start anywhere. */
function over(Typed, bytes) {
  const aligned = bytes.byteOffset % Typed.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new Typed(aligned.buffer, aligned.byteOffset, aligned.byteLength / Typed.BYTES_PER_ELEMENT);
}

/** The bytes of a typed array. */
export function bytesOf(array) {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

export function indices(bytes) {
  return over(Uint32Array, bytes);
}

function bit(bits, row) {
  return (bits[row >> 3] >> (row & 7)) & 1;
}

export function packBits(values) {
  const packed = new Uint8Array((values.length + 7) >> 3);
  for (let row = 0; row < values.length; row++) if (values[row]) packed[row >> 3] |= 1 << (row & 7);
  return packed;
}

/** A whole column: numbers without nulls as a typed array, all else as an array. */
export function view(type, column, rows) {
  return type.name in ARRAYS && type.name !== "integer" && column.validity.length === 0
    ? over(ARRAYS[type.name], column.values)
    : values(type, column, rows);
}

/** The values of a column, null where there is none. */
export function values(type, column, rows) {
  const out = new Array(rows);
  if (type.name in ARRAYS) {
    const numbers = over(ARRAYS[type.name], column.values);
    if (type.name === "integer") for (let row = 0; row < rows; row++) out[row] = Number(numbers[row]);
    else for (let row = 0; row < rows; row++) out[row] = numbers[row];
  } else if (type.name === "boolean") {
    for (let row = 0; row < rows; row++) out[row] = bit(column.values, row) === 1;
  } else if (rows > 0) {
    const offsets = indices(column.offsets);
    const data = column.values;
    if (type.name === "bytes") for (let row = 0; row < rows; row++) out[row] = data.slice(offsets[row], offsets[row + 1]);
    else texts(data, offsets, out);
  }
  if (column.validity.length > 0) {
    for (let row = 0; row < rows; row++) if (!bit(column.validity, row)) out[row] = null;
  }
  return out;
}

/** All texts are decoded at once where they are ASCII, and cut by their offsets. */
function texts(data, offsets, out) {
  let ascii = true;
  for (let i = 0; i < data.length; i++) if (data[i] > 127) { ascii = false; break; }
  if (ascii) {
    const text = fromAscii(data);
    for (let row = 0; row < out.length; row++) out[row] = text.slice(offsets[row], offsets[row + 1]);
  } else {
    for (let row = 0; row < out.length; row++) out[row] = decode(data.subarray(offsets[row], offsets[row + 1]));
  }
}

function fromAscii(data) {
  let text = "";
  for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode.apply(null, data.subarray(at, at + 8192));
  return text;
}

/** UTF-8 to a text. QuickJS has no TextDecoder. */
export function decode(data) {
  let text = "";
  for (let i = 0; i < data.length;) {
    const first = data[i++];
    let point;
    if (first < 0x80) point = first;
    else if (first < 0xe0) point = ((first & 31) << 6) | (data[i++] & 63);
    else if (first < 0xf0) point = ((first & 15) << 12) | ((data[i++] & 63) << 6) | (data[i++] & 63);
    else point = ((first & 7) << 18) | ((data[i++] & 63) << 12) | ((data[i++] & 63) << 6) | (data[i++] & 63);
    // Bytes at a null need not be text.
    text += point <= 0x10ffff ? String.fromCodePoint(point) : "\ufffd";
  }
  return text;
}

/** A text to UTF-8, appended to an array of bytes. Half a pair of surrogates becomes U+FFFD. */
function encodeInto(text, bytes) {
  for (let i = 0; i < text.length; i++) {
    let point = text.codePointAt(i);
    if (point > 0xffff) i++;
    else if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd;
    if (point < 0x80) bytes.push(point);
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 63));
    else if (point < 0x10000) bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
    else bytes.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 63), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
  }
}

/** A text to UTF-8. */
export function encode(text) {
  const bytes = [];
  encodeInto(text, bytes);
  return Uint8Array.from(bytes);
}

const IS_ASCII = /^[\x00-\x7f]*$/;

/** Whether a value can stand in a column of this type. */
export function fits(type, value) {
  if (value === null || value === undefined) return type.nullable;
  switch (type.name) {
    case "boolean": return typeof value === "boolean";
    case "int32": return typeof value === "number" && (value | 0) === value;
    case "int64": case "timestamp": return typeof value === "bigint" && BigInt.asIntN(64, value) === value;
    case "integer": return Number.isSafeInteger(value);
    case "float32": case "float64": return typeof value === "number";
    case "text": return typeof value === "string";
    // Those that come from an engine's own side have another constructor there.
    default: return Object.prototype.toString.call(value) === "[object Uint8Array]";
  }
}

/** The column of these values, each of which fits. */
export function buffers(type, values) {
  const rows = values.length;
  const Typed = ARRAYS[type.name];
  if (Typed && values instanceof Typed) return { validity: EMPTY, offsets: EMPTY, values: bytesOf(values) };
  let validity = EMPTY;
  if (type.nullable) {
    for (let row = 0; row < rows; row++) {
      if (values[row] === null || values[row] === undefined) {
        validity = packBits(values.map((value) => value !== null && value !== undefined));
        const stand = zero({ ...type, nullable: false });
        values = values.map((value) => value ?? stand);
        break;
      }
    }
  }
  if (Typed) {
    const array = type.name === "integer" ? Typed.from(values, BigInt) : Typed.from(values);
    return { validity, offsets: EMPTY, values: bytesOf(array) };
  }
  if (type.name === "boolean") return { validity, offsets: EMPTY, values: packBits(values) };
  const offsets = new Uint32Array(rows + 1);
  return { validity, ...(type.name === "text" ? joinTexts(values, offsets) : joinBytes(values, offsets)) };
}

function joinTexts(values, offsets) {
  const joined = values.join("");
  if (IS_ASCII.test(joined)) {
    const data = new Uint8Array(joined.length);
    for (let i = 0; i < joined.length; i++) data[i] = joined.charCodeAt(i);
    for (let row = 0; row < values.length; row++) offsets[row + 1] = offsets[row] + values[row].length;
    return { offsets: bytesOf(offsets), values: data };
  }
  const bytes = [];
  for (let row = 0; row < values.length; row++) {
    encodeInto(values[row], bytes);
    offsets[row + 1] = bytes.length;
  }
  return { offsets: bytesOf(offsets), values: Uint8Array.from(bytes) };
}

function joinBytes(values, offsets) {
  for (let row = 0; row < values.length; row++) offsets[row + 1] = offsets[row] + values[row].length;
  const data = new Uint8Array(offsets[values.length]);
  for (let row = 0; row < values.length; row++) data.set(values[row], offsets[row]);
  return { offsets: bytesOf(offsets), values: data };
}
