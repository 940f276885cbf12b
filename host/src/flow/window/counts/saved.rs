//! Windows of so many rows, as checkpoints have them: what has changed, and going on from there.

use super::{Counts, Pane, Unsaved};

/// A pane of a key, as a checkpoint has it.
pub(in crate::flow::window) struct Kept<'a> {
    pub(in crate::flow::window) key: &'a [u8],
    pub(in crate::flow::window) first: u64,
    pub(in crate::flow::window) times: (i64, i64),
    pub(in crate::flow::window) slot: u32,
}

impl Counts {
    /// Notes from now on what has changed since a checkpoint was taken.
    pub(in crate::flow::window) fn save(&mut self) {
        self.unsaved = Some(Unsaved::default());
    }

    /// How many keys there are, and how many of them have changed.
    pub(in crate::flow::window) fn keys(&self) -> (usize, usize) {
        (self.table.len(), self.unsaved.as_ref().map_or(0, |unsaved| unsaved.keys.len() + unsaved.gone.len()))
    }

    /// All keys, or those that have changed, with the rows that they have seen; those that have gone; and
    /// the panes. From then on none have changed.
    #[expect(clippy::type_complexity, reason = "three lists, each of one thing")]
    pub(in crate::flow::window) fn kept(&mut self, whole: bool) -> (Vec<(&[u8], u64)>, Vec<Box<[u8]>>, Vec<Kept<'_>>) {
        let Unsaved { keys: changed, gone } = self.unsaved.as_mut().map(std::mem::take).unwrap_or_default();
        // A key may have gone, and its number be another's.
        let changed: Vec<u32> =
            changed.into_iter().filter(|key| std::mem::take(&mut self.keys[*key as usize].unsaved)).collect();
        let numbers: Vec<u32> = match whole {
            true => self.table.iter().copied().collect(),
            false => changed.into_iter().filter(|index| self.is_there(*index)).collect(),
        };
        numbers.iter().for_each(|index| self.keys[*index as usize].kept = true);
        let keys = &self.keys;
        let of = |index: &u32| &keys[*index as usize];
        let seen = numbers.iter().map(|index| (&*of(index).bytes, of(index).seen)).collect();
        let panes = numbers.iter().flat_map(|index| {
            let key = &*of(index).bytes;
            of(index).panes.iter().map(move |Pane { first, slot, times }| Kept {
                key,
                first: *first,
                times: *times,
                slot: *slot,
            })
        });
        (seen, gone, panes.collect())
    }

    /// Takes in a key as it was.
    pub(in crate::flow::window) fn adopt_key(&mut self, key: &[u8], seen: u64) {
        let index = self.number(key);
        let key = &mut self.keys[index as usize];
        (key.seen, key.kept) = (seen, true);
    }

    /// Takes in a pane of a key as it was, those of the key in their order.
    pub(in crate::flow::window) fn adopt(&mut self, key: &[u8], first: u64, times: (i64, i64)) -> u32 {
        let (index, slot) = (self.number(key), self.slots.get());
        self.keys[index as usize].panes.push_back(Pane { first, slot, times });
        slot
    }
}
