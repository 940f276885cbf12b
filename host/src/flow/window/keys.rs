//! Keys as bytes that sort like the key's columns, numbered in the order in which they came, behind a
//! hash table.

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

/// Keys, each once.
#[derive(Debug, Default)]
pub(super) struct Keys {
    table: HashTable<u32>,
    hashes: Vec<u64>,
    /// Where each key ends in `bytes`.
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

/// A key, with its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key<'a> {
    pub(super) bytes: &'a [u8],
    hash: u64,
}

impl<'a> Key<'a> {
    /// The key of these bytes.
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, hash: xxh3_64(bytes) }
    }
}

impl Keys {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// About how many bytes they take: of each also its hash, its end and its place in the table.
    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes.len() + self.len() * (size_of::<u64>() + size_of::<usize>() + 2 * size_of::<u32>())
    }

    /// The key of a number.
    pub(super) fn get(&self, number: u32) -> Key<'_> {
        Key { bytes: self.bytes(number), hash: self.hashes[number as usize] }
    }

    /// The number of a key, if it is there.
    pub(super) fn find(&self, key: Key<'_>) -> Option<u32> {
        self.table.find(key.hash, |number| self.bytes(*number) == key.bytes).copied()
    }

    /// The number of a key, which is the last one for a new key.
    pub(super) fn insert(&mut self, key: Key<'_>) -> u32 {
        if let Some(number) = self.find(key) {
            return number;
        }
        let number = self.len() as u32;
        self.table.insert_unique(key.hash, number, |n| self.hashes[*n as usize]);
        self.hashes.push(key.hash);
        self.bytes.extend_from_slice(key.bytes);
        self.ends.push(self.bytes.len());
        number
    }

    /// Takes out the keys that came after there were so many.
    pub(super) fn truncate(&mut self, keys: usize) {
        for (number, hash) in self.hashes.drain(keys..).enumerate() {
            let number = (keys + number) as u32;
            if let Ok(entry) = self.table.find_entry(hash, |n| *n == number) {
                entry.remove();
            }
        }
        self.bytes.truncate(keys.checked_sub(1).map_or(0, |last| self.ends[last]));
        self.ends.truncate(keys);
    }

    fn bytes(&self, number: u32) -> &[u8] {
        let number = number as usize;
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.bytes[start..self.ends[number]]
    }
}
