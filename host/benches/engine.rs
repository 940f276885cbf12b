//! The whole engine: ten million Nexmark bids through filter, map and a tumbling mean over 10,000
//! keys on one worker, with the functions in the sandbox and with the same functions native.
//!
//! `cargo bench -p weir --bench engine`; rows can be given: `-- 1000000`.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{ArrayRef, Float64Array, Int64Array, UInt32Array};
use arrow_buffer::BooleanBuffer;
use weir::flow::{Options, run};
use weir::function::{Calls, Expanded, Fault, Folded, Input, Kept, Mapped, Native};
use weir::plan::{Environment, Plan, Policy};
use weir::report::Report;
use weir::sandbox::{Artifact, Limits, Runtime};

/// What the command runs with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs of each side that are counted.
const ROUNDS: usize = 5;

fn main() -> anyhow::Result<()> {
    let rows: u64 = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(10_000_000);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/guest");
    let build = |path: &Path| weir::build::component(path, &|_| {});
    let runtime = Runtime::new()?;
    let artifact = Artifact::load(&runtime, "bench guest", &std::fs::read(build(&folder)?)?, &Limits::default())?;
    let twins = ["serious", "euros", "mean"].into_iter().filter_map(|name| {
        let signature = artifact.functions().iter().find(|f| f.name == name)?.clone();
        Some(Arc::new(Native::new(signature, || Box::new(Twin))))
    });
    let environment = Environment {
        runtime: &runtime,
        build: &build,
        native: HashMap::from([("native".to_string(), twins.collect())]),
        policy: Policy::default(),
    };

    let once = |functions: &str| -> anyhow::Result<Report> {
        let text = pipeline(rows, functions, &folder);
        let plan = Plan::parse(Path::new("bench.toml"), text, &environment)?;
        let metrics = Arc::new(plan.metrics(1));
        Ok(run(plan, &Options::default(), &metrics, &Arc::new(AtomicBool::new(false)))?)
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{:>5} {:>16} {:>16} {:>7}", "round", "sandbox rows/s", "native rows/s", "ratio")?;
    let (mut speeds, mut ratios, mut last) = (Vec::new(), Vec::new(), None);
    for round in 1..=ROUNDS {
        let sandboxed = once("guest")?;
        let native = once("native")?;
        anyhow::ensure!(sandboxed.rows_out == native.rows_out, "the twins differ");
        let speed = |r: &Report| r.rows_in as f64 / (r.elapsed_ms.max(1) as f64 / 1e3);
        let ratio = speed(&sandboxed) / speed(&native);
        writeln!(out, "{round:>5} {:>16.0} {:>16.0} {ratio:>7.2}", speed(&sandboxed), speed(&native))?;
        speeds.push(speed(&sandboxed));
        ratios.push(ratio);
        last = Some(sandboxed);
    }
    speeds.sort_by(f64::total_cmp);
    ratios.sort_by(f64::total_cmp);
    writeln!(
        out,
        "median {:.0} rows/s (bar: 2,000,000), {:.2} of native (bar: 0.6)",
        speeds[ROUNDS / 2],
        ratios[ROUNDS / 2]
    )?;
    for node in last.iter().flat_map(|r| &r.nodes) {
        let per_row = |ns: u64| ns as f64 / rows as f64;
        let (sandbox, host) = (per_row(node.sandbox_ns), per_row(node.host_ns));
        writeln!(
            out,
            "{:12} ns for each row of the source: {sandbox:6.1} in the sandbox, {host:6.1} outside",
            node.name
        )?;
    }
    Ok(())
}

fn pipeline(rows: u64, functions: &str, folder: &Path) -> String {
    format!(
        r#"
[functions]
guest = "{}"

[source]
nexmark = {{ stream = "bid", rows = {rows}, seed = 7 }}
event-time = {{ column = "date_time", out-of-order = "1s" }}

[[steps]]
filter = "{functions}.serious"

[[steps]]
map = "{functions}.euros"

[[steps]]
key-by = ["slot"]
window = {{ tumbling = "10s" }}
aggregate = {{ mean = "{functions}.mean(euros)" }}

[sink]
blackhole = true
"#,
        folder.display()
    )
}

/// The bench guest's functions, in the host.
struct Twin;

fn integers(column: &ArrayRef) -> &[i64] {
    column.as_primitive::<Int64Type>().values()
}

fn floats(column: &ArrayRef) -> &[f64] {
    column.as_primitive::<Float64Type>().values()
}

impl Calls for Twin {
    fn map(&mut self, input: Input<'_>) -> Result<Mapped, Fault> {
        let euros = integers(&input.columns[0]).iter().map(|price| *price as f64 * 0.908);
        let slot = integers(&input.columns[1]).iter().map(|auction| auction % 10_000);
        let outputs: Vec<ArrayRef> =
            vec![Arc::new(Float64Array::from_iter_values(euros)), Arc::new(Int64Array::from_iter_values(slot))];
        Ok(Mapped { outputs, errors: Vec::new() })
    }

    fn filter(&mut self, input: Input<'_>) -> Result<Kept, Fault> {
        let prices = integers(&input.columns[0]);
        Ok(Kept { selection: BooleanBuffer::collect_bool(prices.len(), |i| prices[i] % 10 != 0), errors: Vec::new() })
    }

    fn flat_map(&mut self, _: Input<'_>) -> Result<Expanded, Fault> {
        Ok(Expanded { outputs: Vec::new(), parents: UInt32Array::from(Vec::<u32>::new()), errors: Vec::new() })
    }

    fn create(&mut self, count: usize) -> Result<Vec<ArrayRef>, Fault> {
        Ok(vec![Arc::new(Float64Array::from(vec![0.0; count])), Arc::new(Int64Array::from(vec![0; count]))])
    }

    fn accumulate(&mut self, held: Input<'_>, groups: &[u32], input: Input<'_>) -> Result<Folded, Fault> {
        let (mut sums, mut counts) = (floats(&held.columns[0]).to_vec(), integers(&held.columns[1]).to_vec());
        for (group, value) in groups.iter().zip(floats(&input.columns[0])) {
            sums[*group as usize] += value;
            counts[*group as usize] += 1;
        }
        let accumulators: Vec<ArrayRef> = vec![Arc::new(Float64Array::from(sums)), Arc::new(Int64Array::from(counts))];
        Ok(Folded { accumulators, errors: Vec::new() })
    }

    fn merge(&mut self, held: Input<'_>, groups: &[u32], others: Input<'_>) -> Result<Vec<ArrayRef>, Fault> {
        let (mut sums, mut counts) = (floats(&held.columns[0]).to_vec(), integers(&held.columns[1]).to_vec());
        for (i, group) in groups.iter().enumerate() {
            sums[*group as usize] += floats(&others.columns[0])[i];
            counts[*group as usize] += integers(&others.columns[1])[i];
        }
        Ok(vec![Arc::new(Float64Array::from(sums)), Arc::new(Int64Array::from(counts))])
    }

    fn finish(&mut self, held: Input<'_>) -> Result<Vec<ArrayRef>, Fault> {
        let means = floats(&held.columns[0]).iter().zip(integers(&held.columns[1]));
        let means: Float64Array = means.map(|(sum, count)| (*count > 0).then(|| sum / *count as f64)).collect();
        Ok(vec![Arc::new(means)])
    }

    fn instances(&self) -> u64 {
        0
    }
}
