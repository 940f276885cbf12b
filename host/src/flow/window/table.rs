//! A hash table of numbers: open addressing with linear probing.
//!
//! An entry is a number and half of its hash, so what is looked up is found in one line of the cache, mostly, and
//! what the number stands for is looked at to be sure. Where there are more entries than the cache has
//! room for, each look-up waits for memory; [`Table::read_ahead`] and then [`Table::guess`] need nothing that was read
//! before them, so a processor waits for many at once.

use std::hint::black_box;

/// Numbers by the hashes of what they stand for.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// As many as a power of two, of which a quarter at least is free; none without numbers.
    entries: Vec<Entry>,
    count: usize,
}

/// A place in the table.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The lower half of the hash, whose last bits say where the number would like to stand.
    hash: u32,
    number: u32,
}

/// The number in an entry that has none.
const FREE: u32 = u32::MAX;

const ENTRIES_MIN: usize = 16;

impl Table {
    /// How many numbers there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// How many bytes it takes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.entries.len() * size_of::<Entry>()
    }

    /// The number with this hash for which `is` holds.
    pub(super) fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        if self.entries.is_empty() {
            return None;
        }
        let hash = hash as u32;
        let mut at = self.home(hash);
        loop {
            match self.entries[at] {
                Entry { number: FREE, .. } => return None,
                entry if entry.hash == hash && is(entry.number) => return Some(entry.number),
                _ => at = self.next(at),
            }
        }
    }

    /// The number of the first entry with such a hash: nearly always the one that is looked for, if it is there.
    /// Nothing of what the number stands for is read.
    pub(super) fn guess(&self, hash: u64) -> Option<u32> {
        self.find(hash, |_| true)
    }

    /// Reads where the search for these hashes begins.
    pub(super) fn read_ahead(&self, hashes: impl Iterator<Item = u64>) {
        if !self.entries.is_empty() {
            read_ahead(&self.entries, hashes.map(|hash| self.home(hash as u32)), |entry| entry.number);
        }
    }

    /// Puts a number in that is not there.
    pub(super) fn insert(&mut self, hash: u64, number: u32) {
        if (self.count + 1) * 4 > self.entries.len() * 3 {
            let size = (self.entries.len() * 2).max(ENTRIES_MIN);
            let all = std::mem::replace(&mut self.entries, vec![Entry { hash: 0, number: FREE }; size]);
            all.into_iter().filter(|entry| entry.number != FREE).for_each(|entry| self.put(entry));
        }
        self.put(Entry { hash: hash as u32, number });
        self.count += 1;
    }

    /// Takes a number out that is there.
    pub(super) fn remove(&mut self, hash: u64, number: u32) {
        let mut free = self.home(hash as u32);
        while self.entries[free].number != number {
            free = self.next(free);
        }
        // Those behind it that it has pushed on move up, or they would not be found.
        let mut at = self.next(free);
        while self.entries[at].number != FREE {
            let home = self.home(self.entries[at].hash);
            let from_home = |place: usize| place.wrapping_sub(home) & (self.entries.len() - 1);
            if from_home(free) <= from_home(at) {
                self.entries[free] = self.entries[at];
                free = at;
            }
            at = self.next(at);
        }
        self.entries[free].number = FREE;
        self.count -= 1;
    }

    fn put(&mut self, entry: Entry) {
        let mut at = self.home(entry.hash);
        while self.entries[at].number != FREE {
            at = self.next(at);
        }
        self.entries[at] = entry;
    }

    fn home(&self, hash: u32) -> usize {
        hash as usize & (self.entries.len() - 1)
    }

    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.entries.len() - 1)
    }
}

/// Reads something of values of a list, those that are there, and does nothing with it: it is in the cache then.
/// Nothing is needed for the next, so the processor waits for many at once.
pub(super) fn read_ahead<T, U>(values: &[T], places: impl Iterator<Item = usize>, of: impl Fn(&T) -> U) {
    for place in places {
        if let Some(value) = values.get(place) {
            black_box(of(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use xxhash_rust::xxh3::xxh3_64;

    use super::*;

    #[test]
    fn it_has_what_a_map_has() {
        let hash = |n: u32| xxh3_64(&n.to_le_bytes()) % 5_000;
        let (mut table, mut model) = (Table::default(), HashMap::new());
        let mut number = 1u32;
        for _ in 0..40_000 {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let n = (number >> 8) % 3_000;
            assert_eq!(table.find(hash(n), |other| other == n).is_some(), model.contains_key(&n), "{n}");
            if model.remove(&n).is_some() {
                table.remove(hash(n), n);
            } else {
                table.insert(hash(n), n);
                model.insert(n, ());
            }
            assert_eq!(table.len(), model.len());
        }
        let all = (0..3_000).filter(|n| table.find(hash(*n), |other| other == *n).is_some()).count();
        assert_eq!(all, model.len());
    }
}
