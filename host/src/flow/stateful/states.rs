//! The states of a stateful map on one worker: which rows go with which, and the call.
//!
//! A function that fails on a row leaves the row's state as it was; one that fails as a whole is
//! called again on halves, and what the good half came to stands.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_row::RowConverter;

use super::keys::{Keys, Timed};
use crate::flow::Options;
use crate::flow::batch::Batch;
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
    keys: Keys,
    store: Store,
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
        }
    }

    /// The rows that come of a batch's rows. Those that fail are added to `failures`.
    pub(super) fn step(&mut self, batch: &Batch, moment: Moment, failures: &mut Vec<Failure>) -> Batch {
        let columns: Vec<ArrayRef> = self.key_columns.iter().map(|c| Arc::clone(batch.rows.column(*c))).collect();
        let keys = || self.converter.convert_columns(&columns).expect("the key has the columns of the plan");
        let keys = (!columns.is_empty()).then(keys);
        let key = |row: usize| keys.as_ref().map_or(&[][..], |keys| keys.row(row).data());
        let timed = match (&batch.marks.times, &batch.marks.watermarks) {
            (Some(times), Some(watermarks)) => Some(Timed { times, watermarks }),
            _ => None,
        };
        let placed = self.keys.place(batch.rows.num_rows(), key, timed);
        self.store.grow(self.keys.slots());
        self.store.clear(&placed.fresh);
        let held = self.store.gather(&placed.slots);
        let (invoker, count) = (&mut self.common.invoker, placed.slots.len());
        let (states, outputs, parents) =
            invoker.stateful_map(held, count, &placed.groups, &batch.rows, moment, failures);
        self.store.scatter(&placed.slots, &states);
        self.keys.free(placed.over);
        let batch = batch.take(&parents);
        let rows = self.common.rows(&batch.rows, &outputs);
        batch.with(rows, batch.marks.clone())
    }

    /// Forgets the states that no row can find any more, now that the stream is at this watermark.
    pub(super) fn forget(&mut self, watermark: i64) {
        self.keys.forget(watermark);
    }
}
