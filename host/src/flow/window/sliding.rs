//! Windows of many panes, without merging all of them for each window.
//!
//! Time is cut into blocks as long as a window, so a window reaches over one boundary at most. Before
//! the boundary each pane holds what it and the panes after it come to, so that one accumulator is the
//! window's part there; behind it one accumulator takes in pane after pane. A window costs a merge for
//! each key, and a pane two, however many panes a window has. (The blocks are those of van Herk, "A fast
//! algorithm for local minimum and maximum filters", 1992; with accumulators instead of minima they are
//! the two stacks of Tangwongsan, Hirzel and Schneider, "In-Order Sliding-Window Aggregation in
//! Worst-Case Constant Time", 2021.)
//!
//! Blocks are places on the axis of time, so what is merged with what depends on the key's own rows
//! alone. Cumulating windows of one block start together: all of them is behind the boundary.
//!
//! Panes of rows that came too late for some of their windows are merged behind the others, window by
//! window: they are few.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::assign::{PaneId, Slices};
use super::fold::Windows;
use super::keys::{Key, Keys};
use super::pane::Pane;
use super::ready::{Due, Emission, Ready};
use super::results::moment;
use crate::function::invoke::Failure;
use crate::function::invoke::attempt::{Attempt, Method};

/// What is known of the block that the last window was in.
#[derive(Debug, Default)]
pub(super) struct Sliding {
    boundary: Option<i64>,
    /// For each key the panes that it is in before the boundary, the first of them last: where they
    /// start, and the slot of what they and those after them come to.
    before: Keys,
    stacks: Vec<Vec<(i64, u32)>>,
    /// For each key the slot of what its panes behind the boundary come to.
    behind: Keys,
    behind_slots: Vec<u32>,
    /// How far the panes behind the boundary are taken in.
    reached: i64,
    /// Why what stands in a slot is worth nothing: a function failed to merge it.
    spoilt: BTreeMap<u32, (usize, Failure)>,
    /// Panes of keys on all stacks.
    stacked: usize,
    /// Where memory has no room for what is kept by key: what stands in the panes before the boundary is all
    /// there is, and these of them are spoilt, by their pane's start and key.
    resting: Option<Failed>,
}

/// What a function failed to merge, by where the pane starts and the key: with which aggregate, and why.
pub(super) type Failed = BTreeMap<(i64, Box<[u8]>), (usize, Failure)>;

/// Keys of a window that a function had failed to merge.
pub(super) type Spoilt<'a> = Vec<(usize, Failure, Due<'a>)>;

impl Sliding {
    /// Adds the window of this end, whose panes are these, to what is ready; the panes that start
    /// behind the last window's end are taken in first.
    pub(super) fn add_window<'a>(
        &'a mut self,
        windows: &mut Windows,
        slices: Slices,
        end: i64,
        panes: &[PaneId],
        open: &'a BTreeMap<PaneId, Pane>,
        ready: &mut Ready<'a>,
    ) -> Spoilt<'a> {
        let (start, boundary) = (slices.start(end), slices.boundary(end));
        let in_time = |id: &&PaneId| id.seen_from == slices.ends(id.start).0;
        if self.resting.is_some() {
            *self = self.of_chunk(slices, end, open);
        }
        if self.boundary != Some(boundary) {
            windows.open.slots().free(self.behind_slots.drain(..));
            *self = Self { boundary: Some(boundary), reached: boundary, ..Self::default() };
            for id in panes.iter().filter(in_time).rev().filter(|id| id.start < boundary) {
                self.put_before(windows, id.start, &open[id], end);
                windows.rewritten.push(*id);
            }
        }
        let reached = std::mem::replace(&mut self.reached, end);
        for id in panes.iter().filter(in_time).filter(|id| id.start >= reached) {
            self.take_in(windows, &open[id], end);
        }
        for stack in &mut self.stacks {
            while let Some((_, slot)) = stack.pop_if(|(from, _)| *from < start) {
                self.spoilt.remove(&slot);
                self.stacked -= 1;
            }
        }
        self.give(start, end, panes.iter().filter(|id| !in_time(id)).map(|id| &open[id]), ready)
    }

    /// Goes on at a block's boundary: what stands in the panes before it is what they and those after them
    /// come to. What the panes behind it come to is merged again, in the same order.
    pub(super) fn restore(boundary: i64, slices: Slices, open: &BTreeMap<PaneId, Pane>) -> Self {
        let mut sliding = Self { boundary: Some(boundary), reached: boundary, ..Self::default() };
        let before = |id: &PaneId| id.start < boundary && id.seen_from == slices.ends(id.start).0;
        for (id, pane) in open.iter().filter(|(id, _)| before(id)).rev() {
            for (key, slot) in pane.entries() {
                let number = sliding.before.insert(key) as usize;
                if number == sliding.stacks.len() {
                    sliding.stacks.push(Vec::new());
                }
                sliding.stacks[number].push((id.start, slot));
                sliding.stacked += 1;
            }
        }
        sliding
    }

    /// Keeps nothing by key any more, until it is asked to go on. Gives the slots that are free then.
    pub(super) fn rest(&mut self, slices: Slices, open: &BTreeMap<PaneId, Pane>) -> Vec<u32> {
        let failed = self.failed(slices, open);
        let Self { boundary, behind_slots, .. } = std::mem::take(self);
        *self = Self { boundary, resting: Some(failed), ..Self::default() };
        behind_slots
    }

    /// What a function failed to merge before the boundary.
    pub(super) fn failed(&self, slices: Slices, open: &BTreeMap<PaneId, Pane>) -> Failed {
        if let Some(resting) = &self.resting {
            return resting.clone();
        }
        let before =
            |id: &PaneId| self.boundary.is_some_and(|b| id.start < b) && id.seen_from == slices.ends(id.start).0;
        let all = open.iter().filter(|(id, _)| !self.spoilt.is_empty() && before(id));
        let each = all.flat_map(|(id, pane)| pane.entries().map(|(key, slot)| ((id.start, key.bytes.into()), slot)));
        each.filter_map(|(of, slot)| Some((of, self.spoilt.get(&slot)?.clone()))).collect()
    }

    /// Goes on at a block's boundary with what had failed before it; what there is by key is in a store.
    pub(super) fn restore_resting(
        boundary: i64,
        failed: impl Iterator<Item = (i64, Box<[u8]>, usize, String)>,
    ) -> Self {
        let failed = failed.map(|(start, key, aggregate, reason)| ((start, key), (aggregate, untold(reason))));
        Self { boundary: Some(boundary), resting: Some(failed.collect()), ..Self::default() }
    }

    /// What would be known, had there been no keys but those of these panes: at this window's block, if that is
    /// the one that it rests in, or before any.
    pub(super) fn of_chunk(&self, slices: Slices, end: i64, chunk: &BTreeMap<PaneId, Pane>) -> Self {
        let Some(boundary) = self.boundary.filter(|boundary| *boundary == slices.boundary(end)) else {
            return Self::default();
        };
        let mut sliding = Self::restore(boundary, slices, chunk);
        let failed = self.resting.iter().flatten();
        sliding.spoilt.extend(failed.filter_map(|((start, key), why)| {
            let pane = chunk.get(&PaneId { start: *start, seen_from: slices.ends(*start).0 })?;
            Some((pane.find(Key::of(key))?, why.clone()))
        }));
        sliding
    }

    /// The slots that it has beside those of panes.
    pub(super) fn into_slots(self) -> Vec<u32> {
        self.behind_slots
    }

    /// About how many bytes it takes beside accumulators.
    pub(super) fn memory_bytes(&self) -> usize {
        let stacks = self.stacks.len() * size_of::<Vec<(i64, u32)>>() + self.stacked * size_of::<(i64, u32)>();
        self.before.memory_bytes() + self.behind.memory_bytes() + stacks + self.behind_slots.len() * size_of::<u32>()
    }

    /// The boundary of the block that it is in.
    pub(super) fn boundary(&self) -> Option<i64> {
        self.boundary
    }

    /// Notes that a function has failed to merge what stands in a slot.
    pub(super) fn spoil(&mut self, slot: u32, aggregate: usize, reason: String) {
        self.spoilt.insert(slot, (aggregate, untold(reason)));
    }

    /// Puts a pane before those that are before the boundary already.
    fn put_before(&mut self, windows: &mut Windows, start: i64, pane: &Pane, end: i64) {
        let (mut into, mut after, mut groups) = (Vec::new(), Vec::new(), Vec::new());
        for (key, slot) in pane.entries() {
            let number = self.before.insert(key) as usize;
            if number == self.stacks.len() {
                self.stacks.push(Vec::new());
            }
            if let Some((_, next)) = self.stacks[number].last() {
                match self.spoilt.get(next).cloned() {
                    Some(why) => drop(self.spoilt.insert(slot, why)),
                    None => {
                        groups.push(into.len() as u32);
                        into.push(slot);
                        after.push(*next);
                    }
                }
            }
            self.stacks[number].push((start, slot));
            self.stacked += 1;
        }
        self.merge(windows, &into, &into, &after, &groups, end);
    }

    /// Takes a pane in behind the boundary.
    fn take_in(&mut self, windows: &mut Windows, pane: &Pane, end: i64) {
        let (mut into, mut firsts, mut others, mut groups) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (key, slot) in pane.entries() {
            let number = self.behind.insert(key) as usize;
            let Some(held) = self.behind_slots.get(number).copied() else {
                self.behind_slots.push(windows.open.slots().get());
                into.push(self.behind_slots[number]);
                firsts.push(slot);
                continue;
            };
            if !self.spoilt.contains_key(&held) {
                groups.push(into.len() as u32);
                into.push(held);
                firsts.push(held);
                others.push(slot);
            }
        }
        self.merge(windows, &into, &firsts, &others, &groups, end);
    }

    fn merge(&mut self, windows: &mut Windows, into: &[u32], firsts: &[u32], others: &[u32], groups: &[u32], end: i64) {
        if into.is_empty() {
            return;
        }
        for (aggregate, failures) in windows.merge(into, firsts, others, groups, moment(end)) {
            for failure in failures {
                self.spoilt.entry(into[failure.row as usize]).or_insert((aggregate, failure));
            }
        }
    }

    /// Adds each key of the window with its part before the boundary, its part behind it, and what came
    /// too late for the windows before.
    fn give<'a>(
        &'a self,
        start: i64,
        end: i64,
        late: impl Iterator<Item = &'a Pane>,
        ready: &mut Ready<'a>,
    ) -> Spoilt<'a> {
        let due = |key: &'a [u8], slot: u32| Due { emission: Emission::Final, start, end, key, slot };
        let mut spoilt = Spoilt::new();
        let mut known = Keys::default();
        let mut parts: Vec<(Due<'a>, Vec<u32>)> = Vec::new();
        for (number, stack) in self.stacks.iter().enumerate() {
            let Some((_, slot)) = stack.last() else { continue };
            let key = self.before.get(number as u32);
            known.insert(key);
            let behind = self.behind.find(key).map(|number| self.behind_slots[number as usize]);
            parts.push((due(key.bytes, *slot), behind.into_iter().collect()));
        }
        for (number, slot) in self.behind_slots.iter().enumerate() {
            let key = self.behind.get(number as u32);
            if known.find(key).is_none() {
                known.insert(key);
                parts.push((due(key.bytes, *slot), Vec::new()));
            }
        }
        for (key, slot) in late.flat_map(Pane::entries) {
            match parts.get_mut(known.insert(key) as usize) {
                Some((_, others)) => others.push(slot),
                None => parts.push((due(key.bytes, slot), Vec::new())),
            }
        }
        for (due, others) in parts {
            let why = std::iter::once(&due.slot).chain(&others).find_map(|slot| self.spoilt.get(slot));
            match why {
                Some((aggregate, failure)) => spoilt.push((*aggregate, failure.clone(), due)),
                None => ready.add(due, others.into_iter()),
            }
        }
        spoilt
    }
}

/// A failure that is in a checkpoint. What the call was made with is not, and its letter says that it was not made.
fn untold(reason: String) -> Failure {
    let (columns, held) = (Vec::new(), Vec::new());
    let attempt = Attempt { method: Method::Merge, moment: moment(0), columns, held, rows: 0, tried: false };
    Failure { row: 0, reason, fault: None, attempt: Arc::new(attempt) }
}
