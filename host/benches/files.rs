//! Files through the engine: decoding and filter, map and windows behind it, against decoding alone.
//!
//! `cargo bench -p weir --bench files`; rows can be given: `-- 500000`.

use std::collections::HashMap;
use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use weir::flow::source::{self, Next};
use weir::flow::{Options, run};
use weir::plan::{Environment, Operator, Plan, Policy};
use weir::sandbox::Runtime;

/// What the command runs with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs of each side that are counted.
const ROUNDS: usize = 7;

fn main() -> anyhow::Result<()> {
    let rows: u64 = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(1_000_000);
    let folder = tempfile::tempdir()?;
    let build = |path: &Path| weir::build::component(path, &|_| {});
    let runtime = Runtime::new()?;
    let environment =
        Environment { runtime: &runtime, build: &build, native: HashMap::new(), policy: Policy::default() };
    let load = |text: String| Plan::parse(&folder.path().join("bench.toml"), text, &environment);
    let go = |plan: Plan| -> anyhow::Result<()> {
        let metrics = Arc::new(plan.metrics(1));
        run(plan, &Options::default(), &metrics, &Arc::new(AtomicBool::new(false)))?;
        Ok(())
    };

    let mut out = std::io::stdout().lock();
    writeln!(out, "{:8} {:>16} {:>16} {:>7}", "", "flow ns/row", "decode ns/row", "ratio")?;
    for format in ["csv", "jsonl"] {
        let file = format!("bids.{format}");
        go(load(format!(
            "[source]\nnexmark = {{ stream = \"bid\", rows = {rows}, seed = 7 }}\n[sink]\nfile = \"{file}\"\n"
        ))?)?;
        let mut ratios = Vec::new();
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let plan = load(pipeline(&file))?;
            let alone = decode(&plan)?;
            let started = Instant::now();
            go(plan)?;
            let flow = started.elapsed().as_secs_f64();
            ratios.push(flow / alone);
            times.push((flow * 1e9 / rows as f64, alone * 1e9 / rows as f64));
        }
        ratios.sort_by(f64::total_cmp);
        times.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (flow, alone) = times[ROUNDS / 2];
        writeln!(out, "{format:8} {flow:>16.1} {alone:>16.1} {:>7.2}  bar: 1.5", ratios[ROUNDS / 2])?;
    }
    Ok(())
}

/// Seconds to decode all partitions of a plan's source, with the columns that the plan needs.
fn decode(plan: &Plan) -> anyhow::Result<f64> {
    let Operator::Source(from) = &plan.nodes[0].operator else { anyhow::bail!("the first node is no source") };
    let started = Instant::now();
    for partition in 0..from.discovered.partitions.len() {
        let mut open = source::open(&from.settings, &from.discovered, partition, &from.columns)?;
        while let Next::Rows(rows) = open.next(8192)? {
            black_box(rows);
        }
    }
    Ok(started.elapsed().as_secs_f64())
}

fn pipeline(file: &str) -> String {
    format!(
        r#"
[functions]
guest = "{}/benches/guest"

[source]
file = "{file}"
event-time = {{ column = "date_time", out-of-order = "1s" }}

[[steps]]
filter = "guest.serious"

[[steps]]
map = "guest.euros"

[[steps]]
key-by = ["slot"]
window = {{ tumbling = "10s" }}
aggregate = {{ mean = "guest.mean(euros)" }}

[sink]
blackhole = true
"#,
        env!("CARGO_MANIFEST_DIR")
    )
}
