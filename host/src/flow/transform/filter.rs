//! Filter: keeps the rows that the function says, in their order.

use std::sync::Arc;

use super::{Common, Moment, Step};
use crate::flow::Options;
use crate::flow::batch::Batch;
use crate::function::invoke::Failure;
use crate::plan::{Apply, Node};
use crate::report;
use crate::types::Field;

pub(in crate::flow) struct Filter(Common);

impl Filter {
    pub(in crate::flow) fn new(
        node: &Node,
        apply: &Apply,
        input: &[Field],
        options: &Options,
        counters: &Arc<report::Node>,
    ) -> Self {
        Self(Common::new(node, apply, input, options, counters))
    }
}

impl Step for Filter {
    fn step(&mut self, batch: &Batch, moment: Moment, failures: &mut Vec<Failure>) -> Batch {
        let kept = self.0.invoker.filter(&batch.rows, moment, failures);
        // Columns that were only the filter's go first, so that they are not filtered.
        let rows = self.0.rows(&batch.rows, &[]);
        batch.with(rows, batch.marks.clone()).filter(&kept)
    }
}
