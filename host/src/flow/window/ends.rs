//! When sessions end whose keys are in a store alone.
//!
//! An index beside their state: the ends with the keys, in that order, in panes of some time each. So what a
//! watermark has passed is read as it is to come out, and without what it has not reached. An end that is
//! noted may be none any more, since a session that goes on in memory gets another; who reads it looks at
//! the state. A pane is given up when no session that ended in it is kept.

use std::collections::BTreeSet;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, BinaryArray};
use arrow_row::{RowConverter, RowParser, Rows};

use super::by_key::timestamps;
use crate::checkpoint::Frozen;
use crate::error::Result;
use crate::flow::cut::Sections;
use crate::flow::exchange::key_converter;
use crate::flow::stored::{Whose, open};
use crate::state::{Entries, Pane, Part, PerKey, Store, Stores};
use crate::types::{DataType, Field};

/// What the index is called.
const NAME: &str = "ends";

/// Panes that a gap is cut into, and the least that one is.
const PANES_OF_A_GAP: i64 = 16;
const PANE_US_MIN: i64 = 1_000_000;

/// The index of one step on one worker.
pub(super) struct Ends {
    store: Box<dyn Store>,
    converter: RowConverter,
    parser: RowParser,
    /// Bytes that an end takes in front of a key.
    width: usize,
    pane_us: i64,
    /// The panes that have something in the store.
    panes: BTreeSet<i64>,
}

/// Ends above one time and up to another, as far as they have been read.
pub(super) struct Span {
    from: i64,
    to: i64,
    /// The pane to read on in, and what was read last.
    pane: i64,
    after: Vec<u8>,
}

/// An end and the key of its session.
pub(super) type End = (i64, Box<[u8]>);

impl Ends {
    /// The index of a step with sessions of this gap, if state is kept anywhere but in memory.
    pub(super) fn open(
        stores: &Stores,
        whose: &Whose<'_>,
        gap_us: i64,
        restored: Option<Sections<'_>>,
    ) -> Result<Option<Self>> {
        let end = Field::new("end", DataType::Timestamp, false);
        let converter = key_converter(std::slice::from_ref(&end));
        let width = encoded(&converter, std::iter::once(0)).row(0).data().len();
        let key: Vec<Field> = std::iter::once(end).chain(whose.key.iter().cloned()).collect();
        let mine = whose.mine();
        let part = Part {
            step: whose.step,
            index: Some(NAME),
            worker: whose.worker,
            workers: whose.workers,
            key: &key,
            values: &[],
            per_key: PerKey::One,
            mine: Box::new(move |bytes| mine(&bytes[width..])),
        };
        let pane_us = (gap_us / PANES_OF_A_GAP).max(PANE_US_MIN);
        let parser = converter.parser();
        Ok(open(stores, part, restored)?.map(|store| {
            let panes = store.panes().iter().map(|pane| pane.start.div_euclid(pane_us)).collect();
            Self { store, converter, parser, width, pane_us, panes }
        }))
    }

    /// What has been noted, as files that stay as they are.
    pub(super) fn freeze(&mut self) -> Result<Option<Frozen>> {
        self.store.freeze()
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> u64 {
        self.store.bytes()
    }

    /// Notes ends of sessions, each with the number of its key.
    pub(super) fn note<'k>(
        &mut self,
        mut ends: Vec<(i64, u32)>,
        key: impl Fn(u32) -> &'k [u8],
        batch_rows: usize,
    ) -> Result<()> {
        if ends.is_empty() {
            return Ok(());
        }
        ends.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| key(a.1).cmp(key(b.1))));
        ends.dedup();
        let Self { store, converter, panes, pane_us, .. } = self;
        let pane = |end: i64| end.div_euclid(*pane_us);
        let parts = ends.chunk_by(|a, b| pane(a.0) == pane(b.0)).flat_map(|of| of.chunks(batch_rows));
        let mut entries = parts.map(|some| {
            let number = pane(some[0].0);
            panes.insert(number);
            let encoded = encoded(converter, some.iter().map(|(end, _)| *end));
            let keys = encoded.iter().zip(some).map(|(end, (_, of))| [end.data(), key(*of)].concat());
            let keys = BinaryArray::from_iter_values(keys);
            Entries { pane: place(number, *pane_us), keys, counts: None, values: Vec::new() }
        });
        store.put(&mut entries)
    }

    /// The ends above a time and up to another.
    pub(super) fn span(&self, from: i64, to: i64) -> Span {
        let after = encoded(&self.converter, std::iter::once(from)).row(0).data().to_vec();
        Span { from, to, pane: from.div_euclid(self.pane_us), after }
    }

    /// The next ends, in the order of (end, key): at most so many, or none for now. None when there are no more.
    pub(super) fn next(&mut self, span: &mut Span, rows: usize) -> Result<Option<Vec<End>>> {
        let last = span.to.div_euclid(self.pane_us);
        while span.pane <= last
            && let Some(pane) = self.panes.range(span.pane..=last).next().copied()
        {
            span.pane = pane;
            let Some(entries) = self.store.page(place(pane, self.pane_us), Some(&span.after), rows)? else {
                span.pane = pane + 1;
                continue;
            };
            let keys = || entries.keys.iter().flatten();
            let ends = self.converter.convert_rows(keys().map(|key| self.parser.parse(&key[..self.width])));
            let ends = ends.expect("the ends were made by this converter");
            let ends = ends[0].as_primitive::<TimestampMicrosecondType>().values();
            if ends.last().is_some_and(|end| *end > span.to) {
                span.pane = i64::MAX;
            }
            span.after = entries.keys.value(entries.keys.len() - 1).to_vec();
            let within = |end: i64| end > span.from && end <= span.to;
            let read = ends.iter().zip(keys()).filter(|(end, _)| within(**end));
            return Ok(Some(read.map(|(end, key)| (*end, key[self.width..].into())).collect()));
        }
        Ok(None)
    }

    /// Gives up the panes that have no end above a time.
    pub(super) fn give_up(&mut self, over: i64) -> Result<()> {
        let last = |pane: i64| pane.saturating_add(1).saturating_mul(self.pane_us).saturating_sub(1);
        let over: Vec<i64> = self.panes.iter().copied().take_while(|pane| last(*pane) <= over).collect();
        let Some(last) = over.last() else { return Ok(()) };
        self.panes.retain(|pane| pane > last);
        self.store.remove(&over.iter().map(|pane| place(*pane, self.pane_us)).collect::<Vec<_>>())
    }
}

fn encoded(converter: &RowConverter, ends: impl Iterator<Item = i64>) -> Rows {
    converter.convert_columns(&[timestamps(ends)]).expect("a column of times")
}

/// What a pane is called in a store.
fn place(pane: i64, pane_us: i64) -> Pane {
    Pane { start: pane.saturating_mul(pane_us), variant: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Settings;

    /// All ends in a span, so many at a time.
    fn read(ends: &mut Ends, from: i64, to: i64, rows: usize) -> Vec<(i64, u8)> {
        let (mut span, mut all) = (ends.span(from, to), Vec::new());
        while let Some(some) = ends.next(&mut span, rows).expect("a page") {
            assert!(some.len() <= rows);
            all.extend(some.into_iter().map(|(end, key)| (end, key[0])));
        }
        all
    }

    #[test]
    fn ends_are_read_in_their_order_and_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = Settings::Disk { folder: folder.path().join("state"), memory_bytes: 0 };
        let stores = Stores::open(&settings, "p", 1).expect("a place for state");
        let key = [Field::new("k", DataType::Int32, false)];
        let whose = Whose { step: "s", worker: 0, workers: 1, key: &key };
        let mut ends = Ends::open(&stores, &whose, 32_000_000, None).expect("a store").expect("not in memory");
        let keys: [&[u8]; 3] = [b"a", b"b", b"c"];
        let second = 1_000_000;
        let noted = [(-3, 1), (0, 0), (1, 2), (1, 0), (2, 1), (90, 1), (90, 0), (4, 2)];
        for some in noted.chunks(3) {
            let some = some.iter().map(|(end, key)| (end * second, *key)).collect();
            ends.note(some, |number| keys[number as usize], 2).expect("written");
        }
        let mut sorted: Vec<(i64, u8)> = noted.iter().map(|(end, key)| (end * second, b'a' + *key as u8)).collect();
        sorted.sort_unstable();
        for (from, to) in [(i64::MIN, i64::MAX), (-3, 0), (0, 1), (1, 89), (4, 4), (90, 5), (5, 89)] {
            let (from, to) = (from.saturating_mul(second), to.saturating_mul(second));
            let expected: Vec<_> = sorted.iter().copied().filter(|(end, _)| *end > from && *end <= to).collect();
            for rows in [1, 2, 100] {
                assert_eq!(read(&mut ends, from, to, rows), expected, "{from} to {to}");
            }
        }
        ends.give_up(2 * second).expect("removed");
        let left = [(2, b'b'), (4, b'c'), (90, b'a'), (90, b'b')].map(|(end, key)| (end * second, key));
        assert_eq!(read(&mut ends, i64::MIN, i64::MAX, 10), left, "the pane of 2 ends behind it");
    }
}
