// Functions in JavaScript without a component: `node --import ./modules.js --test weir.test.js`.

import assert from "node:assert/strict";
import { test } from "node:test";

import { lines, parameters } from "./host.js";
import "../weir/lacking.js";
import {
  aggregate, fail, filter, filterBulk, flatMap, map, mapBulk, mapColumns, Refuse, registry, RowError, statefulMap, where,
} from "../weir/index.js";
import { buffers, fits, parseType, values, view } from "../weir/columns.js";
import * as component from "../weir/component.js";

const column = (type, given) => buffers(parseType(type, "here"), given);
const back = (type, made, rows) => values(parseType(type, "here"), made, rows);
const indices = (...given) => new Uint8Array(Uint32Array.from(given).buffer);
const at = (name) => registry.findIndex((f) => f.name === name);

test("values come back as they went", () => {
  for (const [type, given] of [
    ["boolean", [true, false, true]],
    ["int32", [-(2 ** 31), 2 ** 31 - 1]],
    ["int64", [-(2n ** 63n), 2n ** 63n - 1n]],
    ["integer", [Number.MAX_SAFE_INTEGER, -1]],
    ["float64", [0.1, -0, 1e300]],
    ["text", ["", "a", "né", "\u{1f600}"]],
    ["bytes", [new Uint8Array([255, 0]), new Uint8Array()]],
    ["float64?", [null, 1.5, null]],
    ["text?", ["", null, "x"]],
    ["timestamp", []],
  ]) assert.deepEqual(back(type, column(type, given), given.length), given, type);
});

test("numbers in bulk are typed arrays", () => {
  const made = column("float64", Float64Array.of(1, 2));
  assert.deepEqual(view(parseType("float64", "here"), made, 2), Float64Array.of(1, 2));
});

test("what does not fit is told apart", () => {
  for (const [type, value, does] of [
    ["int32", 2 ** 31, false], ["int64", 1, false], ["int64", 2n ** 63n, false], ["integer", 0.5, false],
    ["text", null, false], ["text?", null, true], ["float32", 1, true], ["bytes", "x", false], ["bytes", new Int8Array(1), false],
  ]) assert.equal(fits(parseType(type, "here"), value), does, `${type} ${value}`);
  assert.throws(() => parseType("number", "here"), /here: there is no type "number"; there are boolean/);
});

map("classed", { parameters: { limit: { type: "float64", default: 100 } }, input: { price: "float64" }, output: "text" },
  ({ price }, { limit }) => {
    if (price < 0) throw new RowError("below zero");
    if (price === 7) null.x;
    return price > limit ? "dear" : "cheap";
  });
mapColumns("doubled", { input: { n: "float64" }, output: "float64" }, ({ n }) => n.map((each) => each * 2));
filter("kept", { input: { n: "integer" } }, ({ n }) => n > 1);
flatMap("words", { input: { text: "text" }, output: { word: "text" } }, ({ text }) => text.split(" ").map((word) => ({ word })));
aggregate("sum", { input: { n: "float64" }, state: { sum: "float64" }, output: "float64" }, {
  accumulate: (state, { n }) => { state.sum += n; },
  merge: (state, other) => { state.sum += other.sum; },
  finish: ({ sum }) => sum,
});
statefulMap("balance", { input: { amount: "integer" }, state: { value: "integer" }, output: "integer" }, {
  step: (state, { amount }) => {
    state.value += amount;
    if (state.value < 0) throw new RowError("overdrawn");
    return state.value;
  },
});
map("late", { input: {}, output: "text" }, () => String(new Date()));

test("the catalog says what was defined", () => {
  const [classed] = component.catalog.functions();
  assert.deepEqual(classed.inputs, [{ name: "price", dataType: "float64", nullable: false }]);
  assert.deepEqual(classed.outputs, [{ name: "classed", dataType: "text", nullable: false }]);
  assert.deepEqual(classed.parameters, [{ name: "limit", dataType: "float64", default: "100", doc: "" }]);
});

test("a row that fails leaves the others, and what was not expected is logged", () => {
  parameters.set("limit", "50");
  lines.length = 0;
  const { output, errors } = component.mapper.mapBatch(at("classed"), { rows: 4, columns: [column("float64", [51, -1, 7, 50])] });
  assert.deepEqual(back("text", output.columns[0], 4), ["dear", "", "", "cheap"]);
  assert.deepEqual(errors.map((e) => e.row), [1, 2]);
  assert.equal(errors[0].message, "below zero");
  assert.match(errors[1].message, /^TypeError: /);
  assert.match(lines.join("\n"), /^warn: TypeError: .*\n.*weir\.test\.js/s);
});

test("each kind gives what it should", () => {
  const given = { rows: 2, columns: [column("float64", [1, 2])] };
  const doubled = component.mapper.mapBatch(at("doubled"), given);
  assert.deepEqual(back("float64", doubled.output.columns[0], 2), [2, 4]);
  const kept = component.filter.filterBatch(at("kept"), { rows: 3, columns: [column("integer", [1, 2, 3])] });
  assert.deepEqual([...kept.selection], [0b110]);
  const words = component.flatMapper.flatMapBatch(at("words"), { rows: 2, columns: [column("text", ["a b", "c"])] });
  assert.deepEqual(back("text", words.output.columns[0], 3), ["a", "b", "c"]);
  assert.deepEqual(words.parents, indices(0, 0, 1));
  const created = component.aggregate.create(at("sum"), 2);
  const folded = component.aggregate.accumulate(at("sum"), created, indices(1, 1), given);
  const merged = component.aggregate.merge(at("sum"), folded.accumulators, indices(0, 0), folded.accumulators);
  assert.deepEqual(back("float64", component.aggregate.finish(at("sum"), merged).columns[0], 2), [3, 3]);
});

test("a state is left alone by a row that fails", () => {
  const states = component.statefulMapper.create(at("balance"), 1);
  const stepped = component.statefulMapper.statefulMapBatch(at("balance"), states, indices(0, 0, 0), { rows: 3, columns: [column("integer", [5, -9, 1])] });
  assert.deepEqual(back("integer", stepped.output.columns[0], 2), [5, 6]);
  assert.deepEqual(back("integer", stepped.states.columns[0], 1), [6]);
  assert.deepEqual(stepped.errors, [{ row: 1, message: "overdrawn" }]);
});

mapBulk("fare", { input: { km: "float64?", rate: "int64", big: "boolean" }, output: { fare: "float64", rate: "int64" } },
  ({ km, rate, big }) => {
    fail(km.lessThan(0), "driven backwards");
    return { fare: where(big, km.times(2), km).plus(1), rate: rate.times(rate).dividedBy(rate) };
  });
filterBulk("far", { input: { km: "float64?" } }, ({ km }) => km.moreThan(3));

test("columns in bulk give what rows give", () => {
  const km = column("float64?", [1, -1, null, 4, 5]);
  const rate = column("int64", [2n ** 62n, 2n, 3n, 0n, 7n]);
  const { output, errors } = component.mapper.mapBatch(at("fare"), { rows: 5, columns: [km, rate, column("boolean", [true, true, true, true, false])] });
  assert.deepEqual(back("float64", output.columns[0], 5), [3, 0, 0, 0, 6]);
  assert.deepEqual(back("int64", output.columns[1], 5), [2n ** 62n, 0n, 0n, 0n, 7n]);
  assert.deepEqual(errors, [
    { row: 1, message: "driven backwards" },
    { row: 2, message: "`fare` is float64, not null" },
    { row: 3, message: "RangeError: Division by zero" },
  ]);
  assert.deepEqual([...component.filter.filterBatch(at("far"), { rows: 5, columns: [km] }).selection], [0b11000]);
});

test("what can't be computed with says so", () => {
  mapBulk("mixed", { input: { a: "float64", b: "int64" }, output: "float64" }, ({ a, b }) => a.plus(b));
  const given = { rows: 1, columns: [column("float64", [1]), column("int64", [1n])] };
  assert.throws(() => component.mapper.mapBatch(at("mixed"), given), (thrown) => thrown === "TypeError: number and bigint can't be mixed: see toNumber() and toBigInt()");
});

test("an unknown function is refused as the contract has it", () => {
  assert.throws(() => component.filter.filterBatch(99, { rows: 0, columns: [] }), (thrown) => thrown === "there is no filter with the index 99");
  assert.ok(new Refuse("x") instanceof Error);
});

test("what a function can't have says so", () => {
  const clock = /a Weir function has no clock; now\(\) is the batch's event time/;
  assert.throws(() => Date.now(), clock);
  assert.throws(() => new Date(), clock);
  assert.throws(() => Date(), clock);
  assert.throws(() => performance.now(), clock);
  assert.equal(new Date(0).toISOString(), "1970-01-01T00:00:00.000Z");
  assert.ok(new Date(0) instanceof Date && new Date(0).constructor === Date);
  assert.equal(Date.UTC(1970, 0, 1), 0);
  assert.throws(() => Math.random(), /use random\(\) of weir/);
  assert.throws(() => fetch("http://x"), /a Weir function has no network \(fetch\)/);
  assert.throws(() => setTimeout(() => {}, 1), /no timers/);
  const { errors } = component.mapper.mapBatch(at("late"), { rows: 1, columns: [] });
  assert.match(errors[0].message, clock);
});
