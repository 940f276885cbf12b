//! The guard that counts what an instance holds and refuses what is over its limit.
//!
//! A growth is refused when it is asked for: the guest sees that it failed, and mostly traps on it.

use wasmtime::ResourceLimiter;

use super::limits::Limits;

/// Counts what an instance holds.
#[derive(Debug)]
pub(super) struct Meter {
    limits: Limits,
    pub(super) memory_bytes: usize,
    table_elements: usize,
    /// Set when a growth was refused, so that the trap that mostly follows can be explained.
    pub(super) refused: Option<Refused>,
}

/// A growth that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Memory(usize),
    Table(usize),
}

impl Meter {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { limits: *limits, memory_bytes: 0, table_elements: 0, refused: None }
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.memory_bytes.saturating_add(desired - current);
        if total > self.limits.memory_bytes_max {
            self.refused = Some(Refused::Memory(total));
            return Ok(false);
        }
        self.memory_bytes = total;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.table_elements.saturating_add(desired - current);
        if total > self.limits.table_elements_max {
            self.refused = Some(Refused::Table(total));
            return Ok(false);
        }
        self.table_elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.limits.instances_max
    }

    fn tables(&self) -> usize {
        self.limits.tables_max
    }

    fn memories(&self) -> usize {
        self.limits.memories_max
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
        assert_eq!((meter.memory_bytes, meter.refused), (100, Some(Refused::Memory(101))));
    }

    #[test]
    fn table_elements_are_counted_over_all_tables() {
        let mut meter = Meter::new(&Limits { table_elements_max: 10, ..Limits::default() });
        assert!(meter.table_growing(0, 10, None).is_ok_and(|yes| yes));
        assert!(meter.table_growing(0, 1, None).is_ok_and(|yes| !yes));
        assert_eq!(meter.refused, Some(Refused::Table(11)));
    }
}
