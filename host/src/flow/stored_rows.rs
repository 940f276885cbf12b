//! Rows that wait in a store, each an entry of its own.
//!
//! What a row is called there is its key with numbers around it, so that the store's order of names is the
//! order that rows are wanted in; its values are the row's columns. In go rows by pane, in the order of
//! their names; out come pages of a pane, in that order. What the numbers mean is the caller's.

mod chunks;

use std::fmt;

use arrow_array::{ArrayRef, BinaryArray};

use super::cut::Sections;
use super::exchange::{owner, workers_of_key_groups};
use super::stored::open;
use crate::checkpoint::Frozen;
use crate::error::Result;
use crate::state::{Entries, Pane, Part, PerKey, Store, Stores};
use crate::types::Field;
pub(super) use chunks::{Chunks, Part as ChunkPart};

/// Bytes that a number takes in a name.
const NUMBER: usize = 9;

/// The rows of one kind that a step keeps on a worker.
pub(super) struct StoredRows {
    store: Box<dyn Store>,
    /// Numbers in front of the key, and behind it.
    front: usize,
    behind: usize,
}

/// Whose rows they are, and what they have.
pub(super) struct Setting<'a> {
    pub(super) step: &'a str,
    /// What tells them from others of the step.
    pub(super) index: Option<&'a str>,
    pub(super) key: &'a [Field],
    /// The numbers around the key: integers or timestamps without nulls.
    pub(super) front: &'a [Field],
    pub(super) behind: &'a [Field],
    pub(super) columns: &'a [Field],
    /// The worker, and how many there are; where keys are not one worker's, the store is.
    pub(super) worker: usize,
    pub(super) workers: usize,
    pub(super) by_key: bool,
    /// What stores had where the run goes on.
    pub(super) restored: Option<Sections<'a>>,
}

impl StoredRows {
    /// A place for rows; none where state is in memory alone.
    pub(super) fn open(stores: &Stores, setting: &Setting<'_>) -> Result<Option<Self>> {
        let Setting { step, index, worker, columns, .. } = *setting;
        let (front, behind) = (setting.front.len(), setting.behind.len());
        let names: Vec<Field> = [setting.front, setting.key, setting.behind].concat();
        let owners = workers_of_key_groups(setting.workers);
        let by_key = setting.by_key;
        let of_worker = move |name: &[u8]| !by_key || owner(key(name, front, behind), &owners) as usize == worker;
        let part = Part {
            step,
            index,
            worker,
            workers: if by_key { setting.workers } else { 1 },
            key: &names,
            values: columns,
            per_key: PerKey::One,
            mine: Box::new(of_worker),
        };
        let store = open(stores, part, setting.restored)?;
        Ok(store.map(|store| Self { store, front, behind }))
    }

    /// The key in a name.
    pub(super) fn key<'n>(&self, name: &'n [u8]) -> &'n [u8] {
        key(name, self.front, self.behind)
    }

    /// A number in front of the key in a name.
    pub(super) fn in_front(name: &[u8], number: usize) -> i64 {
        decoded(&name[number * NUMBER..])
    }

    /// A number behind the key in a name.
    pub(super) fn behind(&self, name: &[u8], number: usize) -> i64 {
        decoded(&name[name.len() - (self.behind - number) * NUMBER..])
    }

    /// Puts rows in, in the order of (pane, name).
    pub(super) fn put(&mut self, rows: &mut dyn Iterator<Item = (Pane, BinaryArray, Vec<ArrayRef>)>) -> Result<()> {
        self.store.put(&mut rows.map(|(pane, keys, values)| Entries { pane, keys, counts: None, values }))
    }

    /// The next rows of a pane with names behind `after`, at most so many: their names and columns. None when
    /// there are no more.
    pub(super) fn page(
        &mut self,
        pane: Pane,
        after: Option<&[u8]>,
        rows: usize,
    ) -> Result<Option<(BinaryArray, Vec<ArrayRef>)>> {
        let page = self.store.page(pane, after, rows)?;
        Ok(page.map(|Entries { keys, values, .. }| (keys, values)))
    }

    /// Gives panes up.
    pub(super) fn remove(&mut self, panes: &[Pane]) -> Result<()> {
        self.store.remove(panes)
    }

    /// The panes that have rows.
    pub(super) fn panes(&self) -> Vec<Pane> {
        self.store.panes()
    }

    /// What has been put in, as files that stay as they are; none where it can't be had so.
    pub(super) fn freeze(&mut self) -> Result<Option<Frozen>> {
        self.store.freeze()
    }

    /// About how many bytes they take.
    pub(super) fn bytes(&self) -> u64 {
        self.store.bytes()
    }
}

impl fmt::Debug for StoredRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}

fn key(name: &[u8], front: usize, behind: usize) -> &[u8] {
    &name[front * NUMBER..name.len() - behind * NUMBER]
}

/// What a row is called: its key between numbers.
pub(super) fn name(front: &[i64], key: &[u8], behind: &[i64]) -> Vec<u8> {
    let mut name = Vec::with_capacity(NUMBER * (front.len() + behind.len()) + key.len());
    front.iter().for_each(|number| name.extend(encoded(*number)));
    name.extend_from_slice(key);
    behind.iter().for_each(|number| name.extend(encoded(*number)));
    name
}

/// A number as arrow-row encodes it, which is how a store reads names: bytes that sort as the number.
pub(super) fn encoded(number: i64) -> [u8; NUMBER] {
    let mut bytes = [1; NUMBER];
    bytes[1..].copy_from_slice(&(number as u64 ^ (1 << 63)).to_be_bytes());
    bytes
}

fn decoded(bytes: &[u8]) -> i64 {
    let mut number = [0; NUMBER - 1];
    number.copy_from_slice(&bytes[1..NUMBER]);
    (u64::from_be_bytes(number) ^ (1 << 63)) as i64
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Int64Array, StringArray, TimestampMicrosecondArray};

    use super::*;
    use crate::flow::exchange::key_converter;
    use crate::types::DataType;

    #[test]
    fn names_are_what_a_store_makes_of_their_columns() {
        let fields = [("t", DataType::Timestamp), ("k", DataType::Text), ("n", DataType::Int64)];
        let fields = fields.map(|(name, data_type)| Field::new(name, data_type, name == "k"));
        let numbers = [i64::MIN, -1, 0, 1, i64::MAX];
        let texts = [None, Some(""), Some("k"), Some("a text that is longer than a block"), Some("é")];
        let times = TimestampMicrosecondArray::from(numbers.to_vec()).with_data_type(DataType::Timestamp.arrow());
        let (texts, counts) =
            (Arc::new(StringArray::from(texts.to_vec())), Arc::new(Int64Array::from(numbers.to_vec())));
        let all = key_converter(&fields).convert_columns(&[Arc::new(times), texts.clone(), counts]).expect("columns");
        let keys = key_converter(&fields[1..2]).convert_columns(&[texts]).expect("a column");
        for (row, number) in numbers.into_iter().enumerate() {
            let name = name(&[number], keys.row(row).data(), &[number]);
            assert_eq!(name, all.row(row).data());
            assert_eq!(key(&name, 1, 1), keys.row(row).data());
            assert_eq!((decoded(&name), StoredRows::in_front(&name, 0)), (number, number));
        }
    }
}
