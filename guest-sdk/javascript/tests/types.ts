// What the types of the SDK take and refuse: checked by tsc, never run. A line under `@ts-expect-error` that is no
// error is one.

import * as weir from "weir";

weir.map(
  "every",
  {
    doc: "A value of every type.",
    parameters: { limit: { type: "float64", default: 100 }, name: "text", since: { type: "timestamp", default: 0n } },
    input: { b: "boolean", i: "int32", l: "int64", n: "integer", t: "timestamp", s: "text?", y: "bytes" },
    output: { total: "float64", text: "text?", when: "timestamp" },
  },
  ({ b, i, l, n, t, s, y }, parameters) => {
    const { limit, name, since } = parameters;
    const whole: bigint = l + t + since;
    const size: number = i + n + y.length + limit + (b ? 1 : 0);
    // @ts-expect-error: it may be null
    const length: number = s.length;
    // @ts-expect-error: parameters are constant
    parameters.limit = 3;
    return { total: size + length, text: s ?? name, when: whole };
  },
);

// @ts-expect-error: a number is no text
weir.map("wrong", { input: { n: "int32" }, output: "text" }, ({ n }) => n);
// @ts-expect-error: there is no such type
weir.map("unknown", { input: { n: "number" }, output: "text" }, () => "");
// @ts-expect-error: there is no such column
weir.filter("missing", { input: { n: "int32" } }, ({ m }) => m > 1);

weir.mapColumns("columns", { input: { a: "float64", b: "int64?" }, output: "float64" }, ({ a, b }, _, rows) => {
  const numbers: Float64Array = a;
  return numbers.map((value, row) => (row < rows && b[row] !== null ? value : 0));
});
weir.mapBulk(
  "bulk",
  { input: { a: "float64", b: "int64?", c: "boolean", s: "text" }, output: { x: "float64", y: "int64?", z: "boolean" } },
  ({ a, b, c, s }) => {
    weir.fail(a.lessThan(0), "below zero");
    // @ts-expect-error: numbers and bigints can't be mixed
    a.plus(b);
    // @ts-expect-error: nothing can be computed of texts
    s.plus("x");
    const texts: ArrayLike<string | null> = s.values();
    return { x: weir.where(c, a.times(2).plus(texts.length), a), y: b.plus(1n), z: c.and(a.sqrt().atMost(3)).not() };
  },
);
// @ts-expect-error: numbers are no booleans
weir.filterBulk("all", { input: { a: "float64" } }, ({ a }) => a);
weir.filter("kept", { input: { n: "integer" } }, ({ n }) => n > 1);
weir.flatMap("words", { input: { text: "text" }, output: { word: "text" } }, function* ({ text }) {
  for (const word of text.split(" ")) yield { word };
});
weir.aggregate(
  "mean",
  { input: { value: "float64" }, state: { sum: "float64", count: "integer" }, output: "float64?" },
  {
    create: () => ({ sum: 0 }),
    accumulate: (state, { value }) => void (state.sum += value),
    merge: (state, other) => void (state.count += other.count),
    finish: ({ sum, count }) => (count ? sum / count : null),
  },
);
weir.aggregate(
  "half",
  { input: { value: "float64" }, state: { sum: "float64" }, output: "float64" },
  // @ts-expect-error: an aggregate merges
  { accumulate: () => {}, finish: ({ sum }) => sum },
);
weir.statefulMap("step", { input: { n: "integer" }, state: { sum: "integer" }, output: "integer" }, {
  step: (state, { n }) => (state.sum += n),
});
weir.statefulFilter("first", { input: { n: "integer" }, state: { seen: "boolean" } }, {
  step: (state) => !state.seen && (state.seen = true),
});
weir.statefulFlatMap("more", { input: { n: "integer" }, state: { seen: "boolean" }, output: "integer" }, {
  step: (_, { n }) => [n, n],
});
weir.groupMap("median", { input: { value: "float64" }, output: "float64?" }, ({ value }) => value.sort()[0] ?? null);
weir.groupFlatMap("top", { input: { value: "float64" }, output: "float64" }, ({ value }) => value.slice(0, 3));

const now: bigint = weir.now();
const drawn: number = weir.random();
weir.log.info("a line", now, drawn);
throw new weir.Refuse(new weir.RowError("a row").message);
