//! What a function can see: the rows, its parameters, a clock and random numbers that a replay sees
//! too, and a log. Nothing else, whatever it asks for.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, Int64Array, StringArray};
use weir::function::{Calls, FaultKind, Input};
use weir::sandbox::{Limits, Reuse};

use super::{instance, plain};
use crate::guests;

/// What `looks_around` sees in each of three rows: the time, and a random number.
fn looked_around(now: i64, seed: u64) -> (Vec<i64>, Vec<i64>) {
    let columns: [ArrayRef; 1] = [Arc::new(Int64Array::from(vec![0; 3]))];
    let mapped = plain("lab", "looks_around", &[]).map(Input { rows: 3, columns: &columns, now, seed });
    let outputs = mapped.expect("a plain map").outputs;
    let times = outputs[0].as_primitive::<TimestampMicrosecondType>().values().to_vec();
    (times, outputs[1].as_primitive::<Int64Type>().values().to_vec())
}

#[test]
fn the_clock_is_the_batch_s_and_the_random_numbers_are_the_seed_s() {
    let (times, random) = looked_around(-5, 1);
    assert_eq!(times, [-5; 3]);
    assert!(random[0] != random[1] && random[1] != random[2] && random[0] != random[2], "{random:?}");
    assert_eq!(looked_around(7, 1).1, random, "the clock is none of its business");
    assert_ne!(looked_around(-5, 2).1, random);
    // SplitMix64 from 1234567, as published with it.
    assert_eq!(
        looked_around(0, 1_234_567).1,
        [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, -8_629_252_141_511_181_193]
    );
}

#[test]
fn what_is_logged_before_a_panic_comes_with_the_fault() {
    let columns: [ArrayRef; 1] = [Arc::new(StringArray::from(vec!["é"]))];
    let input = Input { rows: 1, columns: &columns, now: 0, seed: 0 };
    let fault = plain("lab", "talks", &[]).map(input).expect_err("it panics");
    assert_eq!(fault.log[..4], ["debug: é", "info: é", "warn: é", "error: é"]);
    assert!(fault.log[4].starts_with("error: panicked at ") && fault.log[4].ends_with(": enough talk"), "{fault:?}");
    assert_eq!((fault.kind, fault.log.len()), (FaultKind::Trap, 5));
}

#[test]
fn a_log_is_cut_to_its_limit() {
    let columns: [ArrayRef; 1] = [Arc::new(StringArray::from(vec!["é".repeat(10_000)]))];
    let limits = Limits { log_bytes_max: 1000, ..Limits::default() };
    let input = Input { rows: 1, columns: &columns, now: 0, seed: 0 };
    let fault = instance("lab", "talks", &[], limits, Reuse::UntilFault).map(input).expect_err("it panics");
    assert!(fault.log.iter().map(String::len).sum::<usize>() <= 1000, "{:?}", fault.log);
    assert!(fault.message.ends_with(": enough talk"), "the last words are kept: {}", fault.message);
}

#[test]
fn a_function_of_the_sdk_imports_the_host_and_nothing_else() {
    for guest in guests::names().filter(|guest| !["wasi", "empty"].contains(guest)) {
        for import in guests::artifact(guest).imports() {
            assert!(import.starts_with("weir:udf/"), "`{guest}` imports {import}");
        }
    }
}

#[test]
fn a_function_that_imports_wasi_finds_nothing_there() {
    let artifact = guests::artifact("wasi");
    for interface in ["wasi:filesystem/preopens", "wasi:cli/environment", "wasi:clocks/wall-clock"] {
        assert!(artifact.imports().iter().any(|i| i.starts_with(interface)), "{:?}", artifact.imports());
    }
    let columns: [ArrayRef; 1] = [Arc::new(Int64Array::from(vec![1]))];
    let input = Input { rows: 1, columns: &columns, now: 0, seed: 0 };
    let outputs = plain("wasi", "looks_for", &[]).flat_map(input).expect("it runs all the same").outputs;
    let column = |i: usize| outputs[i].as_string::<i32>().iter().flatten().collect::<Vec<_>>();
    assert_eq!(column(0), ["standard output", "arguments", "environment", "files", "network", "seconds since 1970"]);
    assert_eq!(column(1), ["a log", "0", "0", "nothing", "nothing", "0"]);
}

#[test]
fn what_a_program_says_to_standard_error_is_its_log() {
    let columns: [ArrayRef; 1] = [Arc::new(StringArray::from(vec!["one\ntwo"]))];
    let input = Input { rows: 1, columns: &columns, now: 0, seed: 0 };
    let fault = plain("wasi", "complains", &[]).map(input).expect_err("it panics");
    assert!(fault.log.iter().any(|line| line == "error: two"), "{:?}", fault.log);
    assert!(fault.message.contains("enough"), "{}", fault.message);
}
