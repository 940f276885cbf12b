//! Times two ways of doing the same, in turn, so that a machine whose speed drifts slows both: the
//! ratio holds where single times do not.

use std::io::Write;
use std::time::{Duration, Instant};

/// Runs of each side that are counted.
const ROUNDS: usize = 31;

/// Prints a line of the table's head.
pub(crate) fn head(what: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{what:44} {:>10} {:>10} {:>7}  bar", "weir", "native", "ratio");
}

/// Times both sides, each call over `units` rows (or calls), and prints the medians in nanoseconds
/// for one, with the median of the rounds' ratios. `bar` is what the first must not exceed.
pub(crate) fn pair(name: &str, units: usize, bar: &str, mut weir: impl FnMut(), mut native: impl FnMut()) {
    // As with other benches, an argument picks those whose name has it.
    let picked = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    if picked.is_some_and(|p| !name.contains(&p)) {
        return;
    }
    // Enough calls in a round that the clock's grain and a call's first touch do not count.
    let calls = calls_for(&mut weir);
    let twin_calls = calls_for(&mut native);
    let mut times = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let a = time(&mut weir, calls) / units as f64;
        let b = time(&mut native, twin_calls) / units as f64;
        times.0.push(a);
        times.1.push(b);
        times.2.push(a / b);
    }
    let (a, b, ratio) = (median(times.0), median(times.1), median(times.2));
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{name:44} {a:>10.2} {b:>10.2} {ratio:>7.2}  {bar}");
}

fn calls_for(f: &mut impl FnMut()) -> usize {
    f();
    let once = time(f, 1).max(1.0);
    (Duration::from_millis(5).as_nanos() as f64 / once).clamp(1.0, 10_000.0) as usize
}

/// Nanoseconds of one call.
fn time(f: &mut impl FnMut(), calls: usize) -> f64 {
    let started = Instant::now();
    for _ in 0..calls {
        f();
    }
    started.elapsed().as_nanos() as f64 / calls as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
