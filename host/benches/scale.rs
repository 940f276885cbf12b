//! What workers and processes bring: Nexmark bids through a function that costs a microsecond a row and a
//! window by key, by the command itself, with one worker, two workers, and two processes of one worker.
//!
//! `cargo bench -p weir --bench scale`; rows can be given: `-- 1000000`. The ratios are of runs in one round.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

/// Rounds; the ways take turns in each.
const ROUNDS: usize = 5;

const WAYS: [(&str, &[&str]); 3] =
    [("1 worker", &[]), ("2 workers", &["--workers", "2"]), ("2 processes", &["--processes", "2"])];

fn main() -> anyhow::Result<()> {
    let rows: u64 = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(2_000_000);
    let guest = weir::build::component(&Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/guest"), &|_| {})?;
    let folder = tempfile::tempdir()?;
    let pipeline = folder.path().join("pipeline.toml");
    std::fs::write(&pipeline, text(rows, &guest))?;
    let once = |arguments: &[&str]| -> anyhow::Result<f64> {
        let report = folder.path().join("report.json");
        let mut run = Command::new(env!("CARGO_BIN_EXE_weir"));
        run.arg("run").arg(&pipeline).arg("--quiet").arg("--report").arg(&report).args(arguments);
        anyhow::ensure!(run.env("WEIR_CACHE", folder.path().join("cache")).status()?.success(), "a run failed");
        let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&report)?)?;
        anyhow::ensure!(report["rows_in"] == rows, "rows are missing");
        let ms = report["elapsed_ms"].as_u64().context("a report says how long it took")?;
        Ok(rows as f64 / (ms.max(1) as f64 / 1e3))
    };
    once(&[])?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{:>5} {:>14} {:>14} {:>14} {:>7} {:>7}",
        "round", WAYS[0].0, WAYS[1].0, WAYS[2].0, "ratio", "ratio"
    )?;
    let mut ratios = [Vec::new(), Vec::new()];
    for round in 1..=ROUNDS {
        let speeds: anyhow::Result<Vec<f64>> = WAYS.iter().map(|(_, arguments)| once(arguments)).collect();
        let speeds = speeds?;
        let of = [speeds[1] / speeds[0], speeds[2] / speeds[0]];
        writeln!(
            out,
            "{round:>5} {:>14.0} {:>14.0} {:>14.0} {:>7.2} {:>7.2}",
            speeds[0], speeds[1], speeds[2], of[0], of[1]
        )?;
        ratios.iter_mut().zip(of).for_each(|(all, one)| all.push(one));
    }
    ratios.iter_mut().for_each(|all| all.sort_by(f64::total_cmp));
    let median = |way: usize| ratios[way][ROUNDS / 2];
    writeln!(out, "median: 2 workers {:.2} (bar: 1.7), 2 processes {:.2} (bar: 1.5)", median(0), median(1))?;
    Ok(())
}

fn text(rows: u64, guest: &Path) -> String {
    format!(
        r#"
[functions]
guest = "{}"

[source]
nexmark = {{ stream = "bid", rows = {rows}, seed = 7, partitions = 2 }}
event-time = {{ column = "date_time", out-of-order = "1s" }}

[[steps]]
map = "guest.grind(auction, rounds = 1000)"

[[steps]]
map = "guest.euros(price, auction, slots = 10000)"

[[steps]]
key-by = ["slot"]
window = {{ tumbling = "10s" }}
aggregate = {{ mean = "guest.mean(euros)" }}

[sink]
file = "out.jsonl"
"#,
        guest.display()
    )
}
