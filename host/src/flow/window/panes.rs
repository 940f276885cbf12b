//! The keys of each open pane, and the slot where each (pane, key) has its accumulators.
//!
//! A pane keeps its keys in the order they came, as bytes that sort like the key's columns, behind
//! a hash table. Firing looks at whole panes, in the order of time.

use std::collections::BTreeMap;

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

use super::assign::{PaneId, Slices};
use super::place::{Groups, Input, Placed, Slots};
use crate::plan::WindowKind;

/// All open panes, in the order of time.
#[derive(Debug)]
pub(super) struct Panes {
    pub(super) slices: Slices,
    open: BTreeMap<PaneId, Pane>,
    pub(super) slots: Slots,
    /// The watermark that windows have fired up to.
    pub(super) fired: i64,
    /// The panes of the last fold, and how many keys they had before it.
    touched: Vec<(PaneId, usize)>,
}

/// The keys of one pane, or of a window that panes were merged to.
#[derive(Debug, Default)]
pub(super) struct Pane {
    table: HashTable<u32>,
    hashes: Vec<u64>,
    /// Where each key ends in `bytes`.
    ends: Vec<usize>,
    bytes: Vec<u8>,
    slots: Vec<u32>,
}

impl Panes {
    pub(super) fn new(kind: WindowKind) -> Self {
        Self {
            slices: kind.into(),
            open: BTreeMap::new(),
            slots: Slots::default(),
            fired: i64::MIN,
            touched: Vec::new(),
        }
    }

    /// Finds the slots of rows; see [`super::place::Open`].
    pub(super) fn place(&mut self, input: Input<'_>, groups: &mut Groups) -> Placed {
        let mut placed = Placed::default();
        let panes = self.panes(input, &mut placed);
        self.touched.clear();
        let mut from = 0;
        while from < panes.len() {
            // A run of rows in one pane: mostly the whole batch.
            let id = panes[from];
            let to = from + panes[from..].iter().take_while(|other| **other == id).count();
            let had = self.keys(id);
            if self.touched.iter().all(|(other, _)| *other != id) {
                self.touched.push((id, had));
            }
            let pane = self.open.entry(id).or_default();
            for row in &placed.rows[from..to] {
                let index = pane.index(input.key(*row as usize), &mut self.slots);
                placed.groups.push(groups.number(pane.slots[index as usize], &mut placed.slots));
            }
            placed.fresh.extend_from_slice(&pane.slots[had..]);
            from = to;
        }
        placed
    }

    /// The pane of each row that is not late for all of its windows.
    fn panes(&self, input: Input<'_>, placed: &mut Placed) -> Vec<PaneId> {
        let mut pane = PaneId { start: 0, seen_from: i64::MIN };
        let mut end = i64::MIN;
        let mut panes = Vec::with_capacity(input.times.len());
        placed.rows.reserve(input.times.len());
        for row in input.rows() {
            let (time, watermark) = (input.times.value(row), input.watermarks.value(row));
            // Mostly as for the row before: within one pane, and on time for all that see it.
            if time < pane.start || time >= end || watermark >= pane.seen_from {
                let Some(next) = self.slices.pane(time, watermark) else {
                    placed.late += 1;
                    continue;
                };
                // A pane for rows that are late for some windows holds for no other row.
                let whole = next.seen_from == self.slices.ends(next.start).0;
                end = if whole { self.slices.pane_end(next.start) } else { i64::MIN };
                pane = next;
            }
            panes.push(pane);
            placed.rows.push(row as u32);
        }
        panes
    }

    /// Takes out the keys that the last fold brought.
    pub(super) fn undo(&mut self) {
        for (id, keys) in std::mem::take(&mut self.touched) {
            self.truncate(id, keys);
        }
    }

    /// The ends that the watermark has newly passed of windows that see any pane, with those panes
    /// in the order of time.
    pub(super) fn due(&self, watermark: i64) -> BTreeMap<i64, Vec<PaneId>> {
        let mut due: BTreeMap<i64, Vec<PaneId>> = BTreeMap::new();
        for id in self.open.keys() {
            let (first, last) = self.slices.ends(id.start);
            if first > watermark {
                break;
            }
            let mut end = self.slices.next_end(first, self.fired).max(id.seen_from);
            while end <= last.min(watermark) {
                due.entry(end).or_default().push(*id);
                if end == i64::MAX {
                    break;
                }
                end = self.slices.after(end);
            }
        }
        due
    }

    /// Takes all panes out while their windows fire, to be given back with [`Panes::close`].
    pub(super) fn take(&mut self) -> BTreeMap<PaneId, Pane> {
        std::mem::take(&mut self.open)
    }

    /// Gives panes back, but for those that no window after the watermark sees.
    pub(super) fn close(&mut self, mut open: BTreeMap<PaneId, Pane>, watermark: i64) {
        open.retain(|id, pane| {
            let over = self.slices.ends(id.start).1 <= watermark;
            if over {
                self.slots.free(pane.slots.iter().copied());
            }
            !over
        });
        self.open = open;
        self.fired = self.fired.max(watermark);
    }

    /// How many keys each pane has, to come back to with [`Panes::truncate`].
    fn keys(&self, id: PaneId) -> usize {
        self.open.get(&id).map_or(0, |p| p.slots.len())
    }

    /// Takes out the keys of a pane that came after it had so many.
    fn truncate(&mut self, id: PaneId, keys: usize) {
        let Some(pane) = self.open.get_mut(&id) else { return };
        self.slots.free(pane.slots.drain(keys..));
        for (index, hash) in pane.hashes.drain(keys..).enumerate() {
            let index = (keys + index) as u32;
            if let Ok(entry) = pane.table.find_entry(hash, |i| *i == index) {
                entry.remove();
            }
        }
        pane.bytes.truncate(keys.checked_sub(1).map_or(0, |last| pane.ends[last]));
        pane.ends.truncate(keys);
        if keys == 0 {
            self.open.remove(&id);
        }
    }
}

impl Pane {
    /// The place of a key among the pane's keys, the last for a new key.
    pub(super) fn index(&mut self, key: &[u8], slots: &mut Slots) -> u32 {
        let hash = xxh3_64(key);
        let is = |index: u32| &self.bytes[key_range(&self.ends, index)] == key;
        if let Some(index) = self.table.find(hash, |i| is(*i)) {
            return *index;
        }
        let index = self.slots.len() as u32;
        self.table.insert_unique(hash, index, |i| self.hashes[*i as usize]);
        self.hashes.push(hash);
        self.bytes.extend_from_slice(key);
        self.ends.push(self.bytes.len());
        self.slots.push(slots.get());
        index
    }

    /// Its slots.
    pub(super) fn slots(&self) -> &[u32] {
        &self.slots
    }

    /// Its keys and slots, in the order they came.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&[u8], u32)> {
        (0..self.slots.len() as u32).map(|i| (&self.bytes[key_range(&self.ends, i)], self.slots[i as usize]))
    }
}

fn key_range(ends: &[usize], index: u32) -> std::ops::Range<usize> {
    let index = index as usize;
    let start = if index == 0 { 0 } else { ends[index - 1] };
    start..ends[index]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: i64) -> PaneId {
        PaneId { start, seen_from: start }
    }

    fn panes() -> Panes {
        Panes::new(WindowKind::Tumbling { size_us: 10, offset_us: 0 })
    }

    fn slot(panes: &mut Panes, id: PaneId, key: &str) -> u32 {
        let pane = panes.open.entry(id).or_default();
        let index = pane.index(key.as_bytes(), &mut panes.slots);
        pane.slots[index as usize]
    }

    #[test]
    fn keys_keep_their_slots_until_their_pane_is_closed() {
        let mut panes = panes();
        let b = slot(&mut panes, at(0), "b");
        let a = slot(&mut panes, at(0), "a");
        assert_eq!((slot(&mut panes, at(0), "b"), slot(&mut panes, at(0), "a")), (b, a));
        let other = slot(&mut panes, at(10), "a");
        assert_eq!((b, a, other, panes.slots.count()), (0, 1, 2, 3));
        let open = panes.take();
        assert_eq!(open[&at(0)].entries().collect::<Vec<_>>(), [(&b"b"[..], 0), (&b"a"[..], 1)]);
        panes.close(open, 10);
        assert_eq!((slot(&mut panes, at(10), "new"), panes.open.len()), (1, 1));
    }

    #[test]
    fn truncating_undoes_what_came_last() {
        let mut panes = panes();
        slot(&mut panes, at(0), "kept");
        let keys = panes.keys(at(0));
        for i in 0..100 {
            slot(&mut panes, at(0), &format!("gone {i}"));
        }
        panes.truncate(at(0), keys);
        assert_eq!(panes.keys(at(0)), 1);
        assert_eq!(slot(&mut panes, at(0), "kept"), 0);
        slot(&mut panes, at(0), "gone 5");
        assert_eq!((panes.keys(at(0)), panes.slots.count()), (2, 101));
        panes.truncate(at(7), 0);
        slot(&mut panes, at(7), "x");
        panes.truncate(at(7), 0);
        assert_eq!(panes.open.len(), 1);
    }
}
