//! What an instance may use, and the guard that holds it to that.
//!
//! Memory is refused when it is asked for: the guest sees a failed growth, and mostly traps on
//! it. Time is counted in ticks of the runtime's epoch, so a call ends within a tick of its limit
//! even in a loop that never calls the host.

use std::time::Duration;

use wasmtime::ResourceLimiter;

/// What one instance may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of linear memory, all memories of the instance together.
    pub memory_bytes_max: usize,
    /// Time for one call, which is one batch.
    pub batch_time_max: Duration,
    /// Bytes of log that are kept for one call; the first lines are dropped.
    pub log_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory_bytes_max: 64 << 20, batch_time_max: Duration::from_secs(1), log_bytes_max: 64 << 10 }
    }
}

/// Elements of all tables of an instance together.
const TABLE_ELEMENTS_MAX: usize = 100_000;

/// Counts what an instance holds and refuses what is over its limit.
#[derive(Debug)]
pub(super) struct Meter {
    memory_bytes_max: usize,
    pub(super) memory_bytes: usize,
    table_elements: usize,
    /// Set when a growth was refused, so that the trap that mostly follows can be explained.
    pub(super) refused_bytes: Option<usize>,
}

impl Meter {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { memory_bytes_max: limits.memory_bytes_max, memory_bytes: 0, table_elements: 0, refused_bytes: None }
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.memory_bytes.saturating_add(desired - current);
        if total > self.memory_bytes_max {
            self.refused_bytes = Some(total);
            return Ok(false);
        }
        self.memory_bytes = total;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.table_elements.saturating_add(desired - current);
        if total > TABLE_ELEMENTS_MAX {
            return Ok(false);
        }
        self.table_elements = total;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_counted_over_all_memories() {
        let mut meter = Meter::new(&Limits { memory_bytes_max: 100, ..Limits::default() });
        assert!(meter.memory_growing(0, 60, None).is_ok_and(|yes| yes));
        assert!(meter.memory_growing(0, 40, None).is_ok_and(|yes| yes));
        assert!(meter.memory_growing(40, 41, None).is_ok_and(|yes| !yes));
        assert_eq!((meter.memory_bytes, meter.refused_bytes), (100, Some(101)));
    }
}
