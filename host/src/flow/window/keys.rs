//! Keys as bytes that sort like the key's columns, numbered in the order in which they came, behind a
//! hash table.
//!
//! Keys of one width, as most are, need no ends. With more keys than the cache has room for, each look-up
//! waits for memory more than once; [`Keys::read_ahead`] lets many wait at once.

use xxhash_rust::xxh3::xxh3_64;

use super::table::{Table, read_ahead};

/// Keys, each once.
#[derive(Debug, Default)]
pub(super) struct Keys {
    table: Table,
    ends: Ends,
    bytes: Vec<u8>,
}

/// Where keys end.
#[derive(Debug)]
enum Ends {
    /// All are so many bytes.
    Width(usize),
    /// Each somewhere.
    Each(Vec<usize>),
}

impl Default for Ends {
    fn default() -> Self {
        Self::Width(0)
    }
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
        self.table.len()
    }

    /// About how many bytes they take.
    pub(super) fn memory_bytes(&self) -> usize {
        let ends = if let Ends::Each(ends) = &self.ends { ends.len() * size_of::<usize>() } else { 0 };
        self.bytes.len() + self.table.memory_bytes() + ends
    }

    /// The key of a number.
    pub(super) fn get(&self, number: u32) -> Key<'_> {
        Key::of(self.bytes(number))
    }

    /// The bytes of a number's key.
    pub(super) fn bytes(&self, number: u32) -> &[u8] {
        let number = number as usize;
        match &self.ends {
            Ends::Width(width) => &self.bytes[number * width..(number + 1) * width],
            Ends::Each(ends) => &self.bytes[number.checked_sub(1).map_or(0, |before| ends[before])..ends[number]],
        }
    }

    /// The number of a key, if it is there.
    pub(super) fn find(&self, key: Key<'_>) -> Option<u32> {
        self.table.find(key.hash, |number| self.is(number, key))
    }

    /// The number of a key, which is the last one for a new key.
    pub(super) fn insert(&mut self, key: Key<'_>) -> u32 {
        self.find(key).unwrap_or_else(|| {
            let number = self.len() as u32;
            self.push(key.bytes);
            self.table.insert(key.hash, number);
            number
        })
    }

    /// Takes out the keys that came after there were so many.
    pub(super) fn truncate(&mut self, keys: usize) {
        for number in (keys..self.len()).rev() {
            self.table.remove(self.get(number as u32).hash, number as u32);
        }
        match &mut self.ends {
            Ends::Width(width) => self.bytes.truncate(keys * *width),
            Ends::Each(ends) => {
                self.bytes.truncate(keys.checked_sub(1).map_or(0, |last| ends[last]));
                ends.truncate(keys);
            }
        }
    }

    /// Reads what finding these keys will read, so that memory is waited for once for many of them. Gives the number
    /// that each most probably has, if it has one.
    pub(super) fn read_ahead(&self, keys: &[Key<'_>]) -> Vec<Option<u32>> {
        self.table.read_ahead(keys.iter().map(|key| key.hash));
        let guesses: Vec<Option<u32>> = keys.iter().map(|key| self.table.guess(key.hash)).collect();
        let places = guesses.iter().flatten().map(|guess| *guess as usize);
        match &self.ends {
            Ends::Width(width) => read_ahead(&self.bytes, places.map(|place| place * width), |byte| *byte),
            Ends::Each(ends) => {
                read_ahead(ends, places.clone(), |end| *end);
                let starts = places.map(|place| ends.get(place).map_or(0, |end| end.saturating_sub(1)));
                read_ahead(&self.bytes, starts, |byte| *byte);
            }
        }
        guesses
    }

    /// Whether a key has this number.
    pub(super) fn is(&self, number: u32, key: Key<'_>) -> bool {
        same(self.bytes(number), key.bytes)
    }

    /// Adds a key behind the others.
    fn push(&mut self, key: &[u8]) {
        let count = self.len();
        match &mut self.ends {
            Ends::Width(width) if count == 0 => *width = key.len(),
            Ends::Width(width) if *width != key.len() => {
                self.ends = Ends::Each((1..=count).map(|number| number * *width).collect());
            }
            _ => {}
        }
        self.bytes.extend_from_slice(key);
        if let Ends::Each(ends) = &mut self.ends {
            ends.push(self.bytes.len());
        }
    }
}

/// Whether keys are the same: those of nine to sixteen bytes, as numbers are, without a call.
fn same(a: &[u8], b: &[u8]) -> bool {
    match (a.first_chunk::<8>(), a.last_chunk::<8>(), b.first_chunk::<8>(), b.last_chunk::<8>()) {
        (Some(a_first), Some(a_last), Some(b_first), Some(b_last)) if a.len() == b.len() && a.len() <= 16 => {
            a_first == b_first && a_last == b_last
        }
        _ => a == b,
    }
}

/// The first sixteen bytes of a key, in an order that is theirs. No key is the start of another, so zeros behind a
/// short one change nothing.
pub(in crate::flow) fn prefix(key: &[u8]) -> [u64; 2] {
    let mut bytes = [0; 16];
    let count = key.len().min(16);
    bytes[..count].copy_from_slice(&key[..count]);
    let [mut first, mut second] = [[0; 8]; 2];
    first.copy_from_slice(&bytes[..8]);
    second.copy_from_slice(&bytes[8..]);
    [u64::from_be_bytes(first), u64::from_be_bytes(second)]
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// Keys of one width, and of any.
    fn names(count: usize) -> [Vec<Vec<u8>>; 2] {
        let wide = (0..count as u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes().to_vec());
        let any = (0..count).map(|n| format!("{:width$}", n, width = n % 7).into_bytes());
        [wide.collect(), any.collect()]
    }

    #[test]
    fn a_key_has_the_number_in_which_it_came() {
        for names in names(5_000) {
            let mut keys = Keys::default();
            assert_eq!(keys.find(Key::of(&names[0])), None);
            for _ in 0..2 {
                for (number, name) in names.iter().enumerate() {
                    assert_eq!(keys.insert(Key::of(name)) as usize, number);
                }
            }
            let all: Vec<Key<'_>> = names.iter().map(|name| Key::of(name)).collect();
            let guesses = keys.read_ahead(&all);
            let right = guesses.iter().zip(0..).filter(|(guess, number)| **guess == Some(*number)).count();
            assert!(right + 2 > names.len(), "{right} of {} are found by half of their hash", names.len());
            assert!(names.iter().zip(0..).all(|(name, number)| keys.bytes(number) == name));
            assert_eq!(keys.find(Key::of(b"another")), None);
        }
    }

    #[test]
    fn keys_are_the_same_where_all_their_bytes_are() {
        let long: Vec<u8> = (0..20).collect();
        for len in 0..long.len() {
            let key = &long[..len];
            assert!(same(key, key) && !same(key, &long[..=len]) && !same(&long[..=len], key));
            for place in 0..len {
                let mut other = key.to_vec();
                other[place] ^= 0x80;
                assert!(!same(key, &other), "{len} bytes, at {place}");
            }
        }
    }

    #[test]
    fn what_is_taken_out_was_never_there() {
        for names in names(3_000) {
            let (mut keys, mut model) = (Keys::default(), HashMap::new());
            for (round, kept) in [(2_000, 1_500), (2_600, 10), (1_000, 999), (3_000, 0), (40, 40)] {
                for name in &names[..round] {
                    let next = model.len() as u32;
                    assert_eq!(keys.insert(Key::of(name)), *model.entry(name.clone()).or_insert(next));
                }
                keys.truncate(kept);
                model.retain(|_, number| (*number as usize) < kept);
                assert_eq!(keys.len(), kept);
                for name in &names {
                    assert_eq!(keys.find(Key::of(name)), model.get(name).copied());
                }
            }
        }
    }
}
