//! The keys that have a state, and the slot where each has it.
//!
//! With a time to live a key's state is over for a row whose watermark has passed the key's last row by
//! that time: the row finds a state that has seen nothing. Whether it is depends on rows alone; when the
//! place of a state that is over for all rows to come is given back shows in no result.

use arrow_array::Int64Array;
use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

use crate::flow::window::place::{Groups, Slots};

/// The keys of one step on one worker.
#[derive(Debug)]
pub(super) struct Keys {
    /// The slots of the keys that there are.
    table: HashTable<u32>,
    /// By slot; what stands at a free one has no meaning.
    entries: Vec<Entry>,
    slots: Slots,
    groups: Groups,
    ttl_us: Option<i64>,
    /// Slots whose keys have changed since a checkpoint was taken, or since they were written to a store,
    /// where any are.
    unsaved: Option<Vec<u32>>,
    /// Keys that were forgotten and are in a store.
    gone: Vec<Box<[u8]>>,
    /// The watermark at which states were last forgotten.
    forgot: i64,
    /// What the keys take beside their entries.
    key_bytes: usize,
}

#[derive(Clone, Debug, Default)]
struct Entry {
    hash: u64,
    key: Box<[u8]>,
    /// The highest event time of the key's rows so far.
    last: i64,
    /// Whether it has changed since a checkpoint was taken.
    unsaved: bool,
    /// Whether a store has it, as it is or as it was.
    stored: bool,
}

/// When rows happened, and how far their partition was.
#[derive(Clone, Copy)]
pub(super) struct Timed<'a> {
    pub(super) times: &'a Int64Array,
    pub(super) watermarks: &'a Int64Array,
}

/// Where the states of a batch's rows are.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// The slots that the rows touch.
    pub(super) slots: Vec<u32>,
    /// The index among these of each row.
    pub(super) groups: Vec<u32>,
    /// Slots that have seen nothing yet.
    pub(super) fresh: Vec<u32>,
    /// Slots whose state is over, to be given back when the rows before have been stepped.
    pub(super) over: Vec<u32>,
}

impl Keys {
    /// No keys yet, whose states live so long without a row.
    pub(super) fn new(ttl_us: Option<i64>) -> Self {
        Self {
            table: HashTable::new(),
            entries: Vec::new(),
            slots: Slots::default(),
            groups: Groups::default(),
            ttl_us,
            unsaved: None,
            gone: Vec::new(),
            forgot: i64::MIN,
            key_bytes: 0,
        }
    }

    /// Notes from now on what has changed since a checkpoint was taken.
    pub(super) fn save(&mut self) {
        self.unsaved = Some(Vec::new());
    }

    /// How many keys there are, and how many of them have changed.
    pub(super) fn count(&self) -> (usize, usize) {
        (self.table.len(), self.unsaved.as_ref().map_or(0, Vec::len))
    }

    /// The slots of all keys, or of those that have changed; from then on none have.
    pub(super) fn kept(&mut self, whole: bool) -> Vec<u32> {
        let changed: Vec<u32> = self.unsaved.iter_mut().flat_map(|unsaved| unsaved.drain(..)).collect();
        // A state may be over, and its slot another's.
        let changed: Vec<u32> =
            changed.into_iter().filter(|slot| std::mem::take(&mut self.entries[*slot as usize].unsaved)).collect();
        match whole {
            true => self.table.iter().copied().collect(),
            false => changed,
        }
    }

    /// The key of a slot, and the highest event time of its rows.
    pub(super) fn entry(&self, slot: u32) -> (&[u8], i64) {
        let entry = &self.entries[slot as usize];
        (&entry.key, entry.last)
    }

    /// Takes in a key as it was.
    pub(super) fn adopt(&mut self, key: &[u8], last: i64) -> u32 {
        self.insert(xxh3_64(key), key, last)
    }

    fn insert(&mut self, hash: u64, key: &[u8], last: i64) -> u32 {
        let slot = self.slots.get();
        self.key_bytes += key.len();
        put(&mut self.entries, slot, Entry { hash, key: key.into(), last, unsaved: false, stored: false });
        self.table.insert_unique(hash, slot, |slot| self.entries[*slot as usize].hash);
        slot
    }

    /// Finds the slots of rows.
    pub(super) fn place<'k>(
        &mut self,
        rows: usize,
        key: impl Fn(usize) -> &'k [u8],
        timed: Option<Timed<'_>>,
    ) -> Placed {
        self.groups.start(self.slots.count());
        let mut placed = Placed::default();
        for row in 0..rows {
            let (time, watermark) =
                timed.map_or((i64::MIN, i64::MIN), |of| (of.times.value(row), of.watermarks.value(row)));
            let slot = self.slot(key(row), time, watermark, &mut placed);
            if let Some(unsaved) = &mut self.unsaved
                && !std::mem::replace(&mut self.entries[slot as usize].unsaved, true)
            {
                unsaved.push(slot);
            }
            placed.groups.push(self.groups.number(slot, &mut placed.slots));
        }
        placed
    }

    fn slot(&mut self, key: &[u8], time: i64, watermark: i64, placed: &mut Placed) -> u32 {
        let hash = xxh3_64(key);
        let is = |slot: &u32| *self.entries[*slot as usize].key == *key;
        let Some(found) = self.table.find_mut(hash, is) else {
            let slot = self.insert(hash, key, time);
            placed.fresh.push(slot);
            return slot;
        };
        let entry = &mut self.entries[*found as usize];
        let over = entry.is_over(self.ttl_us, watermark);
        entry.last = entry.last.max(time);
        if !over {
            return *found;
        }
        // Rows before this one may be of the state that is over, so it keeps its slot until they are
        // stepped.
        placed.over.push(*found);
        let (slot, entry) = (self.slots.get(), Entry { unsaved: false, ..std::mem::take(entry) });
        put(&mut self.entries, slot, entry);
        placed.fresh.push(slot);
        *found = slot;
        slot
    }

    /// Gives slots back.
    pub(super) fn free(&mut self, slots: impl IntoIterator<Item = u32>) {
        self.slots.free(slots);
    }

    /// Gives back the slots of states that are over at a watermark which no row to come is behind.
    pub(super) fn forget(&mut self, watermark: i64) {
        if self.ttl_us.is_none() {
            return;
        }
        self.forgot = self.forgot.max(watermark);
        let (entries, slots) = (&mut self.entries, &mut self.slots);
        self.table.retain(|slot| {
            let entry = &mut entries[*slot as usize];
            let over = entry.is_over(self.ttl_us, watermark);
            if over {
                let Entry { key, stored, .. } = std::mem::take(entry);
                self.key_bytes -= key.len();
                self.gone.extend(stored.then_some(key));
                slots.free([*slot]);
            }
            !over
        });
    }

    /// Slots in use and free.
    pub(super) fn slots(&self) -> usize {
        self.slots.count()
    }

    /// Whether a state was over when states were last forgotten, whose key's last row was then.
    pub(super) fn was_over(&self, last: i64) -> bool {
        is_over(last, self.ttl_us, self.forgot)
    }
}

/// What a store behind the keys needs to know of them.
impl Keys {
    /// Whether a key is here.
    pub(super) fn has(&self, key: &[u8]) -> bool {
        self.table.find(xxh3_64(key), |slot| *self.entries[*slot as usize].key == *key).is_some()
    }

    /// Notes that a store has what is in these slots.
    pub(super) fn are_stored(&mut self, slots: &[u32]) {
        slots.iter().for_each(|slot| self.entries[*slot as usize].stored = true);
    }

    /// The keys that were forgotten and are in a store.
    pub(super) fn gone(&mut self) -> Vec<Box<[u8]>> {
        std::mem::take(&mut self.gone)
    }

    /// Gives up all keys, which are in a store. Gives their slots.
    pub(super) fn give_up(&mut self) -> Vec<u32> {
        let slots: Vec<u32> = self.table.drain().collect();
        self.entries.clear();
        (self.slots, self.key_bytes) = (Slots::default(), 0);
        slots
    }

    /// About how many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        self.entries.len() * size_of::<Entry>() + self.table.allocation_size() + self.key_bytes
    }
}

impl Entry {
    fn is_over(&self, ttl_us: Option<i64>, watermark: i64) -> bool {
        is_over(self.last, ttl_us, watermark)
    }
}

fn is_over(last: i64, ttl_us: Option<i64>, watermark: i64) -> bool {
    ttl_us.is_some_and(|ttl| last.saturating_add(ttl) <= watermark)
}

fn put(entries: &mut Vec<Entry>, slot: u32, entry: Entry) {
    let slot = slot as usize;
    if slot >= entries.len() {
        entries.resize(slot + 1, Entry::default());
    }
    entries[slot] = entry;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The groups of rows (key, time, watermark), and which slots are fresh.
    fn place(keys: &mut Keys, rows: &[(&str, i64, i64)]) -> (Vec<u32>, usize) {
        let times: Int64Array = rows.iter().map(|(_, time, _)| *time).collect();
        let watermarks: Int64Array = rows.iter().map(|(.., watermark)| *watermark).collect();
        let timed = Timed { times: &times, watermarks: &watermarks };
        let placed = keys.place(rows.len(), |row| rows[row].0.as_bytes(), Some(timed));
        keys.free(placed.over);
        (placed.groups, placed.fresh.len())
    }

    #[test]
    fn a_key_keeps_its_slot() {
        let mut keys = Keys::new(None);
        assert_eq!(place(&mut keys, &[("a", 0, 0), ("b", 0, 0), ("a", 0, i64::MAX)]), (vec![0, 1, 0], 2));
        assert_eq!(place(&mut keys, &[("b", 0, 0), ("a", 0, 0)]), (vec![0, 1], 0));
        keys.forget(i64::MAX);
        assert_eq!((place(&mut keys, &[("a", 0, 0)]).1, keys.slots()), (0, 2), "nothing is forgotten without a ttl");
    }

    #[test]
    fn a_state_is_over_when_the_row_s_watermark_says_so() {
        let mut keys = Keys::new(Some(10));
        // The last row is exactly the time to live behind the watermark: over.
        let rows = [("a", 5, i64::MIN), ("a", 3, 14), ("a", 30, 15), ("a", 2, 39), ("a", 2, 40)];
        assert_eq!(place(&mut keys, &rows), (vec![0, 0, 1, 1, 2], 3));
        assert_eq!(keys.slots(), 3);
        // The slots of what is over are given out again, and the highest time is kept.
        assert_eq!(place(&mut keys, &[("b", 0, 0), ("a", 0, 39)]), (vec![0, 1], 1));
        assert_eq!(keys.slots(), 3);
    }

    #[test]
    fn what_is_forgotten_would_have_been_over() {
        let mut keys = Keys::new(Some(10));
        place(&mut keys, &[("a", 5, 0), ("b", 6, 0)]);
        keys.forget(14);
        assert_eq!(place(&mut keys, &[("a", 5, 14), ("b", 6, 14)]).1, 0);
        keys.forget(15);
        assert_eq!(place(&mut keys, &[("a", 5, 15), ("b", 6, 15)]), (vec![0, 1], 1));
        assert_eq!(keys.slots(), 2);
    }
}
