// The reference functions of the conformance kit, in JavaScript. What they do stands in ../README.md.
import { aggregate, filter, flatMap, groupMap, map, mapBulk, mapColumns, now, Refuse, RowError, statefulMap } from "weir";
import { encode } from "weir/columns.js";

// Kept before anything runs.
const keptNow = Date.now;

const every = {
  b: "boolean?", i: "int32?", l: "int64?", f: "float32?", d: "float64?", t: "timestamp?", s: "text?", y: "bytes?",
};

map("echo", { doc: "Every value as it came.", input: every, output: every }, (row) => row);

mapBulk("product", { doc: "a times b.", input: { a: "float64", b: "float64" }, output: "float64" }, ({ a, b }) => a.times(b));

// Not of the kit, but to be measured beside the other, as is the next.
mapColumns("product_items", { doc: "a times b, item by item.", input: { a: "float64", b: "float64" }, output: "float64" }, ({ a, b }) => {
  const product = new Float64Array(a.length);
  for (let row = 0; row < a.length; row++) product[row] = a[row] * b[row];
  return product;
});

map("product_rows", { doc: "a times b, row by row.", input: { a: "float64", b: "float64" }, output: "float64" }, ({ a, b }) => a * b);

map("quotient", { doc: "a by b, towards zero.", input: { a: "int64", b: "int64" }, output: "int64" }, ({ a, b }) => {
  if (b === 0n) throw new RowError("division by zero");
  return a / b;
});

map(
  "describe",
  {
    doc: "A text with a prefix and its length in bytes.",
    parameters: { prefix: { type: "text", doc: "What stands before it." } },
    input: { text: "text" },
    output: "text",
  },
  ({ text }, { prefix }) => `${prefix}${text}:${encode(text).length}`,
);

map(
  "settings",
  {
    doc: "The parameters, and the time.",
    parameters: {
      flag: { type: "boolean", default: true },
      small: { type: "int32", default: -7 },
      large: { type: "int64", default: 9007199254740993n },
      ratio: { type: "float64", default: 0.1 },
      since: { type: "timestamp", default: 1360326600000000n },
      name: { type: "text", default: "né" },
    },
    input: { row: "int64" },
    output: { flag: "boolean", small: "int32", large: "int64", ratio: "float64", since: "timestamp", name: "text", now: "timestamp" },
  },
  (_, parameters) => ({ ...parameters, now: now() }),
);

filter(
  "above",
  {
    doc: "Whether a value is above the threshold.",
    parameters: { threshold: { type: "float64", default: 10.5 } },
    input: { value: "float64" },
  },
  ({ value }, { threshold }) => {
    if (Number.isNaN(value)) throw new RowError("not a number");
    return value > threshold;
  },
);

flatMap(
  "words",
  { doc: "What stands between spaces, with its place.", input: { text: "text" }, output: { word: "text", position: "integer" } },
  ({ text }) => {
    if (text === "!") throw new RowError("no words");
    return text.split(" ").filter((word) => word).map((word, position) => ({ word, position }));
  },
);

aggregate(
  "mean",
  {
    doc: "The mean of values that are not negative.",
    input: { value: "float64" },
    state: { sum: "float64", count: "integer" },
    output: "float64?",
  },
  {
    accumulate(state, { value }) {
      if (value < 0) throw new RowError("negative");
      state.sum += value;
      state.count += 1;
    },
    retract(state, { value }) {
      state.sum -= value;
      state.count -= 1;
    },
    merge(state, other) {
      state.sum += other.sum;
      state.count += other.count;
    },
    finish: ({ sum, count }) => (count ? sum / count : null),
  },
);

const longer = (state, text) => {
  if (state.text === null || encode(text).length > encode(state.text).length) state.text = text;
};

aggregate(
  "longest",
  { doc: "The first of the texts with most bytes.", input: { text: "text" }, state: { text: "text?" }, output: "text?" },
  {
    accumulate: (state, { text }) => longer(state, text),
    merge: (state, other) => other.text !== null && longer(state, other.text),
    finish: ({ text }) => text,
  },
);

statefulMap(
  "balance",
  { doc: "What is left on an account.", input: { amount: "int64" }, state: { value: "int64" }, output: "int64" },
  {
    step(state, { amount }) {
      state.value += amount;
      if (state.value < 0n) throw new RowError("overdrawn");
      return state.value;
    },
  },
);

groupMap("median", { doc: "The middle of the sorted values.", input: { value: "float64" }, output: "float64?" }, ({ value }) => {
  if (value.length === 0) return null;
  const sorted = value.sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
});

map("complain", { doc: "Prints each text, and refuses the batch.", input: { text: "text" }, output: "text" }, ({ text }) => {
  console.log(`about to fail: ${text}`);
  throw new Refuse("complained");
});

// What a function can't have.
const lacked = {
  "Date.now": () => Date.now(),
  "a kept Date.now": keptNow,
  "new Date": () => new Date(),
  "performance.now": () => performance.now(),
  "a date of 0": () => new Date(0).toISOString(),
  fetch: () => fetch("http://localhost"),
  setTimeout: () => setTimeout(() => {}, 1),
  "Math.random": () => Math.random(),
};

map("lacks", {
  doc: "What comes of asking for what there is not: not of the kit, but of its tests.jsonl.",
  input: { what: "text" },
  output: "text",
}, ({ what }) => {
  try {
    return String(lacked[what]());
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
});

map("clocked", { doc: "The same where nobody catches it.", input: { row: "integer" }, output: "text" }, () => String(new Date()));
