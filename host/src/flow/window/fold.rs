//! Folding: rows into the panes of a step's windows, on one worker.
//!
//! In come batches whose rows know their time and the watermark they are judged by; what they come
//! to stays in the panes until [`super::fire`] takes it. There is no clock here, and no thread: the
//! same batches in the same order give the same results.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_row::{RowConverter, RowParser};

use super::accumulators::Store;
use super::assign::{PaneId, Slices};
use super::panes::Panes;
use crate::flow::batch::Batch;
use crate::flow::exchange::key_converter;
use crate::function::invoke::{Failure, Invoker, without};
use crate::plan;
use crate::report::Node;
use crate::sandbox::Reuse;
use crate::types::Field;

/// The windows of one step on one worker.
pub(super) struct Windows {
    pub(super) slices: Slices,
    /// The watermark that windows have fired up to.
    pub(super) fired: i64,
    pub(super) key: Vec<Field>,
    key_columns: Vec<usize>,
    pub(super) converter: RowConverter,
    pub(super) parser: RowParser,
    pub(super) panes: Panes,
    pub(super) aggregates: Vec<Aggregate>,
    /// For each slot the fold that last touched it, and its group in that fold.
    touched: Vec<(u64, u32)>,
    folds: u64,
    /// The results' columns that somebody needs.
    pub(super) fields: Vec<Field>,
    pub(super) keep_order: bool,
    pub(super) batch_rows: usize,
}

pub(super) struct Aggregate {
    pub(super) invoker: Invoker,
    pub(super) store: Store,
    pub(super) outputs: Vec<Field>,
}

/// A row that one of the aggregates failed on. It is in none of them.
pub(super) struct Failed {
    /// Which aggregate of the step.
    pub(super) aggregate: usize,
    /// The row.
    pub(super) failure: Failure,
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
            slices: plan.kind.into(),
            fired: i64::MIN,
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
        let (panes, on_time) = self.panes(times, watermarks);
        let late = on_time.len() - on_time.count_set_bits();
        let mut rows: Option<BooleanBuffer> = (late > 0).then_some(on_time);
        loop {
            let before = failed.len();
            match &rows {
                None => self.fold_rows(&batch.rows, &panes, &|row| row, batch, failed),
                Some(selected) => {
                    let indices: Vec<usize> = selected.set_indices().collect();
                    if indices.is_empty() {
                        break;
                    }
                    let kept: Vec<PaneId> = indices.iter().map(|row| panes[*row]).collect();
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

    /// Each row's pane, and which rows are not late for all of their windows.
    fn panes(&self, times: &Int64Array, watermarks: &Int64Array) -> (Vec<PaneId>, BooleanBuffer) {
        let mut pane = PaneId { start: 0, seen_from: i64::MIN };
        let mut end = i64::MIN;
        let mut panes = Vec::with_capacity(times.len());
        let on_time = BooleanBuffer::collect_bool(times.len(), |row| {
            let (time, watermark) = (times.value(row), watermarks.value(row));
            // Mostly as for the row before: within one pane, and on time for all that see it.
            if time < pane.start || time >= end || watermark >= pane.seen_from {
                match self.slices.pane(time, watermark) {
                    None => {
                        panes.push(pane);
                        return false;
                    }
                    Some(next) => {
                        // A pane for rows that are late for some windows holds for no other row.
                        let whole = next.seen_from == self.slices.ends(next.start).0;
                        end = if whole { self.slices.pane_end(next.start) } else { i64::MIN };
                        pane = next;
                    }
                }
            }
            panes.push(pane);
            true
        });
        (panes, on_time)
    }

    fn fold_rows(
        &mut self,
        rows: &RecordBatch,
        panes: &[PaneId],
        original: &dyn Fn(usize) -> usize,
        batch: &Batch,
        failed: &mut Vec<Failed>,
    ) {
        let (slots, groups, opened) = self.groups(rows, panes);
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
            for (id, keys) in opened.into_iter().rev() {
                self.panes.truncate(id, keys);
            }
            return;
        }
        for (aggregate, folded) in self.aggregates.iter_mut().zip(&folded) {
            aggregate.store.scatter(&slots, folded);
        }
    }

    /// The slots that the rows touch, the index among these of each row, and how many keys each
    /// pane that the rows are in had before.
    fn groups(&mut self, rows: &RecordBatch, panes: &[PaneId]) -> (Vec<u32>, Vec<u32>, Vec<(PaneId, usize)>) {
        self.folds += 1;
        let columns: Vec<ArrayRef> = self.key_columns.iter().map(|c| Arc::clone(rows.column(*c))).collect();
        let keys = match columns.is_empty() {
            true => None,
            false => Some(self.converter.convert_columns(&columns).expect("the key has the columns of the plan")),
        };
        let mut slots: Vec<u32> = Vec::new();
        let mut groups: Vec<u32> = Vec::with_capacity(panes.len());
        let mut opened: Vec<(PaneId, usize)> = Vec::new();
        let mut fresh: Vec<u32> = Vec::new();
        let mut row = 0;
        while row < panes.len() {
            // A run of rows in one pane: mostly the whole batch.
            let id = panes[row];
            let run = panes[row..].iter().take_while(|other| **other == id).count();
            let had = self.panes.keys(id);
            if opened.iter().all(|(other, _)| *other != id) {
                opened.push((id, had));
            }
            let mut pane = self.panes.open(id);
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
}
