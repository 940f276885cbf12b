//! The first phase of an aggregation in two: rows are folded where they are, batch by batch, and what
//! that comes to goes to the workers of the keys, which merge it in the order of batches. Of a key that
//! has most of the rows its worker then gets one row a batch.
//!
//! Nothing is held from batch to batch. Which pane a row is in, and whether it is late, its own marks
//! say; late rows go on as they are. Where a batch has nearly as many keys as rows folding it here is
//! work for nothing, and the next ones of its partition go on as they are, more and more of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use arrow_array::{ArrayRef, Int64Array};
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;

use super::fold::{Failed, Windows};
use super::place::Open;
use crate::error::Result;
use crate::flow::batch::{Batch, Marks, record_batch};
use crate::flow::dead_letters::{Called, Failures};
use crate::flow::{Options, Stream};
use crate::function::invoke::Failure;
use crate::plan;
use crate::report::Node;
use crate::types::{Field, arrow_schema};

/// Batches of a partition that go on as they are before one is tried again, at most.
const PASSED_MAX: u32 = 63;

/// Folds the rows of a stream for a window step behind an exchange.
pub(in crate::flow) fn fold_locally<'scope>(
    stream: Stream<'scope>,
    node: &plan::Node,
    window: &plan::Window,
    input: &[Field],
    timed: bool,
    options: &Options,
    failures: Failures,
) -> Stream<'scope> {
    let counters = Arc::clone(&failures.counters);
    let (reuse, rows) = (options.reuse, options.batch_rows);
    let mut local = Local {
        windows: Windows::new(window, input, timed, &node.fields, reuse, &counters, false, rows),
        called: window.compute.calls().map(|call| Called::new(&call.label, &call.function)).collect(),
        failures,
        counters,
        side: window.firing.late == plan::Late::Side,
        passed: BTreeMap::new(),
    };
    stream.unary(Pipeline, &format!("{} (local)", node.name), move |_, _| {
        move |input, output| {
            input.for_each(|capability, batches| {
                let mut session = output.session(&capability);
                batches.drain(..).for_each(|batch| local.fold(batch, &mut |batch| session.give(batch)));
            });
        }
    })
}

struct Local {
    windows: Windows,
    called: Vec<Called>,
    failures: Failures,
    counters: Arc<Node>,
    /// Whether late rows are a stream.
    side: bool,
    /// Of each partition, the batches that go on as they are, and how many of them are left.
    passed: BTreeMap<u32, (u32, u32)>,
}

impl Local {
    fn fold(&mut self, batch: Batch, give: &mut dyn FnMut(Batch)) {
        let rows = batch.rows.num_rows();
        if rows == 0 || self.failures.shared.has_failed() {
            return give(batch);
        }
        let (passed, left) = self.passed.entry(batch.partition).or_default();
        if *left > 0 {
            *left -= 1;
            return give(batch);
        }
        let started = Instant::now();
        let mut failed = Vec::new();
        let (folded, late) = match self.windows.fold_alone(&batch, &mut failed) {
            Ok(folded) => folded,
            Err(error) => return self.failures.shared.fail(error),
        };
        *passed = if folded.rows.num_rows() * 2 > rows - late.len() { (*passed * 2 + 1).min(PASSED_MAX) } else { 0 };
        *left = *passed;
        Node::add_time(&self.counters.busy_ns, started.elapsed());
        Node::add(&self.counters.rows_in, rows - late.len());
        for (index, called) in self.called.iter().enumerate() {
            let of: Vec<&Failure> = failed.iter().filter(|f| f.aggregate == index).map(|f| &f.failure).collect();
            self.failures.rows(called, &batch, of.into_iter());
        }
        // Who takes late rows has to know of every batch, to see how far its partition is.
        if self.side || !late.is_empty() {
            give(batch.take(&late.into()));
        }
        give(folded);
    }
}

impl Windows {
    /// What the rows of a batch come to that are not late, an accumulator for each pane and key; and the
    /// rows that are late. The windows are as empty as before.
    fn fold_alone(&mut self, batch: &Batch, failed: &mut Vec<Failed>) -> Result<(Batch, Vec<u32>)> {
        let late = self.fold(batch, failed)?;
        let Open::Panes(panes) = &mut self.open else { unreachable!("the plan has two phases for panes alone") };
        let (mut keys, mut slots) = (Vec::new(), Vec::new());
        let (mut times, mut watermarks) = (Vec::new(), Vec::new());
        let open = panes.take();
        let now = batch.moment().now;
        for (id, pane) in &open {
            for (key, slot) in pane.entries() {
                keys.push(key.bytes);
                slots.push(slot);
                let (time, watermark) = panes.marks(*id, now);
                times.push(time);
                watermarks.push(watermark);
            }
        }
        let mut fields = self.key.clone();
        let mut columns: Vec<ArrayRef> = Vec::new();
        if !self.key.is_empty() {
            let rows = keys.iter().map(|key| self.parser.parse(key));
            columns = self.converter.convert_rows(rows).expect("the keys were made by this converter");
        }
        for aggregate in &mut self.aggregates {
            fields.extend(aggregate.fields.iter().cloned());
            columns.extend(aggregate.store.gather(&slots));
            aggregate.store.forget(&slots);
        }
        let marks = Marks {
            times: batch.marks.times.is_some().then(|| Int64Array::from(times)),
            watermarks: batch.marks.watermarks.is_some().then(|| Int64Array::from(watermarks)),
            ..Marks::default()
        };
        let rows = record_batch(arrow_schema(&fields), columns, slots.len());
        panes.slots.free(slots);
        Ok((Batch { folded: true, ..batch.with(rows, marks) }, late))
    }
}
