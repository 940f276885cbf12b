//! Misra-Gries: the most frequent texts, with a bound on what their counts miss.
//!
//! What comes in: texts, or another summary. What goes out: texts with a count each, and `error`:
//! the true count of a text is its count to its count + `error`, and a text that is not listed came
//! at most `error` times. After `n` texts `error` is at most `n / (counters + 1)`, and it is 0, so
//! that all counts are exact, while there are no more than twice `counters` different texts. A
//! summary keeps up to twice as many counts as `counters`; one more, and the value of the
//! `counters + 1`-th largest is taken from all, which leaves `counters` or fewer. Merging adds the
//! counts of both and does the same. Equal counts are treated alike, so nothing depends on the order
//! of the texts in memory; once `error` is not 0, the counts do depend, within it, on the order of
//! the rows and on how they were split.
//!
//! Sources: Misra and Gries, *Finding repeated elements*, Sci. Comput. Program. 2 (1982); Agarwal,
//! Cormode, Huang, Phillips, Wei and Yi, *Mergeable Summaries*, PODS 2012 (the merge and its error);
//! Anderson et al., *A High-Performance Algorithm for Identifying Frequent Items in Data Streams*,
//! IMC 2017 (taking from all counts at once, now and then, rather than at each new text).
//!
//! The bytes of a state, all numbers little-endian: none while nothing was seen; otherwise 1 (the
//! form), `error` (`u64`), the number of counts (`u32`), then for each, ascending by hash and text,
//! the text's hash (`u64`, see [`crate::hash`]: comparing texts byte by byte is slow), the count
//! (`u64`), where the text starts (`u32`, from the first text) and its length (`u32`); then the
//! texts, in any order. Changes: form 1 came with 0.1.0.

use std::cmp::{Ordering, Reverse};

use crate::hash::Hashed;
use crate::sketch::{Corrupt, insert_bytes};

const FORM: u8 = 1;
const HEADER: usize = 13;
const ENTRY: usize = 24;

/// A summary's size. The state itself is with the host, and every call is handed it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MisraGries {
    counters: usize,
}

/// A state, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary<'a> {
    pub(crate) error: u64,
    /// Ascending by key.
    pub(crate) counts: Vec<(Key<'a>, u64)>,
}

/// A text, ordered by its hash first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key<'a> {
    hash: u64,
    pub(crate) text: &'a [u8],
}

impl MisraGries {
    /// `None` unless there are 1 to 65,536 counters.
    pub(crate) fn new(counters: usize) -> Option<Self> {
        (1..=1 << 16).contains(&counters).then_some(Self { counters })
    }

    #[inline]
    pub(crate) fn insert(self, state: &mut Vec<u8>, text: &[u8]) -> Result<(), Corrupt> {
        if state.is_empty() {
            *state = Summary::default().write()?;
        }
        let View { entries, texts, .. } = View::of(state)?;
        let (known, start) = (entries.len(), texts.len());
        let key = Key { hash: text.hash(), text };
        match entries.binary_search_by(|entry| Entry::read(entry).compare(texts, key)) {
            Ok(at) => {
                let count = &mut state[HEADER + ENTRY * at + 8..][..8];
                let more = u64::from_le_bytes(entry_count(count)?).checked_add(1).ok_or(TOO_MANY)?;
                count.copy_from_slice(&more.to_le_bytes());
            }
            Err(at) => {
                let entry = Entry { hash: key.hash, count: 1, start: length(start)?, length: length(text.len())? };
                length(start + text.len())?;
                insert_bytes(state, HEADER + ENTRY * at, &entry.bytes());
                state.extend_from_slice(text);
                state[9..HEADER].copy_from_slice(&length(known + 1)?.to_le_bytes());
                if known + 1 > 2 * self.counters {
                    *state = self.pruned(Summary::read(state)?)?.write()?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn merge(self, state: &mut Vec<u8>, other: &[u8]) -> Result<(), Corrupt> {
        let (left, right) = (Summary::read(state)?, Summary::read(other)?);
        if !right.counts.is_empty() || right.error > 0 {
            *state = self.pruned(left.plus(right)?)?.write()?;
        }
        Ok(())
    }

    fn pruned(self, mut summary: Summary<'_>) -> Result<Summary<'_>, Corrupt> {
        if summary.counts.len() > 2 * self.counters {
            let mut counts: Vec<u64> = summary.counts.iter().map(|(_, count)| *count).collect();
            let (_, &mut taken, _) = counts.select_nth_unstable_by_key(self.counters, |count| Reverse(*count));
            summary.error = summary.error.checked_add(taken).ok_or(TOO_MANY)?;
            summary.counts.retain_mut(|(_, count)| {
                *count = count.saturating_sub(taken);
                *count > 0
            });
        }
        Ok(summary)
    }
}

const TOO_MANY: Corrupt = Corrupt("more texts in a Misra-Gries summary than there can be");

fn length(length: usize) -> Result<u32, Corrupt> {
    u32::try_from(length).map_err(|_| TOO_MANY)
}

fn entry_count(bytes: &[u8]) -> Result<[u8; 8], Corrupt> {
    bytes.try_into().map_err(|_| Corrupt("a Misra-Gries summary cut short"))
}

impl<'a> Summary<'a> {
    pub(crate) fn read(state: &'a [u8]) -> Result<Self, Corrupt> {
        if state.is_empty() {
            return Ok(Self::default());
        }
        let View { error, entries, texts } = View::of(state)?;
        let counts = entries.iter().map(|entry| {
            let entry = Entry::read(entry);
            (Key { hash: entry.hash, text: entry.text(texts) }, entry.count)
        });
        let counts: Vec<_> = counts.collect();
        match counts.is_sorted_by(|(a, _), (b, _)| a < b) {
            true => Ok(Self { error, counts }),
            false => Err(Corrupt("the texts of a Misra-Gries summary out of order")),
        }
    }

    fn write(&self) -> Result<Vec<u8>, Corrupt> {
        let texts: usize = self.counts.iter().map(|(key, _)| key.text.len()).sum();
        let mut state = Vec::with_capacity(HEADER + ENTRY * self.counts.len() + texts);
        state.push(FORM);
        state.extend(self.error.to_le_bytes());
        state.extend(length(self.counts.len())?.to_le_bytes());
        let mut start = 0;
        for (Key { hash, text }, count) in &self.counts {
            let (start_here, length_here) = (length(start)?, length(text.len())?);
            state.extend(Entry { hash: *hash, count: *count, start: start_here, length: length_here }.bytes());
            start += text.len();
        }
        length(start)?;
        self.counts.iter().for_each(|(key, _)| state.extend_from_slice(key.text));
        Ok(state)
    }

    /// The counts of both.
    fn plus(self, other: Self) -> Result<Self, Corrupt> {
        let error = self.error.checked_add(other.error).ok_or(TOO_MANY)?;
        let mut counts: Vec<(Key<'_>, u64)> = Vec::with_capacity(self.counts.len() + other.counts.len());
        let (mut left, mut right) = (self.counts.into_iter().peekable(), other.counts.into_iter().peekable());
        loop {
            let next = match (left.peek(), right.peek()) {
                (Some((a, _)), Some((b, _))) if a == b => {
                    let more = right.next().map_or(0, |(_, count)| count);
                    let one = left.next().map(|(key, count)| Some((key, count.checked_add(more)?)));
                    one.map(|one| one.ok_or(TOO_MANY)).transpose()?
                }
                (Some((a, _)), Some((b, _))) if a < b => left.next(),
                (Some(_), None) => left.next(),
                _ => right.next(),
            };
            match next {
                Some(next) => counts.push(next),
                None => return Ok(Self { error, counts }),
            }
        }
    }
}

/// A state's parts, in place.
struct View<'a> {
    error: u64,
    entries: &'a [[u8; ENTRY]],
    texts: &'a [u8],
}

impl<'a> View<'a> {
    #[inline]
    fn of(state: &'a [u8]) -> Result<Self, Corrupt> {
        let Some((&[form, e0, e1, e2, e3, e4, e5, e6, e7, n0, n1, n2, n3], body)) = state.split_first_chunk() else {
            return Err(Corrupt("a Misra-Gries summary cut short"));
        };
        if form != FORM {
            return Err(Corrupt("a Misra-Gries summary of an unknown form"));
        }
        let error = u64::from_le_bytes([e0, e1, e2, e3, e4, e5, e6, e7]);
        let entries = (u32::from_le_bytes([n0, n1, n2, n3]) as usize).checked_mul(ENTRY);
        let parts = entries.and_then(|entries| body.split_at_checked(entries));
        let (entries, texts) = parts.ok_or(Corrupt("a Misra-Gries summary cut short"))?;
        Ok(Self { error, entries: entries.as_chunks().0, texts })
    }
}

#[derive(Clone, Copy)]
struct Entry {
    hash: u64,
    count: u64,
    start: u32,
    length: u32,
}

impl Entry {
    #[inline]
    fn read(bytes: &[u8; ENTRY]) -> Self {
        let [h0, h1, h2, h3, h4, h5, h6, h7, count @ .., s0, s1, s2, s3, l0, l1, l2, l3] = *bytes;
        Self {
            hash: u64::from_le_bytes([h0, h1, h2, h3, h4, h5, h6, h7]),
            count: u64::from_le_bytes(count),
            start: u32::from_le_bytes([s0, s1, s2, s3]),
            length: u32::from_le_bytes([l0, l1, l2, l3]),
        }
    }

    fn bytes(self) -> [u8; ENTRY] {
        let mut bytes = [0; ENTRY];
        bytes[..8].copy_from_slice(&self.hash.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.count.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.start.to_le_bytes());
        bytes[20..].copy_from_slice(&self.length.to_le_bytes());
        bytes
    }

    #[inline]
    fn compare(self, texts: &[u8], key: Key<'_>) -> Ordering {
        self.hash.cmp(&key.hash).then_with(|| self.text(texts).cmp(key.text))
    }

    /// What a damaged entry points outside of is no text.
    #[inline]
    fn text(self, texts: &[u8]) -> &[u8] {
        let start = self.start as usize;
        texts.get(start..).and_then(|rest| rest.get(..self.length as usize)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::testing::{Random, folded_in_parts};

    fn truth(texts: &[String]) -> BTreeMap<&[u8], u64> {
        let mut counts = BTreeMap::new();
        texts.iter().for_each(|text| *counts.entry(text.as_bytes()).or_default() += 1);
        counts
    }

    fn check(seed: u64, counters: usize, texts: &[String], state: &[u8]) {
        let summary = Summary::read(state).unwrap();
        let truth = truth(texts);
        let mut missing = truth.clone();
        let n = texts.len() as u64;
        assert!(summary.error <= n / (counters as u64 + 1), "seed {seed}: error {} of {n}", summary.error);
        assert!(summary.counts.len() <= 2 * counters, "seed {seed}");
        for (key, count) in &summary.counts {
            let exact = missing.remove(key.text).unwrap();
            assert!((*count..=count + summary.error).contains(&exact), "seed {seed}: {count} for {exact}");
        }
        assert!(missing.values().all(|&count| count <= summary.error), "seed {seed}: a frequent text is missing");
        if truth.len() <= 2 * counters {
            assert_eq!(summary.error, 0, "seed {seed}");
        }
    }

    #[test]
    fn counts_are_within_the_error() {
        for seed in 0..300 {
            let mut random = Random::new(seed);
            let counters = 1 + random.below(20) as usize;
            let summary = MisraGries::new(counters).unwrap();
            let kinds = 1 + random.below(200) as i32;
            let skewed = |random: &mut Random| {
                format!("é{}", random.unit().powi(3) * f64::from(kinds)).split('.').next().unwrap().to_owned()
            };
            let texts: Vec<String> = (0..random.below(3_000)).map(|_| skewed(&mut random)).collect();
            let insert = |state: &mut Vec<u8>, text: &String| summary.insert(state, text.as_bytes()).unwrap();
            let mut state = Vec::new();
            texts.iter().for_each(|text| insert(&mut state, text));
            check(seed, counters, &texts, &state);
            let merge = |state: &mut Vec<u8>, other: &Vec<u8>| summary.merge(state, other).unwrap();
            let merged = folded_in_parts(&mut random, &texts, Vec::new, insert, merge);
            check(seed, counters, &texts, &merged);
        }
    }

    #[test]
    fn counts_up_to_the_capacity_are_exact_in_any_order() {
        let summary = MisraGries::new(10).unwrap();
        let insert = |state: &mut Vec<u8>, text: &String| summary.insert(state, text.as_bytes()).unwrap();
        for seed in 0..100 {
            let mut random = Random::new(seed);
            let mut texts: Vec<String> = (0..500).map(|_| "x".repeat(random.below(20) as usize)).collect();
            let expected: BTreeMap<Vec<u8>, u64> = truth(&texts).into_iter().map(|(t, n)| (t.to_vec(), n)).collect();
            random.shuffle(&mut texts);
            let merge = |state: &mut Vec<u8>, other: &Vec<u8>| summary.merge(state, other).unwrap();
            let merged = folded_in_parts(&mut random, &texts, Vec::new, insert, merge);
            let counts = Summary::read(&merged).unwrap().counts;
            let counts: BTreeMap<Vec<u8>, u64> = counts.into_iter().map(|(key, n)| (key.text.to_vec(), n)).collect();
            assert_eq!(counts, expected, "seed {seed}");
        }
    }

    #[test]
    fn damage_is_an_error() {
        let summary = MisraGries::new(2).unwrap();
        let mut good = Vec::new();
        ["a", "b", "", "c", "a"].iter().for_each(|text| summary.insert(&mut good, text.as_bytes()).unwrap());
        assert!(Summary::read(&good[..10]).unwrap_err().to_string().contains("cut short"));
        assert!(Summary::read(&good[..20]).unwrap_err().to_string().contains("cut short"));
        assert!(Summary::read(&[&[9], &good[1..]].concat()).unwrap_err().to_string().contains("unknown form"));
        for seed in 0..50_000 {
            let mut random = Random::new(seed);
            let (mut a, mut b) = (good.clone(), good.clone());
            for state in [&mut a, &mut b] {
                let at = random.below(state.len() as u64) as usize;
                state[at] = random.next() as u8;
                state.truncate(state.len() - random.below(3) as usize);
            }
            summary.insert(&mut a, b"b").err();
            summary.merge(&mut a, &b).err();
            Summary::read(&a).err();
        }
    }
}
