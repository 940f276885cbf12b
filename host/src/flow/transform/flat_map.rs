//! Flat-map: any number of rows out for each row in; each keeps its row's other columns, its time
//! and its place in the stream.

use std::sync::Arc;

use super::{Common, Moment, Step};
use crate::flow::Options;
use crate::flow::batch::Batch;
use crate::function::invoke::Failure;
use crate::plan::{Apply, Node};
use crate::report;
use crate::types::Field;

pub(in crate::flow) struct FlatMap(Common);

impl FlatMap {
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

impl Step for FlatMap {
    fn step(&mut self, batch: &Batch, moment: Moment, failures: &mut Vec<Failure>) -> Batch {
        let (outputs, parents) = self.0.invoker.flat_map(&batch.rows, moment, failures);
        let batch = batch.take(&parents);
        let rows = self.0.rows(&batch.rows, &outputs);
        batch.with(rows, batch.marks.clone())
    }
}
