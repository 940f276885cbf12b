//! The store behind the states of a stateful map, where there is a `[state]`.
//!
//! A state there is the state's columns; with a time to live, the highest event time of its key's rows
//! stands in front of them. A state that is over is as good as none, as it is in memory, so when it leaves
//! the store shows in no result: it does when its key is forgotten in memory, and else when the store is
//! swept. That is done when as many states have been written as were left the last time, so
//! that sweeping costs no more than a read for each write.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, BinaryArray, TimestampMicrosecondArray, UInt32Array};
use arrow_select::take::take;
use serde::{Deserialize, Serialize};

use super::states::States;
use crate::checkpoint::Frozen;
use crate::error::Result;
use crate::flow::cut::Sections;
use crate::flow::stored::{PANE, Stored, Whose, in_key_order};
use crate::plan;
use crate::report::{Counted, Node};
use crate::state::{Entries, PerKey, Stores};
use crate::types::{DataType, Field};

/// What is in front of the state's columns.
const LAST: &str = "last";

/// A store, and when it is to be swept.
pub(super) struct Behind {
    stored: Stored,
    ttl_us: Option<i64>,
    sweep: Sweep,
}

/// When a store is swept of what is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sweep {
    /// States that were written since it was.
    written: u64,
    /// States that were left.
    left: u64,
    /// The least time of a key's last row, of all that may be there.
    oldest: i64,
}

impl Sweep {
    /// Whether it is. At the end of time nothing is to be left where others read it.
    fn is_due(&self, ttl_us: Option<i64>, watermark: i64, live: bool) -> bool {
        let over = |ttl| self.oldest < i64::MAX && self.oldest.saturating_add(ttl) <= watermark;
        let enough = self.written > self.left || (live && watermark == i64::MAX);
        enough && ttl_us.is_some_and(over)
    }

    /// Takes in that of another store, a share of whose keys have come here.
    fn add(&mut self, other: Self) {
        // Each worker takes in all of it, and again the next time.
        self.written = self.written.saturating_add(other.written);
        self.left = self.left.saturating_add(other.left);
        self.oldest = self.oldest.min(other.oldest);
    }

    fn note(&mut self, last: i64) {
        self.written = self.written.saturating_add(1);
        self.oldest = self.oldest.min(last);
    }
}

impl States {
    /// Puts the store of this step and worker behind the states, if there is one.
    pub(super) fn keep_in(
        &mut self,
        stores: &Stores,
        whose: &Whose<'_>,
        plan: &plan::StatefulMap,
        batch_rows: usize,
        restored: Option<Sections<'_>>,
    ) -> Result<()> {
        let last = plan.ttl_us.map(|_| Field::new(LAST, DataType::Timestamp, false));
        let state = plan.apply.call.function.signature().accumulator.iter();
        let state = state.map(|field| Field { name: format!("state.{}", field.name), ..field.clone() });
        let values: Vec<Field> = last.into_iter().chain(state).collect();
        let stored = Stored::open(stores, whose, (PerKey::One, &values), batch_rows, restored)?;
        self.behind = stored.map(|stored| Behind {
            stored,
            ttl_us: plan.ttl_us,
            sweep: Sweep { written: 0, left: 0, oldest: i64::MAX },
        });
        if self.behind.is_some() {
            self.keys.save();
        }
        Ok(())
    }

    /// Writes what has changed, so that all of the state is in the store, and gives it as files, with what is known
    /// of them. None where there is no store.
    pub(super) fn freeze(&mut self) -> Result<Option<(Frozen, Sweep)>> {
        self.write()?;
        let Some(Behind { stored, sweep, .. }) = &mut self.behind else { return Ok(None) };
        Ok(stored.freeze()?.map(|frozen| (frozen, *sweep)))
    }

    /// Goes on with what was known of the stores of all workers.
    pub(super) fn resume_sweep(&mut self, of_all: impl Iterator<Item = Sweep>) {
        if let Some(Behind { sweep, .. }) = &mut self.behind {
            of_all.for_each(|of| sweep.add(of));
        }
    }

    /// Tells how large the state is.
    pub(super) fn count_state(&self, counters: &Node, counted: &mut Counted) {
        let keys = self.keys.count().0;
        let stored = self.behind.as_ref().map_or(0, |behind| behind.stored.bytes());
        counters.count_state(counted, keys as u64, self.bytes() as u64, stored);
    }

    fn bytes(&self) -> usize {
        self.keys.bytes() + self.store.bytes(self.keys.count().0)
    }

    /// Brings to memory what the store has of keys.
    pub(super) fn recall<'k>(&mut self, keys: impl Iterator<Item = &'k [u8]>) -> Result<()> {
        let Some(Behind { stored, ttl_us, .. }) = &mut self.behind else { return Ok(()) };
        if !stored.has_keys() {
            return Ok(());
        }
        let missing: Vec<&[u8]> = keys.filter(|key| !self.keys.has(key)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let found = stored.recall(missing)?;
        let (last, state) = found.values.split_at(usize::from(ttl_us.is_some()));
        let last = last.first().map(|last| last.as_primitive::<TimestampMicrosecondType>());
        let (mut rows, mut slots) = (Vec::new(), Vec::new());
        for (row, key) in found.keys.iter().flatten().enumerate() {
            let last = last.map_or(i64::MIN, |last| last.value(row));
            // As in memory: what was over when an epoch ended is forgotten, whatever the next row says.
            if self.keys.was_over(last) {
                stored.take_out(key.into());
                continue;
            }
            rows.push(row as u32);
            slots.push(self.keys.adopt(key, last));
        }
        self.keys.are_stored(&slots);
        self.store.grow(self.keys.slots());
        let rows = UInt32Array::from(rows);
        let state = state.iter().map(|column| take(column, &rows, None).expect("rows that were found"));
        self.store.scatter(&slots, &state.collect::<Vec<_>>());
        Ok(())
    }

    /// Moves everything to the store where it takes more memory than it may.
    pub(super) fn make_room(&mut self) -> Result<()> {
        if self.behind.as_ref().is_none_or(|behind| behind.stored.has_room(self.bytes())) {
            return Ok(());
        }
        self.write()?;
        let slots = self.keys.give_up();
        self.store.forget(&slots);
        Ok(())
    }

    /// An epoch is complete, and the stream is at this watermark.
    pub(super) fn settle(&mut self, watermark: i64) -> Result<()> {
        self.forget(watermark);
        let Some(Behind { stored, ttl_us, sweep }) = &mut self.behind else { return Ok(()) };
        self.keys.gone().into_iter().for_each(|key| stored.take_out(key));
        let live = stored.is_live();
        if sweep.is_due(*ttl_us, watermark, live) {
            self.sweep()?;
        }
        if live {
            self.write()?;
        }
        self.make_room()
    }

    /// Writes what has changed.
    fn write(&mut self) -> Result<()> {
        let Some(Behind { stored, ttl_us, sweep }) = &mut self.behind else { return Ok(()) };
        let changed = self.keys.kept(false);
        let (keys, store) = (&self.keys, &self.store);
        let sorted = in_key_order(changed.into_iter(), |slot| keys.entry(slot).0);
        stored.write(&sorted, |slots| {
            let entries = || slots.iter().map(|slot| keys.entry(*slot));
            entries().for_each(|(_, last)| sweep.note(last));
            let last = ttl_us.map(|_| {
                let last = TimestampMicrosecondArray::from_iter_values(entries().map(|(_, last)| last));
                Arc::new(last.with_data_type(DataType::Timestamp.arrow())) as ArrayRef
            });
            let keys = BinaryArray::from_iter_values(entries().map(|(key, _)| key));
            let values = last.into_iter().chain(store.gather(slots)).collect();
            Entries { pane: PANE, keys, counts: None, values }
        })?;
        self.keys.are_stored(&sorted);
        Ok(())
    }

    /// Looks through the whole store for what is over.
    fn sweep(&mut self) -> Result<()> {
        let Some(Behind { stored, sweep, .. }) = &mut self.behind else { return Ok(()) };
        *sweep = Sweep { written: 0, left: 0, oldest: i64::MAX };
        let mut after: Option<Vec<u8>> = None;
        while let Some(Entries { keys, values, .. }) = stored.page(after.as_deref())? {
            let last = values[0].as_primitive::<TimestampMicrosecondType>();
            for (key, last) in keys.iter().flatten().zip(last.values()) {
                match self.keys.was_over(*last) {
                    true => stored.take_out(key.into()),
                    false => {
                        sweep.left += 1;
                        sweep.oldest = sweep.oldest.min(*last);
                    }
                }
            }
            if stored.is_crowded() {
                stored.write_gone()?;
            }
            after = Some(keys.value(keys.len() - 1).to_vec());
        }
        stored.write_gone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_swept_when_it_may_have_doubled_and_something_is_over() {
        let mut sweep = Sweep { written: 0, left: 2, oldest: 50 };
        [70, 40].into_iter().for_each(|last| sweep.note(last));
        assert!(!sweep.is_due(Some(10), i64::MAX, false), "as many were left as were written");
        assert!(sweep.is_due(Some(10), i64::MAX, true) && !sweep.is_due(Some(10), 1000, true));
        sweep.note(60);
        assert_eq!(sweep, Sweep { written: 3, left: 2, oldest: 40 });
        assert!(!sweep.is_due(Some(10), 49, false) && sweep.is_due(Some(10), 50, false));
        assert!(!sweep.is_due(None, i64::MAX, true));
    }

    #[test]
    fn any_number_of_runs_may_go_on_from_a_store_that_nobody_sweeps() {
        let mut sweep = Sweep { written: 1 << 20, left: 7, oldest: 0 };
        for _ in 0..100 {
            let of_each = sweep;
            (0..3).for_each(|_| sweep.add(of_each));
            sweep.note(1);
        }
        assert_eq!(sweep, Sweep { written: u64::MAX, left: u64::MAX, oldest: 0 });
    }
}
