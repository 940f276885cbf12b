//! What stands behind one instance: its meter, its log, its parameters, its clock and its random
//! numbers, and the calls of `weir:udf/host` that reach them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::Trap;

use super::bindings::weir::udf::host::{Evaluated, Host, Level};
use super::bindings::weir::udf::types::{self, ColumnResult};
use super::evaluate::evaluate;
use super::limits::Limits;
use super::meter::Meter;
use super::wasi::Wasi;

/// The text forms of a function's parameters.
pub type Parameters = Arc<BTreeMap<String, String>>;

/// The host's side of an instance.
pub(super) struct State {
    pub(super) meter: Meter,
    pub(super) log: Log,
    pub(super) wasi: Option<Box<Wasi>>,
    parameters: Parameters,
    moment: Arc<Moment>,
    host_calls: u64,
    limits: Limits,
    /// What time is counted in, and how far it may come in this call. Only calls of the host look at it: WebAssembly
    /// is stopped by the engine.
    ticks: Arc<AtomicU64>,
    ticks_end: u64,
    /// What calls of the host cost in this call, and may cost: counted as fuel is, beside the engine's own.
    work: u64,
    work_max: u64,
}

/// What a call sees of the world. Shared with its WASI clocks and random numbers.
#[derive(Debug, Default)]
pub(super) struct Moment {
    now_us: AtomicI64,
    random: AtomicU64,
}

impl Moment {
    pub(super) fn now_us(&self) -> i64 {
        self.now_us.load(Relaxed)
    }

    /// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
    pub(super) fn random(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.random.fetch_add(STEP, Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// A function called the host more often than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many calls of the host")]
pub(super) struct TooManyCalls;

impl State {
    pub(super) fn new(limits: &Limits, parameters: Parameters, wasi: bool, ticks: Arc<AtomicU64>) -> Self {
        let log = Log::new(limits.log_bytes_max, limits.log_lines_max);
        let moment = Arc::<Moment>::default();
        Self {
            meter: Meter::new(limits),
            wasi: wasi.then(|| Box::new(Wasi::new(log.clone(), Arc::clone(&moment), limits.handles_max))),
            log,
            parameters,
            moment,
            host_calls: 0,
            limits: *limits,
            ticks,
            ticks_end: u64::MAX,
            work: 0,
            work_max: u64::MAX,
        }
    }

    /// Forgets the call before, and sets what the next one sees.
    pub(super) fn begin(&mut self, now_us: i64, seed: u64) {
        self.moment.now_us.store(now_us, Relaxed);
        self.moment.random.store(seed, Relaxed);
        self.log.clear();
        self.meter.refused = None;
        self.host_calls = 0;
    }

    /// From now on a call may take so many ticks, and so much work where that is limited.
    pub(super) fn wind_up(&mut self, ticks: u64, work_max: Option<u64>) {
        self.ticks_end = self.ticks.load(Relaxed).saturating_add(ticks);
        self.work = 0;
        self.work_max = work_max.unwrap_or(u64::MAX);
    }

    /// What calls of the host have cost in this call.
    pub(super) fn work(&self) -> u64 {
        self.work
    }

    /// Charges work that is about to be done.
    pub(super) fn charge(&mut self, work: u64) -> Result<(), Trap> {
        self.work = self.work.saturating_add(work);
        match self.work > self.work_max {
            true => Err(Trap::OutOfFuel),
            false => Ok(()),
        }
    }

    /// Whether the call's time is over.
    pub(super) fn is_late(&self) -> bool {
        self.ticks.load(Relaxed) >= self.ticks_end
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    fn count(&mut self) -> wasmtime::Result<()> {
        self.host_calls += 1;
        match self.host_calls > self.limits.host_calls_max {
            true => Err(TooManyCalls.into()),
            false => Ok(()),
        }
    }
}

impl types::Host for State {}

impl Host for State {
    fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.count()?;
        self.log.write(level, message);
        Ok(())
    }

    fn parameter(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        self.count()?;
        Ok(self.parameters.get(&name).cloned())
    }

    fn now(&mut self) -> wasmtime::Result<i64> {
        self.count()?;
        Ok(self.moment.now_us())
    }

    fn random(&mut self) -> wasmtime::Result<u64> {
        self.count()?;
        Ok(self.moment.random())
    }

    fn evaluate(
        &mut self,
        program: String,
        rows: u32,
        columns: Vec<ColumnResult>,
    ) -> wasmtime::Result<Result<Evaluated, String>> {
        self.count()?;
        evaluate(self, &program, rows as usize, &columns)
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
    lines_max: usize,
}

impl Log {
    fn new(bytes_max: usize, lines_max: usize) -> Self {
        let lines = VecDeque::new();
        let lines = Mutex::new(Lines { lines, last_error: None, bytes: 0, bytes_max, lines_max });
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
        while log.bytes > log.bytes_max || log.lines.len() > log.lines_max {
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
        let log = Log::new(20, 1000);
        for i in 0..100 {
            log.write(Level::Info, format!("line {i}"));
        }
        log.write(Level::Error, "é".repeat(100));
        let (lines, error) = log.tail();
        assert!(lines.iter().map(String::len).sum::<usize>() <= 20 || lines.len() <= 1, "{lines:?}");
        assert_eq!(error.as_deref(), Some("é".repeat(10).as_str()));
    }

    #[test]
    fn a_log_keeps_so_many_lines() {
        let log = Log::new(1000, 3);
        for i in 0..100 {
            log.write(Level::Info, format!("line {i}"));
        }
        assert_eq!(log.tail().0, ["info: line 97", "info: line 98", "info: line 99"]);
    }
}
