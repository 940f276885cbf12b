//! What windows cost a row by their kind: Nexmark bids through a mean by key, in windows of an hour that
//! follow each other, that start every second (each row is in 3,600 of them), that grow every second,
//! and in sessions. The functions are in the sandbox; one worker.
//!
//! `cargo bench -p weir --bench windows`; rows can be given: `-- 1000000`. An hour of event time is 33
//! million bids.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use weir::flow::{Options, run};
use weir::plan::{Environment, Plan, Policy};
use weir::report::NodeKind;
use weir::sandbox::Runtime;

/// What the command runs with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs of each kind that are counted; the kinds take turns.
const ROUNDS: usize = 3;

const KINDS: [(&str, &str); 5] = [
    ("tumbling 1h", "tumbling = \"1h\""),
    ("hopping 1h every 1m", "hopping = \"1h\", step = \"1m\""),
    ("hopping 1h every 1s", "hopping = \"1h\", step = \"1s\""),
    ("cumulating 1h every 1s", "cumulating = \"1h\", step = \"1s\""),
    ("sessions, gap 10s", "session = \"10s\""),
];

fn main() -> anyhow::Result<()> {
    let rows: u64 = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(40_000_000);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/guest");
    let build = |path: &Path| weir::build::component(path, &|_| {});
    let runtime = Runtime::new()?;
    let environment =
        Environment { runtime: &runtime, build: &build, native: HashMap::new(), policy: Policy::default() };
    // The window's own time and its results, for each row that it takes.
    let once = |keys: u64, kind: &str| -> anyhow::Result<(f64, u64)> {
        let plan = Plan::parse(Path::new("bench.toml"), pipeline(rows, keys, kind, &folder), &environment)?;
        let metrics = Arc::new(plan.metrics(1));
        let report = run(plan, &Options::default(), &metrics, &Arc::new(AtomicBool::new(false)))?;
        let window = report.nodes.iter().find(|n| n.kind == NodeKind::Window);
        let window = window.ok_or_else(|| anyhow::anyhow!("there is a window"))?;
        Ok(((window.sandbox_ns + window.host_ns) as f64 / window.rows_in as f64, window.rows_out))
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{:24} {:>8} {:>10} {:>12} {:>9}", "window", "keys", "ns/row", "results", "ratio")?;
    for keys in [100, 10_000] {
        let mut times = vec![Vec::new(); KINDS.len()];
        let mut results = vec![0; KINDS.len()];
        for _ in 0..ROUNDS {
            for (i, (_, kind)) in KINDS.iter().enumerate() {
                let (ns, rows_out) = once(keys, kind)?;
                times[i].push(ns);
                results[i] = rows_out;
            }
        }
        times.iter_mut().for_each(|t| t.sort_by(f64::total_cmp));
        let median = |i: usize| times[i][ROUNDS / 2];
        for (i, (name, _)) in KINDS.iter().enumerate() {
            let ratio = median(i) / median(0);
            writeln!(out, "{name:24} {keys:>8} {:>10.1} {:>12} {ratio:>9.2}", median(i), results[i])?;
        }
    }
    writeln!(out, "bar: hopping 1h every 1s at most 3 times tumbling 1h, with 100 keys")?;
    Ok(())
}

fn pipeline(rows: u64, keys: u64, kind: &str, folder: &Path) -> String {
    format!(
        r#"
[functions]
guest = "{}"

[source]
nexmark = {{ stream = "bid", rows = {rows}, seed = 7 }}
event-time = {{ column = "date_time", out-of-order = "1s" }}

[[steps]]
map = "guest.euros(price, auction, slots = {keys})"

[[steps]]
key-by = ["slot"]
window = {{ {kind} }}
aggregate = {{ mean = "guest.mean(euros)" }}

[sink]
blackhole = true
"#,
        folder.display()
    )
}
