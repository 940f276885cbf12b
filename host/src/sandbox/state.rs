//! What stands behind one instance: its meter, its log, its parameters, its clock and its random
//! numbers, and the calls of `weir:udf/host` that reach them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use super::bindings::weir::udf::host::{Host, Level};
use super::bindings::weir::udf::types;
use super::limits::{Limits, Meter};
use super::wasi::Wasi;

/// The text forms of a function's parameters.
pub type Parameters = Arc<BTreeMap<String, String>>;

/// The host's side of an instance.
pub(super) struct State {
    pub(super) meter: Meter,
    pub(super) log: Log,
    pub(super) wasi: Option<Box<Wasi>>,
    parameters: Parameters,
    pub(super) now: i64,
    pub(super) random: u64,
}

impl State {
    pub(super) fn new(limits: &Limits, parameters: Parameters, wasi: bool) -> Self {
        let log = Log::new(limits.log_bytes_max);
        Self {
            meter: Meter::new(limits),
            wasi: wasi.then(|| Box::new(Wasi::new(log.clone()))),
            log,
            parameters,
            now: 0,
            random: 0,
        }
    }
}

impl types::Host for State {}

impl Host for State {
    fn log(&mut self, level: Level, message: String) {
        self.log.write(level, message);
    }

    fn parameter(&mut self, name: String) -> Option<String> {
        self.parameters.get(&name).cloned()
    }

    fn now(&mut self) -> i64 {
        self.now
    }

    /// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The last lines that a function logged in a call. Shared with its WASI streams, which are a
/// function's standard output and error.
#[derive(Clone, Debug)]
pub(super) struct Log(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Whether there is anything to clear: most calls log nothing, and need not lock.
    written: AtomicBool,
    lines: Mutex<Lines>,
}

#[derive(Debug)]
struct Lines {
    lines: VecDeque<String>,
    last_error: Option<String>,
    bytes: usize,
    bytes_max: usize,
}

impl Log {
    fn new(bytes_max: usize) -> Self {
        let lines = Mutex::new(Lines { lines: VecDeque::new(), last_error: None, bytes: 0, bytes_max });
        Self(Arc::new(Inner { written: AtomicBool::new(false), lines }))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Lines> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self, level: Level, mut message: String) {
        self.0.written.store(true, Relaxed);
        let mut log = self.lock();
        let mut cut = message.len().min(log.bytes_max);
        while !message.is_char_boundary(cut) {
            cut -= 1;
        }
        message.truncate(cut);
        let name = match level {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => {
                log.last_error = Some(message.clone());
                "error"
            }
        };
        let line = format!("{name}: {message}");
        log.bytes += line.len();
        log.lines.push_back(line);
        while log.bytes > log.bytes_max {
            match log.lines.pop_front() {
                Some(line) => log.bytes -= line.len(),
                None => break,
            }
        }
    }

    /// Forgets the lines of the call before.
    pub(super) fn clear(&self) {
        if !self.0.written.swap(false, Relaxed) {
            return;
        }
        let mut log = self.lock();
        log.lines.clear();
        log.bytes = 0;
        log.last_error = None;
    }

    /// The lines, the last of them an error, and the last error's message.
    pub(super) fn tail(&self) -> (Vec<String>, Option<String>) {
        let log = self.lock();
        (log.lines.iter().cloned().collect(), log.last_error.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_keeps_its_last_lines_within_its_bytes() {
        let log = Log::new(20);
        for i in 0..100 {
            log.write(Level::Info, format!("line {i}"));
        }
        log.write(Level::Error, "é".repeat(100));
        let (lines, error) = log.tail();
        assert!(lines.iter().map(String::len).sum::<usize>() <= 20 || lines.len() <= 1, "{lines:?}");
        assert_eq!(error.as_deref(), Some("é".repeat(10).as_str()));
    }
}
