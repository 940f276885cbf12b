//! The partition step: rows change workers as the step says, and are counted.

use std::sync::Arc;

use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;

use super::Stream;
use super::exchange::{Edge, exchange};
use crate::plan::{self, Partition};
use crate::report::Node;

/// Spreads a stream over the workers.
pub(super) fn partition<'scope>(
    stream: Stream<'scope>,
    node: &plan::Node,
    how: &Partition,
    counters: Arc<Node>,
) -> Stream<'scope> {
    // Rows of one batch come out on several workers, and whoever needs their order puts them together.
    let edge = match how {
        Partition::RoundRobin => Edge::Turn,
        Partition::Key(columns) => Edge::Key { columns: columns.clone(), numbered: true },
        Partition::Range { column, bounds } => Edge::Range { column: column.clone(), bounds: bounds.clone() },
    };
    let counted = stream.unary(Pipeline, &node.name, move |_, _| {
        move |input, output| {
            input.for_each(|capability, batches| {
                for batch in batches.iter() {
                    Node::add(&counters.rows_in, batch.rows.num_rows());
                    Node::add(&counters.rows_out, batch.rows.num_rows());
                }
                output.session(&capability).give_container(batches);
            });
        }
    });
    exchange(counted, &edge, &node.fields)
}
