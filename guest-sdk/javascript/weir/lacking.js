// What a function cannot have: clocks, a network, timers, random numbers of its own. An engine would ask a system
// for them that is not there. The component loads this before the function, which may keep what it finds.

const lacks = (what) => {
  throw new Error(`a Weir function has no ${what}`);
};
const lacking = (what) => () => lacks(what);
const CLOCK = "clock; now() is the batch's event time";

const Given = Date;
Given.now = lacking(CLOCK);
// A date of something is reckoned; one of nothing asks for the time.
globalThis.Date = new Proxy(Given, {
  construct: (target, parts, maker) => (parts.length ? Reflect.construct(target, parts, maker) : lacks(CLOCK)),
  apply: lacking(CLOCK),
});
Given.prototype.constructor = globalThis.Date;
Object.defineProperty(globalThis, "performance", { value: { now: lacking(CLOCK) }, configurable: true });
Math.random = lacking("random numbers of its own; use random() of weir");
for (const name of ["fetch", "XMLHttpRequest", "WebSocket"]) globalThis[name] = lacking(`network (${name})`);
for (const name of ["setTimeout", "setInterval", "setImmediate"]) globalThis[name] = lacking(`timers (${name})`);
