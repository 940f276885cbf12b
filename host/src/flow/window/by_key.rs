//! The store behind windows that are kept by key alone: sessions, and windows of so many rows.
//!
//! All that is known of a key is some rows: what the kind of windows says of each, and its accumulators.
//! They are brought to memory before the first row of a batch is placed, and moved to the store where they
//! take more memory than they may; keys of which results are due stay. What follows does not know of it.

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, TimestampMicrosecondArray, UInt32Array};
use arrow_select::take::take;

use super::ends::Ends;
use super::fold::{Windows, held};
use super::place::{Input, Open};
use super::spill::scatter;
use crate::checkpoint::Frozen;
use crate::error::Result;
use crate::flow::cut::Sections;
use crate::flow::stored::{PANE, Stored, Whose, in_key_order};
use crate::plan;
use crate::state::{Entries, PerKey, Stores};
use crate::types::{DataType, Field};

/// A kind of windows that is kept by key alone.
pub(super) trait ByKey {
    /// The columns that a key's rows have in front of their accumulators.
    fn columns(&self) -> Vec<Field>;

    /// Whether a key is in memory.
    fn has(&self, key: &[u8]) -> bool;

    /// Takes in keys as they were. Gives the rows that stand, each with the slot of its accumulators.
    fn recall(&mut self, found: &Entries) -> Vec<(u32, u32)>;

    /// The keys that have changed since this was last asked, by their numbers.
    fn changed(&mut self) -> Vec<u32>;

    /// The key of a number.
    fn key(&self, number: u32) -> &[u8];

    /// The rows of some keys.
    fn rows(&self, numbers: &[u32]) -> KeyRows;

    /// The keys that are no more and may be in the store.
    fn gone(&mut self) -> Vec<Box<[u8]>>;

    /// When results of keys are due without a further row, each with the key's number.
    fn ends(&self, _numbers: &[u32]) -> Vec<(i64, u32)> {
        Vec::new()
    }

    /// The keys of which no results are due by now: those that can be given up.
    fn settled(&self) -> Vec<u32>;

    /// Gives these keys up. Gives the slots that they had.
    fn give_up(&mut self, numbers: &[u32]) -> Vec<u32>;

    /// About how many bytes keys take, without accumulators.
    fn bytes(&self) -> usize;
}

/// Rows of keys, without the accumulators.
pub(super) struct KeyRows {
    /// How many each key has.
    pub(super) counts: Vec<u32>,
    /// What [`ByKey::columns`] says.
    pub(super) columns: Vec<ArrayRef>,
    /// Where the accumulators of each row are.
    pub(super) slots: Vec<u32>,
}

/// The store behind keys.
pub(super) struct Behind {
    pub(super) stored: Stored,
    /// Of sessions, when those in the store alone end.
    pub(super) ends: Option<Ends>,
    /// The columns in front of accumulators.
    pub(super) columns: usize,
}

impl Behind {
    /// About how many bytes the store takes.
    pub(super) fn bytes(&self) -> u64 {
        self.stored.bytes() + self.ends.as_ref().map_or(0, Ends::bytes)
    }
}

impl Open {
    /// The windows, where they are kept by key alone.
    pub(super) fn by_key(&mut self) -> Option<&mut dyn ByKey> {
        match self {
            Self::Panes(_) => None,
            Self::Sessions(sessions) => Some(sessions),
            Self::Counts(counts) => Some(counts),
        }
    }
}

impl Windows {
    /// Puts the store of this step and worker behind its keys, if there is one.
    pub(super) fn keep_keys_in(
        &mut self,
        stores: &Stores,
        step: &str,
        window: &plan::Window,
        (worker, workers): (usize, usize),
        restored: Option<Sections<'_>>,
    ) -> Result<()> {
        if let Open::Counts(counts) = &mut self.open {
            counts.timed = self.shape.bounds;
        }
        let Some(open) = self.open.by_key() else { return Ok(()) };
        let mut values = open.columns();
        let columns = values.len();
        values.extend(window.compute.aggregates().iter().flat_map(held));
        let whose = Whose { step, worker, workers, key: &window.key };
        let Some(stored) = Stored::open(stores, &whose, (PerKey::Many, &values), self.batch_rows, restored)? else {
            return Ok(());
        };
        let ends = match window.kind {
            plan::WindowKind::Session { gap_us } => Ends::open(stores, &whose, gap_us, restored)?,
            _ => None,
        };
        self.behind = Some(Behind { stored, ends, columns });
        self.save();
        Ok(())
    }

    /// Brings to memory what the store has of the keys of rows.
    pub(super) fn recall_keys(&mut self, input: Input<'_>) -> Result<()> {
        let (Some(Behind { stored, .. }), Some(open)) = (&self.behind, self.open.by_key()) else { return Ok(()) };
        if !stored.has_keys() {
            return Ok(());
        }
        let missing: Vec<&[u8]> = input.rows().map(|row| input.key(row)).filter(|key| !open.has(key)).collect();
        self.bring(missing)
    }

    /// Brings to memory what the store has of keys that are not there.
    pub(super) fn bring(&mut self, missing: Vec<&[u8]>) -> Result<()> {
        let (Some(Behind { stored, columns, .. }), Some(open)) = (&mut self.behind, self.open.by_key()) else {
            return Ok(());
        };
        if missing.is_empty() {
            return Ok(());
        }
        let found = stored.recall(missing)?;
        let (rows, slots): (Vec<u32>, Vec<u32>) = open.recall(&found).into_iter().unzip();
        let values = picked(&found.values[*columns..], rows);
        let count = self.open.slots().count();
        self.aggregates.iter_mut().for_each(|a| a.store.grow(count));
        scatter(&mut self.aggregates, &slots, &values);
        Ok(())
    }

    /// Moves keys to the store where they take more memory than they may.
    pub(super) fn make_room_for_keys(&mut self) -> Result<()> {
        let used = self.open.slots().used();
        let (Some(behind), Some(open)) = (&self.behind, self.open.by_key()) else { return Ok(()) };
        let accumulators = self.aggregates.iter().map(|a| a.store.bytes(used)).sum::<usize>();
        if behind.stored.has_room(open.bytes() + accumulators) {
            return Ok(());
        }
        self.write_keys()?;
        let (Some(behind), Some(open)) = (&mut self.behind, self.open.by_key()) else { return Ok(()) };
        let settled = open.settled();
        if let Some(ends) = behind.ends.as_mut().filter(|_| behind.stored.is_live()) {
            ends.note(open.ends(&settled), |number| open.key(number), self.batch_rows)?;
        }
        let slots = open.give_up(&settled);
        self.aggregates.iter_mut().for_each(|a| a.store.forget(&slots));
        Ok(())
    }

    /// Windows have fired: notes the keys that are no more, and writes what has changed where others read it.
    pub(super) fn settle_keys(&mut self) -> Result<()> {
        let (Some(behind), Some(open)) = (&mut self.behind, self.open.by_key()) else { return Ok(()) };
        open.gone().into_iter().for_each(|key| behind.stored.take_out(key));
        if behind.stored.is_live() {
            self.write_keys()?;
        }
        self.make_room_for_keys()
    }

    /// Writes what has changed, so that all of the state is in the store, and gives it as files.
    pub(super) fn freeze_keys(&mut self) -> Result<Vec<Frozen>> {
        self.write_keys()?;
        let Some(Behind { stored, ends, .. }) = &mut self.behind else { return Ok(Vec::new()) };
        let ends = ends.as_mut().map(Ends::freeze).transpose()?.flatten();
        Ok(stored.freeze()?.into_iter().chain(ends).collect())
    }

    /// Gives back slots of windows that are over.
    pub(super) fn free(&mut self, slots: Vec<u32>) {
        if self.behind.is_some() {
            self.aggregates.iter_mut().for_each(|a| a.store.forget(&slots));
        }
        self.open.slots().free(slots);
    }

    /// Writes what has changed. Where that is not done after each epoch, their ends are noted with the keys: all
    /// that the store has then has its end there.
    fn write_keys(&mut self) -> Result<()> {
        let (Some(behind), Some(open)) = (&mut self.behind, self.open.by_key()) else { return Ok(()) };
        let (changed, aggregates) = (open.changed(), &self.aggregates);
        let open: &dyn ByKey = open;
        let sorted = in_key_order(changed.into_iter(), |number| open.key(number));
        behind.stored.write(&sorted, |numbers| {
            let KeyRows { counts, columns, slots } = open.rows(numbers);
            let keys = BinaryArray::from_iter_values(numbers.iter().map(|number| open.key(*number)));
            let accumulators = aggregates.iter().flat_map(|a| a.store.gather(&slots));
            let values = columns.into_iter().chain(accumulators).collect();
            Entries { pane: PANE, keys, counts: Some(counts), values }
        })?;
        match behind.ends.as_mut().filter(|_| !behind.stored.is_live()) {
            Some(ends) => ends.note(open.ends(&sorted), |number| open.key(number), self.batch_rows),
            None => Ok(()),
        }
    }
}

/// Some rows of columns.
pub(super) fn picked(columns: &[ArrayRef], rows: Vec<u32>) -> Vec<ArrayRef> {
    let rows = UInt32Array::from(rows);
    columns.iter().map(|column| take(column, &rows, None).expect("rows that were found")).collect()
}

/// The rows of keys that may have several: each row's key and number.
pub(super) fn per_row(entries: &Entries) -> impl Iterator<Item = (&[u8], usize)> {
    let counts = entries.counts.iter().flatten().map(|count| *count as usize);
    let keys = entries.keys.iter().flatten().zip(counts);
    keys.flat_map(|(key, count)| std::iter::repeat_n(key, count)).zip(0..)
}

/// A column of microseconds since 1970-01-01T00:00:00Z.
pub(super) fn timestamps(us: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(us).with_data_type(DataType::Timestamp.arrow()))
}
