//! Times two ways of doing the same in short turns, so that what slows the machine slows both. What others do on it only
//! adds time, so of each side the faster half of its turns counts, and the ratio is that of the two numbers shown.

use std::io::Write;
use std::time::{Duration, Instant};

/// Turns of each side.
const ROUNDS: usize = 200;

/// How long a turn is at least: the clock's grain and a call's first touch do not count.
const TURN: Duration = Duration::from_millis(1);

/// Prints a line of the table's head.
pub(crate) fn head(what: &str) {
    line(what, "weir", "native", "ratio", "bar");
}

/// Prints a line of the table.
pub(crate) fn line(what: &str, weir: &str, native: &str, ratio: &str, bar: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{what:46} {weir:>12} {native:>12} {ratio:>7}  {bar}");
}

/// Times both sides, each call over `units` rows (or calls), and prints the nanoseconds for one. `bar` is what
/// the first must not exceed.
pub(crate) fn pair(name: &str, units: usize, bar: &str, weir: impl FnMut(), native: impl FnMut()) {
    if let Some((a, b)) = times(name, units, weir, native) {
        line(name, &format!("{a:.2}"), &format!("{b:.2}"), &format!("{:.2}", a / b), bar);
    }
}

/// Whether it is to be measured: as with other benches, an argument picks those whose name has it.
pub(crate) fn is_picked(name: &str) -> bool {
    std::env::args().skip(1).find(|a| !a.starts_with('-')).is_none_or(|picked| name.contains(&picked))
}

/// Nanoseconds of one unit on both sides.
pub(crate) fn times(name: &str, units: usize, mut weir: impl FnMut(), mut native: impl FnMut()) -> Option<(f64, f64)> {
    if !is_picked(name) {
        return None;
    }
    let calls = (calls_for(&mut weir), calls_for(&mut native));
    let mut times = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // Who comes second finds the caches as the first has left them: both do so in turn.
        if round % 2 == 0 {
            times.0.push(time(&mut weir, calls.0));
            times.1.push(time(&mut native, calls.1));
        } else {
            times.1.push(time(&mut native, calls.1));
            times.0.push(time(&mut weir, calls.0));
        }
    }
    Some((fast_half(times.0) / units as f64, fast_half(times.1) / units as f64))
}

fn calls_for(f: &mut impl FnMut()) -> usize {
    f();
    let once = time(f, 1).max(1.0);
    (TURN.as_nanos() as f64 / once).clamp(1.0, 10_000.0) as usize
}

/// Nanoseconds of one call.
fn time(f: &mut impl FnMut(), calls: usize) -> f64 {
    let started = Instant::now();
    for _ in 0..calls {
        f();
    }
    started.elapsed().as_nanos() as f64 / calls as f64
}

fn fast_half(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = &values[..values.len().div_ceil(2)];
    half.iter().sum::<f64>() / half.len() as f64
}
