// Where Node finds what `weir build` puts in place: `node --import ./modules.js`.

import { register } from "node:module";

const hooks = `
  const places = { "weir": "../weir/index.js", "weir:udf/host@0.1.0": "./host.js" };
  export function resolve(name, context, next) {
    return name in places
      ? { url: new URL(places[name], ${JSON.stringify(import.meta.url)}).href, shortCircuit: true }
      : next(name, context);
  }
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
