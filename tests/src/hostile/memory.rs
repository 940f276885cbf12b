//! That memory comes back: in a process of its own, because what other tests hold would hide it.

use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use super::guest::{self, Outcome};
use super::{Instance, Parameters, Reuse};
use crate::sandbox::{call, numbers};

const RUNS: usize = 1000;

/// What the process may hold more after a thousand runs than after the thousand before: allocators keep some.
const GROWTH_BYTES_MAX: usize = 16 << 20;

/// What an instance may cost beside its linear memory: its stack, its tables, what it returns, what is kept
/// resident for the next one.
const BESIDE_BYTES_MAX: usize = 96 << 20;

/// Bytes of memory that the process has, now and at most.
fn resident() -> (usize, usize) {
    let status = fs::read_to_string("/proc/self/status").expect("Linux says what a process uses");
    let kib = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).expect("a line");
        line.split_whitespace().nth(1).and_then(|n| n.parse::<usize>().ok()).expect("a number") * 1024
    };
    (kib("VmRSS:"), kib("VmHWM:"))
}

#[test]
fn a_thousand_in_a_row_leave_the_memory_where_it_was() {
    const ALONE: &str = "WEIR_TEST_ALONE";
    if env::var_os(ALONE).is_none() {
        let name = "hostile::memory::a_thousand_in_a_row_leave_the_memory_where_it_was";
        let test = env::current_exe().expect("a test is a file");
        let ran = Command::new(test).args(["--exact", name, "--nocapture"]).env(ALONE, "1").output().expect("it runs");
        assert!(
            ran.status.success(),
            "{}{}",
            String::from_utf8_lossy(&ran.stdout),
            String::from_utf8_lossy(&ran.stderr)
        );
        return;
    }
    let mut artifacts = Vec::new();
    for mut guest in guest::all() {
        let Outcome::Fault { .. } = guest.outcome else { continue };
        if guest.limits.batch_time_max > Duration::from_secs(1) && guest.name == "floods_the_log" {
            guest.limits.host_calls_max = 1000;
        }
        // Loading calls the guest too, and on a busy machine that takes longer than the calls may here.
        let artifact = guest.load().expect("it is loaded");
        guest.limits.batch_time_max = guest.limits.batch_time_max.min(Duration::from_millis(10));
        artifacts.push((artifact, guest));
    }
    let run = |from: usize, to: usize| {
        for n in from..to {
            let (artifact, guest) = &artifacts[n % artifacts.len()];
            let mut instance = Instance::new(artifact, 0, Parameters::default(), guest.limits, Reuse::UntilFault);
            call(&mut instance, numbers(&[1, 3])).expect_err(&guest.name);
        }
    };
    // The pool keeps places warm for a while, each for the component that it was last for.
    run(0, RUNS);
    let (before, _) = resident();
    run(0, RUNS);
    let (after, most) = resident();
    assert!(after < before + GROWTH_BYTES_MAX, "{before} bytes before, {after} after");
    let limit = 64 << 20;
    assert!(most < before + limit + BESIDE_BYTES_MAX, "{before} bytes before, {most} at most");
}
