//! Firing: what the windows come to whose end the watermark has passed.
//!
//! A window of one pane is that pane. A window of several is merged from them, in the order of
//! time, into accumulators that live until it has fired; the panes stay for the windows after it.
//! Results come in the order of (window end, key). With early results, or where late rows are allowed,
//! a window is looked at more than once, for the keys that have changed.

use std::collections::BTreeSet;

use arrow_array::RecordBatch;

use super::counts::Full;
use super::due::OfSessions;
use super::firing::OfPanes;
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

/// A firing that is under way. Its results come a part at a time, so that who takes them can do so before there
/// are more. Until it is over no row is folded.
pub(super) enum Firing {
    Panes(Box<OfPanes>),
    Sessions(OfSessions),
    Counts(OfCounts),
}

/// Windows of so many rows that are full.
pub(super) struct OfCounts {
    full: Vec<Full>,
    passed: usize,
    /// Slots that no later window sees.
    over: Vec<u32>,
}

impl Windows {
    /// Begins to give every result that is due at a watermark.
    pub(super) fn begin_firing(&mut self, watermark: i64) -> Firing {
        match &mut self.open {
            Open::Panes(panes) => Firing::Panes(Box::new(OfPanes::new(panes, self.sliding.take(), watermark))),
            Open::Sessions(_) => Firing::Sessions(self.begin_sessions(watermark)),
            Open::Counts(counts) => {
                let (full, over) = counts.full();
                Firing::Counts(OfCounts { full, passed: 0, over })
            }
        }
    }

    /// Gives the next results, mostly a few batches of them at most. Whether it is over.
    pub(super) fn fire(&mut self, firing: &mut Firing, out: &mut dyn Fired) -> Result<bool> {
        let over = match firing {
            Firing::Panes(firing) => self.fire_panes(firing, out)?,
            Firing::Sessions(firing) => self.fire_sessions(firing, out)?,
            Firing::Counts(firing) => self.fire_counts(firing, out),
        };
        if over {
            self.forget_rows();
            self.settle_keys()?;
        }
        Ok(over)
    }

    fn fire_counts(&mut self, firing: &mut OfCounts, out: &mut dyn Fired) -> bool {
        let OfCounts { full, passed, over } = firing;
        let chunk = &full[*passed..full.len().min(*passed + self.batch_rows)];
        *passed += chunk.len();
        let mut ready = Ready::default();
        for Full { start, end, key, slots } in chunk {
            let Some((slot, others)) = slots.split_first() else { continue };
            let emission = Emission::Final;
            ready.add(Due { emission, start: *start, end: *end, key, slot: *slot }, others.iter().copied());
        }
        self.settle(ready, i64::MIN, out);
        if *passed < full.len() {
            return false;
        }
        self.free(std::mem::take(over));
        true
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
        if !keys.is_sorted_by_key(|due| (due.end, due.key)) {
            let order = in_order(keys.iter().map(|due| (due.end, due.key)));
            keys = order.into_iter().map(|place| keys[place as usize]).collect();
        }
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
