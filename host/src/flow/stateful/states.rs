//! The states of a stateful map on one worker: which rows go with which, and the call.
//!
//! A function that fails on a row leaves the row's state as it was; one that fails as a whole is
//! called again on parts, and what the good ones came to stands.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, BinaryArray, Int64Array};
use arrow_row::RowConverter;

use super::behind::Behind;
use super::keys::{Keys, Timed};
use crate::checkpoint::Table;
use crate::error::Result;
use crate::flow::Options;
use crate::flow::batch::Batch;
use crate::flow::cut::Sections;
use crate::flow::cut::keyed::{Newer, Pace, ROWS_MAX, batch, newest_first, rows, table};
use crate::flow::exchange::key_converter;
use crate::flow::transform::Common;
use crate::flow::window::accumulators::Store;
use crate::function::invoke::{Failure, Moment};
use crate::plan;
use crate::report::Node;
use crate::types::Field;

/// The states of one step on one worker.
pub(super) struct States {
    common: Common,
    key_columns: Vec<usize>,
    converter: RowConverter,
    pub(super) keys: Keys,
    pub(super) store: Store,
    pace: Pace,
    /// Where states are that memory has no room for.
    pub(super) behind: Option<Behind>,
}

impl States {
    pub(super) fn new(
        node: &plan::Node,
        plan: &plan::StatefulMap,
        input: &[Field],
        options: &Options,
        counters: &Arc<Node>,
    ) -> Self {
        let of = |key: &Field| input.iter().position(|f| f.name == key.name).expect("the plan has found the column");
        let signature = plan.apply.call.function.signature();
        Self {
            common: Common::new(node, &plan.apply, input, options, counters),
            key_columns: plan.key.iter().map(of).collect(),
            converter: key_converter(&plan.key),
            keys: Keys::new(plan.ttl_us),
            store: Store::new(&signature.accumulator, plan.empty.clone()),
            pace: Pace::default(),
            behind: None,
        }
    }

    /// The rows that come of a batch's rows. Those that fail are added to `failures`.
    pub(super) fn step(&mut self, batch: &Batch, moment: Moment, failures: &mut Vec<Failure>) -> Result<Batch> {
        let columns: Vec<ArrayRef> = self.key_columns.iter().map(|c| Arc::clone(batch.rows.column(*c))).collect();
        let keys = || self.converter.convert_columns(&columns).expect("the key has the columns of the plan");
        let keys = (!columns.is_empty()).then(keys);
        let key = |row: usize| keys.as_ref().map_or(&[][..], |keys| keys.row(row).data());
        let timed = match (&batch.marks.times, &batch.marks.watermarks) {
            (Some(times), Some(watermarks)) => Some(Timed { times, watermarks }),
            _ => None,
        };
        self.recall((0..batch.rows.num_rows()).map(key))?;
        let placed = self.keys.place(batch.rows.num_rows(), key, timed);
        self.store.grow(self.keys.slots());
        self.store.clear(&placed.fresh);
        let held = self.store.gather(&placed.slots);
        let (invoker, count) = (&mut self.common.invoker, placed.slots.len());
        let (states, outputs, parents) =
            invoker.stateful_map(held, count, &placed.groups, &batch.rows, moment, failures);
        self.store.scatter(&placed.slots, &states);
        self.keys.free(placed.over);
        self.make_room()?;
        let batch = batch.take(&parents);
        let rows = self.common.rows(&batch.rows, &outputs);
        Ok(batch.with(rows, batch.marks.clone()))
    }

    /// Forgets the states that no row can find any more, now that the stream is at this watermark.
    pub(super) fn forget(&mut self, watermark: i64) {
        self.keys.forget(watermark);
    }

    /// Notes from now on what changes.
    pub(super) fn save(&mut self) {
        self.keys.save();
    }

    /// The states, or those that have changed, and whether it is all of them.
    pub(super) fn snapshot(&mut self) -> (Table, bool) {
        let (all, changed) = self.keys.count();
        let whole = self.pace.is_whole(changed, all);
        let slots = self.keys.kept(whole);
        let part = |slots: &[u32]| {
            let entries = || slots.iter().map(|slot| self.keys.entry(*slot));
            let keys: ArrayRef = Arc::new(BinaryArray::from_iter_values(entries().map(|(key, _)| key)));
            let last: ArrayRef = Arc::new(Int64Array::from_iter_values(entries().map(|(_, last)| last)));
            let states = self.store.gather(slots).into_iter().enumerate();
            let states = states.map(|(number, column)| (number.to_string(), column));
            batch([("key".to_owned(), keys), ("last".to_owned(), last)].into_iter().chain(states).collect())
        };
        (table(STATES, slots.chunks(ROWS_MAX).map(part)), whole)
    }

    /// Takes in the states that are this worker's.
    pub(super) fn restore(&mut self, sections: Sections<'_>, mine: &dyn Fn(&[u8]) -> bool) -> Result<()> {
        let mut newer = Newer::default();
        let missing = || sections.wrong("a column is missing".to_owned());
        for (section, overlap) in newest_first(sections.all()) {
            for held in section.table(STATES) {
                let keys = held.column(0).as_binary_opt::<i32>().ok_or_else(missing)?;
                let last = held.column(1).as_primitive_opt::<Int64Type>().ok_or_else(missing)?;
                if held.num_columns() != 2 + self.store.columns() {
                    return Err(missing());
                }
                let is_new = |row: &u32| {
                    let key = keys.value(*row as usize);
                    mine(key) && !newer.has(key)
                };
                let kept: Vec<u32> = (0..held.num_rows() as u32).filter(is_new).collect();
                let adopt = |row: &u32| self.keys.adopt(keys.value(*row as usize), last.value(*row as usize));
                let slots: Vec<u32> = kept.iter().map(adopt).collect();
                self.store.grow(self.keys.slots());
                self.store.scatter(&slots, &rows(held, 2, &kept));
            }
            if overlap {
                for held in section.table(STATES) {
                    newer.extend(held.column(0).as_binary::<i32>().iter().flatten());
                }
            }
        }
        Ok(())
    }
}

const STATES: &str = "states";
