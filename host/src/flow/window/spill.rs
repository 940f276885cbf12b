//! The store behind the panes of a step: where keys go that memory has no room for, and where other
//! programs read.
//!
//! What is in memory is a cache in front of it. A pane's keys are in memory, or some of them are in the
//! store alone (the pane is spilled); then a fold asks for those that are new to memory, and windows that
//! see the pane fire from memory and the store together ([`super::paged`]). Nothing here changes a result: an accumulator comes
//! back as it was.

use std::collections::BTreeSet;

use arrow_array::{ArrayRef, BinaryArray};

use super::assign::{PaneId, Slices};
use super::by_key::{Behind, ByKey};
use super::fold::{Aggregate, Windows, held};
use super::groups::GroupMap;
use super::pane::Pane;
use super::panes::Panes;
use super::place::Open;
use super::sliding::Sliding;
use crate::checkpoint::Frozen;
use crate::error::Result;
use crate::flow::cut::Sections;
use crate::flow::exchange::{owner, workers_of_key_groups};
use crate::flow::stored::open;
use crate::plan;
use crate::report::{Counted, Node};
use crate::state::{self, Entries, Part, PerKey, Stores};
use crate::types::Field;

/// A store and what is known of it.
#[derive(Debug)]
pub(super) struct Spill {
    store: Box<dyn state::Store>,
    memory_bytes: usize,
    /// Panes that have something in the store.
    stored: BTreeSet<PaneId>,
}

impl Spill {
    /// A store behind so much memory. With `live` others read it.
    pub(super) fn new(store: Box<dyn state::Store>, memory_bytes: usize, live: bool, panes: &mut Panes) -> Self {
        panes.tracked = live.then(Vec::new);
        Self { store, memory_bytes, stored: BTreeSet::new() }
    }

    /// The store.
    pub(super) fn store(&mut self) -> &mut dyn state::Store {
        &mut *self.store
    }

    /// About how many bytes the store takes.
    pub(super) fn bytes(&self) -> u64 {
        self.store.bytes()
    }
}

impl Windows {
    /// Puts the store of this step and worker behind its panes, if there is one.
    pub(super) fn keep_in(
        &mut self,
        stores: &Stores,
        step: &str,
        window: &plan::Window,
        worker: usize,
        workers: usize,
        restored: Option<Sections<'_>>,
    ) -> Result<()> {
        let Open::Panes(panes) = &mut self.open else {
            return self.keep_keys_in(stores, step, window, (worker, workers), restored);
        };
        if let Some(map) = &mut self.group_map {
            return map.keep_in(stores, step, &window.key, (worker, workers), restored);
        }
        let values: Vec<Field> = window.compute.aggregates().iter().flat_map(held).collect();
        let owners = workers_of_key_groups(workers);
        let mine = Box::new(move |key: &[u8]| owner(key, &owners) as usize == worker);
        let per_key = PerKey::One;
        let part = Part { step, index: None, worker, workers, key: &window.key, values: &values, per_key, mine };
        let Some(store) = open(stores, part, restored)? else { return Ok(()) };
        self.spill = Some(Spill::new(store, stores.memory_bytes() / workers, stores.are_read(), panes));
        Ok(())
    }

    /// Whether there is a store, of whatever kind: then all of the state is in it at a cut.
    pub(super) fn is_stored(&self) -> bool {
        self.spill.is_some() || self.behind.is_some() || self.group_map.as_ref().is_some_and(GroupMap::is_stored)
    }

    /// Goes on with what the store has had from a checkpoint: all of it is in the store alone, but for the keys
    /// whose changes no early result has told yet.
    pub(super) fn restore_spilled(&mut self, unseen: &[(PaneId, &[u8])]) -> Result<()> {
        let (Some(spill), Open::Panes(panes)) = (&mut self.spill, &mut self.open) else { return Ok(()) };
        let (over, held): (Vec<_>, Vec<_>) = spill
            .store
            .panes()
            .into_iter()
            .map(|pane| (pane, pane_of(panes.slices, pane)))
            .partition(|(_, id)| panes.is_over(*id));
        spill.store.remove(&over.into_iter().map(|(pane, _)| pane).collect::<Vec<_>>())?;
        for (_, id) in held {
            spill.stored.insert(id);
            panes.open.entry(id).or_default().spilled = true;
        }
        for (id, key) in unseen {
            panes.bring(*id, key);
        }
        let count = panes.slots.count();
        self.aggregates.iter_mut().for_each(|a| a.store.grow(count));
        self.recall()
    }

    /// Writes what has changed since the last cut to the stores, so that all of the state is there, and gives it as
    /// files. None where there is no store.
    pub(super) fn freeze(&mut self) -> Result<Vec<Frozen>> {
        if self.group_map.as_ref().is_some_and(GroupMap::is_stored) {
            let frozen = self.freeze_rows()?;
            let Open::Panes(panes) = &mut self.open else { return Ok(Vec::new()) };
            panes.open.values_mut().for_each(|pane| pane.unsaved.clear());
            return Ok(frozen.into_iter().collect());
        }
        let (Some(spill), Open::Panes(panes)) = (&mut self.spill, &mut self.open) else { return self.freeze_keys() };
        let changed = panes.open.iter().map(|(id, pane)| {
            let all = || (0..pane.slots.len() as u32).collect();
            let mut keys: Vec<u32> = if self.rewritten.contains(id) { all() } else { pane.unsaved.keys.clone() };
            keys.sort_unstable_by(|a, b| pane.keys.bytes(*a).cmp(pane.keys.bytes(*b)));
            (*id, pane, keys)
        });
        let changed = changed.filter(|(.., keys)| !keys.is_empty());
        write(spill, panes.slices, &self.aggregates, self.batch_rows, changed)?;
        panes.open.values_mut().for_each(|pane| pane.unsaved.clear());
        Ok(spill.store.freeze()?.into_iter().collect())
    }

    /// Tells how large the state is.
    pub(super) fn count_state(&mut self, counters: &Node, counted: &mut Counted) {
        let used = self.open.slots().used();
        let keys = match &self.open {
            Open::Panes(panes) => panes.size().1 + self.sliding.as_ref().map_or(0, Sliding::memory_bytes),
            Open::Sessions(sessions) => sessions.bytes(),
            Open::Counts(counts) => counts.bytes(),
        };
        let rows = self.group_map.as_ref().map_or(0, GroupMap::bytes);
        let bytes = keys + rows + self.aggregates.iter().map(|a| a.store.bytes(used)).sum::<usize>();
        let stored = self.spill.as_ref().map_or(0, Spill::bytes) + self.behind.as_ref().map_or(0, Behind::bytes);
        let stored = stored + self.group_map.as_ref().map_or(0, GroupMap::stored_bytes);
        counters.count_state(counted, used as u64, bytes as u64, stored);
    }

    /// Gives keys that the last fold brought to memory what the store has for them.
    pub(super) fn recall(&mut self) -> Result<()> {
        let (Some(spill), Open::Panes(panes)) = (&mut self.spill, &self.open) else { return Ok(()) };
        for (id, mut fresh) in panes.fresh() {
            fresh.sort_unstable();
            let keys = BinaryArray::from_iter_values(fresh.iter().map(|(key, _)| key));
            let found = spill.store.get(place(panes.slices, id), &keys)?;
            let slots: Vec<u32> = found.places.iter().map(|place| fresh[*place as usize].1).collect();
            scatter(&mut self.aggregates, &slots, &found.values);
        }
        Ok(())
    }

    /// Moves everything to the store where it takes more memory than it may. Panes of which results are
    /// due for what has changed stay: which keys those are is known in memory alone.
    pub(super) fn make_room(&mut self) -> Result<()> {
        let (Some(spill), Open::Panes(panes)) = (&mut self.spill, &mut self.open) else { return Ok(()) };
        let (_, keys) = panes.size();
        let used = panes.slots.used();
        let keys = keys + self.sliding.as_ref().map_or(0, Sliding::memory_bytes);
        if keys + self.aggregates.iter().map(|a| a.store.bytes(used)).sum::<usize>() <= spill.memory_bytes {
            return Ok(());
        }
        if let Some(sliding) = &mut self.sliding {
            let behind = sliding.rest(panes.slices, &panes.open);
            self.aggregates.iter_mut().for_each(|a| a.store.forget(&behind));
            panes.slots.free(behind);
        }
        let quiet: Vec<PaneId> = panes.quiet().map(|(id, _)| id).collect();
        let all = panes.quiet().map(|(id, pane)| (id, pane, pane.sorted()));
        write(spill, panes.slices, &self.aggregates, self.batch_rows, all)?;
        for id in quiet {
            let slots = panes.forget(id);
            self.aggregates.iter_mut().for_each(|a| a.store.forget(&slots));
        }
        Ok(())
    }

    /// An epoch is complete and its windows have fired: gives up what was closed, and writes what has
    /// changed where others read it.
    pub(super) fn settle_store(&mut self) -> Result<()> {
        let (Some(spill), Open::Panes(panes)) = (&mut self.spill, &mut self.open) else { return Ok(()) };
        let closed: Vec<PaneId> = spill.stored.iter().copied().filter(|id| panes.get(*id).is_none()).collect();
        if !closed.is_empty() {
            let places: Vec<state::Pane> = closed.iter().map(|id| place(panes.slices, *id)).collect();
            spill.store.remove(&places)?;
            spill.stored.retain(|id| !closed.contains(id));
        }
        if let Some(tracked) = &mut panes.tracked {
            let mut tracked = std::mem::take(tracked);
            tracked.sort_unstable();
            tracked.dedup();
            let all = tracked.chunk_by(|a, b| a.0 == b.0).filter_map(|keys| {
                let pane = panes.get(keys[0].0)?;
                let mut sorted: Vec<u32> = keys.iter().map(|(_, key)| *key).collect();
                sorted.sort_unstable_by_key(|key| pane.entry(*key).0.bytes);
                Some((keys[0].0, pane, sorted))
            });
            write(spill, panes.slices, &self.aggregates, self.batch_rows, all)?;
        }
        self.make_room()
    }
}

/// Writes keys of panes to the store, a batch at a time.
fn write<'a>(
    spill: &mut Spill,
    slices: Slices,
    aggregates: &[Aggregate],
    batch_rows: usize,
    panes: impl Iterator<Item = (PaneId, &'a Pane, Vec<u32>)>,
) -> Result<()> {
    let stored = &mut spill.stored;
    let mut entries = panes.flat_map(|(id, pane, keys)| {
        stored.insert(id);
        let count = keys.len();
        let of = move |from: usize| {
            let part = &keys[from..keys.len().min(from + batch_rows)];
            let slots: Vec<u32> = part.iter().map(|key| pane.entry(*key).1).collect();
            Entries {
                pane: place(slices, id),
                keys: BinaryArray::from_iter_values(part.iter().map(|key| pane.entry(*key).0.bytes)),
                counts: None,
                values: aggregates.iter().flat_map(|a| a.store.gather(&slots)).collect(),
            }
        };
        (0..count).step_by(batch_rows).map(of)
    });
    spill.store.put(&mut entries)
}

/// Puts the columns of all aggregates into slots.
pub(super) fn scatter(aggregates: &mut [Aggregate], slots: &[u32], columns: &[ArrayRef]) {
    let mut rest = columns;
    for aggregate in aggregates {
        let (of, others) = rest.split_at(aggregate.store.columns());
        aggregate.store.scatter(slots, of);
        rest = others;
    }
}

/// What a pane is called in a store.
pub(in crate::flow) fn place(slices: Slices, id: PaneId) -> state::Pane {
    let (first, _) = slices.ends(id.start);
    let start = if slices.is_global() { i64::MIN } else { id.start };
    state::Pane { start, variant: id.seen_from.saturating_sub(first) }
}

/// The pane of which a store has something under this name.
pub(in crate::flow) fn pane_of(slices: Slices, state::Pane { start, variant }: state::Pane) -> PaneId {
    let (first, _) = slices.ends(start);
    PaneId { start, seen_from: first.saturating_add(variant) }
}
