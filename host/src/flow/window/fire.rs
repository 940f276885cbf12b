//! Firing: what the windows come to whose end the watermark has passed.
//!
//! A window of one pane is that pane. A window of several is merged from them, in the order of
//! time, into accumulators that live until it has fired; the panes stay for the windows after it.
//! Results come in the order of (window end, key). With early results, or where late rows are allowed,
//! a window is looked at more than once, for the keys that have changed.

use std::collections::BTreeSet;

use arrow_array::RecordBatch;

use super::assign::PaneId;
use super::counts::Full;
use super::fold::Windows;
use super::place::Open;
use super::ready::{Due, Emission, Ready, in_order};
use super::results::moment;
use crate::error::Result;
use crate::flow::batch::Marks;
use crate::function::invoke::{Failure, Moment};

/// What firing tells its caller.
pub(super) trait Fired {
    /// Result rows.
    fn rows(&mut self, rows: RecordBatch, marks: Marks);
    /// A function failed to give the results of some windows and keys: these.
    fn failed(&mut self, aggregate: usize, failures: &[Failure], rows: &RecordBatch);
}

impl Windows {
    /// Gives every result that is due at a watermark.
    pub(super) fn fire(&mut self, watermark: i64, out: &mut dyn Fired) -> Result<()> {
        match &self.open {
            Open::Panes(_) => self.fire_panes(watermark, out)?,
            Open::Sessions(_) => self.fire_sessions(watermark, out)?,
            Open::Counts(_) => self.fire_counts(out),
        }
        self.forget_rows();
        self.settle_keys()
    }

    fn fire_panes(&mut self, watermark: i64, out: &mut dyn Fired) -> Result<()> {
        let Open::Panes(panes) = &mut self.open else { return Ok(()) };
        let (slices, fired, due, open) = (panes.slices, panes.fired, panes.due(watermark), panes.take());
        let mut sliding = self.sliding.take();
        // Whoever reads what is kept finds in a pane what came in it, and not what it was made into.
        let read = panes.tracked.is_some() && sliding.is_some();
        let mut ready = Ready::default();
        for (end, due) in due {
            let has_stored = |id: &PaneId| self.group_map.as_ref().is_some_and(|map| map.has_stored(*id));
            if due.panes.iter().any(has_stored) {
                self.settle(std::mem::take(&mut ready), fired, out);
                self.fire_stored_groups((end, &due), (slices, &open), fired, out)?;
                continue;
            }
            if read || due.panes.iter().any(|id| open[id].is_spilled()) {
                self.settle(std::mem::take(&mut ready), fired, out);
                if due.only_changed {
                    self.fire_changed((end, &due), (slices, &open), fired, out)?;
                    continue;
                }
                if let Some(sliding) = &mut sliding {
                    let behind = sliding.rest(slices, &open);
                    self.open.slots().free(behind);
                }
                self.fire_paged((end, &due), (slices, &open), sliding.as_ref(), fired, out)?;
                continue;
            }
            if let Some(sliding) = &mut sliding {
                let mut ready = Ready::default();
                let spoilt = sliding.add_window(self, slices, end, &due.panes, &open, &mut ready);
                for (aggregate, failure, key) in spoilt {
                    self.tell(&[(aggregate, vec![Failure { row: 0, ..failure }])], &[key], out);
                }
                self.settle(ready, fired, out);
                continue;
            }
            ready.add_panes(slices.start(end), end, &due, &open);
            // Not more than a batch: merged windows take memory until they have fired.
            if ready.keys.len() >= self.batch_rows {
                self.settle(std::mem::take(&mut ready), fired, out);
            }
        }
        self.settle(ready, fired, out);
        self.sliding = sliding;
        if let Open::Panes(panes) = &mut self.open {
            panes.close(open, watermark);
        }
        self.settle_store()?;
        self.settle_rows()
    }

    fn fire_counts(&mut self, out: &mut dyn Fired) {
        let Open::Counts(counts) = &mut self.open else { return };
        let (full, free) = counts.full();
        for chunk in full.chunks(self.batch_rows) {
            let mut ready = Ready::default();
            for Full { start, end, key, slots } in chunk {
                let Some((slot, others)) = slots.split_first() else { continue };
                let emission = Emission::Final;
                ready.add(Due { emission, start: *start, end: *end, key, slot: *slot }, others.iter().copied());
            }
            self.settle(ready, i64::MIN, out);
        }
        self.free(free);
    }

    /// Merges what has to be merged and gives the results. What is merged lives in slots of its own
    /// until then: windows that share accumulators, and rows that come later, find them as they were.
    pub(super) fn settle(&mut self, ready: Ready<'_>, fired: i64, out: &mut dyn Fired) {
        if self.group_map.is_some() {
            return self.give_groups(ready, fired, out);
        }
        let Ready { mut keys, others, mut groups } = ready;
        let mut merged: Vec<u32> = Vec::new();
        if !others.is_empty() {
            let (mut firsts, mut of) = (Vec::new(), Vec::new());
            let mut number: Vec<Option<u32>> = vec![None; keys.len()];
            for group in &mut groups {
                let key = *group as usize;
                *group = *number[key].get_or_insert_with(|| {
                    firsts.push(keys[key].slot);
                    of.push(keys[key]);
                    keys[key].slot = self.open.slots().get();
                    merged.push(keys[key].slot);
                    merged.len() as u32 - 1
                });
            }
            let moment = moment(of.last().map_or(0, |d: &Due<'_>| d.end));
            let failed = self.merge(&merged, &firsts, &others, &groups, moment);
            self.tell(&failed, &of, out);
            let failed: BTreeSet<u32> = failed.iter().flat_map(|(_, failures)| failures).map(|f| f.row).collect();
            let mut place = 0..;
            keys.retain(|_| {
                let number = place.next().and_then(|place: usize| number[place]);
                number.is_none_or(|number| !failed.contains(&number))
            });
        }
        let order = in_order(keys.iter().map(|due| (due.end, due.key)));
        let keys: Vec<Due<'_>> = order.into_iter().map(|place| keys[place as usize]).collect();
        for chunk in keys.chunks(self.batch_rows) {
            self.give_aggregates(chunk, fired, out);
        }
        self.open.slots().free(merged);
    }

    /// Merges accumulators: into each slot of `into` what stands at the same place of `firsts`, and
    /// then those of `others` whose group is that place. Gives the places that a function failed on,
    /// of each aggregate.
    pub(super) fn merge(
        &mut self,
        into: &[u32],
        firsts: &[u32],
        others: &[u32],
        groups: &[u32],
        moment: Moment,
    ) -> Vec<(usize, Vec<Failure>)> {
        let mut failed = Vec::new();
        let slots = self.open.slots().count();
        for (index, aggregate) in self.aggregates.iter_mut().enumerate() {
            let mut held = aggregate.store.gather(firsts);
            let mut failures = Vec::new();
            for (others, groups) in others.chunks(self.batch_rows).zip(groups.chunks(self.batch_rows)) {
                let given = aggregate.store.gather(others);
                let mut some = Vec::new();
                held = aggregate.invoker.merge(held, firsts.len(), groups, given, moment, &mut some);
                // A key fails once, however many of its accumulators did.
                failures.extend(some.into_iter().map(|f| Failure { row: groups[f.row as usize], ..f }));
            }
            aggregate.store.grow(slots);
            aggregate.store.scatter(into, &held);
            failures.sort_by_key(|f| f.row);
            failures.dedup_by_key(|f| f.row);
            if !failures.is_empty() {
                failed.push((index, failures));
            }
        }
        failed
    }
}
