//! Sessions behind a store: a row for each slot of a key's sessions.
//!
//! Whether a session has fired, and whether it is over, follows from its end and the watermark, so that is
//! not kept. A key stays in memory where it does not: where rows have changed a session since results were
//! given that are due by now, or since early results were given.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, Int32Array};
use xxhash_rust::xxh3::xxh3_64;

use super::{Key, NO_TIMER, Session, Sessions, Slots, Timers};
use crate::flow::window::by_key::{ByKey, KeyRows, per_row, timestamps};
use crate::plan::Emit;
use crate::state::Entries;
use crate::types::{DataType, Field};

/// Where the ends are among the columns.
const END: usize = 1;

/// The starts and ends of rows.
pub(in crate::flow::window) fn bounds(entries: &Entries) -> [&[i64]; 2] {
    [0, END].map(|column| &**entries.values[column].as_primitive::<TimestampMicrosecondType>().values())
}

impl Sessions {
    /// How long sessions are kept for late rows.
    pub(in crate::flow::window) fn allowed_lateness_us(&self) -> i64 {
        self.firing.allowed_lateness_us
    }

    /// Whether a session has a result at its end even if no row has changed it since an early one.
    pub(in crate::flow::window) fn end_is_told(&self) -> bool {
        self.firing.emit != Emit::Changes
    }

    /// Whether what is known of a key beside its rows follows from the watermark.
    fn is_settled(&self, key: &Key) -> bool {
        let seen = |session: &Session| session.seen || self.firing.emit == Emit::Final;
        key.sessions.iter().all(|session| (session.fired || session.end > self.watermark) && seen(session))
    }
}

impl ByKey for Sessions {
    /// The session's start and end, and the row's place in it: 0 for the session's own, and then those of the
    /// sessions that have become one with it.
    fn columns(&self) -> Vec<Field> {
        let field = |(name, data_type)| Field::new(name, data_type, false);
        [("start", DataType::Timestamp), ("end", DataType::Timestamp), ("place", DataType::Int32)].map(field).to_vec()
    }

    fn has(&self, key: &[u8]) -> bool {
        self.table.find(xxh3_64(key), |number| *self.keys[number as usize].bytes == *key).is_some()
    }

    fn recall(&mut self, found: &Entries) -> Vec<(u32, u32)> {
        let [starts, ends] = bounds(found);
        let places = found.values[2].as_primitive::<Int32Type>().values();
        let mut adopted = Vec::with_capacity(starts.len());
        for (key, row) in per_row(found) {
            if let Some(slot) = self.adopt(key, starts[row], ends[row], places[row] as u32) {
                adopted.push((row as u32, slot));
            }
        }
        for key in found.keys.iter().flatten() {
            match self.table.find(xxh3_64(key), |number| *self.keys[number as usize].bytes == *key) {
                Some(number) => self.keys[number as usize].stored = true,
                // All of its sessions are over.
                None => self.gone.push(key.into()),
            }
        }
        adopted
    }

    fn changed(&mut self) -> Vec<u32> {
        let mut changed = self.unsaved.as_mut().map_or_else(Vec::new, std::mem::take);
        // A key may have gone, and its number be another's.
        changed.retain(|number| {
            let key = &mut self.keys[*number as usize];
            let kept = std::mem::take(&mut key.unsaved) && !key.sessions.is_empty();
            key.stored |= kept;
            kept
        });
        changed
    }

    fn key(&self, number: u32) -> &[u8] {
        &self.keys[number as usize].bytes
    }

    fn rows(&self, numbers: &[u32]) -> KeyRows {
        let sessions = || numbers.iter().flat_map(|number| &self.keys[*number as usize].sessions);
        let rows = |session: &Session| session.slots().count();
        let each = |of: fn(&Session) -> i64| {
            timestamps(sessions().flat_map(move |session| std::iter::repeat_n(of(session), rows(session))))
        };
        let places = Int32Array::from_iter_values(sessions().flat_map(|session| 0..rows(session) as i32));
        let columns: Vec<ArrayRef> = vec![each(|session| session.start), each(|session| session.end), Arc::new(places)];
        let of = |number: &u32| self.keys[*number as usize].sessions.iter().map(rows).sum::<usize>() as u32;
        let slots = sessions().flat_map(Session::slots);
        KeyRows { counts: numbers.iter().map(of).collect(), columns, slots: slots.collect() }
    }

    fn gone(&mut self) -> Vec<Box<[u8]>> {
        std::mem::take(&mut self.gone)
    }

    fn ends(&self, numbers: &[u32]) -> Vec<(i64, u32)> {
        let of = |number: &u32| {
            let number = *number;
            self.keys[number as usize].sessions.iter().map(move |session| (session.end, number))
        };
        numbers.iter().flat_map(of).collect()
    }

    fn settled(&self) -> Vec<u32> {
        let keys = self.keys.iter().zip(0..);
        keys.filter(|(key, _)| !key.sessions.is_empty() && self.is_settled(key)).map(|(_, number)| number).collect()
    }

    fn give_up(&mut self, numbers: &[u32]) -> Vec<u32> {
        let mut slots = Vec::new();
        for number in numbers {
            let key = std::mem::take(&mut self.keys[*number as usize]);
            self.key_bytes -= super::heap_bytes(&key.bytes);
            self.table.remove(xxh3_64(&key.bytes), *number);
            self.free_keys.push(*number);
            slots.extend(key.sessions.iter().flat_map(Session::slots));
        }
        let mut pending = Timers::new(self.gap_us);
        for (key, number) in self.keys.iter().zip(0..) {
            let timed = key.sessions.iter().filter(|session| session.timer != NO_TIMER);
            timed.for_each(|session| pending.set((session.timer, number, session.slot)));
        }
        self.pending = pending;
        self.fired.retain(|(_, number, _)| !self.keys[*number as usize].sessions.is_empty());
        match self.table.len() {
            0 => {
                self.keys.clear();
                self.free_keys.clear();
                self.slots = Slots::default();
            }
            _ => self.slots.free(slots.iter().copied()),
        }
        slots
    }

    fn bytes(&self) -> usize {
        // A timer for each slot, about.
        let timers = self.slots.used() * size_of::<super::timers::Timer>();
        self.keys.len() * size_of::<Key>() + self.table.memory_bytes() + self.key_bytes + timers
    }
}
