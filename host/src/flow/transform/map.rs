//! Map: one row out for each row in. The function's outputs are added to the row, or replace the
//! columns of their names; a row that fails is taken out.

use super::{Common, Step};
use crate::flow::batch::Batch;
use crate::function::invoke::{Failure, Moment};

pub(super) struct Map(pub(super) Common);

impl Step for Map {
    fn step(&mut self, batch: &Batch, moment: Moment, failures: &mut Vec<Failure>) -> Batch {
        let (outputs, kept) = self.0.invoker.map(&batch.rows, moment, failures);
        let batch = batch.clone().filter(&kept);
        let rows = self.0.rows(&batch.rows, &outputs);
        batch.with(rows, batch.marks.clone())
    }
}
