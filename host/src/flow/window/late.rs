//! The stream of the rows that were late for all windows of a step: those rows as they came, with the
//! columns that somebody needs.

use std::sync::Arc;

use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;

use crate::flow::Stream;
use crate::flow::batch::record_batch;
use crate::plan;
use crate::report::Node;
use crate::types::{Field, arrow_schema};

/// Takes a window's late rows, which have the columns `input`.
pub(in crate::flow) fn late<'scope>(
    stream: Stream<'scope>,
    node: &plan::Node,
    input: &[Field],
    counters: Arc<Node>,
) -> Stream<'scope> {
    let place = |field: &Field| input.iter().position(|f| f.name == field.name).expect("the plan has found the column");
    let columns: Vec<usize> = node.fields.iter().map(place).collect();
    let schema = arrow_schema(&node.fields);
    stream.unary(Pipeline, &node.name, move |_, _| {
        move |input, output| {
            input.for_each(|capability, batches| {
                let mut session = output.session(&capability);
                for mut batch in batches.drain(..) {
                    let rows = batch.rows.num_rows();
                    // Behind a failure batches are passed by as they are.
                    if rows > 0 {
                        let columns = columns.iter().map(|c| Arc::clone(batch.rows.column(*c))).collect();
                        batch.rows = record_batch(Arc::clone(&schema), columns, rows);
                    }
                    Node::add(&counters.rows_in, rows);
                    Node::add(&counters.rows_out, rows);
                    session.give(batch);
                }
            });
        }
    })
}
