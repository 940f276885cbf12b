//! What `weir inspect` finds: nothing wrong with what is right, and an example of what is not.

use std::sync::Arc;

use weir::admission::{Check, Report, Verdict, inspect};
use weir::sandbox::{Limits, Parameters};

use crate::guests;
use crate::hostile::guest;

fn hostile(name: &str) -> Report {
    let guest = guest::named(name);
    inspect(guests::runtime(), name, &guest.wasm, &guest.limits, &Parameters::default()).expect("it is loaded")
}

fn broken(check: &Check) -> &str {
    match check {
        Check::Broken(why) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_functions_that_come_with_weir_are_fit() {
    for name in ["flights", "stats", "streams", "text"] {
        let wasm = std::fs::read(guests::component(name)).expect("a component");
        let report = inspect(guests::runtime(), name, &wasm, &Limits::default(), &Parameters::default());
        let report = report.expect("it is loaded");
        assert_ne!(report.verdict, Verdict::Unfit, "{name}: {:?}", wrong(&report));
        assert!(report.functions.iter().any(|f| f.cost.is_some_and(|cost| cost.instructions_per_row > 0.5)), "{name}");
    }
}

fn wrong(report: &Report) -> Vec<String> {
    let broken = |check: &Check| matches!(check, Check::Broken(_));
    let all = report.functions.iter().flat_map(|f| f.checks().map(|(what, check)| (&f.signature.name, what, check)));
    all.filter(|(_, _, check)| broken(check)).map(|found| format!("{found:?}")).collect()
}

#[test]
fn a_function_that_remembers_is_not_fit() {
    let report = hostile("answers_differently_each_time");
    assert_eq!(report.verdict, Verdict::Unfit, "{report:?}");
    let function = &report.functions[0];
    assert_eq!(function.deterministic, Check::Held, "two that count alike agree");
    let why = broken(&function.forgets);
    assert!(why.starts_with("an instance that was called before and a fresh one disagree on the same"), "{why}");
    assert_eq!(function.lawful, Check::Absent);
}

#[test]
fn an_aggregate_whose_merge_forgets_is_not_fit_and_the_example_is_small() {
    let report = hostile("merges_wrongly");
    assert_eq!(report.verdict, Verdict::Unfit);
    let why = broken(&report.functions[0].lawful);
    assert!(why.contains("merge [") && why.ends_with(": 0; all accumulated at once: 1"), "{why}");
}

#[test]
fn a_function_that_does_not_end_is_not_fit() {
    // On a 3, which is among the rows that are tried.
    let report = hostile("spins_as_mapper");
    assert_eq!(report.verdict, Verdict::Unfit);
    let why = broken(&report.functions[0].runs);
    assert!(why.starts_with("on 8192 made-up rows it ran out of time"), "{why}");
}

#[test]
fn what_needs_a_parameter_is_tried_when_it_is_given() {
    let wasm = std::fs::read(guests::component("liar")).expect("a component");
    let try_with = |given: &[(&str, &str)]| {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        inspect(guests::runtime(), "liar", &wasm, &Limits::default(), &Arc::new(given)).expect("it is loaded")
    };
    let untried = try_with(&[]);
    assert_eq!(untried.verdict, Verdict::FitWithNotes);
    assert!(untried.functions.iter().all(|f| matches!(f.runs, Check::Untried(_))));
    let lies = try_with(&[("how", "values")]);
    let number = lies.functions.iter().find(|f| f.signature.name == "number").expect("a function");
    assert!(broken(&number.runs).contains("broke the contract: the result, column `lie`"), "{number:?}");
}
