//! All open panes, in the order of time: where rows belong, which windows are due, which panes are over.
//!
//! Firing looks at whole panes, in the order of time, or at the keys of them that have changed.

use std::collections::{BTreeMap, BTreeSet};

use super::assign::{PaneId, Slices};
use super::keys::Key;
use super::pane::Pane;
use super::place::{Groups, Input, Placed, Slots};
use super::ready::Emission;
use crate::plan::{Emit, Firing, WindowKind};

/// Keys of a pane from which on they are not in a core's own cache any more, about.
const READ_AHEAD_MIN: usize = 20_000;

/// Keys that are looked up together.
const READ_AHEAD: usize = 128;

/// All open panes, in the order of time.
#[derive(Debug)]
pub(super) struct Panes {
    pub(super) slices: Slices,
    firing: Firing,
    pub(super) open: BTreeMap<PaneId, Pane>,
    pub(super) slots: Slots,
    /// The watermark that windows have fired up to.
    pub(super) fired: i64,
    /// The panes of the last fold, and how many keys they had before it.
    touched: Vec<(PaneId, usize)>,
    /// The keys of the last fold, where results may be given for what has changed.
    folded: Vec<(PaneId, u32)>,
    /// Panes with keys that have changed since results were last given of them.
    pub(super) changed: BTreeSet<PaneId>,
    /// Whether checkpoints are taken, for which it is noted what has changed.
    pub(super) saved: bool,
    /// The keys that were folded since this was last taken, where somebody wants to know.
    pub(super) tracked: Option<Vec<(PaneId, u32)>>,
}

/// A window whose results are due, with its panes in the order of time.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) emission: Emission,
    pub(super) panes: Vec<PaneId>,
    /// Whether results are due only for the keys that have changed.
    pub(super) only_changed: bool,
}

impl Due {
    /// The keys that have changed since results of this sort were given, in their order.
    pub(super) fn changed<'a>(&self, open: &'a BTreeMap<PaneId, Pane>) -> Vec<&'a [u8]> {
        let of_all = self.panes.iter().flat_map(|id| open[id].changed(self.emission));
        let mut changed: Vec<&[u8]> = of_all.map(|(key, _)| key.bytes).collect();
        changed.sort_unstable();
        changed.dedup();
        changed
    }
}

impl Panes {
    pub(super) fn new(kind: WindowKind, firing: Firing) -> Self {
        Self {
            slices: kind.into(),
            firing,
            open: BTreeMap::new(),
            slots: Slots::default(),
            fired: i64::MIN,
            touched: Vec::new(),
            folded: Vec::new(),
            changed: BTreeSet::new(),
            saved: false,
            tracked: None,
        }
    }

    /// Finds the slots of rows; see [`super::place::Open`].
    pub(super) fn place(&mut self, input: Input<'_>, groups: &mut Groups) -> Placed {
        let mut placed = Placed::default();
        let panes = self.panes(input, &mut placed);
        self.touched.clear();
        self.folded.clear();
        let noted = self.firing.repeats() || self.tracked.is_some() || self.saved;
        let (mut from, mut keys) = (0, Vec::new());
        while from < panes.len() {
            // A run of rows in one pane: mostly the whole batch.
            let id = panes[from];
            let to = from + panes[from..].iter().take_while(|other| **other == id).count();
            let had = self.keys(id);
            if self.touched.iter().all(|(other, _)| *other != id) {
                self.touched.push((id, had));
            }
            let pane = self.open.entry(id).or_default();
            // A part at a time, so that what was read ahead for it is still in the core's own cache.
            for rows in placed.rows[from..to].chunks(READ_AHEAD) {
                keys.clear();
                keys.extend(rows.iter().map(|row| Key::of(input.key(*row as usize))));
                let mut guesses = Vec::new();
                if pane.slots.len() > READ_AHEAD_MIN {
                    guesses = pane.read_ahead(&keys);
                }
                for (place, key) in keys.iter().enumerate() {
                    let guess = guesses.get(place).copied().flatten();
                    let index = pane.index_guessed(*key, guess, &mut self.slots);
                    let known = placed.slots.len();
                    placed.groups.push(groups.number(pane.slots[index as usize], &mut placed.slots));
                    if noted && placed.slots.len() > known {
                        self.folded.push((id, index));
                    }
                }
            }
            placed.fresh.extend_from_slice(&pane.slots[had..]);
            from = to;
        }
        placed
    }

    /// The pane of each row that is not late for all of its windows.
    fn panes(&self, input: Input<'_>, placed: &mut Placed) -> Vec<PaneId> {
        let mut pane = PaneId { start: 0, seen_from: i64::MIN };
        let mut end = i64::MIN;
        let mut panes = Vec::with_capacity(input.times.len());
        placed.rows.reserve(input.times.len());
        let lateness = self.firing.allowed_lateness_us;
        for row in input.rows() {
            let time = input.times.value(row);
            // What has fired is behind the row's own watermark, but for partitions that were idle.
            let watermark = input.watermarks.value(row).max(self.fired).saturating_sub(lateness);
            // Mostly as for the row before: within one pane, and on time for all that see it.
            if time < pane.start || time >= end || watermark >= pane.seen_from {
                let Some(next) = self.slices.pane(time, watermark) else {
                    placed.late.push(row as u32);
                    continue;
                };
                // A pane for rows that are late for some windows holds for no other row.
                let whole = next.seen_from == self.slices.ends(next.start).0;
                end = if whole { self.slices.pane_end(next.start) } else { i64::MIN };
                pane = next;
            }
            panes.push(pane);
            placed.rows.push(row as u32);
        }
        panes
    }

    /// Notes the keys of the last fold as changed.
    pub(super) fn commit(&mut self) {
        for (id, key) in std::mem::take(&mut self.folded) {
            if let Some(tracked) = &mut self.tracked {
                tracked.push((id, key));
            }
            let Some(pane) = self.open.get_mut(&id) else { continue };
            if self.saved {
                pane.unsaved.add(key);
            }
            if !self.firing.repeats() {
                continue;
            }
            if self.firing.emit != Emit::Final {
                pane.unseen.add(key);
            }
            if self.firing.allowed_lateness_us > 0 {
                pane.amended.add(key);
            }
            self.changed.insert(id);
        }
    }

    /// Takes out the keys that the last fold brought.
    pub(super) fn undo(&mut self) {
        self.folded.clear();
        for (id, keys) in std::mem::take(&mut self.touched) {
            self.truncate(id, keys);
        }
    }

    /// The windows whose results are due at a watermark, by their ends.
    pub(super) fn due(&self, watermark: i64) -> BTreeMap<i64, Due> {
        let mut due: BTreeMap<i64, Due> = BTreeMap::new();
        let changes = self.firing.emit == Emit::Changes;
        if !changes {
            self.final_results(watermark, &mut due);
        }
        if !self.firing.repeats() {
            return due;
        }
        // Those that the watermark has passed already, and those that it has not reached: looked at for
        // what has changed.
        let early = self.firing.emit.is_due(self.fired, watermark);
        for id in &self.changed {
            let (pane, (_, last)) = (&self.open[id], self.slices.ends(id.start));
            let mut end = id.seen_from;
            while end <= last {
                let emission = Emission::of(end, self.fired, watermark);
                let looked_at = match emission {
                    Emission::Early => early && !pane.unseen.keys.is_empty(),
                    Emission::Final => changes && !pane.unseen.keys.is_empty(),
                    Emission::Late => !pane.amended.keys.is_empty(),
                };
                if looked_at {
                    due.entry(end).or_insert_with(|| Due { emission, panes: self.panes_of(end), only_changed: true });
                }
                if end == i64::MAX {
                    break;
                }
                end = self.slices.after(end);
            }
        }
        due
    }

    /// The windows that the watermark has newly passed, with the panes that they see.
    fn final_results(&self, watermark: i64, due: &mut BTreeMap<i64, Due>) {
        for id in self.open.keys() {
            let (first, last) = self.slices.ends(id.start);
            if first > watermark {
                break;
            }
            let mut end = self.slices.next_end(first, self.fired).max(id.seen_from);
            while end <= last.min(watermark) {
                let new = || Due { emission: Emission::Final, panes: Vec::new(), only_changed: false };
                due.entry(end).or_insert_with(new).panes.push(*id);
                if end == i64::MAX {
                    break;
                }
                end = self.slices.after(end);
            }
        }
    }

    /// The panes that the window of this end sees.
    fn panes_of(&self, end: i64) -> Vec<PaneId> {
        let from = PaneId { start: self.slices.start(end), seen_from: i64::MIN };
        let to = PaneId { start: end, seen_from: i64::MIN };
        self.open.range(from..to).map(|(id, _)| *id).filter(|id| id.seen_from <= end).collect()
    }

    /// Takes all panes out while their windows fire, to be given back with [`Panes::close`].
    pub(super) fn take(&mut self) -> BTreeMap<PaneId, Pane> {
        std::mem::take(&mut self.open)
    }

    /// Marks of a row that is in this pane: a time in it, the latest up to `now`, and the last watermark
    /// before the end of the first window that sees it.
    pub(super) fn marks(&self, id: PaneId, now: i64) -> (i64, i64) {
        let time = now.min(self.slices.pane_end(id.start).saturating_sub(1)).max(id.start);
        (time, id.seen_from.saturating_sub(1).saturating_add(self.firing.allowed_lateness_us))
    }

    /// Gives panes back, but for those that no window after the watermark sees.
    pub(super) fn close(&mut self, mut open: BTreeMap<PaneId, Pane>, watermark: i64) {
        let early = self.firing.emit.is_due(self.fired, watermark);
        self.changed.retain(|id| {
            let Some(pane) = open.get_mut(id) else { return false };
            pane.amended.clear();
            if early {
                pane.unseen.clear();
            }
            !pane.unseen.keys.is_empty()
        });
        let over = watermark.saturating_sub(self.firing.allowed_lateness_us);
        while let Some(first) = open.first_entry()
            && self.slices.ends(first.key().start).1 <= over
        {
            let (id, pane) = first.remove_entry();
            self.changed.remove(&id);
            self.slots.free(pane.slots);
        }
        self.open = open;
        self.fired = self.fired.max(watermark);
    }

    /// How many keys each pane has, to come back to with [`Panes::truncate`].
    fn keys(&self, id: PaneId) -> usize {
        self.open.get(&id).map_or(0, |p| p.slots.len())
    }

    /// Takes out the keys of a pane that came after it had so many.
    fn truncate(&mut self, id: PaneId, keys: usize) {
        let Some(pane) = self.open.get_mut(&id) else { return };
        self.slots.free(pane.slots.drain(keys..));
        pane.keys.truncate(keys);
        if keys == 0 && !pane.spilled {
            self.open.remove(&id);
        }
    }

    /// The keys that the last fold brought to panes of which a store has keys, with their slots.
    pub(super) fn fresh(&self) -> impl Iterator<Item = (PaneId, Vec<(&[u8], u32)>)> {
        self.touched.iter().filter_map(|(id, had)| {
            let pane = self.open.get(id).filter(|pane| pane.spilled)?;
            let keys = (*had as u32..pane.slots.len() as u32).map(|key| pane.entry(key));
            Some((*id, keys.map(|(key, slot)| (key.bytes, slot)).collect()))
        })
    }

    /// The panes with keys of which no results are being waited for, in their order.
    pub(super) fn quiet(&self) -> impl Iterator<Item = (PaneId, &Pane)> {
        let panes = self.open.iter().filter(|(id, pane)| !pane.slots.is_empty() && !self.changed.contains(id));
        panes.map(|(id, pane)| (*id, pane))
    }

    /// Whether no window after the last that fired sees a pane.
    pub(super) fn is_over(&self, id: PaneId) -> bool {
        self.slices.ends(id.start).1 <= self.fired.saturating_sub(self.firing.allowed_lateness_us)
    }

    /// Whether a pane is open.
    pub(super) fn get(&self, id: PaneId) -> Option<&Pane> {
        self.open.get(&id)
    }

    /// Forgets the keys of a pane, which are in a store. Gives their slots, which are free.
    pub(super) fn forget(&mut self, id: PaneId) -> Vec<u32> {
        let Some(pane) = self.open.get_mut(&id) else { return Vec::new() };
        if let Some(tracked) = &mut self.tracked {
            tracked.retain(|(of, _)| *of != id);
        }
        let pane = std::mem::replace(pane, Pane { spilled: true, ..Pane::default() });
        self.slots.free(pane.slots.iter().copied());
        pane.slots
    }

    /// Brings a key of a pane to memory, as the last fold would have.
    pub(super) fn bring(&mut self, id: PaneId, key: &[u8]) {
        let had = self.keys(id);
        if self.touched.iter().all(|(other, _)| *other != id) {
            self.touched.push((id, had));
        }
        self.open.entry(id).or_default().index(Key::of(key), &mut self.slots);
    }

    /// Keys in memory, and about how many bytes they take.
    pub(super) fn size(&self) -> (usize, usize) {
        let of = |pane: &Pane| (pane.slots.len(), pane.keys.memory_bytes() + pane.slots.len() * size_of::<u32>());
        self.open.values().map(of).fold((0, 0), |(keys, bytes), (k, b)| (keys + k, bytes + b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Late;

    fn at(start: i64) -> PaneId {
        PaneId { start, seen_from: start }
    }

    fn panes() -> Panes {
        let firing = Firing { emit: Emit::Final, allowed_lateness_us: 0, late: Late::Drop };
        Panes::new(WindowKind::Tumbling { size_us: 10, offset_us: 0 }, firing)
    }

    fn slot(panes: &mut Panes, id: PaneId, key: &str) -> u32 {
        let pane = panes.open.entry(id).or_default();
        let index = pane.index(Key::of(key.as_bytes()), &mut panes.slots);
        pane.slots[index as usize]
    }

    #[test]
    fn keys_keep_their_slots_until_their_pane_is_closed() {
        let mut panes = panes();
        let b = slot(&mut panes, at(0), "b");
        let a = slot(&mut panes, at(0), "a");
        assert_eq!((slot(&mut panes, at(0), "b"), slot(&mut panes, at(0), "a")), (b, a));
        let other = slot(&mut panes, at(10), "a");
        assert_eq!((b, a, other, panes.slots.count()), (0, 1, 2, 3));
        let open = panes.take();
        let entries: Vec<_> = open[&at(0)].entries().map(|(key, slot)| (key.bytes, slot)).collect();
        assert_eq!(entries, [(&b"b"[..], 0), (&b"a"[..], 1)]);
        panes.close(open, 10);
        assert_eq!((slot(&mut panes, at(10), "new"), panes.open.len()), (1, 1));
    }

    #[test]
    fn marks_of_a_pane_name_it_again() {
        for kind in [
            WindowKind::Tumbling { size_us: 10, offset_us: 3 },
            WindowKind::Hopping { size_us: 10, step_us: 4, offset_us: 0 },
            WindowKind::Cumulating { size_us: 12, step_us: 4, offset_us: 5 },
            WindowKind::Global,
        ] {
            for allowed_lateness_us in [0, 7] {
                let panes = Panes::new(kind, Firing { emit: Emit::Final, allowed_lateness_us, late: Late::Drop });
                for (time, watermark) in (-40..40).flat_map(|time| (-60..60).map(move |watermark| (time, watermark))) {
                    let Some(id) = panes.slices.pane(time, watermark - allowed_lateness_us) else { continue };
                    for now in [time, time + 1, time + 100] {
                        let (again, judged) = panes.marks(id, now);
                        let found = panes.slices.pane(again, judged - allowed_lateness_us);
                        assert_eq!(found, Some(id), "{kind:?}: {time} at {watermark}, {again} at {judged}");
                        assert!(again <= now && judged >= watermark, "{kind:?}: {time} at {watermark}");
                    }
                }
            }
        }
    }

    #[test]
    fn truncating_undoes_what_came_last() {
        let mut panes = panes();
        slot(&mut panes, at(0), "kept");
        let keys = panes.keys(at(0));
        for i in 0..100 {
            slot(&mut panes, at(0), &format!("gone {i}"));
        }
        panes.truncate(at(0), keys);
        assert_eq!(panes.keys(at(0)), 1);
        assert_eq!(slot(&mut panes, at(0), "kept"), 0);
        slot(&mut panes, at(0), "gone 5");
        assert_eq!((panes.keys(at(0)), panes.slots.count()), (2, 101));
        panes.truncate(at(7), 0);
        slot(&mut panes, at(7), "x");
        panes.truncate(at(7), 0);
        assert_eq!(panes.open.len(), 1);
    }
}
