//! Windows of so many rows behind a store: a row for each pane of a key.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, Int64Array};
use xxhash_rust::xxh3::xxh3_64;

use super::{Counts, Key, Pane, Slots};
use crate::flow::window::by_key::{ByKey, KeyRows, per_row, timestamps};
use crate::state::Entries;
use crate::types::{DataType, Field};

impl ByKey for Counts {
    /// The number of the pane's first row, how many rows it has, and where rows have event times, the least
    /// and the greatest.
    fn columns(&self) -> Vec<Field> {
        let numbers = ["first", "rows"].map(|name| Field::new(name, DataType::Int64, false));
        let times = ["least", "greatest"].map(|name| Field::new(name, DataType::Timestamp, false));
        numbers.into_iter().chain(times.into_iter().filter(|_| self.timed)).collect()
    }

    fn has(&self, key: &[u8]) -> bool {
        self.table.find(xxh3_64(key), |i| *self.keys[*i as usize].bytes == *key).is_some()
    }

    fn recall(&mut self, found: &Entries) -> Vec<(u32, u32)> {
        let numbers = |column: usize| found.values[column].as_primitive::<Int64Type>().values();
        let (firsts, rows) = (numbers(0), numbers(1));
        let times = self
            .timed
            .then(|| [2, 3].map(|column| found.values[column].as_primitive::<TimestampMicrosecondType>().values()));
        let adopt = |(key, row): (&[u8], usize)| {
            // A key's last pane says how many rows it has seen.
            self.adopt_key(key, (firsts[row] + rows[row]) as u64);
            let times = times.as_ref().map_or((0, 0), |[least, greatest]| (least[row], greatest[row]));
            (row as u32, self.adopt(key, firsts[row] as u64, times))
        };
        per_row(found).map(adopt).collect()
    }

    fn changed(&mut self) -> Vec<u32> {
        let changed = self.unsaved.as_mut().map_or_else(Vec::new, |unsaved| std::mem::take(&mut unsaved.keys));
        let changed = changed.into_iter().filter(|key| std::mem::take(&mut self.keys[*key as usize].unsaved));
        let changed: Vec<u32> = changed.collect::<Vec<_>>().into_iter().filter(|key| self.is_there(*key)).collect();
        changed.iter().for_each(|key| self.keys[*key as usize].kept = true);
        changed
    }

    fn key(&self, number: u32) -> &[u8] {
        &self.keys[number as usize].bytes
    }

    fn rows(&self, numbers: &[u32]) -> KeyRows {
        let keys = || numbers.iter().map(|number| &self.keys[*number as usize]);
        let panes = || keys().flat_map(|key| key.panes.iter().map(move |pane| (key, pane)));
        let until = |key: &Key, pane: &Pane| key.seen.min(pane.first + self.pane);
        let first = Int64Array::from_iter_values(panes().map(|(_, pane)| pane.first as i64));
        let rows = Int64Array::from_iter_values(panes().map(|(key, pane)| (until(key, pane) - pane.first) as i64));
        let mut columns: Vec<ArrayRef> = vec![Arc::new(first), Arc::new(rows)];
        if self.timed {
            columns.push(timestamps(panes().map(|(_, pane)| pane.times.0)));
            columns.push(timestamps(panes().map(|(_, pane)| pane.times.1)));
        }
        let counts = keys().map(|key| key.panes.len() as u32).collect();
        KeyRows { counts, columns, slots: panes().map(|(_, pane)| pane.slot).collect() }
    }

    fn gone(&mut self) -> Vec<Box<[u8]>> {
        self.unsaved.as_mut().map_or_else(Vec::new, |unsaved| std::mem::take(&mut unsaved.gone))
    }

    /// Those of which no window is full.
    fn settled(&self) -> Vec<u32> {
        let full: HashSet<u32> = self.full.iter().map(|(key, _)| *key).collect();
        self.table.iter().copied().filter(|key| !full.contains(key)).collect()
    }

    fn give_up(&mut self, numbers: &[u32]) -> Vec<u32> {
        let mut slots = Vec::new();
        for number in numbers {
            let key = std::mem::take(&mut self.keys[*number as usize]);
            if let Ok(entry) = self.table.find_entry(key.hash, |i| i == number) {
                entry.remove();
            }
            self.key_bytes -= key.bytes.len();
            slots.extend(key.panes.iter().map(|pane| pane.slot));
            self.free_keys.push(*number);
        }
        match self.table.is_empty() {
            true => {
                self.keys.clear();
                self.free_keys.clear();
                self.slots = Slots::default();
            }
            false => self.slots.free(slots.iter().copied()),
        }
        slots
    }

    fn bytes(&self) -> usize {
        // A list of panes has room for four at least.
        let key = size_of::<Key>() + 4 * size_of::<Pane>();
        let panes = self.slots.used() * size_of::<Pane>();
        self.keys.len() * key + panes + self.table.allocation_size() + self.key_bytes
    }
}
