//! Random pipelines against a naive model: rows in a list, one after the other, without batches,
//! epochs, workers, partitions of keys or open windows.
//!
//! A seed makes a pipeline, its input and the settings it is run with; a failure says which seed,
//! the command that runs it again, and the smallest pipeline and input that fail alike. `WEIR_SEED=7` runs that one alone, `WEIR_SEEDS=1000` so many.

mod oracle;
mod scenario;
mod shrink;
mod trial;

use std::ops::Range;

use crate::pipelines::Keep;
use crate::random::Random;
use scenario::Scenario;
use shrink::smallest;
use trial::{Bench, Trial};

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
    let mut bench = Bench::default();
    for _ in 0..3 {
        let options = scenario::options(&mut random);
        let behind = random.of(500..9_000) as usize;
        let keeps = [Keep::Memory, Keep::Disk, Keep::DiskBehind(behind), Keep::Redis, Keep::RedisBehind(behind)];
        let keep = *random.pick(&keeps);
        let trial = Trial { scenario: scenario.clone(), options, keep };
        let Err(found) = bench.run(&trial) else { continue };
        let mut last = found.clone();
        let smallest = smallest(trial, &mut |trial| match bench.run(trial) {
            Err(failure) if failure.is_like(&found) => {
                last = failure;
                true
            }
            _ => false,
        });
        return Err(format!(
            "{}\n\nthe smallest that fails alike:\n{}\n{}",
            found.text(),
            last.text(),
            smallest.show()
        ));
    }
    Ok(())
}
