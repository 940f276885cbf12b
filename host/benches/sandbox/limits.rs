//! What each limit costs when it is on, alone, and what all do together: a call of 8,192 rows against the same call by
//! wasmtime without any.

use std::hint::black_box;

use weir::sandbox::{Artifact, Instance, Limits, Parameters, Reuse, Runtime};

use super::bare::{Bare, Guard, USUAL};
use super::measure::{self, pair};
use super::{Bench, ROWS, map};

/// What stands in the table for each limit.
const ALONE: [(&str, &[Guard]); 8] = [
    ("batch-time", &[Guard::Time]),
    ("fuel-per-row", &[Guard::Fuel]),
    ("memory, tables, instances", &[Guard::Growth]),
    ("stack", &[Guard::Stack]),
    ("output", &[Guard::Output]),
    ("handles", &[Guard::Handles]),
    ("(canonical NaNs)", &[Guard::Nans]),
    ("all of these but fuel", &USUAL),
];

pub(crate) fn run(bench: &Bench) -> anyhow::Result<()> {
    // The last has a thousand rounds of a loop in each row.
    for (name, rows) in [("scale_columns", ROWS), ("scale", ROWS), ("grind", ROWS / 16)] {
        let columns: &[_] = &bench.columns(name).iter().map(|c| c.slice(0, rows)).collect::<Vec<_>>();
        measure::head(&format!("ns/row of `{name}`: a limit alone, none at all"));
        let index = bench.index(name);
        let bare = |guards: &[Guard]| Bare::new(&bench.wasm, index, guards);
        let mut none = bare(&[])?;
        for (limit, guards) in ALONE {
            if name == "grind" && !matches!(limit, "batch-time" | "fuel-per-row") {
                continue;
            }
            let mut limited = bare(guards)?;
            pair(&format!("{name}: {limit}"), rows, "", || limited.map(columns), || none.map(columns));
        }
        let mut usual = bare(&USUAL)?;
        let mut instance = bench.instance(name);
        let what = format!("{name}: what comes back checked, against these");
        pair(&what, rows, "", || map(&mut instance, columns), || usual.map(columns));
        pair(&format!("{name}: all of Weir"), rows, "1.5", || map(&mut instance, columns), || none.map(columns));
        let limits = Limits { fuel_per_row: Some(1_000_000), ..Limits::default() };
        let fuelled = Artifact::load(&Runtime::new()?, "bench guest", &bench.wasm, &limits)?;
        let mut instance = Instance::new(&fuelled, index, Parameters::default(), limits, Reuse::UntilFault);
        let what = format!("{name}: all of Weir, fuel too");
        pair(&what, rows, "1.5", || map(&mut instance, columns), || none.map(columns));
    }
    calls_of_the_host(bench)?;
    loading(bench)
}

/// What is counted and kept on the host's side of a call. wasmtime's own call of the host is on both sides.
fn calls_of_the_host(bench: &Bench) -> anyhow::Result<()> {
    measure::head("ns/call of the host, 8,192 in a call");
    for (name, what) in [("draws", "host-calls: each is counted"), ("logs", "log, log-lines: the last are kept")] {
        let columns = bench.columns(name);
        let (mut limited, mut bare) = (bench.instance(name), Bare::new(&bench.wasm, bench.index(name), &USUAL)?);
        pair(what, ROWS, "", || map(&mut limited, columns), || bare.map(columns));
    }
    Ok(())
}

/// What is looked at when a component is loaded.
fn loading(bench: &Bench) -> anyhow::Result<()> {
    measure::head("ns/component, against compiling it");
    let runtime = Runtime::new()?;
    let limits = Limits::default();
    pair(
        "component, functions, nesting, ..: its shape",
        1,
        "",
        || Artifact::check_shape("bench guest", &bench.wasm, &limits).expect("it is small"),
        || drop(black_box(Artifact::load(&runtime, "bench guest", &bench.wasm, &limits).expect("loads"))),
    );
    Ok(())
}
