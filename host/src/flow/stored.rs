//! The store behind a step that keeps its state by key alone: stateful maps, sessions, windows of so many
//! rows.
//!
//! What is in memory is a cache in front of it. A key is in memory whole, or in the store alone; a step
//! asks for all keys of a batch that are not in memory before it looks at a row, so that what it does
//! then is the same wherever state is kept. What the store has of a key that is in memory is old, and
//! nobody asks for it. A key that is over is noted until the next write takes it out.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::path::Path;

use arrow_array::builder::BinaryBuilder;
use arrow_array::{Array, ArrayRef, BinaryArray, new_empty_array};

use super::cut::Sections;
use super::exchange::{owner, workers_of_key_groups};
use super::window::keys::prefix;
use crate::checkpoint::{FileRef, Frozen};
use crate::error::Result;
use crate::state::{Entries, Found, Mine, Pane, Part, PerKey, Saved, Store, Stores};
use crate::types::Field;

/// The one pane that all keys are in.
pub(super) const PANE: Pane = Pane { start: i64::MIN, variant: 0 };

/// Whose state it is.
pub(super) struct Whose<'a> {
    pub(super) step: &'a str,
    pub(super) worker: usize,
    pub(super) workers: usize,
    /// The columns of the key.
    pub(super) key: &'a [Field],
}

impl Whose<'_> {
    /// Whether a key is this worker's.
    pub(super) fn mine(&self) -> Mine {
        let (owners, worker) = (workers_of_key_groups(self.workers), self.worker);
        Box::new(move |key| owner(key, &owners) as usize == worker)
    }
}

/// The store of a step on a worker, with what stores had where the run goes on.
pub(super) fn open(stores: &Stores, part: Part<'_>, restored: Option<Sections<'_>>) -> Result<Option<Box<dyn Store>>> {
    let Some(sections) = restored else { return stores.store(part, None) };
    let fetch = |file: &FileRef, to: &Path| sections.fetch(file, to);
    let saved = Saved { files: sections.files(), same_workers: sections.same_workers(), fetch: &fetch };
    stores.store(part, Some(&saved))
}

/// The store of one step on one worker, and what is known of it.
#[derive(Debug)]
pub(super) struct Stored {
    store: Box<dyn Store>,
    memory_bytes: usize,
    /// Whether others read it, so that it has to be as the last epoch left it.
    live: bool,
    batch_rows: usize,
    /// Whether anything is there or has been written.
    any: bool,
    /// Keys that are over and may be in the store.
    gone: BTreeSet<Box<[u8]>>,
    gone_bytes: usize,
    /// The columns of no rows.
    none: Vec<ArrayRef>,
}

impl Stored {
    /// The store of a step, if state is kept anywhere but in memory.
    pub(super) fn open(
        stores: &Stores,
        whose: &Whose<'_>,
        (per_key, values): (PerKey, &[Field]),
        batch_rows: usize,
        restored: Option<Sections<'_>>,
    ) -> Result<Option<Self>> {
        let Whose { step, worker, workers, key } = *whose;
        let part = Part { step, index: None, worker, workers, key, values, per_key, mine: whose.mine() };
        Ok(open(stores, part, restored)?.map(|store| Self {
            any: !store.panes().is_empty(),
            store,
            memory_bytes: stores.memory_bytes() / workers,
            live: stores.are_read(),
            batch_rows,
            gone: BTreeSet::new(),
            gone_bytes: 0,
            none: values.iter().map(|f| new_empty_array(&f.data_type.arrow())).collect(),
        }))
    }

    /// Whether others read it.
    pub(super) fn is_live(&self) -> bool {
        self.live
    }

    /// Whether so many bytes of keys and what belongs to them may be in memory.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        bytes + self.gone_bytes <= self.memory_bytes
    }

    /// Whether the keys that are over are to be taken out before more are noted.
    pub(super) fn is_crowded(&self) -> bool {
        self.gone_bytes > self.memory_bytes / 4
    }

    /// Whether there may be keys that are not in memory.
    pub(super) fn has_keys(&self) -> bool {
        self.any
    }

    /// About how many bytes the store takes.
    pub(super) fn bytes(&self) -> u64 {
        self.store.bytes()
    }

    /// What there is of keys that are not in memory, in any order and as often as they come.
    pub(super) fn recall(&mut self, mut keys: Vec<&[u8]>) -> Result<Entries> {
        keys.sort_unstable();
        keys.dedup();
        keys.retain(|key| !self.gone.contains(*key));
        let asked = BinaryArray::from_iter_values(keys);
        let Found { places, counts, values } = self.store.get(PANE, &asked)?;
        let keys = BinaryArray::from_iter_values(places.iter().map(|place| asked.value(*place as usize)));
        Ok(Entries { pane: PANE, keys, counts, values })
    }

    /// The next keys behind one, in their order, be they in memory or not.
    pub(super) fn page(&mut self, after: Option<&[u8]>) -> Result<Option<Entries>> {
        self.store.page(PANE, after, self.batch_rows)
    }

    /// Notes that a key is over.
    pub(super) fn take_out(&mut self, key: Box<[u8]>) {
        let bytes = size_of::<Box<[u8]>>() + key.len();
        self.gone_bytes += if self.gone.insert(key) { bytes } else { 0 };
    }

    /// What has been written, as files that stay as they are; none where it can't be had so.
    pub(super) fn freeze(&mut self) -> Result<Option<Frozen>> {
        self.store.freeze()
    }

    /// Takes out the keys that are over.
    pub(super) fn write_gone(&mut self) -> Result<()> {
        let nothing = self.none.clone();
        let keys = BinaryArray::from_iter_values::<[u8; 0], _>([]);
        self.write(&[], |_| Entries { pane: PANE, keys: keys.clone(), counts: None, values: nothing.clone() })
    }

    /// Writes keys, by their numbers in the order of keys, of which `part` has a batch at a time; and takes
    /// out those that are over, if they are not among them.
    pub(super) fn write(&mut self, sorted: &[u32], mut part: impl FnMut(&[u32]) -> Entries) -> Result<()> {
        if sorted.is_empty() && self.gone.is_empty() {
            return Ok(());
        }
        self.any = true;
        self.gone_bytes = 0;
        let mut gone = std::mem::take(&mut self.gone).into_iter().peekable();
        let (mut parts, none, rows) = (sorted.chunks(self.batch_rows), &self.none, self.batch_rows);
        let mut entries = std::iter::from_fn(|| match parts.next() {
            Some(numbers) => Some(weave(part(numbers), &mut gone)),
            None => {
                let rest: Vec<Box<[u8]>> = gone.by_ref().take(rows).collect();
                let (counts, keys) = (Some(vec![0; rest.len()]), BinaryArray::from_iter_values(&rest));
                (!rest.is_empty()).then(|| Entries { pane: PANE, keys, counts, values: none.clone() })
            }
        });
        self.store.put(&mut entries)
    }
}

/// Entries with the keys that are gone in between, without rows.
fn weave(entries: Entries, gone: &mut Peekable<impl Iterator<Item = Box<[u8]>>>) -> Entries {
    let last = entries.keys.len().checked_sub(1).map(|last| entries.keys.value(last));
    if gone.peek().zip(last).is_none_or(|(gone, last)| **gone > *last) {
        return entries;
    }
    let (mut keys, mut counts) = (BinaryBuilder::new(), Vec::new());
    for (place, key) in entries.keys.iter().flatten().enumerate() {
        while let Some(gone) = gone.next_if(|gone| **gone < *key) {
            keys.append_value(gone);
            counts.push(0);
        }
        // It has come back.
        gone.next_if(|gone| **gone == *key);
        keys.append_value(key);
        counts.push(entries.counts.as_ref().map_or(1, |counts| counts[place]));
    }
    Entries { keys: keys.finish(), counts: Some(counts), ..entries }
}

/// Numbers in the order of their keys.
pub(super) fn in_key_order<'k>(numbers: impl Iterator<Item = u32>, key: impl Fn(u32) -> &'k [u8]) -> Vec<u32> {
    let mut numbers: Vec<([u64; 2], u32)> = numbers.map(|number| (prefix(key(number)), number)).collect();
    numbers.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| key(a.1).cmp(key(b.1))));
    numbers.into_iter().map(|(_, number)| number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_gone_come_in_their_order() {
        let gone = ["a", "c", "d", "x", "y"].map(|key| Box::from(key.as_bytes()));
        let mut gone = gone.into_iter().peekable();
        let keys = |keys: &[&str]| BinaryArray::from_iter_values(keys.iter().map(|key| key.as_bytes()));
        let entries = |of: &[&str], counts| Entries { pane: PANE, keys: keys(of), counts, values: Vec::new() };
        let woven = weave(entries(&["b", "d", "e"], Some(vec![2, 1, 3])), &mut gone);
        assert_eq!(woven, entries(&["a", "b", "c", "d", "e"], Some(vec![0, 2, 0, 1, 3])));
        assert_eq!(weave(entries(&["f", "w"], None), &mut gone), entries(&["f", "w"], None));
        assert_eq!(gone.map(|key| key[0]).collect::<Vec<_>>(), b"xy");
    }

    #[test]
    fn numbers_are_in_the_order_of_keys() {
        let keys: [&[u8]; 4] = [b"0123456789abcdefz", b"0123456789abcdefa", b"1", b"0"];
        assert_eq!(in_key_order(0..4, |number| keys[number as usize]), [3, 1, 0, 2]);
    }
}
