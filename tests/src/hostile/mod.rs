//! Guests that mean harm: each file of `tests/hostile/` says what it tries and what is to come of it.
//!
//! Held here of all of them: how they end, within which time and memory, that rows beside theirs and
//! functions beside theirs lose nothing, and that a thousand of them leave the process as it was.

mod compiler;
mod fuzz;
pub(crate) mod guest;
mod memory;
mod neighbours;
mod refused;

use std::time::{Duration, Instant};

use weir::function::{Fault, FaultKind};
use weir::sandbox::{Instance, Parameters, Reuse};

use crate::sandbox::{call, numbers};
use guest::{Guest, Outcome};

/// What a call may take beyond twice its time: the machine is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(2);

fn kind_name(kind: FaultKind) -> String {
    serde_json::to_value(kind).expect("a word").as_str().expect("a word").to_owned()
}

fn instance(guest: &Guest) -> Instance {
    let artifact = guest.load().unwrap_or_else(|e| panic!("{} is not loaded: {e}", guest.name));
    Instance::new(&artifact, 0, Parameters::default(), guest.limits, Reuse::UntilFault)
}

/// Calls with rows that do harm; the fault has to be the one that the guest says.
fn check_fault(guest: &Guest, called: Result<(), Fault>, took: Duration) {
    let Outcome::Fault { kind, text, .. } = &guest.outcome else { unreachable!("only for those that fail") };
    let fault = called.expect_err(&guest.name);
    assert!(kind_name(fault.kind) == *kind && fault.message.contains(text), "{}: {fault:?}", guest.name);
    let most = guest.limits.batch_time_max * 2 + PATIENCE;
    assert!(took < most, "{} was stopped after {took:?}", guest.name);
    assert!(fault.message.len() <= guest.limits.message_bytes_max + 200, "{}", guest.name);
    assert!(fault.log.iter().map(String::len).sum::<usize>() <= guest.limits.log_bytes_max, "{}", guest.name);
}

#[test]
fn each_ends_as_it_says_and_its_neighbour_does_not_notice() {
    let guests = guest::all();
    assert!(guests.len() >= 60, "there are only {}", guests.len());
    let mut neighbour = instance(&guest::named("answers_differently_each_time"));
    let mut wrong = Vec::new();
    for guest in guests {
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&guest)));
        wrong.extend(ended.is_err().then(|| guest.name.clone()));
        call(&mut neighbour, numbers(&[1, 2])).unwrap_or_else(|f| panic!("beside {}: {f:?}", guest.name));
    }
    assert!(wrong.is_empty(), "see above: {wrong:?}");
    assert_eq!(weir::function::Calls::instances(&neighbour), 1, "a neighbour lost its instance");
}

fn check(guest: &Guest) {
    match &guest.outcome {
        Outcome::Refused(text) => {
            let error = guest.load().expect_err(&guest.name).to_string();
            assert!(error.contains(text.as_str()), "{}: {error}", guest.name);
        }
        Outcome::Harmless => {
            let mut instance = instance(guest);
            for rows in [&[1, 2][..], &[1, 2, 3, 4], &[4, 5]] {
                call(&mut instance, numbers(rows)).unwrap_or_else(|f| panic!("{}: {f:?}", guest.name));
            }
        }
        Outcome::Fault { always, .. } => {
            let mut instance = instance(guest);
            let harmless = [&[1, 2][..], &[4, 5]];
            for (before, rows) in harmless.into_iter().zip([&[1, 2, 3, 4][..], &[3]]) {
                if !always {
                    call(&mut instance, numbers(before)).unwrap_or_else(|f| panic!("{}: {f:?}", guest.name));
                }
                let started = Instant::now();
                let called = call(&mut instance, numbers(rows));
                check_fault(guest, called, started.elapsed());
            }
        }
    }
}

#[test]
fn a_fault_says_where_it_was_in_the_source() {
    let mut instance = instance(&guest::named("traps_on_one_row"));
    let fault = call(&mut instance, numbers(&[3])).expect_err("it traps");
    let names: Vec<_> = fault.backtrace.iter().map(|frame| frame.split(' ').next().unwrap_or_default()).collect();
    assert_eq!(names, ["harm", "watch", "map_batch"], "{:?}", fault.backtrace);
    assert!(fault.backtrace.iter().all(|frame| frame.contains("guest.wat:")), "{:?}", fault.backtrace);
}
