//! The keys of each open pane, and the slot where each (pane, key) has its accumulators.
//!
//! A pane keeps its keys in the order they came, as bytes that sort like the key's columns, behind
//! a hash table. Firing looks at whole panes, in the order of time.

use std::collections::BTreeMap;

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

use super::assign::PaneId;

/// All open panes, in the order of time.
#[derive(Debug, Default)]
pub(super) struct Panes {
    open: BTreeMap<PaneId, Pane>,
    slots: Slots,
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

/// Numbers for the places of accumulators; freed ones are given out again.
#[derive(Debug, Default)]
struct Slots {
    free: Vec<u32>,
    next: u32,
}

impl Slots {
    fn get(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        })
    }
}

impl Panes {
    /// The pane, opened if it is not open.
    pub(super) fn open(&mut self, id: PaneId) -> Opened<'_> {
        Opened { pane: self.open.entry(id).or_default(), slots: &mut self.slots }
    }

    /// A pane of no slice of time, to merge others into.
    pub(super) fn scratch<'a>(&'a mut self, pane: &'a mut Pane) -> Opened<'a> {
        Opened { pane, slots: &mut self.slots }
    }

    /// Takes all panes out, to be given back with [`Panes::give_back`].
    pub(super) fn take(&mut self) -> BTreeMap<PaneId, Pane> {
        std::mem::take(&mut self.open)
    }

    /// Panes that were taken out and are not done with.
    pub(super) fn give_back(&mut self, open: BTreeMap<PaneId, Pane>) {
        self.open = open;
    }

    /// Slots in use and free: as many as the accumulator stores need places for.
    pub(super) fn slots(&self) -> usize {
        self.slots.next as usize
    }

    /// How many keys each pane has, to come back to with [`Panes::truncate`].
    pub(super) fn keys(&self, id: PaneId) -> usize {
        self.open.get(&id).map_or(0, |p| p.slots.len())
    }

    /// Takes out the keys of a pane that came after it had so many.
    pub(super) fn truncate(&mut self, id: PaneId, keys: usize) {
        let Some(pane) = self.open.get_mut(&id) else { return };
        self.slots.free.extend(pane.slots.drain(keys..));
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

    /// Gives slots back.
    pub(super) fn free(&mut self, slots: impl Iterator<Item = u32>) {
        self.slots.free.extend(slots);
    }
}

/// An open pane and where its new keys get their slots.
pub(super) struct Opened<'a> {
    pane: &'a mut Pane,
    slots: &'a mut Slots,
}

impl Opened<'_> {
    /// The slots of the keys that came after the pane had so many.
    pub(super) fn slots_from(&self, keys: usize) -> &[u32] {
        &self.pane.slots[keys..]
    }

    /// The slot of a key, a new one for a new key.
    pub(super) fn slot(&mut self, key: &[u8]) -> u32 {
        let index = self.index(key);
        self.pane.slots[index as usize]
    }

    /// The place of a key among the pane's keys, the last for a new key.
    pub(super) fn index(&mut self, key: &[u8]) -> u32 {
        let Pane { table, hashes, ends, bytes, slots } = &mut *self.pane;
        let hash = xxh3_64(key);
        let is = |index: u32| &bytes[key_range(ends, index)] == key;
        if let Some(index) = table.find(hash, |i| is(*i)) {
            return *index;
        }
        let index = slots.len() as u32;
        table.insert_unique(hash, index, |i| hashes[*i as usize]);
        hashes.push(hash);
        bytes.extend_from_slice(key);
        ends.push(bytes.len());
        slots.push(self.slots.get());
        index
    }
}

impl Pane {
    /// Its slots.
    pub(super) fn slots(&self) -> &[u32] {
        &self.slots
    }

    /// Its keys and slots, in the order they came.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&[u8], u32)> {
        (0..self.slots.len() as u32).map(|i| (&self.bytes[key_range(&self.ends, i)], self.slots[i as usize]))
    }

    /// Its keys and slots, sorted by key.
    pub(super) fn sorted(&self) -> Vec<(&[u8], u32)> {
        let mut sorted: Vec<_> = self.entries().collect();
        sorted.sort_unstable_by_key(|(key, _)| *key);
        sorted
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

    #[test]
    fn keys_keep_their_slots_and_come_out_sorted() {
        let mut panes = Panes::default();
        let b = panes.open(at(0)).slot(b"b");
        let a = panes.open(at(0)).slot(b"a");
        assert_eq!((panes.open(at(0)).slot(b"b"), panes.open(at(0)).slot(b"a")), (b, a));
        let other = panes.open(at(10)).slot(b"a");
        assert_eq!((b, a, other, panes.slots()), (0, 1, 2, 3));
        let mut open = panes.take();
        let pane = open.remove(&at(0)).expect("open");
        assert_eq!(pane.sorted(), [(&b"a"[..], 1), (&b"b"[..], 0)]);
        panes.give_back(open);
        panes.free([0, 1].into_iter());
        assert_eq!(panes.open(at(10)).slot(b"new"), 1);
    }

    #[test]
    fn truncating_undoes_what_came_last() {
        let mut panes = Panes::default();
        panes.open(at(0)).slot(b"kept");
        let keys = panes.keys(at(0));
        for i in 0..100 {
            panes.open(at(0)).slot(format!("gone {i}").as_bytes());
        }
        panes.truncate(at(0), keys);
        assert_eq!(panes.keys(at(0)), 1);
        assert_eq!(panes.open(at(0)).slot(b"kept"), 0);
        panes.open(at(0)).slot(b"gone 5");
        assert_eq!((panes.keys(at(0)), panes.slots()), (2, 101));
        panes.truncate(at(7), 0);
        panes.open(at(7)).slot(b"x");
        panes.truncate(at(7), 0);
        assert_eq!(panes.take().len(), 1);
    }
}
