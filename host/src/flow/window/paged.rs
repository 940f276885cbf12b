//! Windows of which some keys are in a store alone: fired a chunk of keys at a time.
//!
//! Each pane of the window is gone through in the order of its keys, those in memory and those in the
//! store side by side. What all panes have for a chunk of keys is put into panes and slots of the chunk's
//! own, and goes the way that windows in memory go: so it is merged in the same order, and nothing that
//! is kept is changed. Where results are due for what has changed alone, these keys are asked for.

use std::collections::BTreeMap;

use arrow_array::{Array, ArrayRef, BinaryArray, UInt32Array};
use arrow_select::take::take;

use super::assign::{PaneId, Slices};
use super::fire::Fired;
use super::fold::{Aggregate, Windows};
use super::keys::Key;
use super::pane::Pane;
use super::panes;
use super::place::Slots;
use super::ready::{Due, Ready};
use super::sliding::Sliding;
use super::spill::{place, scatter};
use crate::error::Result;
use crate::function::invoke::Failure;
use crate::state::{Entries, Store};

/// Accumulators of a chunk, over all panes, in batches: more of them are read from a store at once.
const CHUNK_BATCHES: usize = 4;

/// How far firing is in one pane of a window.
pub(super) struct Cursor {
    id: PaneId,
    /// The keys in memory, in their order, and how many of them are done.
    sorted: Vec<u32>,
    passed: usize,
    /// What was read from the store last, how much of it is done, and whether there is more.
    page: Option<Entries>,
    used: usize,
    more: bool,
}

/// What a pane has for a chunk of keys.
#[derive(Default)]
struct Part {
    pane: Pane,
    /// Slots that are copied, and where to.
    from: Vec<u32>,
    to: Vec<u32>,
    /// Columns from the store, and the slots that they go to.
    read: Vec<ArrayRef>,
    read_to: Vec<u32>,
}

impl Cursor {
    /// At the start of a pane.
    pub(super) fn new(id: PaneId, pane: &Pane) -> Self {
        Self { id, sorted: pane.sorted(), passed: 0, page: None, used: 0, more: pane.is_spilled() }
    }

    /// Reads on where what was read is done.
    fn fill(&mut self, store: &mut dyn Store, slices: Slices, rows: usize) -> Result<()> {
        if !self.more || self.unused() > 0 {
            return Ok(());
        }
        let after = self.last().map(<[u8]>::to_vec);
        self.page = store.page(place(slices, self.id), after.as_deref(), rows)?;
        self.used = 0;
        self.more = self.unused() == rows;
        Ok(())
    }

    /// How many entries are read and not done.
    fn unused(&self) -> usize {
        self.page.as_ref().map_or(0, |page| page.keys.len() - self.used)
    }

    fn last(&self) -> Option<&[u8]> {
        self.page.as_ref().map(|page| page.keys.value(page.keys.len() - 1))
    }

    fn is_done(&self) -> bool {
        !self.more && self.unused() == 0 && self.passed == self.sorted.len()
    }

    /// The key up to which the pane is known, and that is at most so many keys away; none where that is
    /// all of it.
    fn bound<'a>(&'a self, pane: &'a Pane, rows: usize) -> Option<&'a [u8]> {
        let stored = self.last().filter(|_| self.more);
        let more = self.sorted.len() > self.passed + rows;
        let held = more.then(|| pane.keys.bytes(self.sorted[self.passed + rows - 1]));
        stored.into_iter().chain(held).min()
    }

    /// The keys up to a bound, with slots of their own. What is in memory is newer than what is in the store.
    fn take(&mut self, pane: &Pane, bound: Option<&[u8]>, slots: &mut Slots) -> Part {
        let within = |key: &&[u8]| bound.is_none_or(|bound| *key <= bound);
        let mut part = Part::default();
        let mut rows = Vec::new();
        let mut slot = |chunk: &mut Pane, key| {
            let index = chunk.index(Key::of(key), slots);
            chunk.slots[index as usize]
        };
        loop {
            let held = self.sorted.get(self.passed).map(|key| pane.keys.bytes(*key)).filter(within);
            let page = self.page.as_ref().filter(|page| self.used < page.keys.len());
            let stored = page.map(|page| page.keys.value(self.used)).filter(within);
            if let Some(key) = held.filter(|held| stored.is_none_or(|stored| *held <= stored)) {
                part.from.push(pane.slots[self.sorted[self.passed] as usize]);
                part.to.push(slot(&mut part.pane, key));
                self.used += usize::from(stored == Some(key));
                self.passed += 1;
            } else if let Some(key) = stored {
                rows.push(self.used as u32);
                part.read_to.push(slot(&mut part.pane, key));
                self.used += 1;
            } else {
                break;
            }
        }
        if let Some(page) = self.page.as_ref().filter(|_| !rows.is_empty()) {
            let rows = UInt32Array::from(rows);
            let of = |column: &ArrayRef| take(column, &rows, None).expect("rows of the page");
            part.read = page.values.iter().map(of).collect();
        }
        part
    }
}

impl Part {
    /// Puts accumulators into its slots. Gives its keys.
    fn fill(self, aggregates: &mut [Aggregate]) -> Pane {
        for aggregate in &mut *aggregates {
            let held = aggregate.store.gather(&self.from);
            aggregate.store.scatter(&self.to, &held);
        }
        if !self.read_to.is_empty() {
            scatter(aggregates, &self.read_to, &self.read);
        }
        self.pane
    }
}

impl Windows {
    /// Fires the next keys of a window. `sliding` knows what stands in its panes, where windows are made of
    /// those before them. Whether there may be more.
    pub(super) fn fire_page(
        &mut self,
        cursors: &mut [Cursor],
        (end, due): (i64, &panes::Due),
        (slices, open): (Slices, &BTreeMap<PaneId, Pane>),
        sliding: Option<&Sliding>,
        fired: i64,
        out: &mut dyn Fired,
    ) -> Result<bool> {
        let rows = (CHUNK_BATCHES * self.batch_rows / due.panes.len()).max(1);
        let Some(spill) = &mut self.spill else { return Ok(false) };
        for cursor in &mut *cursors {
            cursor.fill(spill.store(), slices, rows)?;
        }
        if cursors.iter().all(Cursor::is_done) {
            return Ok(false);
        }
        let bound = cursors.iter().filter_map(|cursor| cursor.bound(&open[&cursor.id], rows)).min().map(<[u8]>::to_vec);
        let mut take =
            |cursor: &mut Cursor| (cursor.id, cursor.take(&open[&cursor.id], bound.as_deref(), self.open.slots()));
        let parts: Vec<(PaneId, Part)> = cursors.iter_mut().map(&mut take).collect();
        let count = self.open.slots().count();
        self.aggregates.iter_mut().for_each(|a| a.store.grow(count));
        let chunk = parts.into_iter().map(|(id, part)| (id, part.fill(&mut self.aggregates))).collect();
        self.give_chunk((end, due), (slices, &chunk), sliding, fired, out);
        let slots = chunk.into_values().flat_map(|pane| pane.slots).collect();
        self.let_go(slots);
        Ok(true)
    }

    /// Gives what a window comes to for the keys of a chunk.
    fn give_chunk(
        &mut self,
        (end, due): (i64, &panes::Due),
        (slices, chunk): (Slices, &BTreeMap<PaneId, Pane>),
        sliding: Option<&Sliding>,
        fired: i64,
        out: &mut dyn Fired,
    ) {
        let mut ready = Ready::default();
        let Some(sliding) = sliding else {
            ready.add_panes(slices.start(end), end, due, chunk);
            return self.settle(ready, fired, out);
        };
        let mut of_chunk = sliding.of_chunk(slices, end, chunk);
        let spoilt = of_chunk.add_window(self, slices, end, &due.panes, chunk, &mut ready);
        for (aggregate, failure, key) in spoilt {
            self.tell(&[(aggregate, vec![Failure { row: 0, ..failure }])], &[key], out);
        }
        self.settle(ready, fired, out);
        self.let_go(of_chunk.into_slots());
    }

    /// Fires a window with the keys that have changed, which are in memory where they have.
    pub(super) fn fire_changed(
        &mut self,
        (end, due): (i64, &panes::Due),
        (slices, open): (Slices, &BTreeMap<PaneId, Pane>),
        fired: i64,
        out: &mut dyn Fired,
    ) -> Result<()> {
        for keys in due.changed(open).chunks(self.batch_rows) {
            let mut slots: Vec<Vec<u32>> = vec![Vec::new(); keys.len()];
            let mut read = Vec::new();
            for id in &due.panes {
                let held: Vec<Option<u32>> = keys.iter().map(|key| open[id].find(Key::of(key))).collect();
                let mut found: Vec<(usize, u32)> = Vec::new();
                if let Some(spill) = self.spill.as_mut().filter(|_| open[id].is_spilled()) {
                    let missing: Vec<usize> = (0..keys.len()).filter(|place| held[*place].is_none()).collect();
                    let asked = BinaryArray::from_iter_values(missing.iter().map(|place| keys[*place]));
                    let stored = spill.store().get(place(slices, *id), &asked)?;
                    let free = self.open.slots();
                    found.extend(stored.places.iter().map(|place| (missing[*place as usize], free.get())));
                    let to: Vec<u32> = found.iter().map(|(_, slot)| *slot).collect();
                    let count = free.count();
                    self.aggregates.iter_mut().for_each(|a| a.store.grow(count));
                    scatter(&mut self.aggregates, &to, &stored.values);
                    read.extend(to);
                }
                let held = held.into_iter().enumerate().filter_map(|(place, slot)| Some((place, slot?)));
                held.chain(found).for_each(|(place, slot)| slots[place].push(slot));
            }
            let mut ready = Ready::default();
            for (key, slots) in keys.iter().zip(slots) {
                let Some((slot, others)) = slots.split_first() else { continue };
                let (emission, start) = (due.emission, slices.start(end));
                ready.add(Due { emission, start, end, key, slot: *slot }, others.iter().copied());
            }
            self.settle(ready, fired, out);
            self.let_go(read);
        }
        Ok(())
    }

    /// Frees slots, and what they hold.
    fn let_go(&mut self, slots: Vec<u32>) {
        self.aggregates.iter_mut().for_each(|a| a.store.forget(&slots));
        self.open.slots().free(slots);
    }
}
