//! The steps that take one row at a time: map, filter, flat-map.

mod filter;
mod flat_map;
mod map;

use std::sync::Arc;
use std::time::Instant;

use arrow_array::RecordBatch;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;

use super::batch::{Batch, record_batch};
use super::dead_letters::{Called, Failures};
use super::{Options, Stream};
use crate::function::Kind;
use crate::function::invoke::{Failure, Invoker, Moment};
use crate::plan::{Apply, Node};
use crate::report;
use crate::types::{Field, arrow_schema};

use filter::Filter;
use flat_map::FlatMap;
use map::Map;

/// What a step does with a batch.
trait Step {
    /// The batch that comes out; rows that failed are in `failures`.
    fn step(&mut self, batch: &Batch, moment: Moment, failures: &mut Vec<Failure>) -> Batch;
}

/// Puts a step on a stream with the columns `input`.
pub(super) fn transform<'scope>(
    stream: Stream<'scope>,
    node: &Node,
    apply: &Apply,
    input: &[Field],
    options: &Options,
    failures: Failures,
) -> Stream<'scope> {
    let counters = Arc::clone(&failures.counters);
    let called = Called::new(&apply.call.label, &apply.call.function);
    let common = Common::new(node, apply, input, options, &counters);
    let mut step: Box<dyn Step> = match apply.call.function.signature().kind {
        Kind::Filter => Box::new(Filter(common)),
        Kind::FlatMapper => Box::new(FlatMap(common)),
        Kind::Mapper | Kind::Aggregate | Kind::StatefulMapper | Kind::GroupMapper => Box::new(Map(common)),
    };
    stream.unary(Pipeline, &node.name, move |_, _| {
        move |input, output| {
            input.for_each(|capability, batches| {
                let mut session = output.session(&capability);
                for batch in batches.drain(..) {
                    if failures.shared.has_failed() {
                        continue;
                    }
                    let started = Instant::now();
                    let mut failed = Vec::new();
                    let moment = batch.moment();
                    let out = step.step(&batch, moment, &mut failed);
                    failures.rows(&called, &batch, failed.iter());
                    report::Node::add(&counters.rows_in, batch.rows.num_rows());
                    report::Node::add(&counters.rows_out, out.rows.num_rows());
                    report::Node::add_time(&counters.busy_ns, started.elapsed());
                    session.give(out);
                }
            });
        }
    })
}

/// What every step has, those with a state too: its function, and which columns its rows then have.
pub(super) struct Common {
    pub(super) invoker: Invoker,
    /// For each column of the result where it comes from.
    columns: Vec<From>,
    fields: Vec<Field>,
}

#[derive(Clone, Copy)]
enum From {
    Input(usize),
    Output(usize),
}

impl Common {
    pub(super) fn new(
        node: &Node,
        apply: &Apply,
        input: &[Field],
        options: &Options,
        counters: &Arc<report::Node>,
    ) -> Self {
        let from = |field: &Field| match apply.outputs.iter().position(|o| o.name == field.name) {
            Some(output) => From::Output(output),
            None => {
                From::Input(input.iter().position(|f| f.name == field.name).expect("the plan has found the column"))
            }
        };
        Self {
            invoker: Invoker::new(&apply.call, input, options.reuse, Arc::clone(counters)),
            columns: node.fields.iter().map(from).collect(),
            fields: node.fields.clone(),
        }
    }

    /// The result's columns, from the rows that are left of the input and a function's outputs.
    pub(super) fn rows(&self, input: &RecordBatch, outputs: &[arrow_array::ArrayRef]) -> RecordBatch {
        let column = |from: &From| match from {
            From::Input(index) => Arc::clone(input.column(*index)),
            From::Output(index) => Arc::clone(&outputs[*index]),
        };
        let columns = self.columns.iter().map(column).collect();
        record_batch(arrow_schema(&self.fields), columns, input.num_rows())
    }
}
