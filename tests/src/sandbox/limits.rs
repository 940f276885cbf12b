//! Each limit has a function that runs into it, and is none the worse for the rows of others.
//!
//! Whole pipelines with such functions are the folders `spins`, `eats`, `recurses` and `panics`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use weir::function::FaultKind;
use weir::plan::{Environment, Function, Operator, Plan, Policy};
use weir::sandbox::{Artifact, Ceiling, Instance, Limits, Parameters, Reuse, Runtime};

use super::{call, instance, map, numbers};
use crate::guests;

/// A function that misbehaves on 3: how it fails, and that it goes on with the next batch.
fn fails_on_three(function: &str, limits: Limits) -> weir::function::Fault {
    let mut instance = instance("lab", function, &[("at", "3")], limits, Reuse::UntilFault);
    call(&mut instance, numbers(&[1, 2])).expect("rows that do no harm");
    let fault = call(&mut instance, numbers(&[1, 2, 3, 4])).expect_err("a row that does harm");
    call(&mut instance, numbers(&[4, 5])).expect("rows that do no harm");
    assert_eq!(weir::function::Calls::instances(&instance), 2, "a fault costs one instance");
    fault
}

#[test]
fn a_function_that_spins_runs_out_of_time() {
    let limits = Limits { batch_time_max: Duration::from_millis(100), ..Limits::default() };
    let fault = fails_on_three("spins_on", limits);
    assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Time, "it took more than 100ms for one batch"));
}

#[test]
fn a_function_that_eats_memory_runs_out_of_it() {
    let limits = Limits { memory_bytes_max: 8 << 20, ..Limits::default() };
    let fault = fails_on_three("eats_on", limits);
    assert_eq!(fault.kind, FaultKind::Memory);
    assert!(fault.message.ends_with("and its limit is 8388608 bytes"), "{}", fault.message);
}

#[test]
fn a_function_that_calls_itself_runs_out_of_stack() {
    let fault = fails_on_three("recurses_on", Limits::default());
    assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Stack, "its calls nest too deep"));
}

#[test]
fn a_panic_is_a_trap_with_the_function_s_own_words() {
    for function in ["panics_on", "stumbles_on", "picks_apart", "sum_panics_on"] {
        let fault = fails_on_three(function, Limits::default());
        assert_eq!(fault.kind, FaultKind::Trap, "{function}");
        assert!(fault.message.ends_with(": 3 is the one"), "{function}: {}", fault.message);
        assert!(fault.message.contains("src/"), "{function}: no place in {}", fault.message);
        assert!(!fault.backtrace.is_empty(), "{function}");
    }
}

#[test]
fn a_function_that_leaks_is_replaced_before_it_runs_into_its_limit() {
    let limits = Limits { memory_bytes_max: 16 << 20, ..Limits::default() };
    let mut instance = instance("lab", "leaks", &[], limits, Reuse::UntilFault);
    for n in 0..100 {
        assert_eq!(map(&mut instance, &[n]).expect("memory enough"), [n]);
    }
    let made = weir::function::Calls::instances(&instance);
    // A MiB a call, up to three quarters of 16.
    assert!((8..=12).contains(&made), "{made} instances");
    // All but the first replaced one; the last may be about to be.
    let recycled = weir::function::Calls::recycled(&instance);
    assert!((made - 1..=made).contains(&recycled), "{recycled} of {made} instances");
}

#[test]
fn a_pipeline_stays_below_the_host_s_ceiling_whatever_it_says() {
    let ceiling = Ceiling::new(Limits { memory_bytes_max: 32 << 20, ..Ceiling::default().limits() });
    let policy = Policy { ceiling, ..Policy::default() };
    let build = |folder: &Path| -> weir::Result<PathBuf> { Ok(folder.to_owned()) };
    let environment = Environment { runtime: guests::runtime(), build: &build, native: HashMap::new(), policy };
    let plan = |limits: &str| {
        let lab = guests::component("lab");
        let pipeline = format!(
            "{limits}\n[functions]\nlab = \"{}\"\n[source]\nnexmark = {{ stream = \"bid\", rows = 1 }}\n\
             [[steps]]\nfilter = \"lab.even(price)\"\n[sink]\nblackhole = true\n",
            lab.display()
        );
        Plan::parse(Path::new("p.toml"), pipeline, &environment)
    };
    let error = plan("[limits]\nmemory = \"64MiB\"").expect_err("it is above").to_string();
    assert_eq!(error, "p.toml:2:10: `memory` is 64MiB, and at most 32MiB is allowed");
    // Without a word the default comes down to the ceiling.
    let plan = plan("").expect("it is below");
    let Operator::Filter(apply) = &plan.nodes[1].operator else { panic!("a filter") };
    let Function::Sandboxed { limits, .. } = &apply.call.function else { panic!("a sandboxed function") };
    assert_eq!(limits.memory_bytes_max, 32 << 20);
}

/// Whether fuel is counted is in the code: a call without a limit has to come to its end where it is, and one with a limit
/// can't run where it is not.
#[test]
fn who_has_no_limit_for_fuel_runs_in_code_that_counts_it() {
    let counted = Limits { fuel_per_row: Some(1_000_000), ..Limits::default() };
    let runtime = Runtime::new().expect("the engine starts");
    let wasm = std::fs::read(guests::component("lab")).expect("a component");
    let run = |code: &Limits, limits: Limits| {
        let artifact = Artifact::load(&runtime, "lab", &wasm, code).expect("it is loaded");
        let index = artifact.functions().iter().position(|f| f.name == "double").expect("it is there");
        let mut instance = Instance::new(&artifact, index, Parameters::default(), limits, Reuse::UntilFault);
        (0..3).try_for_each(|_| call(&mut instance, numbers(&[1, 2])))
    };
    run(&counted, Limits::default()).expect("there is no end to its fuel");
    run(&counted, counted).expect("it has enough");
    let fault = run(&Limits::default(), counted).expect_err("nothing counts");
    assert_eq!(fault.kind, FaultKind::Host, "{fault:?}");
}
