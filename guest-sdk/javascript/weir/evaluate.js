// Carries out what columns put off: one program for the host, and JavaScript for the rows that it gives back.

import { evaluate as hostEvaluate } from "weir:udf/host@0.1.0";
import { apply, Column, machine, NATURAL, plain } from "./bulk.js";
import { buffers, fits, zero } from "./columns.js";
import { misfit, RowError } from "./errors.js";
import { failing, WHERE, Writer } from "./operations.js";

const EMPTY = new Uint8Array(0);
const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** The call that is running: its errors, and masks of rows that are to fail. */
let call = null;

/** Runs a function over whole columns, and gives its results' buffers. */
export function running(errors, body) {
  call = { errors, masks: [] };
  try {
    return body((fields, columns) => results(fields, columns, call));
  } finally {
    call = null;
  }
}

/** Rows of the mask are row errors with this message: `if (mask) throw new RowError(message)`. */
export function fail(mask, message) {
  if (!(mask instanceof Column)) {
    if (mask) throw new RowError(message);
    return;
  }
  mask = apply(failing(new RowError(message)), mask);
  if (!call) throw new Error("fail() is for functions while they run");
  call.masks.push(mask);
}

machine.forced = (column, large) => {
  const field = { name: "column", type: NATURAL[column.kind] };
  return evaluate([[column, field]], [], call.errors, large)[0];
};

/**
 * The buffers of columns, each with the field that it is for. A row that fails is one of the errors; one that is too
 * large is, too, or else among the `large`.
 */
function evaluate(wanted, masks, errors, large) {
  const roots = [...wanted.map(([column]) => column), ...masks];
  const { rows } = roots[0];
  const nodes = reachable(roots);
  const [made, alone] = byHost(nodes, wanted, rows);
  const givenBack = new Set(alone);
  for (const node of nodes) for (const row of node.large?.keys() ?? []) givenBack.add(row);
  if (givenBack.size) mend(made, givenBack, roots, wanted, errors, large);
  return made.map((column, i) => checked(column, wanted[i][1], rows, errors));
}

/**
 * All columns that others come of, in the order in which they were made. Without the conditional: only those that are
 * needed whatever the masks of a `where` say.
 */
function reachable(roots, conditional = true) {
  const found = new Map();
  const waiting = [...roots];
  while (waiting.length) {
    const column = waiting.pop();
    if (found.has(column.number)) continue;
    found.set(column.number, column);
    const operands = column.operation === WHERE && !conditional ? column.operands.slice(0, 1) : column.operands;
    waiting.push(...operands.filter((operand) => operand instanceof Column));
  }
  return [...found.values()].sort((a, b) => a.number - b.number);
}

/** The columns as the host has them, and the rows that it has not. */
function byHost(nodes, wanted, rows) {
  const writer = new Writer();
  const numbers = new Map();
  const leaves = nodes.filter((node) => !node.operation);
  const loaded = leaves.map((leaf) => writer.value(`column ${leaf.type.wire}`));
  leaves.forEach((leaf, i) => {
    const whole = leaf.kind === "number" && !leaf.type.wire.startsWith("float");
    numbers.set(leaf.number, whole ? writer.value(`to-float ${loaded[i]}`) : loaded[i]);
  });
  for (const node of nodes) {
    if (!node.operation) continue;
    const operands = node.operands.map((operand, i) =>
      operand instanceof Column ? numbers.get(operand.number) : writer.constant(operand, node.kinds[i]));
    numbers.set(node.number, node.operation.write(writer, operands, node.kinds));
  }
  for (const [column, { type }] of wanted) writer.lines.push(`out ${type.wire} ${asField(writer, numbers.get(column.number), column, type)}`);
  const found = hostEvaluate(writer.lines.join("\n"), rows, leaves.map((leaf) => leaf.buffers));
  return [[...found.columns], setBits(found.givenBack, rows)];
}

/** A value as a field has it. */
function asField(writer, number, column, type) {
  if (column.kind !== "number" || type.wire.startsWith("float")) return number;
  const whole = writer.value(`exact-int ${number}`);
  if (type.name === "integer") {
    const size = writer.value(`absolute ${whole}`);
    writer.fail(writer.value(`less ${writer.constant(SAFE, "bigint")} ${size}`));
  }
  return whole;
}

function setBits(bits, rows) {
  const found = [];
  for (let byte = 0; byte < bits.length; byte++) {
    for (let bit = 0; bits[byte] >> bit && bit < 8; bit++) if ((bits[byte] >> bit) & 1) found.push(byte * 8 + bit);
  }
  return found.filter((row) => row < rows);
}

/** Computes rows in JavaScript, and puts what they give into the columns. */
function mend(made, givenBack, roots, wanted, errors, large) {
  const always = reachable(roots, false);
  const mended = made.map(({ validity, values }) => ({ validity: validity.slice(), values: values.slice() }));
  for (const row of givenBack) {
    if (errors.rows.has(row)) continue;
    const known = new Map();
    try {
      for (const node of always) valueAt(node, row, known);
      const found = wanted.map(([column, field]) => {
        const value = known.get(column.number);
        if (fits(field.type, value)) return value;
        if (!large) throw misfit(field, value);
        large.set(row, value);
        return null;
      });
      found.forEach((value, i) => put(mended[i], wanted[i][1].type, row, value));
    } catch (error) {
      errors.add(row, error);
    }
  }
  mended.forEach((column, i) => (made[i] = { ...column, offsets: EMPTY }));
}

/** A row's value of a column, of which it is computed only what is needed. */
function valueAt(column, row, known) {
  if (!(column instanceof Column)) return column;
  if (known.has(column.number)) return known.get(column.number);
  const { operation, operands } = column;
  const at = (operand) => valueAt(operand, row, known);
  let value;
  if (!operation) value = plain(column)[row];
  else if (operation === WHERE) value = at(at(operands[0]) ? operands[1] : operands[2]);
  else {
    const given = operands.map(at);
    value = operation.strict && given.includes(null) ? null : operation.row(...given);
  }
  known.set(column.number, value);
  return value;
}

/** Puts a value into a column, which has as many bits of validity as it needs or none. */
function put(column, type, row, value) {
  const one = buffers({ ...type, nullable: false }, [value ?? zero({ ...type, nullable: false })]).values;
  if (value === null && column.validity.length === 0) {
    const rows = type.name === "boolean" ? column.values.length * 8 : column.values.length / one.length;
    column.validity = new Uint8Array(Math.ceil(rows / 8)).fill(255);
  }
  if (column.validity.length) setBit(column.validity, row, value !== null);
  if (type.name === "boolean") setBit(column.values, row, value);
  else column.values.set(one, row * one.length);
}

function setBit(bits, row, value) {
  if (value) bits[row >> 3] |= 1 << (row & 7);
  else bits[row >> 3] &= ~(1 << (row & 7));
}

/** A column whose nulls are allowed, or else errors. */
function checked(column, field, rows, errors) {
  if (field.type.nullable || column.validity.length === 0) return column;
  for (const row of setBits(column.validity.map((byte) => ~byte), rows)) if (!errors.rows.has(row)) errors.add(row, misfit(field, null));
  return { ...column, validity: EMPTY };
}

/** The buffers of what a function returned: what was put off is computed all at once. */
function results(fields, columns, { errors, masks }) {
  const wanted = [];
  const made = fields.map((field, i) => {
    const column = columns[i];
    const { type } = field;
    if (!(column instanceof Column)) {
      const bad = ArrayBuffer.isView(column) ? -1 : column.findIndex((value) => !fits(type, value));
      if (bad >= 0) throw new TypeError(`\`${field.name}\`, row ${bad}: ${column[bad]} is no ${type.name}`);
      return buffers(type, column);
    }
    if (!column.operation && column.type.name === type.name && !column.large.size) return checked(column.buffers, field, column.rows, errors);
    const takes = { boolean: "boolean", int64: "bigint", timestamp: "bigint", text: "", bytes: "" }[type.name] ?? "number";
    if (column.kind !== takes) throw new TypeError(`\`${field.name}\` is ${type.name}, not a column of ${column.kind ?? column.type.name}`);
    wanted.push([column, field]);
    return null;
  });
  if (wanted.length || masks.length) {
    const found = evaluate(wanted, masks, errors);
    return made.map((column) => column ?? found.shift());
  }
  return made;
}

/** A filter's selection: what is null is not kept. */
export function selected(errors, body) {
  return running(errors, (encode) => {
    const kept = body();
    const field = { name: "the selection", type: NATURAL.boolean };
    const [{ validity, values }] = encode([field], [kept instanceof Column ? kept : Array.from(kept, Boolean)]);
    return validity.length ? values.map((byte, i) => byte & validity[i]) : values;
  });
}
