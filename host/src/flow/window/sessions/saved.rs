//! Sessions, as checkpoints have them: what has changed, and going on from there.

use xxhash_rust::xxh3::xxh3_64;

use super::{NO_TIMER, Others, Session, Sessions};

/// A slot of a session, as a checkpoint has it.
pub(in crate::flow::window) struct Kept<'a> {
    pub(in crate::flow::window) key: &'a [u8],
    pub(in crate::flow::window) start: i64,
    pub(in crate::flow::window) end: i64,
    /// 0 for the session's own, and then those of the sessions that have become one with it.
    pub(in crate::flow::window) place: u32,
    pub(in crate::flow::window) slot: u32,
}

impl Sessions {
    /// Notes from now on what has changed since a checkpoint was taken.
    pub(in crate::flow::window) fn save(&mut self) {
        self.unsaved = Some(Vec::new());
    }

    /// How many keys there are, and how many of them have changed.
    pub(in crate::flow::window) fn keys(&self) -> (usize, usize) {
        (self.table.len(), self.unsaved.as_ref().map_or(0, Vec::len))
    }

    /// The slots of all keys, or of those that have changed; from then on none have.
    pub(in crate::flow::window) fn kept(&mut self, whole: bool) -> Vec<Kept<'_>> {
        let changed: Vec<u32> = self.unsaved.iter_mut().flat_map(|unsaved| unsaved.drain(..)).collect();
        // A key may have gone, and its number be another's.
        let changed: Vec<u32> =
            changed.into_iter().filter(|key| std::mem::take(&mut self.keys[*key as usize].unsaved)).collect();
        let keys: Vec<u32> = if whole { (0..self.keys.len() as u32).collect() } else { changed };
        let of = |index: u32| &self.keys[index as usize];
        let slots = keys.into_iter().flat_map(move |index| {
            let key = &*of(index).bytes;
            of(index).sessions.iter().flat_map(move |session| {
                let Session { start, end, .. } = *session;
                session.slots().zip(0..).map(move |(slot, place)| Kept { key, start, end, place, slot })
            })
        });
        slots.collect()
    }

    /// Those whose changes no early result has told yet: (key, start).
    pub(in crate::flow::window) fn unseen(&self) -> Vec<(&[u8], i64)> {
        let of = |(key, slot): &(u32, u32)| {
            let key = &self.keys[*key as usize];
            key.sessions.iter().find(|s| s.slot == *slot).map(|s| (&*key.bytes, s.start))
        };
        self.unseen.iter().filter_map(of).collect()
    }

    /// Goes on where sessions had fired up to this watermark.
    pub(in crate::flow::window) fn resume(&mut self, watermark: i64) {
        self.watermark = watermark;
    }

    /// Takes in a slot as it was; none where its session is over.
    pub(in crate::flow::window) fn adopt(&mut self, key: &[u8], start: i64, end: i64, place: u32) -> Option<u32> {
        if end <= self.watermark.saturating_sub(self.firing.allowed_lateness_us) {
            return None;
        }
        let (slot, fired) = (self.slots.get(), end <= self.watermark);
        let index = self.number(key, xxh3_64(key));
        let sessions = &mut self.keys[index as usize].sessions;
        match sessions.iter_mut().find(|s| s.start == start).filter(|_| place > 0) {
            Some(session) => session.others.extend([slot]),
            None => {
                let timer = if fired { NO_TIMER } else { end };
                sessions.push(Session { start, end, timer, slot, others: Others::default(), fired, seen: true });
                match fired {
                    true => drop(self.fired.insert((end, index, slot))),
                    false => self.pending.set((end, index, slot)),
                }
            }
        }
        Some(slot)
    }

    /// Notes that no early result has told yet what has changed in a session.
    pub(in crate::flow::window) fn adopt_unseen(&mut self, key: &[u8], start: i64) {
        let index = self.number(key, xxh3_64(key));
        if let Some(session) = self.keys[index as usize].sessions.iter_mut().find(|s| s.start == start) {
            session.seen = false;
            self.unseen.insert((index, session.slot));
        }
        self.forget_if_quiet(index);
    }
}
