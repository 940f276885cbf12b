// Write functions for Weir in JavaScript or TypeScript: see README.md, and index.d.ts for the types.

import { log as hostLog, now as hostNow, random as hostRandom } from "weir:udf/host@0.1.0";
import { parseType } from "./columns.js";

export { where } from "./bulk.js";
export { fail } from "./evaluate.js";
export { Refuse, RowError } from "./errors.js";

/** All functions, in the order of their definition, which is the catalog's. */
export const registry = [];

function fields(list, where) {
  return Object.entries(list ?? {}).map(([name, type]) => ({ name, type: parseType(type, `${where}, \`${name}\``) }));
}

function parameter([name, given], where) {
  const { type, default: fallback, doc } = typeof given === "string" ? { type: given } : given;
  const parsed = parseType(type, `${where}, parameter \`${name}\``);
  return { name, type: parsed, default: fallback === undefined ? undefined : String(fallback), doc: doc ?? "" };
}

function define(kind, name, options, rest) {
  const scalar = typeof options.output === "string";
  const outputs = scalar ? { [options.outputName ?? name]: options.output } : options.output;
  registry.push({
    kind,
    name,
    doc: options.doc ?? "",
    parameters: Object.entries(options.parameters ?? {}).map((entry) => parameter(entry, name)),
    inputs: fields(options.input, name),
    outputs: fields(outputs, name),
    accumulator: fields(options.state, name),
    scalar,
    retractable: false,
    ...rest,
  });
}

/** One row out for each row in. */
export function map(name, options, call) {
  define("mapper", name, options, { call });
}

/** The same with whole columns: typed arrays for numbers. */
export function mapColumns(name, options, call) {
  define("mapper", name, options, { call, whole: true });
}

/** The same with columns to compute with: the host does, and no item is touched here. */
export function mapBulk(name, options, call) {
  define("mapper", name, options, { call, whole: true, bulk: true });
}

/** Keeps the rows of a column of booleans. */
export function filterBulk(name, options, call) {
  define("filter", name, options, { call, bulk: true });
}

/** Keeps the rows that it says true of. */
export function filter(name, options, call) {
  define("filter", name, options, { call });
}

/** Any number of rows out for each row in: whatever can be iterated. */
export function flatMap(name, options, call) {
  define("flat-mapper", name, options, { call });
}

/** Folds rows into an accumulator, whose fields are `state`. */
export function aggregate(name, options, { create, accumulate, merge, finish, retract }) {
  define("aggregate", name, options, { create, call: accumulate, merge, finish, retract, retractable: !!retract });
}

/** Any number of rows out for each row in, with a state for each key. */
export function statefulFlatMap(name, options, { create, step }) {
  define("stateful-mapper", name, options, { create, call: step, many: true });
}

/** One row out for each row in, with a state for each key. */
export function statefulMap(name, options, { create, step }) {
  define("stateful-mapper", name, options, { create, call: step });
}

/** Keeps the rows that it says true of, with a state for each key. */
export function statefulFilter(name, options, { create, step }) {
  define("stateful-mapper", name, { ...options, output: {} }, { create, call: step, filters: true });
}

/** One row out for each group; the arguments are arrays of the group's values. */
export function groupMap(name, options, call) {
  define("group-mapper", name, options, { call });
}

/** Any number of rows out for each group. */
export function groupFlatMap(name, options, call) {
  define("group-mapper", name, options, { call, many: true });
}

/** Lines in the function's log. */
export const log = {
  debug: (...parts) => hostLog("debug", parts.map(String).join(" ")),
  info: (...parts) => hostLog("info", parts.map(String).join(" ")),
  warn: (...parts) => hostLog("warn", parts.map(String).join(" ")),
  error: (...parts) => hostLog("error", parts.map(String).join(" ")),
};

/** The batch's event time in microseconds since 1970; not a clock. */
export function now() {
  // StarlingMonkey takes the sign for a bit.
  return BigInt.asIntN(64, BigInt(hostNow()));
}

/** A number from 0 to 1 of a sequence that the host seeds from the batch. */
export function random() {
  return Number(BigInt.asUintN(53, BigInt(hostRandom()))) / 2 ** 53;
}
