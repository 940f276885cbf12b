//! Results that are due: which windows and keys, and the accumulators that make them up.

use std::collections::BTreeMap;

use super::assign::PaneId;
use super::keys::{Keys, prefix};
use super::pane::Pane;
use super::panes;

/// When a result is given, seen from its window's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Emission {
    /// Before the watermark has passed it.
    Early,
    /// When it has.
    Final,
    /// After that.
    Late,
}

impl Emission {
    /// What a result is for a window of this end, when the watermark goes from `from` to `to`.
    pub(super) fn of(end: i64, from: i64, to: i64) -> Self {
        match (end <= from, end <= to) {
            (true, _) => Self::Late,
            (_, true) => Self::Final,
            (_, false) => Self::Early,
        }
    }

    /// As results say it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Early => "early",
            Self::Final => "final",
            Self::Late => "late",
        }
    }
}

/// A window and key whose results are due.
#[derive(Clone, Copy)]
pub(super) struct Due<'a> {
    pub(super) emission: Emission,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) key: &'a [u8],
    pub(super) slot: u32,
}

/// Windows and keys that are looked at together, since a call into the sandbox is for rows and not for
/// a window.
#[derive(Default)]
pub(super) struct Ready<'a> {
    pub(super) keys: Vec<Due<'a>>,
    /// Accumulators to be merged with those of keys, in this order.
    pub(super) others: Vec<u32>,
    /// For each of them its key.
    pub(super) groups: Vec<u32>,
}

impl<'a> Ready<'a> {
    /// Adds a key with the accumulators that make it up.
    pub(super) fn add(&mut self, key: Due<'a>, others: impl Iterator<Item = u32>) {
        let group = self.keys.len() as u32;
        self.keys.push(key);
        self.others.extend(others);
        self.groups.resize(self.others.len(), group);
    }

    /// Adds a window of panes: each key has the accumulator of its first pane, with those of the
    /// others to be merged.
    pub(super) fn add_panes(&mut self, start: i64, end: i64, due: &panes::Due, open: &'a BTreeMap<PaneId, Pane>) {
        let emission = due.emission;
        let new = |key: &'a [u8], slot: u32| Due { emission, start, end, key, slot };
        let panes = || due.panes.iter().map(|id| &open[id]);
        if due.only_changed {
            let mut wanted = Keys::default();
            for (key, _) in panes().flat_map(|pane| pane.changed(emission)) {
                let known = wanted.len();
                if wanted.insert(key) as usize == known {
                    let mut slots = panes().filter_map(|pane| pane.find(key));
                    if let Some(first) = slots.next() {
                        self.add(new(key.bytes, first), slots);
                    }
                }
            }
            return;
        }
        if let [one] = due.panes.as_slice() {
            self.keys.extend(open[one].entries().map(|(key, slot)| new(key.bytes, slot)));
            return;
        }
        let (from, mut known) = (self.keys.len(), Keys::default());
        for (key, slot) in panes().flat_map(Pane::entries) {
            let group = from as u32 + known.insert(key);
            if group as usize == self.keys.len() {
                self.keys.push(new(key.bytes, slot));
            } else {
                self.others.push(slot);
                self.groups.push(group);
            }
        }
    }
}

/// The order of results by (window end, key). What is compared stands side by side, but for long keys that start
/// alike.
pub(super) fn in_order<'k>(keys: impl Iterator<Item = (i64, &'k [u8])> + Clone) -> Vec<u32> {
    let mut order: Vec<(i64, [u64; 2], u32)> =
        keys.clone().zip(0..).map(|((end, key), place)| (end, prefix(key), place)).collect();
    let long: Vec<&[u8]> = match keys.clone().any(|(_, key)| key.len() > 16) {
        true => keys.map(|(_, key)| key).collect(),
        false => Vec::new(),
    };
    let rest = |place: u32| long.get(place as usize);
    order.sort_unstable_by(|a, b| {
        (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| rest(a.2).cmp(&rest(b.2))).then(a.2.cmp(&b.2))
    });
    order.into_iter().map(|(_, _, place)| place).collect()
}
