//! The window operator: folds rows into windows, and fires those that the stream's watermark has
//! passed, once for each epoch.
//!
//! The stream's watermark is the least of its partitions'. It is taken where an epoch is complete,
//! so that it does not depend on how fast rows came. Rows are folded in the order of (partition,
//! sequence), at once where they come in that order anyway.

pub(super) mod accumulators;
pub(super) mod assign;
mod fire;
mod fold;
mod panes;
pub(super) mod place;
mod sessions;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use arrow_array::RecordBatch;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;

use super::batch::{Batch, Marks};
use super::dead_letters::{Called, Failures};
use super::epochs::{Epochs, Order, merged};
use super::watermarks::Watermarks;
use super::{Options, Stream};
use crate::function::invoke::{Failure, Moment};
use crate::plan;
use crate::report::Node;
use crate::types::{Field, arrow_schema};
use fire::Fired;
use fold::Windows;

/// What the operator needs to know of its step and its stream.
pub(super) struct Setting<'a> {
    pub(super) node: &'a plan::Node,
    pub(super) window: &'a plan::Window,
    /// The columns of the stream that it takes.
    pub(super) input: &'a [Field],
    /// The partitions of that stream, and the order of its rows.
    pub(super) partitions: usize,
    pub(super) order: Order,
    pub(super) options: &'a Options,
    pub(super) counters: Arc<Node>,
    pub(super) failures: Failures,
}

/// Puts windows on a stream that is exchanged by their key.
pub(super) fn window<'scope>(stream: Stream<'scope>, setting: Setting<'_>) -> Stream<'scope> {
    let (peers, worker) = (stream.scope().peers(), stream.scope().index());
    let Setting { node, window, input, partitions, order, options, counters, failures } = setting;
    let called = window.aggregates.iter().map(|a| Called::new(&a.call.label, &a.call.function)).collect();
    let mut step = Step {
        windows: Windows::new(window, input, &node.fields, options.reuse, &counters, peers > 1, options.batch_rows),
        watermarks: Watermarks::new(partitions),
        worker: worker as u32,
        sequence: 0,
        called,
        failures,
        counters,
    };
    let in_order = peers == 1;
    let schema = arrow_schema(input);
    let mut epochs = Epochs::default();
    stream.unary_frontier(Pipeline, &node.name, move |_, _| {
        move |(input, frontier), output| {
            input.for_each(|capability, batches| {
                let Some(capability) = capability.retain_least(output.output_index()) else { return };
                if in_order {
                    batches.iter_mut().for_each(|batch| step.fold(batch));
                }
                epochs.push(&capability, batches.drain(..));
            });
            while let Some((capability, batches)) = epochs.complete(frontier) {
                let mut session = output.session(&capability);
                batches.iter().for_each(|batch| step.watermarks.note(batch));
                if !in_order {
                    merged(batches, &schema, order).iter_mut().for_each(|batch| step.fold(batch));
                }
                step.fire(&mut |batch| session.give(batch));
            }
        }
    })
}

/// The windows of a step on one worker, and how far its stream is.
struct Step {
    windows: Windows,
    watermarks: Watermarks,
    worker: u32,
    sequence: u64,
    called: Vec<Called>,
    failures: Failures,
    counters: Arc<Node>,
}

impl Step {
    /// Folds a batch's rows, and leaves of it only where its partition's watermark stands.
    fn fold(&mut self, batch: &mut Batch) {
        let rows = batch.rows.num_rows();
        if rows == 0 || self.failures.shared.has_failed() {
            return;
        }
        let started = Instant::now();
        let mut failed = Vec::new();
        let late = self.windows.fold(batch, &mut failed);
        Node::add_time(&self.counters.busy_ns, started.elapsed());
        Node::add(&self.counters.rows_in, rows);
        Node::add(&self.counters.late, late);
        for (index, called) in self.called.iter().enumerate() {
            let of: Vec<&Failure> = failed.iter().filter(|f| f.aggregate == index).map(|f| &f.failure).collect();
            self.failures.rows(called, batch, batch.moment(), of.into_iter());
        }
        *batch = batch.take(&Vec::<u32>::new().into());
    }

    /// Fires what the stream's watermark has passed, and passes the watermark on.
    fn fire(&mut self, give: &mut dyn FnMut(Batch)) {
        if self.failures.shared.has_failed() {
            return;
        }
        let watermark = self.watermarks.stream();
        self.counters.watermark.fetch_max(watermark, Relaxed);
        let shell = Batch {
            partition: self.worker,
            sequence: 0,
            watermark,
            idle: self.watermarks.is_idle(),
            target: 0,
            rows: RecordBatch::new_empty(arrow_schema::Schema::empty().into()),
            marks: Marks::default(),
        };
        let started = Instant::now();
        let mut out = Out {
            shell: &shell,
            sequence: &mut self.sequence,
            called: &self.called,
            failures: &self.failures,
            give,
            rows: 0,
        };
        self.windows.fire(watermark, &mut out);
        let rows = out.rows;
        // What follows has to know the watermark even where nothing fired.
        let (rows_of_none, marks) = self.windows.no_results();
        give_numbered(shell.with(rows_of_none, marks), &mut self.sequence, give);
        Node::add_time(&self.counters.busy_ns, started.elapsed());
        Node::add(&self.counters.rows_out, rows);
    }
}

fn give_numbered(mut batch: Batch, sequence: &mut u64, give: &mut dyn FnMut(Batch)) {
    batch.sequence = *sequence;
    *sequence += 1;
    give(batch);
}

/// Where fired rows go.
struct Out<'a> {
    shell: &'a Batch,
    sequence: &'a mut u64,
    called: &'a [Called],
    failures: &'a Failures,
    give: &'a mut dyn FnMut(Batch),
    rows: usize,
}

impl Fired for Out<'_> {
    fn rows(&mut self, rows: RecordBatch, marks: Marks) {
        self.rows += rows.num_rows();
        // The stream is at its new watermark only behind the last of these rows.
        let batch = Batch { watermark: i64::MIN, ..self.shell.with(rows, marks) };
        give_numbered(batch, self.sequence, self.give);
    }

    fn failed(&mut self, aggregate: usize, moment: Moment, failures: &[Failure], rows: &RecordBatch) {
        let batch = self.shell.with(rows.clone(), Marks::default());
        self.failures.rows(&self.called[aggregate], &batch, moment, failures.iter());
    }
}
