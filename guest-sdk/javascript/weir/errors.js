// What a function may throw, and what is said of a value that does not fit.

/** This row fails with this message; the others stand. */
export class RowError extends Error {}

/** The whole call can't be served, say because of a parameter: the pipeline fails. */
export class Refuse extends Error {}

/** A value that does not fit its column. */
export function misfit({ name, type }, value) {
  const shown = typeof value === "bigint" ? `${value}n` : JSON.stringify(value);
  return new RowError(`\`${name}\` is ${type.name}${type.nullable ? " or null" : ""}, not ${shown}`);
}
