// What can be done with whole columns: how the host computes it, and how JavaScript does for a row.
//
// The host computes what has one answer in every language, and gives back rows for which there is none: a bigint that
// needs more than 64 bits, one divided by 0n. Such a row is JavaScript's, which has answers and errors of its own.

/** What a value is computed with as: "number", "bigint" or "boolean"; and the host's words for them. */
export const WIRE = { number: "float64", bigint: "int64", boolean: "boolean" };

/** A program for the host, as it grows: see wit/README.md. */
export class Writer {
  lines = [];
  #values = 0;
  #constants = new Map();

  /** Appends an instruction that makes a value, and gives the value's number. */
  value(line) {
    this.lines.push(line);
    return this.#values++;
  }

  constant(value, kind) {
    const shown = Object.is(value, -0) ? "-0" : String(value);
    const key = `${kind} ${shown}`;
    if (!this.#constants.has(key)) {
      let line = `${WIRE[kind]} ${shown}`;
      if (value === null) line = `null ${WIRE[kind]}`;
      else if (kind === "bigint" && BigInt.asIntN(64, value) !== value) {
        // No row of the host's.
        line = `except ${this.constant(0n, kind)} ${this.constant(true, "boolean")}`;
      } else if (kind === "number" && !Number.isFinite(value)) line = `float64 ${Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf"}`;
      this.#constants.set(key, this.value(line));
    }
    return this.#constants.get(key);
  }

  /** Gives back the rows of a mask. */
  fail(mask) {
    this.lines.push(`fail ${mask}`);
  }
}

function only(kinds, ...taken) {
  if (kinds.some((kind) => kind !== kinds[0])) throw new TypeError(`${[...new Set(kinds)].join(" and ")} can't be mixed: see toNumber() and toBigInt()`);
  if (!taken.includes(kinds[0])) throw new TypeError(`it is for ${taken.join(" and ")}, not for ${kinds[0]}`);
  return kinds[0];
}

/** The same for numbers and bigints, by the host's name of each. */
function arithmetic(names, row) {
  return {
    kind: (kinds) => only(kinds, ...Object.keys(names)),
    write: (writer, numbers, kinds) => writer.value(`${names[kinds[0]]} ${numbers.join(" ")}`),
    row,
    strict: true,
  };
}
const alike = (name, row) => arithmetic({ number: name, bigint: name }, row);
const ofNumbers = (name, row) => arithmetic({ number: name }, row);

function comparison(name, row, swapped = false) {
  return {
    kind: (kinds) => (only(kinds, "number", "bigint", ...(name.endsWith("equal") && name !== "less-equal" ? ["boolean"] : [])), "boolean"),
    write: (writer, [a, b]) => writer.value(swapped ? `${name} ${b} ${a}` : `${name} ${a} ${b}`),
    row,
    strict: true,
  };
}

/** One side may be enough, also where the other is null. */
function logic(name, decides) {
  return {
    kind: (kinds) => only(kinds, "boolean"),
    write: (writer, [a, b]) => writer.value(`${name} ${a} ${b}`),
    row: (a, b) => (a === decides || b === decides ? decides : a === null || b === null ? null : !decides),
    strict: false,
  };
}

export const PLUS = alike("add", (a, b) => a + b);
export const MINUS = alike("subtract", (a, b) => a - b);
export const TIMES = alike("multiply", (a, b) => a * b);
export const DIVIDED = arithmetic({ number: "divide", bigint: "quotient" }, (a, b) => a / b);
export const REMAINDER = alike("remainder", (a, b) => a % b);
export const NEGATED = alike("negate", (a) => -a);
export const ABSOLUTE = alike("absolute", (a) => (typeof a === "number" ? Math.abs(a) : a < 0n ? -a : a));
export const MINIMUM = alike("minimum", (a, b) => (typeof a === "number" ? Math.min(a, b) : b < a ? b : a));
export const MAXIMUM = alike("maximum", (a, b) => (typeof a === "number" ? Math.max(a, b) : b > a ? b : a));
export const EQUAL = comparison("equal", (a, b) => a === b);
export const UNEQUAL = comparison("unequal", (a, b) => a !== b);
export const LESS = comparison("less", (a, b) => a < b);
export const AT_MOST = comparison("less-equal", (a, b) => a <= b);
export const MORE = comparison("less", (a, b) => a > b, true);
export const AT_LEAST = comparison("less-equal", (a, b) => a >= b, true);
export const AND = logic("and", false);
export const OR = logic("or", true);
export const NOT = arithmetic({ boolean: "not" }, (a) => !a);
export const IS_NULL = {
  kind: () => "boolean",
  write: (writer, [a]) => writer.value(`is-null ${a}`),
  row: (a) => a === null,
  strict: false,
};
export const WHERE = {
  kind: ([mask, ...chosen]) => (only([mask], "boolean"), only(chosen, "number", "bigint", "boolean")),
  write: (writer, [mask, a, b]) => writer.value(`where ${mask} ${a} ${b}`),
  strict: false,
};
export const FLOOR = ofNumbers("floor", Math.floor);
export const CEIL = ofNumbers("ceil", Math.ceil);
export const TRUNC = ofNumbers("trunc", Math.trunc);
export const SQRT = ofNumbers("sqrt", Math.sqrt);
export const TO_NUMBER = { ...arithmetic({ bigint: "to-float" }, Number), kind: (kinds) => (only(kinds, "bigint"), "number") };
export const TO_BIGINT = { ...arithmetic({ number: "exact-int" }, BigInt), kind: (kinds) => (only(kinds, "number"), "bigint") };

/** Rows of a mask are errors. */
export function failing(error) {
  return {
    kind: (kinds) => only(kinds, "boolean"),
    write: (writer, [mask]) => writer.fail(mask),
    row: (mask) => {
      if (mask) throw error;
    },
    strict: false,
  };
}
