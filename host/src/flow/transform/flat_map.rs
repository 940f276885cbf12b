//! Flat-map: any number of rows out for each row in; each keeps its row's other columns, its time
//! and its place in the stream.

use super::{Common, Step};
use crate::flow::batch::Batch;
use crate::function::invoke::{Failure, Moment};

pub(super) struct FlatMap(pub(super) Common);

impl Step for FlatMap {
    fn step(&mut self, batch: &Batch, moment: Moment, failures: &mut Vec<Failure>) -> Batch {
        let (outputs, parents) = self.0.invoker.flat_map(&batch.rows, moment, failures);
        let batch = batch.take(&parents);
        let rows = self.0.rows(&batch.rows, &outputs);
        batch.with(rows, batch.marks.clone())
    }
}
