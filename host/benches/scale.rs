//! What workers and processes bring: Nexmark bids through a function that costs a microsecond a row, by the
//! command itself, with one worker, two workers, and two processes of one worker. Once as a map with a window by
//! key behind it, and once as an aggregate of one key alone, in two phases and in one.
//!
//! `cargo bench -p weir --bench scale`; rows can be given: `-- 1000000`. The ratios are of runs in one round.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

/// Rounds; the ways take turns in each.
const ROUNDS: usize = 5;

/// A pipeline, what is run, and how, the first one being what the others are compared with.
const WAYS: [(&str, &str, &[&str]); 6] = [
    ("map", "1 worker", &[]),
    ("map", "2 workers", &["--workers", "2"]),
    ("map", "2 processes", &["--processes", "2"]),
    ("hot", "1 worker", &[]),
    ("hot", "2 workers", &["--workers", "2"]),
    ("hot-in-one-phase", "2 workers", &["--workers", "2"]),
];

/// The way that each is compared with, and the least ratio that is wanted.
const OF: [(usize, f64); 6] = [(0, 1.0), (0, 1.7), (0, 1.5), (3, 1.0), (3, 1.7), (3, 0.0)];

fn main() -> anyhow::Result<()> {
    let rows: u64 = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(2_000_000);
    let guest = weir::build::component(&Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/guest"), &|_| {})?;
    let folder = tempfile::tempdir()?;
    for name in ["map", "hot", "hot-in-one-phase"] {
        std::fs::write(folder.path().join(format!("{name}.toml")), text(name, rows, &guest))?;
    }
    let once = |(pipeline, _, arguments): &(&str, &str, &[&str])| -> anyhow::Result<f64> {
        let report = folder.path().join("report.json");
        let mut run = Command::new(env!("CARGO_BIN_EXE_weir"));
        run.arg("run").arg(folder.path().join(format!("{pipeline}.toml")));
        run.arg("--quiet").arg("--report").arg(&report).args(*arguments);
        anyhow::ensure!(run.env("WEIR_CACHE", folder.path().join("cache")).status()?.success(), "a run failed");
        let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&report)?)?;
        anyhow::ensure!(report["rows_in"] == rows, "rows are missing");
        let ms = report["elapsed_ms"].as_u64().context("a report says how long it took")?;
        Ok(rows as f64 / (ms.max(1) as f64 / 1e3))
    };
    once(&WAYS[0])?;
    let mut out = std::io::stdout().lock();
    let mut speeds = vec![Vec::new(); WAYS.len()];
    for _ in 0..ROUNDS {
        for (way, speeds) in WAYS.iter().zip(&mut speeds) {
            speeds.push(once(way)?);
        }
    }
    let median = |mut numbers: Vec<f64>| {
        numbers.sort_by(f64::total_cmp);
        numbers[numbers.len() / 2]
    };
    writeln!(out, "{:<18} {:<12} {:>12} {:>7} {:>6}", "pipeline", "", "rows/s", "ratio", "bar")?;
    for (way, (pipeline, name, _)) in WAYS.iter().enumerate() {
        let (of, bar) = OF[way];
        let ratios = speeds[way].iter().zip(&speeds[of]).map(|(a, b)| a / b).collect();
        let (speed, ratio) = (median(speeds[way].clone()), median(ratios));
        writeln!(out, "{pipeline:<18} {name:<12} {speed:>12.0} {ratio:>7.2} {bar:>6.1}")?;
    }
    Ok(())
}

fn text(name: &str, rows: u64, guest: &Path) -> String {
    let steps = match name {
        "map" => {
            r#"[[steps]]
map = "guest.grind(auction, rounds = 1000)"

[[steps]]
map = "guest.euros(price, auction, slots = 10000)"

[[steps]]
key-by = ["slot"]
window = { tumbling = "10s" }
aggregate = { mean = "guest.mean(euros)" }"#
        }
        hot => {
            let two = hot == "hot";
            &format!(
                r#"[[steps]]
map = "guest.euros(price, auction, slots = 1)"

[[steps]]
key-by = ["slot"]
window = {{ tumbling = "10s" }}
aggregate = {{ ground = "guest.ground(auction, rounds = 1000)" }}
two-phase = {two}"#
            )
        }
    };
    format!(
        r#"
[functions]
guest = "{}"

[source]
nexmark = {{ stream = "bid", rows = {rows}, seed = 7, partitions = 2 }}
event-time = {{ column = "date_time", out-of-order = "1s" }}

{steps}

[sink]
file = "out.jsonl"
"#,
        guest.display()
    )
}
