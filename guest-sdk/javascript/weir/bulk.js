// Whole columns that can be computed with: methods make a plan, and the host carries it out.
//
// A column is one of the batch, with its buffers, or what an operation gives of others. Nothing is computed before
// somebody asks for the values: then all of it is at once, and no item is touched in JavaScript.

import { values, view } from "./columns.js";
import * as ops from "./operations.js";

/** Operations that are put off at most before some of them are computed. */
const LARGEST = 200;
const KINDS = { boolean: "boolean", int32: "number", integer: "number", float32: "number", float64: "number", int64: "bigint", timestamp: "bigint" };
/** A column of each kind as it is once it has been computed. */
export const NATURAL = {
  number: { name: "float64", nullable: true, wire: "float64" },
  bigint: { name: "int64", nullable: true, wire: "int64" },
  boolean: { name: "boolean", nullable: true, wire: "boolean" },
};

let numbers = 0;
/** How columns are computed, and what is asked for on the way: set by evaluate.js. */
export const machine = {};

export class Column {
  #items;

  /** A column that came in. One of a text or of bytes can only be asked for its values. */
  static over(type, buffers, rows) {
    const made = new Column();
    made.number = numbers++;
    made.become(type, buffers, rows);
    return made;
  }

  /** `large`: bigints that need more than 64 bits, by row: they are JavaScript's alone. */
  become(type, buffers, rows, large = new Map()) {
    Object.assign(this, { type, buffers, rows, kind: KINDS[type.name], operation: null, operands: [], size: 1, large });
    return this;
  }

  get length() {
    return this.rows;
  }

  /** Computes it now. */
  compute() {
    if (this.operation) {
      const large = new Map();
      this.become(NATURAL[this.kind], machine.forced(this, large), this.rows, large);
    }
    return this;
  }

  /** The values as `mapColumns` has them: numbers without nulls as a typed array, all else as an array. */
  values() {
    this.compute();
    this.#items ??= this.large.size ? plain(this) : view(this.type, this.buffers, this.rows);
    return this.#items;
  }

  /** A row's value, or null. */
  at(row) {
    const value = this.values()[row];
    return typeof value === "bigint" && this.kind === "number" ? Number(value) : value;
  }

  [Symbol.iterator]() {
    return this.values()[Symbol.iterator]();
  }

  plus(other) { return apply(ops.PLUS, this, other); }
  minus(other) { return apply(ops.MINUS, this, other); }
  times(other) { return apply(ops.TIMES, this, other); }
  dividedBy(other) { return apply(ops.DIVIDED, this, other); }
  remainder(other) { return apply(ops.REMAINDER, this, other); }
  negated() { return apply(ops.NEGATED, this); }
  abs() { return apply(ops.ABSOLUTE, this); }
  min(other) { return apply(ops.MINIMUM, this, other); }
  max(other) { return apply(ops.MAXIMUM, this, other); }
  equals(other) { return apply(ops.EQUAL, this, other); }
  differs(other) { return apply(ops.UNEQUAL, this, other); }
  lessThan(other) { return apply(ops.LESS, this, other); }
  atMost(other) { return apply(ops.AT_MOST, this, other); }
  moreThan(other) { return apply(ops.MORE, this, other); }
  atLeast(other) { return apply(ops.AT_LEAST, this, other); }
  and(other) { return apply(ops.AND, this, other); }
  or(other) { return apply(ops.OR, this, other); }
  not() { return apply(ops.NOT, this); }
  isNull() { return apply(ops.IS_NULL, this); }
  floor() { return apply(ops.FLOOR, this); }
  ceil() { return apply(ops.CEIL, this); }
  trunc() { return apply(ops.TRUNC, this); }
  sqrt() { return apply(ops.SQRT, this); }
  toNumber() { return this.kind === "number" ? this : apply(ops.TO_NUMBER, this); }
  toBigInt() { return this.kind === "bigint" ? this : apply(ops.TO_BIGINT, this); }
}

function kindOf(value) {
  const kind = value instanceof Column ? value.kind : typeof value;
  if (!(kind in ops.WIRE)) throw new TypeError(`${value instanceof Column ? value.type.name : kind} is nothing to compute with`);
  return kind;
}

/** What an operation gives, put off. */
export function apply(operation, ...operands) {
  const columns = operands.filter((operand) => operand instanceof Column);
  const { rows } = columns[0];
  if (columns.some((column) => column.rows !== rows)) throw new RangeError(`columns of ${columns.map((c) => c.rows).join(" and ")} rows`);
  if (columns.reduce((sum, column) => sum + column.size, 0) > LARGEST) for (const column of columns) column.compute();
  const kinds = operands.map((operand) => (operand === null ? null : kindOf(operand)));
  const known = kinds.slice(1).find((kind) => kind) ?? "number";
  const made = new Column();
  made.kinds = kinds.map((kind) => kind ?? known);
  made.kind = operation.kind(made.kinds);
  const size = columns.reduce((sum, column) => sum + column.size, 1);
  return Object.assign(made, { number: numbers++, rows, operation, operands, size });
}

/** `then` where the mask is true, else `other`: `mask ? then : other`. What is not chosen fails no row. */
export function where(mask, then, other) {
  return mask instanceof Column ? apply(ops.WHERE, mask, then, other) : mask ? then : other;
}

/** The plain values of a column, for rows that are JavaScript's. */
export function plain(column) {
  if (!column.plain) {
    column.plain = values(column.type, column.buffers, column.rows);
    for (const [row, value] of column.large) column.plain[row] = value;
  }
  return column.plain;
}
