//! Random joins against nested loops: rows in lists, without batches, epochs, workers or panes.
//!
//! A seed makes two streams of several partitions, out of order, a join of them, and the settings
//! it is run with, and where it keeps its rows; a failure says which seed, and the command that runs it again.
//! `WEIR_SEED=7` runs that one alone, `WEIR_SEEDS=1000` so many.

mod oracle;
mod scenario;

use std::ops::Range;

use crate::pipelines::{Case, Keep};
use crate::random::Random;
use scenario::Scenario;

/// Seeds that are run where nothing else is asked for.
const SEEDS: u64 = 40;

#[test]
fn joins_do_what_nested_loops_do() {
    for seed in seeds() {
        if let Err(difference) = check(seed) {
            panic!("seed {seed}: {difference}\nrun it again: WEIR_SEED={seed} cargo test -p weir-tests joins");
        }
    }
}

fn seeds() -> Range<u64> {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    match number("WEIR_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("WEIR_SEEDS").unwrap_or(SEEDS),
    }
}

fn check(seed: u64) -> Result<(), String> {
    let mut random = Random::new(seed);
    let scenario = Scenario::random(&mut random);
    let case = Case::empty();
    case.write("pipeline.toml", scenario.pipeline());
    for (name, partitions) in ["left", "right"].iter().zip(&scenario.sides) {
        for (i, rows) in partitions.iter().enumerate() {
            case.write(&format!("{name}-{i}.csv"), scenario::csv(rows, name));
        }
    }
    case.provide();
    let plan = case.plan().map_err(|e| format!("{}\n{}", case.error_text(&e), scenario.pipeline()))?;
    let (expected, late) = oracle::run(&scenario);
    let behind = random.of(200..9_000) as usize;
    let stores = [Keep::Disk, Keep::DiskBehind(behind), Keep::Redis, Keep::RedisBehind(behind)];
    for keep in [Keep::Memory, *random.pick(&stores), *random.pick(&stores)] {
        let options = scenario::options(&mut random);
        let about = |what: String| format!("{what}\n{options:?}, {keep:?}\n{}", scenario.pipeline());
        let ran = case.run_keeping(&plan, &options, keep, 1);
        let report = ran.result.as_ref().map_err(|e| about(case.error_text(e)))?;
        let found = &ran.sinks[0].1;
        let first = expected.lines().zip(found.lines()).position(|(e, f)| e != f);
        if expected != *found {
            let line = first.unwrap_or(expected.lines().count().min(found.lines().count()));
            let [e, f] = [&expected, found].map(|text| text.lines().nth(line).unwrap_or("nothing").to_owned());
            return Err(about(format!("line {}:\n  expected {e}\n  found    {f}", line + 1)));
        }
        if report.late != late {
            return Err(about(format!("{} late rows, expected {late}", report.late)));
        }
    }
    Ok(())
}
