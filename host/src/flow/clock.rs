//! The clock of a run, for what a source asks of it: processing time, and how long a partition has
//! been quiet.
//!
//! It is handed in with the options, so that tests move it by hand. No operator but a source has
//! it: what comes behind the source goes by the times and watermarks of rows.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The machine's clock, or one that is moved by hand.
#[derive(Clone)]
pub struct Clock(Kind);

#[derive(Clone)]
enum Kind {
    Machine { started: Instant },
    ByHand(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at so many microseconds since 1970-01-01T00:00:00Z until it is moved.
    /// Its clones move with it.
    pub fn by_hand(us: i64) -> Self {
        Self(Kind::ByHand(Arc::new(AtomicI64::new(us))))
    }

    /// Moves a clock that is moved by hand; the machine's goes its own way.
    pub fn set(&self, us: i64) {
        if let Kind::ByHand(at) = &self.0 {
            at.store(us, SeqCst);
        }
    }

    /// The time of day, in microseconds since 1970-01-01T00:00:00Z. It goes back when somebody sets
    /// the machine's clock back.
    pub(super) fn time_us(&self) -> i64 {
        match &self.0 {
            Kind::ByHand(at) => at.load(SeqCst),
            Kind::Machine { .. } => match SystemTime::now().duration_since(UNIX_EPOCH) {
                Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
                Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |us| -us),
            },
        }
    }

    /// Microseconds since some moment, which only grow: to measure how long something takes.
    pub(super) fn steady_us(&self) -> i64 {
        match &self.0 {
            Kind::ByHand(at) => at.load(SeqCst),
            Kind::Machine { started } => i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX),
        }
    }
}

impl Default for Clock {
    /// The machine's.
    fn default() -> Self {
        Self(Kind::Machine { started: Instant::now() })
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Machine { .. } => f.write_str("Machine"),
            Kind::ByHand(at) => write!(f, "ByHand({})", at.load(SeqCst)),
        }
    }
}
