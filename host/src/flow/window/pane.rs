//! One pane: its keys, the slot where each has its accumulators, and which have changed since results
//! were last given.

use super::keys::{Key, Keys, prefix};
use super::place::Slots;
use super::ready::Emission;
use super::table::read_ahead;

/// The keys of one pane.
#[derive(Debug, Default)]
pub(super) struct Pane {
    pub(super) keys: Keys,
    /// Of each key.
    pub(super) slots: Vec<u32>,
    /// Keys that have changed since early results were given.
    pub(super) unseen: Changed,
    /// Keys that have changed since late results were given.
    pub(super) amended: Changed,
    /// Keys that have changed since a checkpoint was taken.
    pub(super) unsaved: Changed,
    /// Whether there are keys that are not here but in a store.
    pub(super) spilled: bool,
}

/// Keys of a pane that have changed, by their index, in the order in which they did.
#[derive(Debug, Default)]
pub(super) struct Changed {
    pub(super) keys: Vec<u32>,
    is: Vec<bool>,
}

impl Changed {
    /// Notes a key.
    pub(super) fn add(&mut self, key: u32) {
        if key as usize >= self.is.len() {
            self.is.resize(key as usize + 1, false);
        }
        if !std::mem::replace(&mut self.is[key as usize], true) {
            self.keys.push(key);
        }
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        for key in self.keys.drain(..) {
            self.is[key as usize] = false;
        }
    }
}

impl Pane {
    /// The place of a key among the pane's keys, the last for a new key.
    pub(super) fn index(&mut self, key: Key<'_>, slots: &mut Slots) -> u32 {
        let index = self.keys.insert(key);
        if index as usize == self.slots.len() {
            self.slots.push(slots.get());
        }
        index
    }

    /// The place of a key that is most probably this one.
    pub(super) fn index_guessed(&mut self, key: Key<'_>, guess: Option<u32>, slots: &mut Slots) -> u32 {
        guess.filter(|guess| self.keys.is(*guess, key)).unwrap_or_else(|| self.index(key, slots))
    }

    /// Reads what finding the slots of these keys will read. Gives the place that each most probably has.
    pub(super) fn read_ahead(&self, keys: &[Key<'_>]) -> Vec<Option<u32>> {
        let guesses = self.keys.read_ahead(keys);
        read_ahead(&self.slots, guesses.iter().flatten().map(|guess| *guess as usize), |slot| *slot);
        guesses
    }

    /// Its keys and slots, in the order they came.
    pub(super) fn entries(&self) -> impl Iterator<Item = (Key<'_>, u32)> {
        (0..self.slots.len() as u32).map(|key| self.entry(key))
    }

    /// The keys that have changed since results of this sort were given.
    pub(super) fn changed(&self, emission: Emission) -> impl Iterator<Item = (Key<'_>, u32)> {
        let changed = match emission {
            Emission::Late => &self.amended,
            Emission::Early | Emission::Final => &self.unseen,
        };
        changed.keys.iter().map(|key| self.entry(*key))
    }

    /// Whether there are keys that are not here but in a store.
    pub(super) fn is_spilled(&self) -> bool {
        self.spilled
    }

    /// Its keys in their order.
    pub(super) fn sorted(&self) -> Vec<u32> {
        let mut keys: Vec<([u64; 2], u32)> =
            (0..self.slots.len() as u32).map(|key| (prefix(self.keys.bytes(key)), key)).collect();
        keys.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| self.keys.bytes(a.1).cmp(self.keys.bytes(b.1))));
        keys.into_iter().map(|(_, key)| key).collect()
    }

    /// The slot of a key.
    pub(super) fn find(&self, key: Key<'_>) -> Option<u32> {
        self.keys.find(key).map(|index| self.slots[index as usize])
    }

    /// A key and its slot.
    pub(super) fn entry(&self, key: u32) -> (Key<'_>, u32) {
        (self.keys.get(key), self.slots[key as usize])
    }
}
