//! What a function loses by another one on the other core that is stopped and started again and again. Both are measured in
//! turns of a tenth of a second, so that the machine's own moods hit both; one that only works stands beside those that do
//! harm, because two cores may be less than twice one.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use weir::function::Calls;
use weir::sandbox::{Instance, Limits, Parameters, Reuse};

use super::measure::{self, line};
use super::{Bench, ROWS, input, map};

const TURN: Duration = Duration::from_millis(100);
const TURNS: usize = 21;

pub(crate) fn run(bench: &Bench) {
    measure::head("ns/row, beside another function and alone");
    for (name, rows, what) in [
        ("grind", 0..512, "beside one that works"),
        ("stumbles", 4711..4712, "beside one that traps each time"),
        ("spins", 0..1, "beside one that runs out of time"),
    ] {
        if measure::is_picked(what) {
            beside(bench, name, rows, what);
        }
    }
}

fn beside(bench: &Bench, name: &str, rows: Range<usize>, what: &str) {
    let (stop, pause, calls) = (AtomicBool::new(false), AtomicBool::new(true), AtomicU64::new(0));
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            let limits = Limits { batch_time_max: Duration::from_millis(10), ..Limits::default() };
            let mut other =
                Instance::new(&bench.artifact, bench.index(name), Parameters::default(), limits, Reuse::UntilFault);
            let columns: Vec<_> = bench.columns(name).iter().map(|c| c.slice(rows.start, rows.len())).collect();
            while !stop.load(Relaxed) {
                match pause.load(Relaxed) {
                    true => thread::park(),
                    false => {
                        drop(other.map(input(&columns)));
                        calls.fetch_add(1, Relaxed);
                    }
                }
            }
        });
        let mut neighbour = bench.instance("scale");
        let columns = bench.columns("scale");
        let mut turn = |paused: bool| {
            pause.store(paused, Relaxed);
            other.thread().unpark();
            // Whoever was in a call ends it first.
            thread::sleep(Duration::from_millis(20));
            let (mut calls, started) = (0_u32, Instant::now());
            while started.elapsed() < TURN {
                map(&mut neighbour, columns);
                calls += 1;
            }
            started.elapsed().as_nanos() as f64 / f64::from(calls) / ROWS as f64
        };
        let (mut with, mut without): (Vec<f64>, Vec<f64>) = (0..TURNS).map(|_| (turn(false), turn(true))).unzip();
        stop.store(true, Relaxed);
        other.thread().unpark();
        with.sort_by(f64::total_cmp);
        without.sort_by(f64::total_cmp);
        let (with, without) = (with[TURNS / 2], without[TURNS / 2]);
        let name =
            format!("{what} ({} a second)", calls.load(Relaxed) * 1000 / (TURNS as u64 * TURN.as_millis() as u64));
        line(&name, &format!("{with:.2}"), &format!("{without:.2}"), &format!("{:.2}", with / without), "1.25");
    });
}
