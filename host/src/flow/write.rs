//! The sink operator: writes what an epoch brought when the epoch is complete, in the stream's
//! order.
//!
//! Rows that come from windows are in the order of (window end, key), all others in the order of
//! their source: partition, then place. A sink that writes to one place does so on one worker.

use std::sync::Arc;
use std::time::Instant;

use arrow_array::{Array, UInt32Array};
use arrow_select::concat::{concat, concat_batches};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;

use super::Stream;
use super::batch::Batch;
use super::dead_letters::Shared;
use super::epochs::Epochs;
use super::sink::{Writer, Wrote};
use crate::report::Node;
use crate::types::{Field, arrow_schema};

/// Puts a sink on a stream. Without a writer it only counts, which is what a blackhole does, and
/// every worker but the first.
pub(super) fn write<'scope>(
    stream: Stream<'scope>,
    name: &str,
    fields: &[Field],
    mut writer: Option<Box<dyn Writer>>,
    counters: Arc<Node>,
    shared: Arc<Shared>,
) -> Stream<'scope> {
    let schema = arrow_schema(fields);
    let mut epochs = Epochs::default();
    let mut bytes = 0;
    stream.unary_frontier::<CapacityContainerBuilder<Vec<Batch>>, _, _, _>(Pipeline, name, move |_, _| {
        move |(input, frontier), output| {
            input.for_each(|capability, batches| {
                if let Some(capability) = capability.retain_least(output.output_index()) {
                    epochs.push(&capability, batches.drain(..));
                }
            });
            while let Some((_, batches)) = epochs.complete(frontier) {
                if shared.has_failed() {
                    continue;
                }
                let started = Instant::now();
                for batch in in_order(batches, &schema) {
                    let rows = batch.rows.num_rows();
                    Node::add(&counters.rows_in, rows);
                    if let Some(open) = &mut writer {
                        match open.write(&batch.rows) {
                            Ok(Wrote::All) => Node::add(&counters.rows_out, rows),
                            Ok(Wrote::Closed) => {
                                shared.close_sink();
                                writer = None;
                            }
                            Err(error) => shared.fail(error),
                        }
                    } else {
                        Node::add(&counters.rows_out, rows);
                    }
                }
                if let Some(open) = &mut writer {
                    if let Err(error) = open.flush() {
                        shared.fail(error);
                    }
                    Node::add(&counters.bytes, (open.bytes() - bytes) as usize);
                    bytes = open.bytes();
                }
                Node::add_time(&counters.busy_ns, started.elapsed());
            }
        }
    })
}

/// The batches that have rows; those of windows, which several workers fired, merged by (window
/// end, key).
fn in_order(batches: Vec<Batch>, schema: &arrow_schema::SchemaRef) -> Vec<Batch> {
    let batches: Vec<Batch> = batches.into_iter().filter(|b| b.rows.num_rows() > 0).collect();
    let orders: Vec<&dyn Array> =
        batches.iter().filter_map(|b| b.marks.order.as_ref().map(|o| o as &dyn Array)).collect();
    if orders.len() < 2 {
        return batches;
    }
    let order = concat(&orders).expect("orders are bytes");
    let order = arrow_array::cast::AsArray::as_binary::<i32>(&order);
    let mut indices: Vec<u32> = (0..order.len() as u32).collect();
    indices.sort_by_key(|i| order.value(*i as usize));
    let rows = concat_batches(schema, batches.iter().map(|b| &b.rows)).expect("batches of one stream");
    let all = batches[0].with(rows, super::batch::Marks::default());
    vec![all.take(&UInt32Array::from(indices))]
}
