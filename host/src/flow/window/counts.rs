//! Windows of so many rows of a key, in the order in which they come.
//!
//! A key's rows are cut into panes of as many rows as divide both the window and its step, so that a
//! row is folded once. Every step a window is full: its panes are merged, and those that no later one
//! sees are dropped. As in Flink, the first results of windows that overlap have fewer rows, and what
//! is not full at the end of the input gives none.

mod saved;
mod stored;

use std::collections::VecDeque;

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

use super::place::{Groups, Input, Placed, Slots};

/// All keys of a step on one worker.
#[derive(Debug)]
pub(super) struct Counts {
    /// Rows of a full window.
    rows: u64,
    /// Rows from one result to the next.
    step: u64,
    /// Rows of a pane.
    pane: u64,
    table: HashTable<u32>,
    keys: Vec<Key>,
    free_keys: Vec<u32>,
    pub(super) slots: Slots,
    /// Keys with full windows, and how many rows each had seen when one was.
    full: Vec<(u32, u64)>,
    fold: u64,
    before: Vec<Before>,
    /// How many windows were full before the running fold.
    full_before: usize,
    /// What has changed since a checkpoint was taken, or since it was written to a store, where any are.
    unsaved: Option<Unsaved>,
    /// Whether its rows have event times.
    pub(super) timed: bool,
    /// What the keys take beside their entries.
    key_bytes: usize,
}

/// Keys that have changed since a checkpoint was taken, and those that are no more since.
#[derive(Debug, Default)]
struct Unsaved {
    keys: Vec<u32>,
    gone: Vec<Box<[u8]>>,
}

#[derive(Debug, Default)]
struct Key {
    hash: u64,
    bytes: Box<[u8]>,
    seen: u64,
    panes: VecDeque<Pane>,
    /// The fold that last looked at it.
    fold: u64,
    /// Whether it has changed since a checkpoint was taken.
    unsaved: bool,
    /// Whether a checkpoint or a store has it, as it is or as it was.
    kept: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pane {
    /// The key's first row in it, counted from 0.
    first: u64,
    slot: u32,
    /// The least and the greatest event time of its rows.
    times: (i64, i64),
}

/// A key as it was before the running fold.
#[derive(Debug)]
struct Before {
    key: u32,
    seen: u64,
    panes: usize,
    last: Option<Pane>,
}

/// A window that is full.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full {
    /// The least event time of its rows, and one microsecond after the greatest.
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) key: Box<[u8]>,
    /// The accumulators of its panes, in order.
    pub(super) slots: Vec<u32>,
}

impl Counts {
    pub(super) fn new(rows: u64, step: u64) -> Self {
        Self {
            rows,
            step,
            pane: gcd(rows, step),
            table: HashTable::new(),
            keys: Vec::new(),
            free_keys: Vec::new(),
            slots: Slots::default(),
            full: Vec::new(),
            fold: 0,
            before: Vec::new(),
            full_before: 0,
            unsaved: None,
            timed: true,
            key_bytes: 0,
        }
    }

    /// Finds the slots of rows; see [`super::place::Open`].
    pub(super) fn place(&mut self, input: Input<'_>, groups: &mut Groups) -> Placed {
        self.fold += 1;
        self.before.clear();
        self.full_before = self.full.len();
        let mut placed = Placed::default();
        for row in input.rows() {
            let time = input.times.value(row);
            let index = self.key(input.key(row));
            let key = &mut self.keys[index as usize];
            let first = key.seen - key.seen % self.pane;
            if key.panes.back().is_none_or(|last| last.first != first) {
                let slot = self.slots.get();
                placed.fresh.push(slot);
                key.panes.push_back(Pane { first, slot, times: (time, time) });
            }
            let Some(pane) = key.panes.back_mut() else { continue };
            pane.times = (pane.times.0.min(time), pane.times.1.max(time));
            placed.groups.push(groups.number(pane.slot, &mut placed.slots));
            placed.rows.push(row as u32);
            key.seen += 1;
            if key.seen.is_multiple_of(self.step) {
                self.full.push((index, key.seen));
            }
        }
        placed
    }

    /// The number of a key, noted as it was before the fold.
    fn key(&mut self, bytes: &[u8]) -> u32 {
        let index = self.number(bytes);
        let key = &mut self.keys[index as usize];
        if key.fold != self.fold {
            key.fold = self.fold;
            let (seen, panes, last) = (key.seen, key.panes.len(), key.panes.back().copied());
            self.before.push(Before { key: index, seen, panes, last });
        }
        index
    }

    /// The number of a key, which is a new one for a new key.
    fn number(&mut self, bytes: &[u8]) -> u32 {
        let hash = xxh3_64(bytes);
        let keys = &mut self.keys;
        let found = self.table.find(hash, |i| *keys[*i as usize].bytes == *bytes).copied();
        found.unwrap_or_else(|| {
            let key = Key { hash, bytes: bytes.into(), ..Key::default() };
            self.key_bytes += bytes.len();
            let index = match self.free_keys.pop() {
                Some(index) => {
                    keys[index as usize] = key;
                    index
                }
                None => {
                    keys.push(key);
                    keys.len() as u32 - 1
                }
            };
            self.table.insert_unique(hash, index, |i| keys[*i as usize].hash);
            index
        })
    }

    /// The rows of the last fold are in.
    pub(super) fn commit(&mut self) {
        for Before { key, .. } in std::mem::take(&mut self.before) {
            self.has_changed(key);
        }
    }

    fn has_changed(&mut self, key: u32) {
        if let Some(unsaved) = &mut self.unsaved
            && !std::mem::replace(&mut self.keys[key as usize].unsaved, true)
        {
            unsaved.keys.push(key);
        }
    }

    /// Whether a number is that of a key, and not free.
    fn is_there(&self, index: u32) -> bool {
        self.table.find(self.keys[index as usize].hash, |i| *i == index).is_some()
    }

    /// The rows of the last fold were never here.
    pub(super) fn undo(&mut self) {
        self.full.truncate(self.full_before);
        for Before { key: index, seen, panes, last } in std::mem::take(&mut self.before) {
            let key = &mut self.keys[index as usize];
            key.seen = seen;
            self.slots.free(key.panes.drain(panes..).map(|pane| pane.slot));
            if let (Some(pane), Some(last)) = (key.panes.back_mut(), last) {
                *pane = last;
            }
            self.forget_if_empty(index);
        }
    }

    fn forget_if_empty(&mut self, index: u32) {
        let Key { hash, panes, seen, .. } = &self.keys[index as usize];
        // Windows that overlap are counted from a key's first row, so that has to be remembered.
        let over = panes.is_empty() && (*seen == 0 || self.rows == self.step);
        if over && let Ok(entry) = self.table.find_entry(*hash, |i| *i == index) {
            entry.remove();
            self.free_keys.push(index);
            let Key { bytes, kept, .. } = std::mem::take(&mut self.keys[index as usize]);
            self.key_bytes -= bytes.len();
            if let Some(unsaved) = &mut self.unsaved {
                unsaved.gone.extend(kept.then_some(bytes));
            }
        }
    }

    /// The windows that have become full, in the order of (end, key); the rows of each key in theirs.
    /// The slots that no later window sees are to be given back.
    pub(super) fn full(&mut self) -> (Vec<Full>, Vec<u32>) {
        let (mut full, mut over) = (Vec::new(), Vec::new());
        for (index, seen) in std::mem::take(&mut self.full) {
            let key = &mut self.keys[index as usize];
            let from = seen.saturating_sub(self.rows);
            let panes = key.panes.iter().filter(|p| (from..seen).contains(&p.first));
            let times = panes.clone().map(|p| p.times).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
            let (start, last) = times.unwrap_or_default();
            let slots = panes.map(|p| p.slot).collect();
            full.push(Full { start, end: last.saturating_add(1), key: key.bytes.clone(), slots });
            let next = (seen + self.step).saturating_sub(self.rows);
            while let Some(pane) = key.panes.pop_front_if(|pane| pane.first < next) {
                over.push(pane.slot);
            }
            self.has_changed(index);
            self.forget_if_empty(index);
        }
        full.sort_by(|a, b| (a.end, &a.key).cmp(&(b.end, &b.key)));
        (full, over)
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Folds so many rows of one key, a microsecond apart.
    fn fold(counts: &mut Counts, times: std::ops::Range<i64>) -> Placed {
        let times: Vec<i64> = times.collect();
        let watermarks = vec![i64::MIN; times.len()].into();
        let input = Input { times: &times.into(), watermarks: &watermarks, keys: None, considered: None };
        let mut groups = Groups::default();
        groups.start(0);
        counts.place(input, &mut groups)
    }

    fn spans(counts: &mut Counts) -> Vec<(i64, i64, usize)> {
        let (full, over) = counts.full();
        counts.slots.free(over);
        full.iter().map(|f| (f.start, f.end, f.slots.len())).collect()
    }

    #[test]
    fn every_so_many_rows_are_a_window_and_the_rest_is_none() {
        let mut counts = Counts::new(3, 3);
        fold(&mut counts, 0..8);
        counts.commit();
        assert_eq!(spans(&mut counts), [(0, 3, 1), (3, 6, 1)]);
        fold(&mut counts, 8..9);
        counts.commit();
        assert_eq!(spans(&mut counts), [(6, 9, 1)]);
        assert!(counts.table.is_empty(), "a key without rows is forgotten");
    }

    #[test]
    fn windows_that_overlap_share_panes_and_start_small() {
        let mut counts = Counts::new(6, 4);
        fold(&mut counts, 0..13);
        counts.commit();
        // Panes of two rows: the last six of 4, 8 and 12.
        assert_eq!(spans(&mut counts), [(0, 4, 2), (2, 8, 3), (6, 12, 3)]);
        assert_eq!(counts.keys[0].panes.len(), 2, "rows 10 to 12");
    }

    #[test]
    fn undone_rows_leave_nothing() {
        let mut counts = Counts::new(4, 2);
        fold(&mut counts, 0..3);
        counts.commit();
        let (before, used) = (counts.keys[0].panes.clone(), counts.slots.count());
        fold(&mut counts, 50..60);
        counts.undo();
        assert_eq!((&counts.keys[0].panes, counts.keys[0].seen), (&before, 3));
        assert_eq!(spans(&mut counts), [(0, 2, 1)]);
        fold(&mut counts, 3..4);
        counts.commit();
        assert_eq!(spans(&mut counts), [(0, 4, 2)]);
        assert!(counts.slots.count() >= used);
    }
}
