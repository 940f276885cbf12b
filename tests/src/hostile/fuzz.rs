//! Random components and random answers: nothing that the host is given makes it panic, hang or lose
//! its neighbours. `WEIR_SEED=7` runs one seed again, `WEIR_SEEDS=100000` so many.
//!
//! What comes back from a guest is fuzzed here through a real one, and without one in the host's
//! `sandbox/lift/tests.rs`.

use std::ops::Range;
use std::time::{Duration, Instant};

use arbitrary::Unstructured;
use arrow_array::Array;
use wasm_smith::{Component, Config, Module};
use weir::function::{Calls, FaultKind, Input};
use weir::sandbox::{Artifact, Limits};

use super::guest;
use super::instance;
use crate::random::Random;
use crate::sandbox::numbers;

fn seeds(many: u64) -> Range<u64> {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    match number("WEIR_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("WEIR_SEEDS").unwrap_or(many),
    }
}

/// Says which seed it was, should something panic.
fn each_seed(many: u64, run: impl Fn(u64)) {
    for seed in seeds(many) {
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(seed)));
        assert!(ended.is_ok(), "seed {seed}; run it again: WEIR_SEED={seed} cargo test -p weir-tests hostile::fuzz");
    }
}

fn bytes(seed: u64, n: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    (0..n).map(|_| random.of(0..256) as u8).collect()
}

/// Loads what may be anything: that it ends, and in good time, is all that is asked.
fn load(wasm: &[u8]) -> bool {
    let limits = Limits { batch_time_max: Duration::from_millis(20), memory_bytes_max: 1 << 20, ..Limits::default() };
    let started = Instant::now();
    let loaded = Artifact::load(crate::guests::runtime(), "it", wasm, &limits);
    assert!(started.elapsed() < Duration::from_secs(20), "it took {:?}", started.elapsed());
    loaded.is_ok()
}

#[test]
fn random_components_are_loaded_or_refused() {
    each_seed(150, |seed| {
        let bytes = bytes(seed, 4000);
        let config = Config { reference_types_enabled: false, ..Config::default() };
        if let Ok(component) = Component::new(config, &mut Unstructured::new(&bytes)) {
            load(&component.to_bytes());
        }
    });
}

/// Core modules with the exports of a function and random code in them.
#[test]
fn random_code_is_stopped() {
    let exports = guest::exports();
    each_seed(60, |seed| {
        let bytes = bytes(seed, 6000);
        let config = Config {
            exports: Some(exports.clone()),
            max_imports: 0,
            max_memories: 1,
            memory64_enabled: false,
            threads_enabled: false,
            relaxed_simd_enabled: false,
            ..Config::default()
        };
        let Ok(module) = Module::new(config, &mut Unstructured::new(&bytes)) else { return };
        if let Ok(component) = guest::componentize(&module.to_bytes()) {
            load(&component);
        }
    });
}

#[test]
fn random_answers_are_taken_or_refused() {
    let mut instance = instance(&guest::named("answers_at_random"));
    let columns = [numbers(&[1; 8])];
    let (mut taken, mut refused) = (0, 0);
    for seed in seeds(3_000) {
        match instance.flat_map(Input { rows: 8, columns: &columns, now: 0, seed }) {
            Ok(expanded) => {
                taken += 1;
                assert_eq!(expanded.parents.len(), expanded.outputs[0].len(), "seed {seed}");
                assert!(expanded.outputs[0].to_data().validate_full().is_ok(), "seed {seed}");
                assert!(expanded.parents.values().iter().all(|parent| *parent < 8), "seed {seed}");
            }
            Err(fault) => {
                refused += 1;
                let expected = [FaultKind::Contract, FaultKind::Trap, FaultKind::Output, FaultKind::Refused];
                assert!(expected.contains(&fault.kind), "seed {seed}: {fault:?}");
            }
        }
    }
    assert!(std::env::var_os("WEIR_SEED").is_some() || taken > 20 && refused > 20, "{taken} taken, {refused} refused");
}
