//! The keys of each open window, and the slot where each (window, key) has its accumulators.
//!
//! A pane keeps its keys in the order they came, as bytes that sort like the key's columns, behind
//! a hash table. Firing takes whole panes, in the order of their starts.

use std::collections::BTreeMap;

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

/// All open panes, by their start.
#[derive(Debug, Default)]
pub(super) struct Panes {
    open: BTreeMap<i64, Pane>,
    slots: Slots,
}

/// The keys of one window.
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
    /// The pane that starts there, opened if it is not open.
    pub(super) fn open(&mut self, start: i64) -> Opened<'_> {
        Opened { pane: self.open.entry(start).or_default(), slots: &mut self.slots }
    }

    /// Slots in use and free: as many as the accumulator stores need places for.
    pub(super) fn slots(&self) -> usize {
        self.slots.next as usize
    }

    /// How many keys each pane has, to come back to with [`Panes::truncate`].
    pub(super) fn keys(&self, start: i64) -> usize {
        self.open.get(&start).map_or(0, |p| p.slots.len())
    }

    /// Takes out the keys of a pane that came after it had so many.
    pub(super) fn truncate(&mut self, start: i64, keys: usize) {
        let Some(pane) = self.open.get_mut(&start) else { return };
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
            self.open.remove(&start);
        }
    }

    /// The start of the first open pane.
    pub(super) fn first(&self) -> Option<i64> {
        self.open.first_key_value().map(|(start, _)| *start)
    }

    /// Closes a pane. Its slots stay taken until they are given back.
    pub(super) fn close(&mut self, start: i64) -> Option<Pane> {
        self.open.remove(&start)
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
        let Pane { table, hashes, ends, bytes, slots } = &mut *self.pane;
        let hash = xxh3_64(key);
        let is = |index: u32| &bytes[key_range(ends, index)] == key;
        if let Some(index) = table.find(hash, |i| is(*i)) {
            return slots[*index as usize];
        }
        let index = slots.len() as u32;
        table.insert_unique(hash, index, |i| hashes[*i as usize]);
        hashes.push(hash);
        bytes.extend_from_slice(key);
        ends.push(bytes.len());
        let slot = self.slots.get();
        slots.push(slot);
        slot
    }
}

impl Pane {
    /// Its keys and slots, sorted by key.
    pub(super) fn sorted(&self) -> Vec<(&[u8], u32)> {
        let mut sorted: Vec<_> = (0..self.slots.len() as u32)
            .map(|i| (&self.bytes[key_range(&self.ends, i)], self.slots[i as usize]))
            .collect();
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

    #[test]
    fn keys_keep_their_slots_and_come_out_sorted() {
        let mut panes = Panes::default();
        let b = panes.open(0).slot(b"b");
        let a = panes.open(0).slot(b"a");
        assert_eq!((panes.open(0).slot(b"b"), panes.open(0).slot(b"a")), (b, a));
        let other = panes.open(10).slot(b"a");
        assert_eq!((b, a, other, panes.slots()), (0, 1, 2, 3));
        let pane = panes.close(0).expect("open");
        assert_eq!(pane.sorted(), [(&b"a"[..], 1), (&b"b"[..], 0)]);
        panes.free([0, 1].into_iter());
        assert_eq!(panes.open(10).slot(b"new"), 1);
        assert_eq!(panes.first(), Some(10));
    }

    #[test]
    fn truncating_undoes_what_came_last() {
        let mut panes = Panes::default();
        panes.open(0).slot(b"kept");
        let keys = panes.keys(0);
        for i in 0..100 {
            panes.open(0).slot(format!("gone {i}").as_bytes());
        }
        panes.truncate(0, keys);
        assert_eq!(panes.keys(0), 1);
        assert_eq!(panes.open(0).slot(b"kept"), 0);
        panes.open(0).slot(b"gone 5");
        assert_eq!((panes.keys(0), panes.slots()), (2, 101));
        panes.truncate(7, 0);
        panes.open(7).slot(b"x");
        panes.truncate(7, 0);
        assert_eq!(panes.first(), Some(0));
    }
}
