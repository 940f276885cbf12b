//! Map: one row out for each row in. The function's outputs are added to the row, or replace the
//! columns of their names; a row that fails is taken out.

use std::sync::Arc;

use super::{Common, Moment, Step};
use crate::flow::Options;
use crate::flow::batch::Batch;
use crate::function::invoke::Failure;
use crate::plan::{Apply, Node};
use crate::report;
use crate::types::Field;

pub(in crate::flow) struct Map(Common);

impl Map {
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

impl Step for Map {
    fn step(&mut self, batch: &Batch, moment: Moment, failures: &mut Vec<Failure>) -> Batch {
        let (outputs, kept) = self.0.invoker.map(&batch.rows, moment, failures);
        let batch = batch.clone().filter(&kept);
        let rows = self.0.rows(&batch.rows, &outputs);
        batch.with(rows, batch.marks.clone())
    }
}
