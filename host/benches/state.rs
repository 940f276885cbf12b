//! What state costs: rows a second by the number of keys, in memory and on disk, with the most memory
//! that the process has held; and by the number of sessions that are open, and of states of a stateful map.
//!
//! `cargo bench -p weir --bench state`. A line is a process of its own, so that its memory is. One line
//! alone: `-- one tumbling 20000000 40000000 disk` (window, keys, rows, where state is kept). With `saved`
//! it is in memory, and a checkpoint is taken every second; then a further run, which is asked to end at once, shows how
//! long it takes to go on from the last one and to take the next.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int64Array};
use weir::checkpoint::{Files, Folder};
use weir::flow::{Options, run};
use weir::function::{Calls, Expanded, Fault, FaultKind, Folded, Input, Kept, Kind, Mapped, Native, Signature};
use weir::plan::{Environment, Plan, Policy};
use weir::report::{NodeKind, Report};
use weir::sandbox::Runtime;
use weir::types::{DataType, Field};

/// What the command runs with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// (window, keys, rows, where state is kept): lines that are compared have as many rows in all, or as many of each key.
const LINES: [(&str, u64, u64, &str); 14] = [
    ("tumbling", 10_000, 10_000_000, "memory"),
    ("tumbling", 10_000, 100_000, "memory"),
    ("tumbling", 1_000_000, 10_000_000, "memory"),
    ("tumbling", 1_000_000, 10_000_000, "saved"),
    ("tumbling", 20_000_000, 40_000_000, "memory"),
    ("tumbling", 20_000_000, 40_000_000, "disk"),
    ("session", 10_000, 10_000_000, "memory"),
    ("session", 10_000, 100_000, "memory"),
    ("session", 100_000, 10_000_000, "memory"),
    ("session", 1_000_000, 10_000_000, "memory"),
    ("session", 5_000_000, 10_000_000, "memory"),
    ("session", 5_000_000, 10_000_000, "disk"),
    ("stateful", 5_000_000, 10_000_000, "memory"),
    ("stateful", 5_000_000, 10_000_000, "disk"),
];

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [one, window, keys, rows, place, ..] = arguments.as_slice()
        && one == "one"
    {
        return measure(window, keys.parse()?, rows.parse()?, place);
    }
    writeln!(
        std::io::stdout(),
        "{:10} {:>10} {:>10} {:8} {:>10} {:>12} {:>9} {:>10} {:>10}",
        "window",
        "keys",
        "rows",
        "state",
        "rows/s",
        "window ns",
        "peak MiB",
        "kept MiB",
        "disk MiB"
    )?;
    for (window, keys, rows, place) in LINES {
        let status = Command::new(std::env::current_exe()?)
            .args(["one", window, &keys.to_string(), &rows.to_string(), place])
            .status()?;
        anyhow::ensure!(status.success(), "{window} with {keys} keys in {place}: {status}");
    }
    Ok(())
}

fn measure(window: &str, keys: u64, rows: u64, place: &str) -> anyhow::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/guest");
    let build = |path: &Path| weir::build::component(path, &|_| {});
    let runtime = Runtime::new()?;
    let spread = Signature {
        name: "spread".to_owned(),
        kind: Kind::Mapper,
        doc: String::new(),
        parameters: Vec::new(),
        inputs: ["auction", "bidder", "price"].map(|name| Field::new(name, DataType::Int64, false)).to_vec(),
        outputs: vec![Field::new("key", DataType::Int64, false)],
        accumulator: Vec::new(),
        retractable: false,
    };
    let native = Arc::new(Native::new(spread, move || Box::new(Spread(keys))));
    let environment = Environment {
        runtime: &runtime,
        build: &build,
        native: HashMap::from([("keys".to_owned(), vec![native])]),
        policy: Policy::default(),
    };
    let state = std::env::temp_dir().join(format!("weir-bench-state-{}", std::process::id()));
    let text = pipeline(window, rows, place, &folder, &state);
    let run = |stop: &Arc<AtomicBool>| -> anyhow::Result<Report> {
        let plan = Plan::parse(Path::new("bench.toml"), text.clone(), &environment)?;
        let metrics = Arc::new(plan.metrics(1));
        Ok(run(plan, &Options::default(), &metrics, stop)?)
    };
    let report = run(&Arc::new(AtomicBool::new(false)))?;
    if let Some(taken) = &report.checkpoints {
        let last = newest(&state)?;
        // As if the run had been killed before it took its last one.
        std::fs::remove_file(state.join(format!("checkpoint-{last:08}.json")))?;
        let again = run(&Arc::new(AtomicBool::new(true)))?;
        writeln!(
            std::io::stdout(),
            "{:10} {:>10} {} checkpoints, of the last {} KiB; to go on and take the next {} ms",
            "",
            "",
            taken.taken,
            taken.last_bytes >> 10,
            again.elapsed_ms,
        )?;
    }
    let _ = std::fs::remove_dir_all(&state);
    let node = report.nodes.iter().find(|n| matches!(n.kind, NodeKind::Window | NodeKind::StatefulMap));
    let node = node.ok_or_else(|| anyhow::anyhow!("there is a step with state"))?;
    let mib = |bytes: u64| bytes >> 20;
    writeln!(
        std::io::stdout(),
        "{window:10} {keys:>10} {rows:>10} {place:8} {:>10.0} {:>12.1} {:>9} {:>10} {:>10}",
        rows as f64 / (report.elapsed_ms.max(1) as f64 / 1e3),
        (node.sandbox_ns + node.host_ns) as f64 / rows as f64,
        mib(report.peak_memory_bytes.unwrap_or_default()),
        mib(node.state_bytes),
        mib(node.stored_bytes),
    )?;
    Ok(())
}

/// The number of the last checkpoint.
fn newest(folder: &Path) -> anyhow::Result<u64> {
    let numbers = Folder::look_at(&folder.to_path_buf().into(), Files::default())?.numbers()?;
    numbers.last().copied().ok_or_else(|| anyhow::anyhow!("no checkpoint was taken"))
}

/// One window over everything, so that every key stays open to the end.
fn pipeline(window: &str, rows: u64, place: &str, folder: &Path, state: &Path) -> String {
    let state = match place {
        "saved" => format!("[checkpoint]\ndir = \"{}\"\nevery = \"1s\"", state.display()),
        "disk" => format!("[state]\ndisk = \"{}\"\nmemory = \"256MiB\"", state.display()),
        _ => String::new(),
    };
    let step = match window {
        "stateful" => "stateful-map = \"guest.running_sum(euros)\"".to_owned(),
        window => format!("window = {{ {window} = \"3650d\" }}\naggregate = {{ mean = \"guest.mean(euros)\" }}"),
    };
    format!(
        r#"
[functions]
guest = "{}"

{state}

[source]
nexmark = {{ stream = "bid", rows = {rows}, seed = 7 }}
event-time = {{ column = "date_time", out-of-order = "1s" }}

[[steps]]
map = "keys.spread"

[[steps]]
map = "guest.euros(price, auction)"

[[steps]]
key-by = ["key"]
{step}

[sink]
blackhole = true
"#,
        folder.display()
    )
}

/// One of so many keys for a bid, each as often as the others.
struct Spread(u64);

fn not_a<T>() -> Result<T, Fault> {
    Err(Fault::new(FaultKind::Host, "a mapper was called as something else"))
}

impl Calls for Spread {
    fn map(&mut self, input: Input<'_>) -> Result<Mapped, Fault> {
        let columns: Vec<&Int64Array> = input.columns.iter().map(|c| c.as_primitive::<Int64Type>()).collect();
        let key = |row: usize| {
            // The finish of MurmurHash3.
            let mut bits = columns.iter().fold(0u64, |bits, c| bits.rotate_left(21) ^ c.value(row) as u64);
            bits = (bits ^ (bits >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
            bits = (bits ^ (bits >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
            ((bits ^ (bits >> 33)) % self.0) as i64
        };
        let keys = Int64Array::from_iter_values((0..input.rows).map(key));
        Ok(Mapped { outputs: vec![Arc::new(keys) as ArrayRef], errors: Vec::new() })
    }

    fn filter(&mut self, _: Input<'_>) -> Result<Kept, Fault> {
        not_a()
    }

    fn flat_map(&mut self, _: Input<'_>) -> Result<Expanded, Fault> {
        not_a()
    }

    fn create(&mut self, _: usize) -> Result<Vec<ArrayRef>, Fault> {
        not_a()
    }

    fn accumulate(&mut self, _: Input<'_>, _: &[u32], _: Input<'_>) -> Result<Folded, Fault> {
        not_a()
    }

    fn merge(&mut self, _: Input<'_>, _: &[u32], _: Input<'_>) -> Result<Vec<ArrayRef>, Fault> {
        not_a()
    }

    fn finish(&mut self, _: Input<'_>) -> Result<Vec<ArrayRef>, Fault> {
        not_a()
    }

    fn instances(&self) -> u64 {
        0
    }
}
