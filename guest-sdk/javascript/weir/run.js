// Calls of functions over batches: rows out of columns, one call each, and columns of what comes back.
// What a function throws for a row is that row's error; the first trace of a call is logged.

import { Column } from "./bulk.js";
import { buffers, fits, packBits, values, view, zero } from "./columns.js";
import { misfit, Refuse, RowError } from "./errors.js";
import { running, selected } from "./evaluate.js";
import { log } from "./index.js";

/** The rows that failed. */
export class Errors {
  rows = new Map();
  told = false;

  add(row, error) {
    if (error instanceof Refuse) throw error;
    if (this.rows.has(row)) return;
    if (error instanceof RowError) {
      this.rows.set(row, error.message);
      return;
    }
    this.rows.set(row, error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    if (!this.told && error instanceof Error) {
      this.told = true;
      log.warn(`${error.name}: ${error.message}\n${error.stack ?? ""}`.trimEnd());
    }
  }

  list() {
    return [...this.rows].sort((a, b) => a[0] - b[0]).map(([row, message]) => ({ row, message }));
  }
}

function columnsOf(fields, batch, read) {
  if (fields.length !== batch.columns.length) {
    throw new Refuse(`malformed batch: ${batch.columns.length} columns, but the signature has ${fields.length}`);
  }
  return fields.map((field, i) => read(field.type, batch.columns[i], batch.rows));
}

/** A function that makes the object of a row. */
function rowMaker(fields, columns) {
  const names = fields.map((field) => field.name);
  return (row) => {
    const object = {};
    for (let i = 0; i < names.length; i++) object[names[i]] = columns[i][row];
    return object;
  };
}

/** Columns of the rows that a function returned. A value that does not fit is an error of its row. */
function encode(f, results, errors, rowOf = (place) => place) {
  return f.outputs.map(({ name, type }) => {
    const column = f.scalar ? results : results.map((result) => result[name]);
    for (let place = 0; place < column.length; place++) {
      if (!fits(type, column[place])) {
        errors.add(rowOf(place), misfit({ name, type }, column[place]));
        column[place] = zero(type);
      }
    }
    return buffers(type, column);
  });
}

function filler(f) {
  if (f.scalar) return zero(f.outputs[0].type);
  return Object.fromEntries(f.outputs.map(({ name, type }) => [name, zero(type)]));
}

export function mapRows(f, batch, parameters, errors) {
  const make = rowMaker(f.inputs, columnsOf(f.inputs, batch, values));
  const results = new Array(batch.rows);
  for (let row = 0; row < batch.rows; row++) {
    try {
      results[row] = f.call(make(row), parameters);
      if (!f.scalar && typeof results[row] !== "object") throw new RowError("the result is no object");
    } catch (error) {
      errors.add(row, error);
      results[row] = filler(f);
    }
  }
  return encode(f, results, errors);
}

/** Calls a function with whole columns. */
function whole(f, batch, parameters) {
  const columns = columnsOf(f.inputs, batch, f.bulk ? Column.over : view);
  return f.call(Object.fromEntries(f.inputs.map((field, i) => [field.name, columns[i]])), parameters, batch.rows);
}

export function mapColumns(f, batch, parameters, errors) {
  return running(errors, (encode) => {
    const result = whole(f, batch, parameters);
    return encode(f.outputs, f.outputs.map(({ name }) => (f.scalar ? result : result[name])));
  });
}

export function filterRows(f, batch, parameters, errors) {
  if (f.bulk) return selected(errors, () => whole(f, batch, parameters));
  const make = rowMaker(f.inputs, columnsOf(f.inputs, batch, values));
  const kept = new Array(batch.rows).fill(false);
  for (let row = 0; row < batch.rows; row++) {
    try {
      kept[row] = f.call(make(row), parameters);
    } catch (error) {
      errors.add(row, error);
    }
  }
  return packBits(kept);
}

/** Rows that are put out, each with its parent. */
class Emitted {
  results = [];
  parents = [];

  one(parent, result) {
    this.results.push(result);
    this.parents.push(parent);
  }

  many(parent, results) {
    const before = this.results.length;
    try {
      for (const result of results) this.results.push(result);
    } catch (error) {
      this.results.length = before;
      throw error;
    }
    while (this.parents.length < this.results.length) this.parents.push(parent);
  }

  batch(f, errors) {
    const columns = encode(f, this.results, errors, (place) => this.parents[place]);
    return {
      output: { rows: this.parents.length, columns },
      parents: new Uint8Array(Uint32Array.from(this.parents).buffer),
    };
  }
}

export function flatMapRows(f, batch, parameters, errors) {
  const make = rowMaker(f.inputs, columnsOf(f.inputs, batch, values));
  const emitted = new Emitted();
  for (let row = 0; row < batch.rows; row++) {
    try {
      emitted.many(row, f.call(make(row), parameters));
    } catch (error) {
      errors.add(row, error);
    }
  }
  return emitted.batch(f, errors);
}

export function mapGroups(f, count, groups, batch, parameters, errors) {
  const columns = columnsOf(f.inputs, batch, values);
  const emitted = new Emitted();
  for (let group = 0, start = 0, end; group < count; group++, start = end) {
    for (end = start; end < batch.rows && groups[end] === group;) end++;
    try {
      const input = Object.fromEntries(f.inputs.map((field, i) => [field.name, columns[i].slice(start, end)]));
      const result = f.call(input, parameters);
      if (f.many) emitted.many(group, result);
      else emitted.one(group, result);
    } catch (error) {
      errors.add(group, error);
    }
  }
  return emitted.batch(f, errors);
}

/** An object for each row of accumulators. */
export function loadStates(f, batch) {
  const make = rowMaker(f.accumulator, columnsOf(f.accumulator, batch, values));
  return Array.from({ length: batch.rows }, (_, row) => make(row));
}

export function storeStates(f, states) {
  const columns = f.accumulator.map(({ name, type }) => {
    const column = states.map((state) => state[name]);
    const bad = column.findIndex((value) => !fits(type, value));
    if (bad >= 0) throw new TypeError(`\`${name}\` of the state is ${column[bad]}, which is no ${type.name}`);
    return buffers(type, column);
  });
  return { rows: states.length, columns };
}

export function newStates(f, count) {
  const blank = () => Object.fromEntries(f.accumulator.map(({ name, type }) => [name, zero(type)]));
  return storeStates(f, Array.from({ length: count }, () => ({ ...blank(), ...(f.create ? f.create() : {}) })));
}

export function fold(f, method, states, groups, batch, parameters, errors) {
  const make = rowMaker(f.inputs, columnsOf(f.inputs, batch, values));
  for (let row = 0; row < batch.rows; row++) {
    const before = { ...states[groups[row]] };
    try {
      method(states[groups[row]], make(row), parameters);
    } catch (error) {
      states[groups[row]] = before;
      errors.add(row, error);
    }
  }
}

export function finish(f, states, parameters) {
  const errors = new Errors();
  const columns = encode(f, states.map((state) => f.finish(state, parameters)), errors);
  const [first] = errors.list();
  if (first) throw new Refuse(`finish: ${first.message}`);
  return { rows: states.length, columns };
}

export function step(f, states, groups, batch, parameters, errors) {
  const make = rowMaker(f.inputs, columnsOf(f.inputs, batch, values));
  const emitted = new Emitted();
  for (let row = 0; row < batch.rows; row++) {
    const before = { ...states[groups[row]] };
    try {
      const result = f.call(states[groups[row]], make(row), parameters);
      if (f.many) emitted.many(row, result);
      else if (!f.filters || result) emitted.one(row, result);
    } catch (error) {
      states[groups[row]] = before;
      errors.add(row, error);
    }
  }
  return emitted.batch(f, errors);
}
