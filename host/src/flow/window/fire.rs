//! Firing: what the windows come to whose end the watermark has passed.
//!
//! A window of one pane is that pane. A window of several is merged from them, in the order of
//! time, into accumulators that live until it has fired; the panes stay for the windows after it.
//! Results come in the order of (window end, key).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow_buffer::BooleanBuffer;

use super::assign::PaneId;
use super::fold::Windows;
use super::panes::Pane;
use super::place::Open;
use super::sessions::Over;
use crate::flow::batch::{Marks, record_batch};
use crate::function::invoke::{Failure, Moment};
use crate::plan::WINDOW_COLUMNS;
use crate::types::{DataType, Field, arrow_schema};

/// What firing tells its caller.
pub(super) trait Fired {
    /// Result rows.
    fn rows(&mut self, rows: RecordBatch, marks: Marks);
    /// A function failed to give the results of some windows and keys: these.
    fn failed(&mut self, aggregate: usize, moment: Moment, failures: &[Failure], rows: &RecordBatch);
}

/// A window and key whose results are due.
#[derive(Clone, Copy)]
struct Due<'a> {
    start: i64,
    end: i64,
    key: &'a [u8],
    slot: u32,
}

/// A window that is due: a pane, or what several were merged to.
enum Window {
    Pane(PaneId),
    Merged {
        pane: Pane,
        /// Keys, by their place in the pane, that a function failed to merge.
        failed: BTreeSet<u32>,
    },
}

impl Windows {
    /// Fires every window that ends at or before the watermark.
    pub(super) fn fire(&mut self, watermark: i64, out: &mut dyn Fired) {
        if let Open::Sessions(sessions) = &mut self.open {
            let over = sessions.over(watermark);
            for chunk in over.chunks(self.batch_rows) {
                self.fire_sessions(chunk, out);
            }
            let slots = over.iter().flat_map(|o| std::iter::once(o.slot).chain(o.others.iter().copied()));
            self.open.slots().free(slots);
            return;
        }
        let Open::Panes(panes) = &mut self.open else { return };
        let (slices, due, open) = (panes.slices, panes.due(watermark), panes.take());
        // Small windows fire together, since a call into the sandbox is for rows, not for a window;
        // but not more than a batch, since merged windows take memory until they have fired.
        let (mut ready, mut keys) = (Vec::new(), 0);
        for (end, panes) in due {
            let window = match panes.as_slice() {
                [one] => Window::Pane(*one),
                many => self.merge(slices.start(end), end, many.iter().map(|id| &open[id]), out),
            };
            keys += window.pane(&open).slots().len();
            ready.push((slices.start(end), end, window));
            if keys >= self.batch_rows {
                self.fire_windows(std::mem::take(&mut ready), &open, out);
                keys = 0;
            }
        }
        self.fire_windows(ready, &open, out);
        if let Open::Panes(panes) = &mut self.open {
            panes.close(open, watermark);
        }
    }

    fn fire_windows(&mut self, ready: Vec<(i64, i64, Window)>, open: &BTreeMap<PaneId, Pane>, out: &mut dyn Fired) {
        let mut keys: Vec<Due<'_>> = Vec::new();
        for (start, end, window) in &ready {
            let from = keys.len();
            let good = window.pane(open).entries().zip(0..).filter(|(_, place)| !window.failed(*place));
            keys.extend(good.map(|((key, slot), _)| Due { start: *start, end: *end, key, slot }));
            keys[from..].sort_unstable_by_key(|due| due.key);
        }
        for chunk in keys.chunks(self.batch_rows) {
            self.fire_keys(chunk, out);
        }
        for (.., window) in &ready {
            if let Window::Merged { pane, .. } = window {
                self.open.slots().free(pane.slots().iter().copied());
            }
        }
    }

    fn fire_sessions(&mut self, over: &[Over], out: &mut dyn Fired) {
        let mut keys: Vec<Due<'_>> = Vec::with_capacity(over.len());
        let (mut others, mut groups) = (Vec::new(), Vec::new());
        for (Over { start, end, key, slot, others: more }, group) in over.iter().zip(0..) {
            keys.push(Due { start: *start, end: *end, key, slot: *slot });
            others.extend_from_slice(more);
            groups.extend(std::iter::repeat_n(group, more.len()));
        }
        if !others.is_empty() {
            let slots: Vec<u32> = keys.iter().map(|d| d.slot).collect();
            let failed = self.merge_into(&slots, &slots, &others, &groups, &keys, out);
            let mut place = 0..;
            keys.retain(|_| place.next().is_some_and(|place| !failed.contains(&place)));
        }
        if !keys.is_empty() {
            self.fire_keys(&keys, out);
        }
    }

    /// Merges the panes of a window: each key's first accumulator is taken as it is, the others are
    /// merged into it.
    fn merge<'a>(
        &mut self,
        start: i64,
        end: i64,
        panes: impl Iterator<Item = &'a Pane>,
        out: &mut dyn Fired,
    ) -> Window {
        let mut pane = Pane::default();
        let (mut firsts, mut others, mut groups) = (Vec::new(), Vec::new(), Vec::new());
        for (key, slot) in panes.flat_map(Pane::entries) {
            let group = pane.index(key, self.open.slots());
            if group as usize == firsts.len() {
                firsts.push(slot);
            } else {
                others.push(slot);
                groups.push(group);
            }
        }
        let keys: Vec<Due<'_>> = pane.entries().map(|(key, slot)| Due { start, end, key, slot }).collect();
        let failed = self.merge_into(pane.slots(), &firsts, &others, &groups, &keys, out);
        Window::Merged { pane, failed }
    }

    /// Merges accumulators: into each slot of `into` what stands at the same place of `firsts`, and
    /// then those of `others` whose group is that place. Says which of `keys`, which stand at these
    /// places too, a function failed on.
    fn merge_into(
        &mut self,
        into: &[u32],
        firsts: &[u32],
        others: &[u32],
        groups: &[u32],
        keys: &[Due<'_>],
        out: &mut dyn Fired,
    ) -> BTreeSet<u32> {
        let moment = moment(keys.last().map_or(0, |d| d.end));
        let mut failed = BTreeSet::new();
        for index in 0..self.aggregates.len() {
            let aggregate = &mut self.aggregates[index];
            let mut held = aggregate.store.gather(firsts);
            let mut failures = Vec::new();
            for (others, groups) in others.chunks(self.batch_rows).zip(groups.chunks(self.batch_rows)) {
                let given = aggregate.store.gather(others);
                let mut some = Vec::new();
                held = aggregate.invoker.merge(held, firsts.len(), groups, given, moment, &mut some);
                // A key fails once, however many of its accumulators did.
                failures.extend(some.into_iter().map(|f| Failure { row: groups[f.row as usize], ..f }));
            }
            aggregate.store.grow(self.open.slots().count());
            aggregate.store.scatter(into, &held);
            failures.sort_by_key(|f| f.row);
            failures.dedup_by_key(|f| f.row);
            if !failures.is_empty() {
                failed.extend(failures.iter().map(|f| f.row));
                let (fields, arrays): (Vec<_>, Vec<_>) = self.named(keys).into_iter().unzip();
                out.failed(index, moment, &failures, &record_batch(arrow_schema(&fields), arrays, keys.len()));
            }
        }
        failed
    }

    /// (window end, key) as bytes that sort.
    fn order(&self, keys: &[Due<'_>], kept: &BooleanBuffer) -> BinaryArray {
        BinaryArray::from_iter_values(kept.set_indices().map(|row| {
            let Due { end, key, .. } = keys[row];
            [&(end as u64 ^ (1 << 63)).to_be_bytes()[..], key].concat()
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

    /// The columns that say which windows and keys these are.
    fn named(&mut self, keys: &[Due<'_>]) -> Vec<(Field, ArrayRef)> {
        let timestamps = |name: &str, us: Vec<i64>| -> (Field, ArrayRef) {
            let array = TimestampMicrosecondArray::from(us).with_data_type(DataType::Timestamp.arrow());
            (Field::new(name, DataType::Timestamp, false), Arc::new(array))
        };
        let [start, end] = WINDOW_COLUMNS;
        let mut columns = vec![
            timestamps(start, keys.iter().map(|d| d.start).collect()),
            timestamps(end, keys.iter().map(|d| d.end).collect()),
        ];
        if !self.key.is_empty() {
            let rows = keys.iter().map(|d| self.parser.parse(d.key));
            let arrays = self.converter.convert_rows(rows).expect("the keys were made by this converter");
            columns.extend(self.key.iter().cloned().zip(arrays));
        }
        columns
    }

    fn fire_keys(&mut self, keys: &[Due<'_>], out: &mut dyn Fired) {
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
        let times = kept.set_indices().map(|i| keys[i].end.saturating_sub(1));
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

impl Window {
    fn pane<'a>(&'a self, open: &'a BTreeMap<PaneId, Pane>) -> &'a Pane {
        match self {
            Self::Pane(id) => &open[id],
            Self::Merged { pane, .. } => pane,
        }
    }

    fn failed(&self, place: u32) -> bool {
        matches!(self, Self::Merged { failed, .. } if failed.contains(&place))
    }
}

/// What the functions see when a window fires.
fn moment(end: i64) -> Moment {
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
