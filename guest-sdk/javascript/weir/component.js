// The component's exports: what the host calls, in terms of the functions in the registry. It also
// puts in place what engines lack (`console`).

import { parameter as hostParameter } from "weir:udf/host@0.1.0";
import { indices } from "./columns.js";
import { log, Refuse, registry } from "./index.js";
import * as run from "./run.js";

globalThis.console = { ...log, log: log.info, trace: log.debug };

function parse(type, text) {
  switch (type.name) {
    case "boolean": return text === "true";
    case "int32": case "float32": case "float64": return Number(text);
    case "integer": {
      const number = Number(text);
      if (!Number.isSafeInteger(number)) throw new Refuse(`${text} is larger than a number of JavaScript is exact: use int64`);
      return number;
    }
    case "int64": case "timestamp": return BigInt(text);
    default: return text;
  }
}

const parsed = new Map();

function find(index, kind) {
  const f = registry[index];
  if (!f || f.kind !== kind) throw new Refuse(`there is no ${kind} with the index ${index}`);
  let parameters = parsed.get(index);
  if (!parameters) {
    parameters = {};
    for (const { name, type, default: fallback } of f.parameters) {
      const text = hostParameter(name) ?? fallback;
      if (text === undefined || text === null) throw new Refuse(`parameter \`${name}\` is missing`);
      parameters[name] = parse(type, text);
    }
    parsed.set(index, parameters);
  }
  return [f, parameters];
}

/** Lets nothing out but the contract's error: what the function did not expect is its trace. */
function told(call) {
  return (...args) => {
    try {
      return call(...args);
    } catch (error) {
      if (error instanceof Refuse) throw error.message;
      if (!(error instanceof Error)) throw String(error);
      log.error(`${error.name}: ${error.message}\n${error.stack ?? ""}`.trimEnd());
      throw `${error.name}: ${error.message}`;
    }
  };
}

function groupsOf(bytes, rows, count) {
  const groups = bytes.length ? indices(bytes) : [];
  if (groups.length !== rows) throw new Refuse("malformed batch: not as many groups as rows");
  for (let row = 0; row < rows; row++) if (groups[row] >= count) throw new Refuse("malformed batch: a row is of a group that there is not");
  return groups;
}

const wire = (fields) => fields.map(({ name, type }) => ({ name, dataType: type.wire, nullable: type.nullable }));

export const catalog = {
  functions: () =>
    registry.map((f) => ({
      name: f.name,
      kind: f.kind,
      doc: f.doc,
      parameters: f.parameters.map(({ name, type, default: value, doc }) => ({ name, dataType: type.wire, default: value, doc })),
      inputs: wire(f.inputs),
      outputs: wire(f.outputs),
      accumulator: wire(f.accumulator),
      retractable: f.retractable,
    })),
};

export const mapper = {
  mapBatch: told((index, input) => {
    const [f, parameters] = find(index, "mapper");
    const errors = new run.Errors();
    const columns = f.whole ? run.mapColumns(f, input, parameters, errors) : run.mapRows(f, input, parameters, errors);
    return { output: { rows: input.rows, columns }, errors: errors.list() };
  }),
};

export const filter = {
  filterBatch: told((index, input) => {
    const [f, parameters] = find(index, "filter");
    const errors = new run.Errors();
    const selection = run.filterRows(f, input, parameters, errors);
    return { selection, errors: errors.list() };
  }),
};

export const flatMapper = {
  flatMapBatch: told((index, input) => {
    const [f, parameters] = find(index, "flat-mapper");
    const errors = new run.Errors();
    const emitted = run.flatMapRows(f, input, parameters, errors);
    return { ...emitted, errors: errors.list() };
  }),
};

function foldBy(method) {
  return told((index, accumulators, groups, input) => {
    const [f, parameters] = find(index, "aggregate");
    if (!f[method]) throw new Refuse(`\`${f.name}\` can't be taken back`);
    const errors = new run.Errors();
    const states = run.loadStates(f, accumulators);
    run.fold(f, f[method], states, groupsOf(groups, input.rows, states.length), input, parameters, errors);
    return { accumulators: run.storeStates(f, states), errors: errors.list() };
  });
}

export const aggregate = {
  create: told((index, count) => run.newStates(find(index, "aggregate")[0], count)),
  accumulate: foldBy("call"),
  retract: foldBy("retract"),
  merge: told((index, accumulators, groups, others) => {
    const [f, parameters] = find(index, "aggregate");
    const states = run.loadStates(f, accumulators);
    const places = groupsOf(groups, others.rows, states.length);
    run.loadStates(f, others).forEach((other, i) => f.merge(states[places[i]], other, parameters));
    return run.storeStates(f, states);
  }),
  finish: told((index, accumulators) => {
    const [f, parameters] = find(index, "aggregate");
    return run.finish(f, run.loadStates(f, accumulators), parameters);
  }),
};

export const statefulMapper = {
  create: told((index, count) => run.newStates(find(index, "stateful-mapper")[0], count)),
  statefulMapBatch: told((index, states, groups, input) => {
    const [f, parameters] = find(index, "stateful-mapper");
    const errors = new run.Errors();
    const held = run.loadStates(f, states);
    const emitted = run.step(f, held, groupsOf(groups, input.rows, held.length), input, parameters, errors);
    return { states: run.storeStates(f, held), ...emitted, errors: errors.list() };
  }),
};

export const groupMapper = {
  groupMapBatch: told((index, count, groups, input) => {
    const [f, parameters] = find(index, "group-mapper");
    const errors = new run.Errors();
    const emitted = run.mapGroups(f, count, groupsOf(groups, input.rows, count), input, parameters, errors);
    return { ...emitted, errors: errors.list() };
  }),
};
