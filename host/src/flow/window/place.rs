//! From rows to slots: what the ways in which windows are kept have in common.
//!
//! Windows whose edges are known from the time alone are kept as [`Panes`], sessions as
//! [`Sessions`], windows of so many rows as [`Counts`]. All give each row that is in time the slot of
//! its accumulators, and take that back when a function fails on one of the rows.

use arrow_array::Int64Array;
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use arrow_row::Rows;

use super::counts::Counts;
use super::panes::Panes;
use super::sessions::Sessions;
use crate::plan::{Firing, WindowKind};

/// The rows of a fold.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) times: &'a Int64Array,
    /// What each row is judged by.
    pub(super) watermarks: &'a Int64Array,
    /// Each row's key; none where all rows are one group.
    pub(super) keys: Option<&'a Rows>,
    /// The rows to fold, where that is not all.
    pub(super) considered: Option<&'a BooleanBuffer>,
}

impl Input<'_> {
    /// The indices of the rows to fold.
    pub(super) fn rows(&self) -> impl Iterator<Item = usize> {
        (0..self.times.len()).filter(|row| self.considered.is_none_or(|c| c.value(*row)))
    }

    /// A row's key.
    pub(super) fn key(&self, row: usize) -> &[u8] {
        self.keys.map_or(&[], |keys| keys.row(row).data())
    }
}

/// Where the rows of a fold belong.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// The rows that are in time.
    pub(super) rows: Vec<u32>,
    /// The rows that were late.
    pub(super) late: Vec<u32>,
    /// The slots that the rows touch.
    pub(super) slots: Vec<u32>,
    /// The index among these of each row in time.
    pub(super) groups: Vec<u32>,
    /// Slots that have seen nothing yet.
    pub(super) fresh: Vec<u32>,
}

impl Placed {
    /// The rows in time as a selection, where they are not all.
    pub(super) fn selection(&self, rows: usize) -> Option<BooleanBuffer> {
        if self.rows.len() == rows {
            return None;
        }
        let mut bits = BooleanBufferBuilder::new(rows);
        bits.append_n(rows, false);
        self.rows.iter().for_each(|row| bits.set_bit(*row as usize, true));
        Some(bits.finish())
    }
}

/// Slots from which on a place for each is more than stays in a core's own cache, about.
const PLACES_MAX: usize = 32_768;

/// Numbers the slots that a fold touches, in the order in which it touches them. A place for each slot says
/// which number it has; where there are many slots a table of those of the fold alone, which is small.
#[derive(Debug, Default)]
pub(in crate::flow) struct Groups {
    /// For each slot the fold that last touched it, and its number in that fold.
    touched: Vec<(u32, u32)>,
    fold: u32,
    /// Slots with their numbers, each near where its bits say; at least half is free. Empty where it is not needed.
    table: Vec<(u32, u32)>,
    /// How many of them the last fold had.
    tabled: usize,
}

/// An entry of the table that is free.
const FREE: (u32, u32) = (u32::MAX, u32::MAX);

const TABLE_MIN: usize = 1_024;

impl Groups {
    /// Starts a fold that has so many slots to touch: nothing is touched.
    pub(in crate::flow) fn start(&mut self, slots: usize) {
        if slots > PLACES_MAX {
            self.touched = Vec::new();
            // A large batch is not to make each small one behind it clear a large table.
            let tabled = std::mem::take(&mut self.tabled);
            self.table.truncate((4 * tabled).next_power_of_two().max(TABLE_MIN));
            self.table.fill(FREE);
            self.table.resize(self.table.len().max(TABLE_MIN), FREE);
            return;
        }
        self.table = Vec::new();
        self.fold = self.fold.wrapping_add(1);
        if self.fold == 0 {
            self.touched.clear();
            self.fold = 1;
        }
    }

    /// The slot's number; a new one is added to `slots`.
    pub(in crate::flow) fn number(&mut self, slot: u32, slots: &mut Vec<u32>) -> u32 {
        if !self.table.is_empty() {
            return self.number_by_table(slot, slots);
        }
        if slot as usize >= self.touched.len() {
            self.touched.resize(slot as usize + 1, (0, 0));
        }
        let (fold, group) = &mut self.touched[slot as usize];
        if *fold != self.fold {
            (*fold, *group) = (self.fold, slots.len() as u32);
            slots.push(slot);
        }
        *group
    }

    fn number_by_table(&mut self, slot: u32, slots: &mut Vec<u32>) -> u32 {
        let mut at = self.place(slot);
        if self.table[at].0 == slot {
            return self.table[at].1;
        }
        let number = slots.len() as u32;
        slots.push(slot);
        if slots.len() * 2 > self.table.len() {
            self.table = vec![FREE; self.table.len() * 2];
            for (slot, number) in slots.iter().zip(0..number) {
                at = self.place(*slot);
                self.table[at] = (*slot, number);
            }
            at = self.place(slot);
        }
        self.table[at] = (slot, number);
        self.tabled = slots.len();
        number
    }

    /// Where a slot stands, or would.
    fn place(&self, slot: u32) -> usize {
        let mask = self.table.len() - 1;
        // The golden ratio's bits spread slots that follow each other (Knuth, "Sorting and Searching", 6.4).
        let mut at = (slot.wrapping_mul(0x9e37_79b9) >> 8) as usize & mask;
        while self.table[at] != FREE && self.table[at].0 != slot {
            at = (at + 1) & mask;
        }
        at
    }
}

/// The places of accumulators; freed ones are given out again.
#[derive(Debug, Default)]
pub(in crate::flow) struct Slots {
    free: Vec<u32>,
    next: u32,
}

impl Slots {
    pub(in crate::flow) fn get(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        })
    }

    pub(in crate::flow) fn free(&mut self, slots: impl IntoIterator<Item = u32>) {
        self.free.extend(slots);
    }

    /// The slots that nothing is in.
    pub(super) fn unused(&self) -> &[u32] {
        &self.free
    }

    /// Slots in use.
    pub(in crate::flow) fn used(&self) -> usize {
        self.count() - self.free.len()
    }

    /// Slots in use and free: as many as the accumulator stores need places for.
    pub(in crate::flow) fn count(&self) -> usize {
        self.next as usize
    }
}

/// The windows that are open.
pub(super) enum Open {
    /// Of a kind whose edges are known from the time.
    Panes(Panes),
    /// Sessions.
    Sessions(Sessions),
    /// Of so many rows.
    Counts(Counts),
}

impl Open {
    pub(super) fn new(kind: WindowKind, firing: Firing) -> Self {
        match kind {
            WindowKind::Session { gap_us } => Self::Sessions(Sessions::new(gap_us, firing)),
            WindowKind::Count { rows, step } => Self::Counts(Counts::new(rows, step)),
            sliced => Self::Panes(Panes::new(sliced, firing)),
        }
    }

    /// Finds the slots of rows. Followed by [`Open::commit`] or [`Open::undo`].
    pub(super) fn place(&mut self, input: Input<'_>, groups: &mut Groups) -> Placed {
        groups.start(self.slots().count());
        match self {
            Self::Panes(panes) => panes.place(input, groups),
            Self::Sessions(sessions) => sessions.place(input, groups),
            Self::Counts(counts) => counts.place(input, groups),
        }
    }

    /// The rows are folded.
    pub(super) fn commit(&mut self) {
        match self {
            Self::Panes(panes) => panes.commit(),
            Self::Sessions(sessions) => sessions.commit(),
            Self::Counts(counts) => counts.commit(),
        }
    }

    /// The rows were never here.
    pub(super) fn undo(&mut self) {
        match self {
            Self::Panes(panes) => panes.undo(),
            Self::Sessions(sessions) => sessions.undo(),
            Self::Counts(counts) => counts.undo(),
        }
    }

    /// The places of accumulators.
    pub(super) fn slots(&mut self) -> &mut Slots {
        match self {
            Self::Panes(panes) => &mut panes.slots,
            Self::Sessions(sessions) => &mut sessions.slots,
            Self::Counts(counts) => &mut counts.slots,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn slots_are_numbered_as_they_are_touched_however_many_there_are() {
        let mut groups = Groups::default();
        let mut random = 1u64;
        for all in [10, PLACES_MAX, PLACES_MAX + 1, 5_000_000, 100, 70_000] {
            for touches in [0, 3, 20_000, 500] {
                groups.start(all);
                let (mut slots, mut model) = (Vec::new(), HashMap::new());
                for _ in 0..touches {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let slot = ((random >> 33) % all as u64) as u32;
                    let next = model.len() as u32;
                    assert_eq!(groups.number(slot, &mut slots), *model.entry(slot).or_insert(next), "{slot} of {all}");
                }
                assert!(slots.len() == model.len() && (0..).zip(&slots).all(|(number, slot)| model[slot] == number));
            }
        }
    }
}
