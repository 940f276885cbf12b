//! Folding: rows into the panes of a step's windows, on one worker.
//!
//! In come batches whose rows know their time and the watermark they are judged by; what they come
//! to stays in the panes until [`super::fire`] takes it. There is no clock here, and no thread: the
//! same batches in the same order give the same results.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array};
use arrow_buffer::BooleanBuffer;
use arrow_row::{RowConverter, RowParser, Rows};

use super::accumulators::Store;
use super::assign::PaneId;
use super::by_key::Behind;
use super::groups::GroupMap;
use super::place::{Groups, Input, Open, Placed};
use super::sliding::Sliding;
use super::spill::Spill;
use crate::error::Result;
use crate::flow::batch::Batch;
use crate::flow::exchange::key_converter;
use crate::function::invoke::{Failure, Invoker, without};
use crate::plan;
use crate::report::Node;
use crate::sandbox::Reuse;
use crate::types::Field;

/// The windows of one step on one worker.
pub(super) struct Windows {
    pub(super) key: Vec<Field>,
    key_columns: Vec<usize>,
    pub(super) converter: RowConverter,
    pub(super) parser: RowParser,
    pub(super) open: Open,
    /// Where windows overlap and give their results once.
    pub(super) sliding: Option<Sliding>,
    /// The panes whose accumulators firing has changed since a checkpoint was taken.
    pub(super) rewritten: Vec<PaneId>,
    pub(super) aggregates: Vec<Aggregate>,
    /// Where whole groups are handed to one function, instead of aggregates.
    pub(super) group_map: Option<GroupMap>,
    groups: Groups,
    /// Where keys are that memory has no room for.
    pub(super) spill: Option<Spill>,
    pub(super) behind: Option<Behind>,
    /// The results' columns that somebody needs.
    pub(super) fields: Vec<Field>,
    /// What the results have beside the key and the aggregates.
    pub(super) shape: Shape,
    pub(super) keep_order: bool,
    pub(super) batch_rows: usize,
}

/// Whether windows can be made of what those before them were made of. Where one may be looked at
/// again its panes have to stay as they are.
fn slides(open: &Open, plan: &plan::Window) -> bool {
    let overlap = matches!(open, Open::Panes(panes) if panes.slices.overlap());
    overlap && !plan.firing.repeats() && plan.compute.group_map().is_none()
}

/// What the results of a step have beside the key and the aggregates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Whether they have the start and the end of their window, and so an event time.
    pub(super) bounds: bool,
    /// Whether they say if they are early, final or late.
    pub(super) emission: bool,
}

pub(super) struct Aggregate {
    pub(super) invoker: Invoker,
    /// What an accumulator has.
    pub(super) fields: Vec<Field>,
    pub(super) store: Store,
    pub(super) outputs: Vec<Field>,
}

/// The fields of an aggregate's accumulators, named `aggregate.field`.
pub(super) fn held(aggregate: &plan::Aggregate) -> Vec<Field> {
    let name = aggregate.outputs.first().map_or("", |output| &output.name);
    let fields = aggregate.call.function.signature().accumulator.iter();
    fields.map(|field| Field { name: format!("{name}.{}", field.name), ..field.clone() }).collect()
}

/// A row that one of the aggregates failed on. It is in none of them.
pub(super) struct Failed {
    /// Which aggregate of the step.
    pub(super) aggregate: usize,
    /// The row.
    pub(super) failure: Failure,
}

impl Windows {
    #[expect(clippy::too_many_arguments, reason = "what a step and its stream are is known in one place")]
    pub(super) fn new(
        plan: &plan::Window,
        stream: &[Field],
        timed: bool,
        fields: &[Field],
        reuse: Reuse,
        counters: &Arc<Node>,
        keep_order: bool,
        batch_rows: usize,
    ) -> Self {
        let aggregate = |a: &plan::Aggregate| Aggregate {
            invoker: Invoker::new(&a.call, stream, reuse, Arc::clone(counters)),
            fields: held(a),
            store: Store::new(&a.call.function.signature().accumulator, a.empty.clone()),
            outputs: a.outputs.clone(),
        };
        let converter = key_converter(&plan.key);
        let open = Open::new(plan.kind, plan.firing);
        Self {
            key_columns: plan.key.iter().filter_map(|k| stream.iter().position(|f| f.name == k.name)).collect(),
            key: plan.key.clone(),
            parser: converter.parser(),
            converter,
            sliding: slides(&open, plan).then(Sliding::default),
            rewritten: Vec::new(),
            open,
            aggregates: plan.compute.aggregates().iter().map(aggregate).collect(),
            group_map: plan.compute.group_map().map(|apply| GroupMap::new(apply, stream, reuse, counters)),
            groups: Groups::default(),
            spill: None,
            behind: None,
            fields: fields.to_vec(),
            shape: Shape { bounds: plan.kind.has_bounds(timed), emission: plan.firing.is_told() },
            keep_order,
            batch_rows,
        }
    }

    /// Folds the rows of a batch that are not late, and gives those that are; merges them where they are
    /// accumulators. Rows that a function fails on are added to `failed`, with their index in the batch.
    pub(super) fn fold(&mut self, batch: &Batch, failed: &mut Vec<Failed>) -> Result<Vec<u32>> {
        let keys = self.keys(batch);
        // Without event time all rows are of one time, and none is late.
        let all = |time| Int64Array::from(vec![time; batch.rows.num_rows()]);
        let times = batch.marks.times.clone().unwrap_or_else(|| all(0));
        let watermarks = batch.marks.watermarks.clone().unwrap_or_else(|| all(i64::MIN));
        let mut considered: Option<BooleanBuffer> = None;
        self.recall_keys(Input { times: &times, watermarks: &watermarks, keys: keys.as_ref(), considered: None })?;
        loop {
            let (times, watermarks) = (&times, &watermarks);
            let input = Input { times, watermarks, keys: keys.as_ref(), considered: considered.as_ref() };
            let placed = self.open.place(input, &mut self.groups);
            for aggregate in &mut self.aggregates {
                aggregate.store.grow(self.open.slots().count());
                aggregate.store.clear(&placed.fresh);
            }
            self.recall()?;
            if let Some(group_map) = &mut self.group_map {
                group_map.grow(self.open.slots().count());
                group_map.take(batch, times, &placed);
            }
            let before = failed.len();
            match (placed.rows.is_empty(), batch.folded) {
                (true, _) => {}
                (false, false) => self.fold_rows(batch, &placed, failed),
                (false, true) => self.merge_rows(batch, &placed, failed),
            }
            if failed.len() == before {
                self.open.commit();
                self.make_room()?;
                self.make_room_for_keys()?;
                self.make_room_for_rows()?;
                return Ok(placed.late);
            }
            // A row that one aggregate fails on is in none: fold again without it.
            self.open.undo();
            let all = considered.unwrap_or_else(|| BooleanBuffer::new_set(times.len()));
            considered = Some(without(all, failed[before..].iter().map(|f| &f.failure)));
        }
    }

    /// The key of each row; none where all rows are one group.
    fn keys(&mut self, batch: &Batch) -> Option<Rows> {
        let column = |(place, column): (usize, &usize)| {
            // Accumulators have the key in front.
            Arc::clone(batch.rows.column(if batch.folded { place } else { *column }))
        };
        let columns: Vec<ArrayRef> = self.key_columns.iter().enumerate().map(column).collect();
        let keys = || self.converter.convert_columns(&columns).expect("the key has the columns of the plan");
        (!columns.is_empty()).then(keys)
    }

    /// Calls the functions, and keeps what they give if no row failed.
    fn fold_rows(&mut self, batch: &Batch, placed: &Placed, failed: &mut Vec<Failed>) {
        let moment = batch.moment();
        let rows = match placed.selection(batch.rows.num_rows()) {
            None => batch.rows.clone(),
            Some(selection) => batch.clone().filter(&selection).rows,
        };
        let count = placed.slots.len();
        let (mut folded, mut some) = (Vec::with_capacity(self.aggregates.len()), Vec::new());
        for (index, aggregate) in self.aggregates.iter_mut().enumerate() {
            let held = aggregate.store.gather(&placed.slots);
            let mut failures = Vec::new();
            folded.push(aggregate.invoker.accumulate(held, count, &placed.groups, &rows, moment, &mut failures));
            some.extend(failures.into_iter().map(|failure| Failed { aggregate: index, failure }));
        }
        self.keep(placed, folded, some, failed);
    }

    /// Merges accumulators that were made elsewhere, and keeps what that gives if none failed.
    fn merge_rows(&mut self, batch: &Batch, placed: &Placed, failed: &mut Vec<Failed>) {
        let moment = batch.moment();
        let rows = match placed.selection(batch.rows.num_rows()) {
            None => batch.rows.clone(),
            Some(selection) => batch.clone().filter(&selection).rows,
        };
        let count = placed.slots.len();
        let (mut merged, mut some) = (Vec::with_capacity(self.aggregates.len()), Vec::new());
        let mut columns = rows.columns()[self.key.len()..].iter().cloned();
        for (index, aggregate) in self.aggregates.iter_mut().enumerate() {
            let others = columns.by_ref().take(aggregate.store.columns()).collect();
            let held = aggregate.store.gather(&placed.slots);
            let mut failures = Vec::new();
            merged.push(aggregate.invoker.merge(held, count, &placed.groups, others, moment, &mut failures));
            some.extend(failures.into_iter().map(|failure| Failed { aggregate: index, failure }));
        }
        self.keep(placed, merged, some, failed);
    }

    /// Keeps what the functions gave for the slots that rows touch, or tells which rows `some` of them
    /// failed on.
    fn keep(&mut self, placed: &Placed, given: Vec<Vec<ArrayRef>>, mut some: Vec<Failed>, failed: &mut Vec<Failed>) {
        if some.is_empty() {
            for (aggregate, given) in self.aggregates.iter_mut().zip(&given) {
                aggregate.store.scatter(&placed.slots, given);
            }
            return;
        }
        some.iter_mut().for_each(|f| f.failure.row = placed.rows[f.failure.row as usize]);
        // The first reason for a row stands.
        some.sort_by_key(|f| f.failure.row);
        some.dedup_by_key(|f| f.failure.row);
        failed.extend(some);
    }
}
