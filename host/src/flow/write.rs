//! The sink operator: writes what an epoch brought when the epoch is complete, in the stream's
//! order.
//!
//! Rows that come from windows are in the order of (window end, key), all others in the order of
//! their source: partition, then place. Rows that several workers gave are put in order here. A sink that writes
//! to one place does so on one worker. Where rows come in their order, which is where one worker has the one
//! partition of the stream, not many of an epoch are held back: a window may come to more results than memory
//! has room for.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use arrow_schema::SchemaRef;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;

use super::Stream;
use super::batch::Batch;
use super::cut::Cuts;
use super::dead_letters::Shared;
use super::epochs::{Epochs, Order, merged};
use super::sink::{Stager, Writer, Wrote};
use crate::error::Result;
use crate::report::Node;
use crate::types::{Field, arrow_schema};

/// Rows of an epoch that are held back until it is complete, at most, where they come in their order.
const HELD_ROWS_MAX: usize = 65_536;

/// Where a worker's rows of a sink go.
pub(super) enum Target {
    /// To nobody: they are counted.
    Nowhere,
    /// To the one place that the sink writes to.
    Writer(Box<dyn Writer>),
    /// To a file that checkpoints publish.
    Staged(Box<Stager>),
    /// Nobody reads them any more.
    Closed,
}

/// Puts a sink on a stream.
#[expect(clippy::too_many_arguments, reason = "what a sink and its stream are is known in one place")]
pub(super) fn write<'scope>(
    stream: Stream<'scope>,
    name: &str,
    fields: &[Field],
    (order, partitions): (Order, usize),
    target: Target,
    counters: Arc<Node>,
    shared: Arc<Shared>,
    cuts: Cuts,
) -> Stream<'scope> {
    let held_rows_max = match (&target, stream.scope().peers(), partitions) {
        (Target::Nowhere, ..) => 0,
        (_, 1, 1) => HELD_ROWS_MAX,
        _ => usize::MAX,
    };
    let mut sink = Sink { target, schema: arrow_schema(fields), order, bytes: 0, counters, shared };
    let mut epochs = Epochs::default();
    stream.unary_frontier::<CapacityContainerBuilder<Vec<Batch>>, _, _, _>(Pipeline, name, move |_, _| {
        move |(input, frontier), output| {
            input.for_each(|capability, batches| {
                if let Some(capability) = capability.retain_least(output.output_index()) {
                    epochs.push(*capability.time(), || capability, batches.drain(..));
                }
            });
            while let Some((capability, batches)) = epochs.complete(frontier) {
                sink.write(batches);
                if cuts.at(*capability.time()).is_some() {
                    sink.cut(&cuts);
                }
            }
            if let Some(batches) = epochs.incomplete(frontier)
                && batches.iter().map(|batch| batch.rows.num_rows()).sum::<usize>() > held_rows_max
            {
                sink.write(std::mem::take(batches));
            }
            if frontier.is_empty() {
                sink.finish();
            }
        }
    })
}

struct Sink {
    target: Target,
    schema: SchemaRef,
    order: Order,
    bytes: u64,
    counters: Arc<Node>,
    shared: Arc<Shared>,
}

impl Sink {
    /// Writes what an epoch brought, or the first part of it.
    fn write(&mut self, batches: Vec<Batch>) {
        if self.shared.has_failed() {
            return;
        }
        let started = Instant::now();
        let batches = match self.target {
            // Their order is of no matter to nobody.
            Target::Nowhere => batches,
            _ => merged(batches, &self.schema, self.order),
        };
        for batch in batches {
            let rows = batch.rows.num_rows();
            Node::add(&self.counters.rows_in, rows);
            let wrote = match &mut self.target {
                Target::Nowhere => Ok(Wrote::All),
                Target::Writer(writer) => writer.write(&batch.rows),
                Target::Staged(stager) => stager.write(&batch.rows).map(|()| Wrote::All),
                Target::Closed => return,
            };
            if self.went_well(wrote) {
                Node::add(&self.counters.rows_out, rows);
            }
        }
        if let Target::Writer(writer) = &mut self.target {
            let flushed = writer.flush();
            let bytes = writer.bytes();
            self.counters.bytes.fetch_add(bytes - std::mem::replace(&mut self.bytes, bytes), Relaxed);
            self.went_well(flushed);
        }
        Node::add_time(&self.counters.busy_ns, started.elapsed());
    }

    /// Leaves what a checkpoint is to publish.
    fn cut(&mut self, cuts: &Cuts) {
        let Target::Staged(stager) = &mut self.target else { return };
        if self.shared.has_failed() {
            return;
        }
        match stager.cut() {
            Ok(staged) => staged.into_iter().for_each(|staged| cuts.leave_staged(staged)),
            Err(error) => self.shared.fail(error),
        }
        self.counters.bytes.fetch_add(stager.new_bytes(), Relaxed);
    }

    /// Ends the output: nothing will follow.
    fn finish(&mut self) {
        if let Target::Writer(mut writer) = std::mem::replace(&mut self.target, Target::Closed) {
            let finished = writer.finish();
            self.went_well(finished);
            self.counters.bytes.fetch_add(writer.bytes() - self.bytes, Relaxed);
        }
    }

    fn went_well(&mut self, wrote: Result<Wrote>) -> bool {
        match wrote {
            Ok(Wrote::All) => return true,
            Ok(Wrote::Closed) => {
                self.target = Target::Closed;
                self.shared.close_sink();
            }
            Err(error) => self.shared.fail(error),
        }
        false
    }
}
