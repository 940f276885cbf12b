//! Result rows: the columns and marks of windows and keys whose results are due, and what their
//! aggregates come to.

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow_buffer::BooleanBuffer;

use super::fire::Fired;
use super::fold::Windows;
use super::ready::{Due, Emission};
use crate::flow::batch::{Marks, record_batch};
use crate::function::invoke::{Failure, Moment};
use crate::plan::{WINDOW_COLUMNS, WINDOW_EMIT};
use crate::types::{DataType, Field, arrow_schema};

impl Windows {
    /// Tells of keys whose accumulators could not be merged.
    pub(super) fn tell(&mut self, failed: &[(usize, Vec<Failure>)], keys: &[Due<'_>], out: &mut dyn Fired) {
        for (index, failures) in failed {
            let (fields, arrays): (Vec<_>, Vec<_>) = self.named(keys).into_iter().unzip();
            out.failed(*index, failures, &record_batch(arrow_schema(&fields), arrays, keys.len()));
        }
    }

    /// Results of no window.
    pub(super) fn no_results(&self) -> (RecordBatch, Marks) {
        let none = Int64Array::from(Vec::<i64>::new());
        let marks = Marks {
            positions: None,
            times: self.shape.bounds.then(|| none.clone()),
            watermarks: self.shape.bounds.then_some(none),
            order: self.keep_order.then(|| BinaryArray::from_iter_values(std::iter::empty::<&[u8]>())),
        };
        (RecordBatch::new_empty(arrow_schema(&self.fields)), marks)
    }

    /// The columns that say which windows and keys these are.
    pub(super) fn named(&mut self, keys: &[Due<'_>]) -> Vec<(Field, ArrayRef)> {
        let timestamps = |name: &str, us: Vec<i64>| -> (Field, ArrayRef) {
            let array = TimestampMicrosecondArray::from(us).with_data_type(DataType::Timestamp.arrow());
            (Field::new(name, DataType::Timestamp, false), Arc::new(array))
        };
        let [start, end] = WINDOW_COLUMNS;
        let mut columns = Vec::new();
        if self.shape.bounds {
            columns.push(timestamps(start, keys.iter().map(|d| d.start).collect()));
            columns.push(timestamps(end, keys.iter().map(|d| d.end).collect()));
        }
        if !self.key.is_empty() {
            let rows = keys.iter().map(|d| self.parser.parse(d.key));
            let arrays = self.converter.convert_rows(rows).expect("the keys were made by this converter");
            columns.extend(self.key.iter().cloned().zip(arrays));
        }
        if self.shape.emission {
            let names = StringArray::from_iter_values(keys.iter().map(|d| d.emission.name()));
            columns.push((Field::new(WINDOW_EMIT, DataType::Text, false), Arc::new(names)));
        }
        columns
    }

    /// What the host knows of the results of these keys, by their places among `keys`. `fired` is the
    /// watermark that windows had fired up to.
    pub(super) fn marks(&self, keys: &[Due<'_>], places: &[u32], fired: i64) -> Marks {
        let due = || places.iter().map(|place| &keys[*place as usize]);
        let time = |due: &Due<'_>| due.end.saturating_sub(1);
        // A result is judged by its own time, so it is never late; one that amends what was given
        // before, by how far the stream was then.
        let watermark = |due: &Due<'_>| match due.emission {
            Emission::Late => time(due).max(fired),
            Emission::Early | Emission::Final => time(due),
        };
        let order = |due: &Due<'_>| match self.shape.bounds {
            true => [&(due.end as u64 ^ (1 << 63)).to_be_bytes()[..], due.key].concat(),
            false => due.key.to_vec(),
        };
        Marks {
            positions: None,
            times: self.shape.bounds.then(|| Int64Array::from_iter_values(due().map(time))),
            watermarks: self.shape.bounds.then(|| Int64Array::from_iter_values(due().map(watermark))),
            order: self.keep_order.then(|| BinaryArray::from_iter_values(due().map(order))),
        }
    }

    /// A batch of result rows with the columns that somebody needs.
    pub(super) fn rows(&self, columns: Vec<(Field, ArrayRef)>, count: usize) -> RecordBatch {
        let needed = |field: &Field| self.fields.iter().any(|f| f.name == field.name);
        let (fields, arrays): (Vec<_>, Vec<_>) = columns.into_iter().filter(|(field, _)| needed(field)).unzip();
        record_batch(arrow_schema(&fields), arrays, count)
    }

    /// Gives what the aggregates of these keys come to.
    pub(super) fn give_aggregates(&mut self, keys: &[Due<'_>], fired: i64, out: &mut dyn Fired) {
        let count = keys.len();
        let slots: Vec<u32> = keys.iter().map(|d| d.slot).collect();
        let mut columns = self.named(keys);
        let named = columns.len();

        let moment = moment(keys[count - 1].end);
        let mut kept = BooleanBuffer::new_set(count);
        let mut results = Vec::new();
        for (index, aggregate) in self.aggregates.iter_mut().enumerate() {
            let mut failures = Vec::new();
            let accumulators = aggregate.store.gather(&slots);
            let (outputs, succeeded) = aggregate.invoker.finish(&accumulators, count, moment, &mut failures);
            if !failures.is_empty() {
                let (fields, arrays): (Vec<_>, Vec<_>) = columns[..named].iter().cloned().unzip();
                out.failed(index, &failures, &record_batch(arrow_schema(&fields), arrays, count));
                kept = &kept & &succeeded;
            }
            results.push((outputs, succeeded));
        }
        // Each aggregate gave results for the keys it succeeded on; the row needs all of them.
        for (aggregate, (outputs, succeeded)) in self.aggregates.iter().zip(results) {
            let outputs = outputs.into_iter().map(|o| within(&o, &succeeded, &kept));
            columns.extend(aggregate.outputs.iter().cloned().zip(outputs));
        }
        for (_, array) in &mut columns[..named] {
            *array = within(array, &BooleanBuffer::new_set(count), &kept);
        }
        let places: Vec<u32> = kept.set_indices().map(|place| place as u32).collect();
        out.rows(self.rows(columns, places.len()), self.marks(keys, &places, fired));
    }
}

/// What the functions see when a window fires.
pub(super) fn moment(end: i64) -> Moment {
    Moment { now: end.saturating_sub(1), seed: end as u64 }
}

/// What is left of a column, whose rows are those of `of`, when only the rows of `kept` stay.
fn within(column: &ArrayRef, of: &BooleanBuffer, kept: &BooleanBuffer) -> ArrayRef {
    if of.count_set_bits() == kept.count_set_bits() {
        return Arc::clone(column);
    }
    let mask = of.set_indices().map(|row| Some(kept.value(row))).collect();
    arrow_select::filter::filter(column, &mask).expect("the mask is as long as the column")
}
