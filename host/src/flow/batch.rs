//! What moves along the edges of the dataflow: rows of one source partition, with what the host
//! knows of each row beside its columns.
//!
//! A batch never mixes partitions, and its rows never change their order, so (partition,
//! sequence, row) orders all rows of a stream the same way however they were batched or spread
//! over workers. A batch may have no rows: it then says where its partition's watermark stands.

use std::sync::Arc;

use arrow_array::builder::BinaryBuilder;
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Int64Array, RecordBatch, RecordBatchOptions, UInt32Array, UInt64Array,
};
use arrow_buffer::BooleanBuffer;
use arrow_schema::SchemaRef;
use arrow_select::filter::FilterBuilder;
use arrow_select::take::take;

use crate::function::invoke::Moment;

/// Rows of one partition.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The source's partition, or the worker whose windows gave the rows.
    pub partition: u32,
    /// The batch's number in its partition.
    pub sequence: u64,
    /// The partition's watermark behind these rows, in microseconds; `i64::MAX` at its end.
    pub watermark: i64,
    /// Whether the partition is idle behind these rows: the stream's watermark does not wait for it.
    pub idle: bool,
    /// The worker that an exchange sends it to.
    pub target: u32,
    /// Whether its rows are accumulators, which the first phase of an aggregation made of a batch: the
    /// columns are the key's and then each aggregate's.
    pub folded: bool,
    /// The columns.
    pub rows: RecordBatch,
    /// What the host knows of each row.
    pub marks: Marks,
}

/// What the host knows of each row. A column that is absent is so for the whole stream.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// The record's number in its partition; absent behind a window.
    pub positions: Option<UInt64Array>,
    /// The event time in microseconds.
    pub times: Option<Int64Array>,
    /// The partition's watermark just before the row.
    pub watermarks: Option<Int64Array>,
    /// What puts rows in order that several workers gave, as bytes that sort: behind a window (window
    /// end, key); behind a stateful map the row's place in the batch that was split by key, one behind
    /// the other where that was done again. With one worker there is none.
    pub order: Option<BinaryArray>,
}

impl Batch {
    /// A batch like this one with other rows, as many as its marks are of.
    #[must_use]
    pub fn with(&self, rows: RecordBatch, marks: Marks) -> Self {
        Self { rows, marks, ..self.shell() }
    }

    /// What this batch says of its partition, with no rows.
    fn shell(&self) -> Self {
        Self {
            partition: self.partition,
            sequence: self.sequence,
            watermark: self.watermark,
            idle: self.idle,
            target: self.target,
            folded: self.folded,
            rows: RecordBatch::new_empty(Arc::new(arrow_schema::Schema::empty())),
            marks: Marks::default(),
        }
    }

    /// Only the rows that are set. Costs nothing where all are.
    #[must_use]
    pub fn filter(self, selection: &BooleanBuffer) -> Self {
        if selection.count_set_bits() == selection.len() {
            return self;
        }
        let mask = BooleanArray::new(selection.clone(), None);
        let columns = self.rows.num_columns() + self.marks.columns();
        let mut builder = FilterBuilder::new(&mask);
        if columns > 1 {
            // Finding the runs of set bits once pays when several columns are filtered by them.
            builder = builder.optimize();
        }
        let predicate = builder.build();
        let pick = |array: &dyn Array| predicate.filter(array).expect("the selection is as long as the batch");
        self.each(selection.count_set_bits(), pick)
    }

    /// The rows of these indices.
    #[must_use]
    pub fn take(&self, indices: &UInt32Array) -> Self {
        let all = indices.len() == self.rows.num_rows();
        if all && indices.values().iter().zip(0..).all(|(index, row)| *index == row) {
            return self.clone();
        }
        let pick = |array: &dyn Array| take(array, indices, None).expect("the indices are rows of the batch");
        self.each(indices.len(), pick)
    }

    fn each(&self, count: usize, pick: impl Fn(&dyn Array) -> ArrayRef) -> Self {
        let columns = self.rows.columns().iter().map(|c| pick(c)).collect();
        self.with(record_batch(self.rows.schema(), columns, count), self.marks.each(&pick))
    }

    /// What a function that is called with the batch sees of the world: as its time the highest
    /// event time of the rows, or 0 without event time; as the seed of its random numbers one that
    /// is the same in a replay of these rows.
    pub fn moment(&self) -> Moment {
        let now = self.marks.times.as_ref().and_then(|t| t.values().iter().max().copied()).unwrap_or(0);
        let first = self.marks.positions.as_ref().filter(|p| !p.is_empty()).map_or(self.sequence, |p| p.value(0));
        Moment { now, seed: (u64::from(self.partition) << 40) ^ first }
    }
}

impl Marks {
    /// Adds each row's place to its order.
    pub(super) fn number(&mut self, rows: usize) {
        let before = self.order.take();
        let mut order = BinaryBuilder::with_capacity(rows, rows * 4);
        for row in 0..rows {
            let before = before.as_ref().map_or(&[][..], |order| order.value(row));
            order.append_value([before, &(row as u32).to_be_bytes()].concat());
        }
        self.order = Some(order.finish());
    }

    fn columns(&self) -> usize {
        usize::from(self.positions.is_some())
            + usize::from(self.times.is_some())
            + usize::from(self.watermarks.is_some())
            + usize::from(self.order.is_some())
    }

    fn each(&self, pick: &impl Fn(&dyn Array) -> ArrayRef) -> Self {
        use arrow_array::cast::AsArray;
        use arrow_array::types::{Int64Type, UInt64Type};
        Self {
            positions: self.positions.as_ref().map(|a| pick(a).as_primitive::<UInt64Type>().clone()),
            times: self.times.as_ref().map(|a| pick(a).as_primitive::<Int64Type>().clone()),
            watermarks: self.watermarks.as_ref().map(|a| pick(a).as_primitive::<Int64Type>().clone()),
            order: self.order.as_ref().map(|a| pick(a).as_binary::<i32>().clone()),
        }
    }
}

/// A record batch that may have no columns and still so many rows.
pub fn record_batch(schema: SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> RecordBatch {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema, columns, &options).expect("columns of the stream's schema")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{DataType, Field, arrow_schema};

    fn batch() -> Batch {
        let schema = arrow_schema(&[Field::new("n", DataType::Int64, false)]);
        Batch {
            partition: 1,
            sequence: 2,
            watermark: 3,
            idle: false,
            target: 0,
            folded: false,
            rows: record_batch(schema, vec![Arc::new(Int64Array::from(vec![10, 11, 12]))], 3),
            marks: Marks {
                positions: Some(vec![0, 1, 2].into()),
                times: Some(vec![5, 9, 7].into()),
                ..Marks::default()
            },
        }
    }

    #[test]
    fn marks_follow_their_rows() {
        let some = batch().filter(&BooleanBuffer::from(vec![true, false, true]));
        assert_eq!((some.rows.num_rows(), some.partition, some.watermark), (2, 1, 3));
        assert_eq!(some.marks.positions, Some(vec![0, 2].into()));
        assert_eq!(some.moment().now, 7);
        let taken = batch().take(&vec![2, 2, 0].into());
        assert_eq!(taken.marks.times, Some(vec![7, 7, 5].into()));
    }

    #[test]
    fn rows_without_columns_are_counted() {
        let bare = batch();
        let bare = bare.with(record_batch(arrow_schema(&[]), vec![], 3), bare.marks.clone());
        assert_eq!(bare.filter(&BooleanBuffer::from(vec![true, false, true])).rows.num_rows(), 2);
    }
}
