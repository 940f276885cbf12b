//! The host: all that a function can reach.
//!
//! On `wasm32` these are the component's imports. Natively they are stand-ins for tests: the log
//! goes to stderr, the time is 0, the random numbers are always the same sequence, and parameters
//! are those of [`crate::testing::with_parameters`].

use crate::Timestamp;

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For who writes the function.
    Debug,
    /// What happens.
    Info,
    /// What should be looked at.
    Warn,
    /// What went wrong.
    Error,
}

/// Writes a line to the function's log.
pub fn log(level: Level, message: &str) {
    imports::log(level, message);
}

/// Writes a line at level debug.
pub fn debug(message: &str) {
    log(Level::Debug, message);
}

/// Writes a line at level info.
pub fn info(message: &str) {
    log(Level::Info, message);
}

/// Writes a line at level warn.
pub fn warn(message: &str) {
    log(Level::Warn, message);
}

/// Writes a line at level error.
pub fn error(message: &str) {
    log(Level::Error, message);
}

/// The text form of a parameter. `#[param]` does this for you.
pub fn parameter(name: &str) -> Option<String> {
    imports::parameter(name)
}

/// The event time of the batch (its highest), or 0 where the stream has none. Not a clock: a replay
/// sees the same.
pub fn now() -> Timestamp {
    Timestamp(imports::now())
}

/// The next number of a sequence whose seed the host derives from the batch: a replay sees the same.
pub fn random() -> u64 {
    imports::random()
}

/// Logs where and why a panic happened, before it traps. Once per instance.
#[inline]
pub(crate) fn log_panics() {
    #[cfg(target_family = "wasm")]
    {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| {
            std::panic::set_hook(Box::new(|panic| {
                let payload = panic.payload_as_str().unwrap_or("a value that is not text");
                let place = panic.location().map(|place| format!(" at {place}")).unwrap_or_default();
                error(&format!("panicked{place}: {payload}"));
            }));
        });
    }
}

#[cfg(target_family = "wasm")]
mod imports {
    use super::Level;
    use crate::bindings::weir::udf::host;
    pub(super) use host::{now, parameter, random};

    pub(super) fn log(level: Level, message: &str) {
        let level = match level {
            Level::Debug => host::Level::Debug,
            Level::Info => host::Level::Info,
            Level::Warn => host::Level::Warn,
            Level::Error => host::Level::Error,
        };
        host::log(level, message);
    }
}

#[cfg(not(target_family = "wasm"))]
mod imports {
    use std::cell::Cell;

    use super::Level;

    pub(super) fn log(level: Level, message: &str) {
        eprintln!("{level:?}: {message}");
    }

    pub(super) fn parameter(name: &str) -> Option<String> {
        crate::testing::given(name)
    }

    pub(super) fn now() -> i64 {
        0
    }

    /// `SplitMix64` from 0, one sequence a thread.
    pub(super) fn random() -> u64 {
        thread_local! { static STATE: Cell<u64> = const { Cell::new(0) }; }
        let state = STATE.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        STATE.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
