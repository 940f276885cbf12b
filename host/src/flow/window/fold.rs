//! Windows of one step on one worker: folds rows in, fires what the watermark has passed.
//!
//! In come batches whose rows know their time and the watermark they are judged by; out go result
//! rows in the order of (window end, key). There is no clock here, and no thread: the same batches
//! in the same order give the same results.

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow_buffer::BooleanBuffer;
use arrow_row::{RowConverter, RowParser};

use super::accumulators::Store;
use super::panes::Panes;
use crate::flow::batch::{Batch, Marks, record_batch};
use crate::flow::exchange::key_converter;
use crate::function::invoke::{Failure, Invoker, Moment, without};
use crate::plan::{self, WINDOW_COLUMNS, WindowKind};
use crate::report::Node;
use crate::sandbox::Reuse;
use crate::types::{DataType, Field, arrow_schema};

/// The windows of one step on one worker.
pub(super) struct Windows {
    kind: WindowKind,
    key: Vec<Field>,
    key_columns: Vec<usize>,
    converter: RowConverter,
    parser: RowParser,
    panes: Panes,
    aggregates: Vec<Aggregate>,
    /// For each slot the fold that last touched it, and its group in that fold.
    touched: Vec<(u64, u32)>,
    folds: u64,
    /// The results' columns that somebody needs.
    fields: Vec<Field>,
    keep_order: bool,
    batch_rows: usize,
}

struct Aggregate {
    invoker: Invoker,
    store: Store,
    outputs: Vec<Field>,
}

/// A row that one of the aggregates failed on. It is in none of them.
pub(super) struct Failed {
    /// Which aggregate of the step.
    pub(super) aggregate: usize,
    /// The row.
    pub(super) failure: Failure,
}

/// A window and key whose results are due.
#[derive(Clone, Copy)]
struct Due<'a> {
    start: i64,
    key: &'a [u8],
    slot: u32,
}

/// What firing tells its caller.
pub(super) trait Fired {
    /// Result rows.
    fn rows(&mut self, rows: RecordBatch, marks: Marks);
    /// A function failed to give the results of some windows and keys: these.
    fn failed(&mut self, aggregate: usize, moment: Moment, failures: &[Failure], rows: &RecordBatch);
}

impl Windows {
    pub(super) fn new(
        plan: &plan::Window,
        stream: &[Field],
        fields: &[Field],
        reuse: Reuse,
        counters: &Arc<Node>,
        keep_order: bool,
        batch_rows: usize,
    ) -> Self {
        let aggregate = |a: &plan::Aggregate| Aggregate {
            invoker: Invoker::new(&a.call, stream, reuse, Arc::clone(counters)),
            store: Store::new(&a.call.function.signature().accumulator, a.empty.clone()),
            outputs: a.outputs.clone(),
        };
        let converter = key_converter(&plan.key);
        Self {
            kind: plan.kind,
            key_columns: plan.key.iter().filter_map(|k| stream.iter().position(|f| f.name == k.name)).collect(),
            key: plan.key.clone(),
            parser: converter.parser(),
            converter,
            panes: Panes::default(),
            aggregates: plan.aggregates.iter().map(aggregate).collect(),
            touched: Vec::new(),
            folds: 0,
            fields: fields.to_vec(),
            keep_order,
            batch_rows,
        }
    }

    /// Folds the rows of a batch that are not late, and says how many were. Rows that a function
    /// fails on are added to `failed`, with their index in the batch.
    pub(super) fn fold(&mut self, batch: &Batch, failed: &mut Vec<Failed>) -> usize {
        let (Some(times), Some(watermarks)) = (&batch.marks.times, &batch.marks.watermarks) else { return 0 };
        let (starts, on_time) = self.starts(times, watermarks);
        let late = on_time.len() - on_time.count_set_bits();
        let mut rows: Option<BooleanBuffer> = (late > 0).then_some(on_time);
        loop {
            let before = failed.len();
            match &rows {
                None => self.fold_rows(&batch.rows, &starts, &|row| row, batch, failed),
                Some(selected) => {
                    let indices: Vec<usize> = selected.set_indices().collect();
                    if indices.is_empty() {
                        break;
                    }
                    let kept: Vec<i64> = indices.iter().map(|row| starts[*row]).collect();
                    let some = batch.clone().filter(selected);
                    self.fold_rows(&some.rows, &kept, &|row| indices[row], batch, failed);
                }
            }
            if failed.len() == before {
                break;
            }
            // A row that one aggregate fails on is in none: fold again without it.
            let selected = rows.unwrap_or_else(|| BooleanBuffer::new_set(batch.rows.num_rows()));
            rows = Some(without(selected, failed[before..].iter().map(|f| &f.failure)));
        }
        late
    }

    /// Each row's window, and which rows are not late for it.
    fn starts(&self, times: &Int64Array, watermarks: &Int64Array) -> (Vec<i64>, BooleanBuffer) {
        let mut start = 0;
        let mut end = i64::MIN;
        let mut starts = Vec::with_capacity(times.len());
        let on_time = BooleanBuffer::collect_bool(times.len(), |row| {
            let time = times.value(row);
            if time < start || time >= end {
                start = self.kind.start(time);
                end = self.kind.end(start);
            }
            starts.push(start);
            end > watermarks.value(row)
        });
        (starts, on_time)
    }

    fn fold_rows(
        &mut self,
        rows: &RecordBatch,
        starts: &[i64],
        original: &dyn Fn(usize) -> usize,
        batch: &Batch,
        failed: &mut Vec<Failed>,
    ) {
        let (slots, groups, opened) = self.groups(rows, starts);
        let moment = batch.moment();
        let before = failed.len();
        let mut folded = Vec::with_capacity(self.aggregates.len());
        for (index, aggregate) in self.aggregates.iter_mut().enumerate() {
            let mut failures = Vec::new();
            let held = aggregate.store.gather(&slots);
            folded.push(aggregate.invoker.accumulate(held, slots.len(), &groups, rows, moment, &mut failures));
            failed.extend(failures.into_iter().map(|mut failure| {
                failure.row = original(failure.row as usize) as u32;
                Failed { aggregate: index, failure }
            }));
        }
        if failed.len() > before {
            // The first reason for a row stands.
            failed[before..].sort_by_key(|f| f.failure.row);
            let mut seen = None;
            let mut tail = failed.split_off(before);
            tail.retain(|f| seen.replace(f.failure.row) != Some(f.failure.row));
            failed.extend(tail);
            for (start, keys) in opened.into_iter().rev() {
                self.panes.truncate(start, keys);
            }
            return;
        }
        for (aggregate, folded) in self.aggregates.iter_mut().zip(&folded) {
            aggregate.store.scatter(&slots, folded);
        }
    }

    /// The slots that the rows touch, the index among these of each row, and how many keys each
    /// pane that the rows are in had before.
    fn groups(&mut self, rows: &RecordBatch, starts: &[i64]) -> (Vec<u32>, Vec<u32>, Vec<(i64, usize)>) {
        self.folds += 1;
        let columns: Vec<ArrayRef> = self.key_columns.iter().map(|c| Arc::clone(rows.column(*c))).collect();
        let keys = match columns.is_empty() {
            true => None,
            false => Some(self.converter.convert_columns(&columns).expect("the key has the columns of the plan")),
        };
        let mut slots: Vec<u32> = Vec::new();
        let mut groups: Vec<u32> = Vec::with_capacity(starts.len());
        let mut opened: Vec<(i64, usize)> = Vec::new();
        let mut fresh: Vec<u32> = Vec::new();
        let mut row = 0;
        while row < starts.len() {
            // A run of rows in one window: mostly the whole batch.
            let start = starts[row];
            let run = starts[row..].iter().take_while(|s| **s == start).count();
            let had = self.panes.keys(start);
            if opened.iter().all(|(s, _)| *s != start) {
                opened.push((start, had));
            }
            let mut pane = self.panes.open(start);
            for row in row..row + run {
                let slot = match &keys {
                    Some(keys) => pane.slot(keys.row(row).as_ref()),
                    None => pane.slot(&[]),
                };
                if slot as usize >= self.touched.len() {
                    self.touched.resize(slot as usize + 1, (0, 0));
                }
                let (fold, group) = &mut self.touched[slot as usize];
                if *fold != self.folds {
                    (*fold, *group) = (self.folds, slots.len() as u32);
                    slots.push(slot);
                }
                groups.push(*group);
            }
            fresh.extend_from_slice(pane.slots_from(had));
            row += run;
        }
        for aggregate in &mut self.aggregates {
            aggregate.store.grow(self.panes.slots());
            aggregate.store.clear(&fresh);
        }
        (slots, groups, opened)
    }

    /// Fires every window that ends at or before the watermark.
    pub(super) fn fire(&mut self, watermark: i64, out: &mut dyn Fired) {
        let mut closed = Vec::new();
        while let Some(start) = self.panes.first()
            && self.kind.end(start) <= watermark
            && let Some(pane) = self.panes.close(start)
        {
            closed.push((start, pane));
        }
        // Small windows fire together: a call into the sandbox is for rows, not for a window.
        let due: Vec<Due<'_>> = closed
            .iter()
            .flat_map(|(start, pane)| pane.sorted().into_iter().map(|(key, slot)| Due { start: *start, key, slot }))
            .collect();
        for chunk in due.chunks(self.batch_rows) {
            self.fire_keys(chunk, out);
        }
        self.panes.free(due.iter().map(|d| d.slot));
    }

    /// (window end, key) as bytes that sort.
    fn order(&self, keys: &[Due<'_>], kept: &BooleanBuffer) -> BinaryArray {
        BinaryArray::from_iter_values(kept.set_indices().map(|row| {
            let Due { start, key, .. } = keys[row];
            [&(self.kind.end(start) as u64 ^ (1 << 63)).to_be_bytes()[..], key].concat()
        }))
    }

    /// Results of no window.
    pub(super) fn no_results(&self) -> (RecordBatch, Marks) {
        let none = Int64Array::from(Vec::<i64>::new());
        let marks = Marks {
            positions: None,
            times: Some(none.clone()),
            watermarks: Some(none),
            order: self.keep_order.then(|| BinaryArray::from_iter_values(std::iter::empty::<&[u8]>())),
        };
        (RecordBatch::new_empty(arrow_schema(&self.fields)), marks)
    }

    fn fire_keys(&mut self, keys: &[Due<'_>], out: &mut dyn Fired) {
        let count = keys.len();
        let slots: Vec<u32> = keys.iter().map(|d| d.slot).collect();
        let starts = keys.iter().map(|d| d.start);
        let ends = keys.iter().map(|d| self.kind.end(d.start));
        let timestamps = |us: Vec<i64>| -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from(us).with_data_type(DataType::Timestamp.arrow()))
        };
        let mut columns: Vec<(Field, ArrayRef)> = vec![
            (Field::new(WINDOW_COLUMNS[0], DataType::Timestamp, false), timestamps(starts.collect())),
            (Field::new(WINDOW_COLUMNS[1], DataType::Timestamp, false), timestamps(ends.collect())),
        ];
        let rows = keys.iter().map(|d| self.parser.parse(d.key));
        if !self.key.is_empty() {
            let arrays = self.converter.convert_rows(rows).expect("the keys were made by this converter");
            columns.extend(self.key.iter().cloned().zip(arrays));
        }
        let named = columns.len();

        let last = keys[count - 1].start;
        let mut kept = BooleanBuffer::new_set(count);
        let mut results = Vec::new();
        for (index, aggregate) in self.aggregates.iter_mut().enumerate() {
            let mut failures = Vec::new();
            let accumulators = aggregate.store.gather(&slots);
            let moment = Moment { now: self.kind.end(last).saturating_sub(1), seed: last as u64 };
            let (outputs, succeeded) = aggregate.invoker.finish(&accumulators, count, moment, &mut failures);
            if !failures.is_empty() {
                let (fields, arrays): (Vec<_>, Vec<_>) = columns[..named].iter().cloned().unzip();
                out.failed(index, moment, &failures, &record_batch(arrow_schema(&fields), arrays, count));
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
        let count = kept.count_set_bits();
        let (fields, arrays): (Vec<_>, Vec<_>) =
            columns.into_iter().filter(|(field, _)| self.fields.iter().any(|f| f.name == field.name)).unzip();
        let times = kept.set_indices().map(|i| self.kind.end(keys[i].start).saturating_sub(1));
        let time = Int64Array::from_iter_values(times);
        let marks = Marks {
            positions: None,
            // A result is never late: it is judged by its own time.
            watermarks: Some(time.clone()),
            times: Some(time),
            order: self.keep_order.then(|| self.order(keys, &kept)),
        };
        out.rows(record_batch(arrow_schema(&fields), arrays, count), marks);
    }
}

/// What is left of a column, whose rows are those of `of`, when only the rows of `kept` stay.
fn within(column: &ArrayRef, of: &BooleanBuffer, kept: &BooleanBuffer) -> ArrayRef {
    if of.count_set_bits() == kept.count_set_bits() {
        return Arc::clone(column);
    }
    let mask = of.set_indices().map(|row| Some(kept.value(row))).collect();
    arrow_select::filter::filter(column, &mask).expect("the mask is as long as the column")
}
