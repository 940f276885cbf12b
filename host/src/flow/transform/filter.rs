//! Filter: keeps the rows that the function says, in their order.

use super::{Common, Step};
use crate::flow::batch::Batch;
use crate::function::invoke::{Failure, Moment};

pub(super) struct Filter(pub(super) Common);

impl Step for Filter {
    fn step(&mut self, batch: &Batch, moment: Moment, failures: &mut Vec<Failure>) -> Batch {
        let kept = self.0.invoker.filter(&batch.rows, moment, failures);
        // Columns that were only the filter's go first, so that they are not filtered.
        let rows = self.0.rows(&batch.rows, &[]);
        batch.with(rows, batch.marks.clone()).filter(&kept)
    }
}
