// Functions twice: over whole columns, and row by row under the same name with `_rows`. Both give the same, errors
// included: `src/bulk.rs` holds them to it.

import { fail, filter, filterBulk, map, mapBulk, RowError, where } from "weir";

function twice(name, input, output, bulk, rows) {
  mapBulk(name, { input, output, outputName: "out" }, bulk);
  map(`${name}_rows`, { input, output, outputName: "out" }, rows);
}

const floats = { x: "float64", y: "float64" };
const longs = { a: "int64", b: "int64" };

twice("product", floats, "float64", ({ x, y }) => x.times(y), ({ x, y }) => x * y);
twice("chain", floats, "float64",
  ({ x, y }) => x.plus(1).dividedBy(y).minus(x.remainder(y)).negated().abs(),
  ({ x, y }) => Math.abs(-((x + 1) / y - (x % y))));
twice("sums", longs, "int64", ({ a, b }) => a.times(b).negated().plus(a.abs()).minus(b.times(3n)),
  ({ a, b }) => -(a * b) + (a < 0n ? -a : a) - b * 3n);
twice("beyond", longs, "int64", ({ a, b }) => a.times(b).times(2n ** 70n).remainder(1000n),
  ({ a, b }) => (a * b * 2n ** 70n) % 1000n);
twice("quotient", longs, "int64", ({ a, b }) => a.dividedBy(b).plus(a.remainder(b)), ({ a, b }) => a / b + (a % b));
twice("guarded", longs, "int64", ({ a, b }) => where(b.differs(0n), a.dividedBy(b), -1n), ({ a, b }) => (b !== 0n ? a / b : -1n));
twice("whole", floats, { floor: "integer", ceil: "int32", trunc: "float32", root: "float64" },
  ({ x, y }) => ({ floor: x.floor(), ceil: y.ceil(), trunc: x.trunc(), root: y.sqrt() }),
  ({ x, y }) => ({ floor: Math.floor(x), ceil: Math.ceil(y), trunc: Math.trunc(x), root: Math.sqrt(y) }));
twice("narrow", { i: "int32", n: "integer", f: "float32", t: "timestamp", a: "int64" },
  { i: "int32", n: "integer", f: "float32", t: "timestamp" },
  ({ i, n, f, t, a }) => ({ i: i.times(3).plus(1), n: n.times(2), f: f.times(0.1).plus(n), t: t.plus(a) }),
  ({ i, n, f, t, a }) => ({ i: i * 3 + 1, n: n * 2, f: f * 0.1 + n, t: t + a }));
twice("converted", { a: "int64", x: "float64" }, { a: "float64", x: "int64" },
  ({ a, x }) => ({ a: a.toNumber(), x: x.toBigInt() }), ({ a, x }) => ({ a: Number(a), x: BigInt(x) }));
twice("compared", { ...longs, ...floats, p: "boolean" }, { less: "boolean", more: "boolean", same: "boolean" },
  ({ a, b, x, y, p }) => ({
    less: a.lessThan(b).or(x.atMost(y)),
    more: a.atLeast(b).and(x.moreThan(y).not()),
    same: a.equals(b).or(p.differs(x.equals(y))),
  }),
  ({ a, b, x, y, p }) => ({ less: a < b || x <= y, more: a >= b && !(x > y), same: a === b || p !== (x === y) }));
twice("extremes", { ...longs, ...floats }, { least: "float64", most: "float64", whole: "int64" },
  ({ a, b, x, y }) => ({ least: x.min(y), most: x.max(y), whole: a.min(b).max(7n) }),
  ({ a, b, x, y }) => ({ least: Math.min(x, y), most: Math.max(x, y), whole: (b < a ? b : a) < 7n ? 7n : b < a ? b : a }));
twice("refused", floats, "float64",
  ({ x, y }) => {
    fail(x.lessThan(0), "below zero");
    const ratio = x.dividedBy(y);
    fail(ratio.moreThan(100), "too much");
    return ratio;
  },
  ({ x, y }) => {
    if (x < 0) throw new RowError("below zero");
    if (x / y > 100) throw new RowError("too much");
    return x / y;
  });
twice("filled", { x: "float64?", y: "float64?", z: "float64" }, "float64?",
  ({ x, y, z }) => where(x.isNull(), z, x.plus(y)), ({ x, y, z }) => (x === null ? z : y === null ? null : x + y));
twice("needed", { x: "float64?" }, "float64", ({ x }) => x.times(2), ({ x }) => (x === null ? null : x * 2));
twice("logic", { p: "boolean?", q: "boolean?" }, "boolean?", ({ p, q }) => p.and(q).or(p.not()),
  ({ p, q }) => (p === null ? null : p ? q : true));
twice("taken", longs, "int64",
  ({ a, b }) => {
    let sum = a.times(0n);
    for (let item = 0n; item < 300n; item++) sum = sum.plus(b.dividedBy(1000n).times(item));
    if ([...sum].length !== a.length) throw new Error("not all");
    return sum.minus(a);
  },
  ({ a, b }) => {
    let sum = a * 0n;
    for (let item = 0n; item < 300n; item++) sum += (b / 1000n) * item;
    return sum - a;
  });

filterBulk("between", { input: floats }, ({ x, y }) => {
  fail(x.differs(x), "not a number");
  return x.moreThan(y).and(y.moreThan(-1));
});
filter("between_rows", { input: floats }, ({ x, y }) => {
  if (x !== x) throw new RowError("not a number");
  return x > y && y > -1;
});
