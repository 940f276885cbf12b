//! Random pipelines against a naive model: rows in a list, one after the other, without batches,
//! epochs, workers, partitions of keys or open windows.
//!
//! A seed makes a pipeline, its input and the settings it is run with; a failure says which seed,
//! and the command that runs it again. `WEIR_SEED=7` runs that one alone, `WEIR_SEEDS=1000` so many.

mod oracle;
mod scenario;

use std::ops::Range;

use serde_json::Value;

use crate::pipelines::Case;
use crate::random::Random;
use oracle::Outcome;
use scenario::Scenario;

/// Seeds that are run where nothing else is asked for.
const SEEDS: u64 = 40;

#[test]
fn pipelines_do_what_a_list_and_a_loop_do() {
    for seed in seeds() {
        if let Err(difference) = check(seed) {
            panic!("seed {seed}: {difference}\nrun it again: WEIR_SEED={seed} cargo test -p weir-tests model");
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
    for (i, partition) in scenario.partitions.iter().enumerate() {
        case.write(&format!("in-{i}.csv"), scenario::csv(partition));
    }
    case.provide();
    let plan = case.plan().map_err(|e| format!("{}\n{}", case.error_text(&e), scenario.pipeline()))?;
    for _ in 0..3 {
        let options = scenario::options(&mut random);
        let expected = oracle::run(&scenario, options.epoch_rows);
        let about = || format!("{options:?}\n{}", scenario.pipeline());
        let ran = case.run_again(&plan, &options);
        let report = ran.result.as_ref().map_err(|e| format!("{}\n{}", case.error_text(e), about()))?;
        let found =
            Outcome { output: ran.sinks[0].1.clone(), late: report.late, failed: failed(&case, &ran.dead_letters) };
        expected.same_as(&found).map_err(|difference| format!("{difference}\n{}", about()))?;
    }
    Ok(())
}

/// (function, source, position) of each dead letter, sorted.
fn failed(case: &Case, letters: &[Value]) -> Vec<(String, String, u64)> {
    let text = |letter: &Value, key: &str| letter[key].as_str().unwrap_or_default().to_owned();
    let of = |letter: &Value| {
        let source = case.without_path(&text(letter, "source"));
        (text(letter, "function"), source, letter["position"].as_u64().unwrap_or(u64::MAX))
    };
    let mut failed: Vec<_> = letters.iter().map(of).collect();
    failed.sort();
    failed
}
