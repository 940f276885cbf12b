//! What a window step leaves of itself at a cut, and how it goes on from there.
//!
//! A slot is a row of the table `slots`: what says whose it is, and its accumulators. Where whole
//! groups are handed to a function, `rows` has their rows, each with the place of its slot in that
//! table. What follows from the watermark is not written: which panes and sessions are over, and which
//! have fired.

mod counts;
mod panes;
mod sessions;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, BinaryArray, Int64Array, RecordBatch, UInt32Array, UInt64Array};
use serde::{Deserialize, Serialize};

use super::fold::Windows;
use super::groups::{GroupMap, KeptRows};
use super::place::Open;
use super::sliding::Sliding;
use crate::checkpoint::{Section, Table};
use crate::error::Result;
use crate::flow::cut::Sections;
use crate::flow::cut::keyed::{Newer, Pace, ROWS_MAX, batch, newest_first, rows, table};

const SLOTS: &str = "slots";
const UNSEEN: &str = "unseen";
const ROWS: &str = "rows";

/// What is small of the windows of a step.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Facts {
    /// The watermark that windows have fired up to.
    fired: i64,
    /// Where the block of overlapping windows is, and what in it a function has failed to merge.
    boundary: Option<i64>,
    spoilt: Vec<Spoilt>,
    /// Rows that came to whole groups, where they are in a store.
    #[serde(default)]
    came: u64,
}

/// An accumulator that a function failed to merge: by its pane and key, which are as in the table.
#[derive(Debug, Serialize, Deserialize)]
struct Spoilt {
    start: i64,
    key: Vec<u8>,
    aggregate: usize,
    reason: String,
}

/// What a kind of windows says of its slots.
struct Kept {
    /// Whose each slot is.
    columns: Vec<(String, ArrayRef)>,
    slots: Vec<u32>,
    /// What else it says.
    others: Vec<Table>,
}

/// Rows of a batch of the table `slots` that stand, with the slots that they have now.
type Adopted = Vec<(u32, u32)>;

impl Windows {
    /// Notes from now on what changes.
    pub(super) fn save(&mut self) {
        match &mut self.open {
            Open::Panes(panes) => panes.saved = true,
            Open::Sessions(sessions) => sessions.save(),
            Open::Counts(counts) => counts.save(),
        }
    }

    /// What the windows hold, or what of it has changed; and whether it is all.
    pub(super) fn snapshot(&mut self, pace: &mut Pace) -> (Facts, Vec<Table>, bool) {
        let facts = self.facts();
        let rewritten = std::mem::take(&mut self.rewritten);
        let stored = self.is_stored();
        let (whole, kept) = match &mut self.open {
            Open::Panes(panes) => panes::kept(panes, &rewritten, pace, stored),
            Open::Sessions(sessions) => sessions::kept(sessions, pace, stored),
            Open::Counts(counts) => counts::kept(counts, pace, stored),
        };
        let Kept { columns, slots, mut others } = kept;
        let part = |from: usize| {
            let some = &slots[from..slots.len().min(from + ROWS_MAX)];
            let slice = |(name, column): &(String, ArrayRef)| (name.clone(), column.slice(from, some.len()));
            let mut columns: Vec<_> = columns.iter().map(slice).collect();
            let held = self.aggregates.iter().enumerate().flat_map(|(number, aggregate)| {
                let named = move |(field, column)| (format!("{number}.{field}"), column);
                aggregate.store.gather(some).into_iter().enumerate().map(named)
            });
            columns.extend(held);
            batch(columns)
        };
        others.push(table(SLOTS, (0..slots.len()).step_by(ROWS_MAX).map(part)));
        if let Some(map) = &self.group_map {
            let KeptRows { slots, times, came, columns: kept } = map.kept(&slots);
            let mut columns: Vec<(String, ArrayRef)> = vec![
                ("slot".into(), Arc::new(UInt32Array::from(slots))),
                ("time".into(), Arc::new(Int64Array::from(times))),
                ("came".into(), Arc::new(UInt64Array::from(came))),
            ];
            columns.extend(kept.into_iter().map(|(field, column)| (field.name, column)));
            others.push(table(ROWS, [batch(columns)]));
        }
        (facts, others, whole)
    }

    fn facts(&self) -> Facts {
        let Open::Panes(panes) = &self.open else {
            let fired = if let Open::Sessions(sessions) = &self.open { sessions.watermark() } else { i64::MIN };
            return Facts { fired, boundary: None, spoilt: Vec::new(), came: 0 };
        };
        let (mut boundary, mut spoilt) = (None, Vec::new());
        if let Some(sliding) = &self.sliding {
            boundary = sliding.boundary();
            for ((start, key), (aggregate, failure)) in sliding.failed(panes.slices, &panes.open) {
                spoilt.push(Spoilt { start, key: key.into(), aggregate, reason: failure.reason });
            }
        }
        let came = self.group_map.as_ref().map_or(0, GroupMap::came);
        Facts { fired: panes.fired, boundary, spoilt, came }
    }

    /// Goes on where the windows were; takes the keys that are this worker's.
    pub(super) fn restore(
        &mut self,
        sections: Sections<'_>,
        facts: &[(usize, &Facts)],
        mine: &dyn Fn(&[u8]) -> bool,
    ) -> Result<()> {
        let Some(fired) = facts.iter().map(|(_, facts)| facts.fired).min() else { return Ok(()) };
        match &mut self.open {
            Open::Panes(panes) => panes.fired = fired,
            Open::Sessions(sessions) => sessions.resume(fired),
            Open::Counts(_) => {}
        }
        let mut newer = Newer::default();
        for (section, overlap) in newest_first(sections.all()) {
            self.adopt(section, &mut newer, overlap, mine).map_err(|what| sections.wrong(what))?;
        }
        match &self.open {
            _ if !self.is_stored() => {}
            Open::Panes(_) => {
                let tables = sections.last_of_each().flat_map(|section| section.table(UNSEEN));
                let unseen = tables.map(|held| panes::unseen(held, mine)).collect::<Result<Vec<_>, _>>();
                let unseen = unseen.map_err(|what| sections.wrong(what))?.concat();
                self.restore_spilled(&unseen)?;
                self.resume_rows(facts.iter().map(|(_, facts)| facts.came).max().unwrap_or_default(), &unseen)?;
            }
            Open::Sessions(_) | Open::Counts(_) => self.bring_unseen(sections, mine)?,
        }
        for section in sections.last_of_each() {
            self.adopt_unseen(section, mine).map_err(|what| sections.wrong(what))?;
        }
        if let (Open::Panes(panes), Some(sliding)) = (&self.open, &mut self.sliding)
            && let Some(boundary) = facts.iter().find_map(|(_, facts)| facts.boundary)
        {
            let spoilt = facts.iter().flat_map(|(_, facts)| &facts.spoilt);
            if self.spill.is_some() {
                let of = |s: &Spoilt| (s.start, s.key.as_slice().into(), s.aggregate, s.reason.clone());
                *sliding = Sliding::restore_resting(boundary, spoilt.map(of));
                return Ok(());
            }
            *sliding = Sliding::restore(boundary, panes.slices, &panes.open);
            for Spoilt { start, key, aggregate, reason } in spoilt {
                if let Some(slot) = panes::slot(panes, *start, key) {
                    sliding.spoil(slot, *aggregate, reason.clone());
                }
            }
        }
        Ok(())
    }

    fn adopt(
        &mut self,
        section: &Section,
        newer: &mut Newer,
        overlap: bool,
        mine: &dyn Fn(&[u8]) -> bool,
    ) -> Result<(), String> {
        let (named, adopted) = match &mut self.open {
            Open::Panes(panes) => (panes::COLUMNS, panes::adopt(panes, section, newer, overlap, mine)?),
            Open::Sessions(sessions) => (sessions::COLUMNS, sessions::adopt(sessions, section, newer, overlap, mine)?),
            Open::Counts(counts) => (counts::COLUMNS, counts::adopt(counts, section, newer, mine)?),
        };
        let count = self.open.slots().count();
        let mut slots: Vec<Option<u32>> = Vec::new();
        for (held, adopted) in section.table(SLOTS).iter().zip(adopted) {
            let (rows_of, slots_of): (Vec<u32>, Vec<u32>) = adopted.iter().copied().unzip();
            let mut columns = rows(held, named, &rows_of);
            for aggregate in self.aggregates.iter_mut().rev() {
                aggregate.store.grow(count);
                let of = columns.len().checked_sub(aggregate.store.columns()).ok_or("columns are missing")?;
                aggregate.store.scatter(&slots_of, &columns.split_off(of));
            }
            let before = slots.len();
            slots.resize(before + held.num_rows(), None);
            for (row, slot) in adopted {
                slots[before + row as usize] = Some(slot);
            }
        }
        let Some(map) = &mut self.group_map else { return Ok(()) };
        map.grow(count);
        for held in section.table(ROWS) {
            let numbers = held.column(0).as_primitive::<UInt32Type>().values();
            let of = |number: &u32| slots.get(*number as usize).copied().flatten();
            let (kept, slots_of): (Vec<u32>, Vec<u32>) =
                numbers.iter().zip(0..).filter_map(|(number, row)| Some((row, of(number)?))).unzip();
            let mut columns = rows(held, 1, &kept);
            let rest = columns.split_off(2);
            let (times, came) = (columns[0].as_primitive::<Int64Type>(), columns[1].as_primitive::<UInt64Type>());
            map.adopt(rest, &slots_of, times.values(), came.values());
        }
        Ok(())
    }

    /// Brings the keys to memory whose changes no early result has told yet.
    fn bring_unseen(&mut self, sections: Sections<'_>, mine: &dyn Fn(&[u8]) -> bool) -> Result<()> {
        let tables = sections.last_of_each().flat_map(|section| section.table(UNSEEN));
        let unseen: Vec<&BinaryArray> =
            tables.map(|held| keys(held, 0)).collect::<Result<_, _>>().map_err(|what| sections.wrong(what))?;
        self.bring(unseen.into_iter().flatten().flatten().filter(|key| mine(key)).collect())
    }

    fn adopt_unseen(&mut self, section: &Section, mine: &dyn Fn(&[u8]) -> bool) -> Result<(), String> {
        for held in section.table(UNSEEN) {
            match &mut self.open {
                Open::Panes(panes) => panes::adopt_unseen(panes, held, mine)?,
                Open::Sessions(sessions) => sessions::adopt_unseen(sessions, held, mine)?,
                Open::Counts(_) => {}
            }
        }
        Ok(())
    }
}

/// A column of numbers of a table.
fn numbers(batch: &RecordBatch, column: usize) -> Result<&[i64], String> {
    let column = batch.columns().get(column).and_then(|c| c.as_primitive_opt::<Int64Type>());
    column.map(|c| &**c.values()).ok_or_else(|| "a column of numbers is missing".to_owned())
}

/// A column of keys of a table.
fn keys(batch: &RecordBatch, column: usize) -> Result<&BinaryArray, String> {
    let column = batch.columns().get(column).and_then(|c| c.as_binary_opt::<i32>());
    column.ok_or_else(|| "a column of keys is missing".to_owned())
}

fn key_column<'a>(keys: impl Iterator<Item = &'a [u8]>) -> (String, ArrayRef) {
    ("key".to_owned(), Arc::new(BinaryArray::from_iter_values(keys)))
}

fn number_column(name: &str, numbers: impl Iterator<Item = i64>) -> (String, ArrayRef) {
    (name.to_owned(), Arc::new(Int64Array::from_iter_values(numbers)))
}
