//! How long a pipeline takes to start whose functions were compiled before, phase by phase, and how long the command takes
//! for a pipeline of one row from its start to its end.

use std::collections::HashMap;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use sha2::{Digest, Sha256};
use weir::plan::{Environment, Plan, Policy};
use weir::sandbox::{Artifact, Cache, Compiler, Limits, Runtime};

use super::Bench;
use super::measure::{self, line};

const TIMES: usize = 21;

/// The median of some runs, in microseconds.
fn micros(mut run: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..TIMES)
        .map(|_| {
            let started = Instant::now();
            run();
            started.elapsed().as_nanos() as f64 / 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[TIMES / 2]
}

fn phase(name: &str, bar: &str, run: impl FnMut()) {
    if measure::is_picked(name) {
        line(name, &format!("{:.0}", micros(run)), "", "", bar);
    }
}

pub(crate) fn run(bench: &Bench, component: &Path) -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    fs::copy(component, place.path().join("guest.wasm"))?;
    fs::write(place.path().join("in.csv"), "a,b\n1,0.5\n")?;
    let pipeline = place.path().join("pipeline.toml");
    fs::write(
        &pipeline,
        "[functions]\nguest = \"guest.wasm\"\n[source]\nfile = \"in.csv\"\n[[steps]]\nmap = \"guest.scale(a, b)\"\nas = [\"c\", \"d\"]\n\
         [[steps]]\nfilter = \"guest.serious(c)\"\n[sink]\nfile = \"out.jsonl\"\n",
    )?;
    let cache = place.path().join("cache");
    let limits = Limits::default();
    let runtime =
        || Runtime::with(Compiler::Here, Some(Cache::open(&cache, 1 << 30).expect("a cache"))).expect("starts");
    let warm = runtime();
    let load = |runtime| Artifact::load(runtime, "bench guest", &bench.wasm, &limits).expect("loads");
    load(&warm);

    measure::head("us of a start; what was compiled is in the cache");
    phase("start: the engine", "", || drop(black_box(runtime())));
    phase("start: the component's digest", "", || {
        black_box(Sha256::digest(&bench.wasm));
    });
    phase("start: its shape", "", || Artifact::check_shape("it", &bench.wasm, &limits).expect("it is small"));
    let code = load(&warm);
    assert!(code.cached());
    let mut found = Vec::new();
    phase("start: the component, loaded", "100,000", || found.push(load(&warm).compile_time().as_nanos() as f64 / 1e3));
    if !found.is_empty() {
        found.sort_by(f64::total_cmp);
        line("start:   of that its code, found and verified", &format!("{:.0}", found[found.len() / 2]), "", "", "");
    }
    let build = |_: &Path| unreachable!("there is a component");
    let environment = Environment { runtime: &warm, build: &build, native: HashMap::new(), policy: Policy::default() };
    phase("start: a pipeline, planned", "100,000", || {
        drop(black_box(Plan::load(&pipeline, &environment).expect("plans")))
    });

    let command = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        command.arg("run").arg(&pipeline).arg("--quiet").env("WEIR_CACHE", &cache);
        let status = command.stdout(Stdio::null()).status().expect("it runs");
        assert!(status.success(), "{status}");
    };
    command();
    phase("start: the command, until one row is written", "100,000", command);
    Ok(())
}
