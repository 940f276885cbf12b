//! Reads the partitions of a source that are a worker's, one after the other, epoch by epoch.
//!
//! In come what partitions give; out go stamped batches, and what became of the epoch. It knows no
//! dataflow: the operator calls it, and goes by what it says.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use arrow_schema::SchemaRef;

use super::partition::Open;
use crate::checkpoint::Position;
use crate::flow::Options;
use crate::flow::batch::{Batch, record_batch};
use crate::flow::dead_letters::Failures;
use crate::flow::source::{Decoded, Next};
use crate::plan;
use crate::report::Node;
use crate::types::arrow_schema;

/// What a call of [`Reader::step`] came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There is more to read.
    Again,
    /// No partition has anything to give now.
    Nothing,
    /// Every partition has given its share of the epoch.
    EpochDone,
    /// Every partition has ended.
    End,
}

pub(super) struct Reader {
    partitions: Vec<Open>,
    /// The partition that is read now.
    current: usize,
    /// Whether the epoch has any rows, or anything else to say.
    gave: bool,
    schema: SchemaRef,
    batch_rows: usize,
    epoch_rows: usize,
    pub(super) counters: Arc<Node>,
    pub(super) failures: Failures,
    /// Whether another run goes on where this one is asked to end: then the input does not end there.
    stays: bool,
    /// What tells the partitions apart in a checkpoint.
    names: Vec<String>,
    node: String,
    /// The least watermark so far of what has not ended and is not idle, for the report.
    watermark: i64,
}

impl Reader {
    pub(super) fn new(
        partitions: Vec<Open>,
        node: &plan::Node,
        options: &Options,
        counters: Arc<Node>,
        failures: Failures,
        names: Vec<String>,
        stays: bool,
    ) -> Self {
        Self {
            names,
            stays,
            node: node.name.clone(),
            partitions,
            current: 0,
            gave: false,
            schema: arrow_schema(&node.fields),
            batch_rows: options.batch_rows,
            epoch_rows: options.epoch_rows,
            counters,
            failures,
            watermark: i64::MIN,
        }
    }

    /// Reads at most one batch.
    pub(super) fn step(&mut self, give: &mut dyn FnMut(Batch)) -> Step {
        if self.stays && self.failures.shared.is_ending() {
            // What is left of the epoch is for the run that goes on from the last cut.
            return Step::Nothing;
        }
        if self.failures.shared.is_ending() {
            self.partitions.iter_mut().for_each(|open| give(open.end(&self.schema)));
            self.note_watermark();
            return Step::End;
        }
        while let Some(open) = self.partitions.get_mut(self.current) {
            if open.has_ended() || open.left == 0 {
                self.current += 1;
                continue;
            }
            let said = match open.partition.next(self.batch_rows.min(open.left)) {
                Ok(Next::Rows(decoded)) => {
                    self.gave = true;
                    self.rows(decoded, give);
                    return Step::Again;
                }
                Ok(Next::Pending) => open.pending(&self.schema),
                Ok(Next::End) => Some(open.end(&self.schema)),
                Err(error) => {
                    self.failures.shared.fail(error);
                    return Step::Again;
                }
            };
            if let Some(batch) = said {
                self.gave = true;
                give(batch);
                self.note_watermark();
            }
            self.current += 1;
        }
        self.current = 0;
        let gave = std::mem::take(&mut self.gave);
        for open in &mut self.partitions {
            open.left = self.epoch_rows;
        }
        match (self.partitions.iter().all(Open::has_ended), gave) {
            (true, _) => Step::End,
            (false, true) => Step::EpochDone,
            (false, false) => Step::Nothing,
        }
    }

    /// Whether every partition has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.partitions.iter().all(Open::has_ended)
    }

    /// Ends an epoch with a cut behind it: says of each partition where it is, so that whatever takes its
    /// rows has something to complete.
    pub(super) fn cut(&mut self, give: &mut dyn FnMut(Batch)) -> Vec<Position> {
        self.current = 0;
        self.gave = false;
        let positions = self.partitions.iter_mut().map(|open| {
            open.left = self.epoch_rows;
            give(open.empty(&self.schema));
            open.position(&self.node, &self.names[open.index() as usize])
        });
        positions.collect()
    }

    /// Gives what the current partition has read.
    fn rows(&mut self, decoded: Decoded, give: &mut dyn FnMut(Batch)) {
        let open = &mut self.partitions[self.current];
        self.counters.bytes.fetch_add(open.new_bytes(), Relaxed);
        Node::add(&self.counters.rows_in, decoded.rows.num_rows() + decoded.bad.len());
        let (mut batch, bad) = open.rows(decoded);
        if !bad.is_empty() {
            self.failures.records(open.index(), &bad);
        }
        let columns = self
            .schema
            .fields()
            .iter()
            .map(|f| Arc::clone(batch.rows.column_by_name(f.name()).expect("the plan reads the columns it needs")));
        batch.rows = record_batch(Arc::clone(&self.schema), columns.collect(), batch.rows.num_rows());
        Node::add(&self.counters.rows_out, batch.rows.num_rows());
        self.note_watermark();
        give(batch);
    }

    /// Says in the report how far the partitions are.
    fn note_watermark(&mut self) {
        let waited_for = self.partitions.iter().filter_map(Open::watermark).min();
        // While all are idle it stays; one that comes back may be behind it.
        if let Some(least) = waited_for.filter(|w| *w != i64::MAX || self.partitions.iter().all(Open::has_ended)) {
            self.watermark = self.watermark.max(least);
            self.counters.watermark.store(self.watermark, Relaxed);
        }
    }
}
