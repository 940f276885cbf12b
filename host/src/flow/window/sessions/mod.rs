//! Sessions: windows of one key that grow with its rows and end when it has been quiet for a gap.
//!
//! A row opens `[time, time + gap)`. Sessions of a key that overlap or touch are one, so a row may
//! extend a session or make several into one. The accumulators of those stay apart until the
//! session fires, and later rows go into the first of them: what a row does then depends on the
//! rows before it and not on how they were batched. A session that ended at or before a row's
//! watermark, less the allowed lateness, has ended for that row, whether it has fired yet or not.

mod saved;
mod stored;
mod timers;

use std::collections::BTreeSet;

use smallvec::SmallVec;
use xxhash_rust::xxh3::xxh3_64;

use super::place::{Groups, Input, Placed, Slots};
use super::ready::Emission;
use super::table::{Table, read_ahead};
use crate::plan::{Emit, Firing};
pub(super) use stored::bounds;
use timers::Timers;

/// Keys from which on they are not in a core's own cache any more, about.
const READ_AHEAD_MIN: usize = 4_000;

/// Rows whose keys are looked up together.
const READ_AHEAD: usize = 128;

/// All open sessions of a step on one worker.
#[derive(Debug)]
pub(super) struct Sessions {
    gap_us: i64,
    firing: Firing,
    table: Table,
    keys: Vec<Key>,
    free_keys: Vec<u32>,
    /// One of every session that has not fired since it changed, at its end or before.
    pending: Timers,
    /// (end, key, slot) of those that have, and are kept for late rows.
    fired: BTreeSet<(i64, u32, u32)>,
    /// (key, slot) of those that have changed since early results were given.
    unseen: BTreeSet<(u32, u32)>,
    /// The watermark that sessions have fired up to.
    watermark: i64,
    /// The keys that have changed since a checkpoint was taken, or since they were written to a store, where
    /// any are.
    unsaved: Option<Vec<u32>>,
    /// Keys that are no more and are in a store.
    gone: Vec<Box<[u8]>>,
    /// What long keys take beside their entries.
    key_bytes: usize,
    pub(super) slots: Slots,
    fold: Fold,
}

/// A key, with what each of its rows needs beside it in memory, and in as little of it as can be.
#[derive(Debug, Default)]
struct Key {
    bytes: Bytes,
    sessions: Open,
    /// The fold that last looked at it.
    fold: u32,
    /// Whether it has changed since a checkpoint was taken.
    unsaved: bool,
    /// Whether a store has it, as it is or as it was.
    stored: bool,
}

/// Mostly a key is short.
type Bytes = SmallVec<[u8; 16]>;

/// Mostly a key has one open session.
type Open = SmallVec<[Session; 1]>;

/// The timer of a session that has none.
const NO_TIMER: i64 = i64::MIN;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Session {
    start: i64,
    end: i64,
    /// The time of its timer.
    timer: i64,
    /// Where its rows are folded.
    slot: u32,
    others: Others,
    /// Whether it has fired since it changed.
    fired: bool,
    /// Whether early results of it have been given since it changed.
    seen: bool,
}

/// Where the rows are folded of the sessions that have become one with a session, in the order of their starts.
/// Mostly there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Others(Option<Box<SmallVec<[u32; 4]>>>);

impl Others {
    pub(super) fn slots(&self) -> &[u32] {
        self.0.as_deref().map_or(&[], SmallVec::as_slice)
    }

    pub(super) fn extend(&mut self, slots: impl IntoIterator<Item = u32>) {
        self.0.get_or_insert_default().extend(slots);
    }
}

impl Session {
    /// Where its rows are folded, and then those of the sessions that have become one with it.
    fn slots(&self) -> impl Iterator<Item = u32> {
        std::iter::once(self.slot).chain(self.others.slots().iter().copied())
    }
}

/// What the running fold has changed.
#[derive(Debug, Default)]
struct Fold {
    number: u32,
    /// The sessions that keys had before.
    before: Vec<(u32, Open)>,
    /// Keys with a new session, or with none.
    unsettled: Vec<u32>,
    fresh: Vec<u32>,
}

/// A session whose results are due.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) emission: Emission,
    pub(super) end: i64,
    pub(super) key: Bytes,
    pub(super) start: i64,
    pub(super) slot: u32,
    /// To be merged with `slot`, in this order.
    pub(super) others: Others,
}

impl Sessions {
    pub(super) fn new(gap_us: i64, firing: Firing) -> Self {
        Self {
            gap_us,
            firing,
            table: Table::default(),
            keys: Vec::new(),
            free_keys: Vec::new(),
            pending: Timers::new(gap_us),
            fired: BTreeSet::new(),
            unseen: BTreeSet::new(),
            watermark: i64::MIN,
            unsaved: None,
            gone: Vec::new(),
            key_bytes: 0,
            slots: Slots::default(),
            fold: Fold::default(),
        }
    }

    /// Finds the slots of rows; see [`super::place::Open`].
    pub(super) fn place(&mut self, input: Input<'_>, groups: &mut Groups) -> Placed {
        self.fold.start();
        if self.fold.number == 0 {
            self.keys.iter_mut().for_each(|key| key.fold = 0);
            self.fold.number = 1;
        }
        let mut placed = Placed::default();
        let rows: Vec<(usize, u64)> = input.rows().map(|row| (row, xxh3_64(input.key(row)))).collect();
        for (number, (row, hash)) in rows.iter().copied().enumerate() {
            if number.is_multiple_of(READ_AHEAD) && self.keys.len() > READ_AHEAD_MIN {
                self.read_ahead(&rows[number..rows.len().min(number + READ_AHEAD)]);
            }
            let time = input.times.value(row);
            // What has fired is behind the row's own watermark, but for partitions that were idle.
            let watermark = input.watermarks.value(row).max(self.watermark);
            let watermark = watermark.saturating_sub(self.firing.allowed_lateness_us);
            let end = time.saturating_add(self.gap_us);
            let key = self.key(input.key(row), hash);
            let known = &mut self.keys[key as usize].sessions;
            let meets = |s: &Session| s.end > watermark && s.start <= end && time <= s.end;
            let mut meeting = (0..known.len()).filter(|place| meets(&known[*place]));
            let place = match (meeting.next(), meeting.next()) {
                (None, _) if end <= watermark => {
                    placed.late.push(row as u32);
                    if known.is_empty() {
                        self.fold.unsettled.push(key);
                    }
                    continue;
                }
                (None, _) => {
                    let slot = self.slots.get();
                    self.fold.fresh.push(slot);
                    self.fold.unsettled.push(key);
                    let others = Others::default();
                    known.push(Session { start: time, end, timer: NO_TIMER, slot, others, fired: false, seen: false });
                    known.len() - 1
                }
                (Some(place), None) => place,
                (Some(_), Some(_)) => join(known, meets),
            };
            let session = &mut known[place];
            session.start = session.start.min(time);
            session.end = session.end.max(end);
            (session.fired, session.seen) = (false, false);
            placed.rows.push(row as u32);
            placed.groups.push(groups.number(session.slot, &mut placed.slots));
        }
        placed.fresh.clone_from(&self.fold.fresh);
        placed
    }

    /// Reads what finding the slots of these rows will read.
    fn read_ahead(&self, rows: &[(usize, u64)]) {
        self.table.read_ahead(rows.iter().map(|(_, hash)| *hash));
        let guesses = rows.iter().filter_map(|(_, hash)| self.table.guess(*hash));
        // A key is longer than a line of the cache: what is looked at of it is read, from its first to its last.
        let parts = |key: &Key| {
            let session = key.sessions.first().map(|s| (s.start, s.end, s.slot, s.seen));
            (key.bytes.first().copied(), key.bytes.len(), session, key.fold)
        };
        read_ahead(&self.keys, guesses.map(|guess| guess as usize), parts);
    }

    /// The number of a key, noted as it was before the fold.
    fn key(&mut self, bytes: &[u8], hash: u64) -> u32 {
        let index = self.number(bytes, hash);
        let key = &mut self.keys[index as usize];
        if key.fold != self.fold.number {
            key.fold = self.fold.number;
            self.fold.before.push((index, key.sessions.clone()));
        }
        index
    }

    /// The number of a key, which is a new one for a new key.
    fn number(&mut self, bytes: &[u8], hash: u64) -> u32 {
        let keys = &mut self.keys;
        let found = self.table.find(hash, |i| *keys[i as usize].bytes == *bytes);
        found.unwrap_or_else(|| {
            let key = Key { bytes: bytes.into(), ..Key::default() };
            self.key_bytes += heap_bytes(&key.bytes);
            let index = match self.free_keys.pop() {
                Some(index) => {
                    keys[index as usize] = key;
                    index
                }
                None => {
                    keys.push(key);
                    keys.len() as u32 - 1
                }
            };
            self.table.insert(hash, index);
            index
        })
    }

    /// The rows of the last fold are in.
    pub(super) fn commit(&mut self) {
        let fold = self.fold.take();
        if !self.firing.repeats() && self.unsaved.is_none() {
            // A session that was there has its timer, and nothing else is known of it.
            for key in &fold.unsettled {
                self.set_timers(*key);
                self.forget_if_quiet(*key);
            }
            self.fold = fold;
            return;
        }
        for (key, before) in &fold.before {
            let key = *key;
            self.has_changed(key);
            for Session { end, slot, .. } in before {
                self.fired.remove(&(*end, key, *slot));
                self.unseen.remove(&(key, *slot));
            }
            self.set_timers(key);
            for Session { end, slot, fired, seen, .. } in &self.keys[key as usize].sessions {
                if *fired {
                    self.fired.insert((*end, key, *slot));
                }
                if !*seen && self.firing.emit != Emit::Final {
                    self.unseen.insert((key, *slot));
                }
            }
            self.forget_if_quiet(key);
        }
        self.fold = fold;
    }

    /// Sets the timers of a key's sessions that have none and have not fired.
    fn set_timers(&mut self, key: u32) {
        for Session { end, timer, slot, fired, .. } in &mut self.keys[key as usize].sessions {
            if !*fired && *timer == NO_TIMER {
                *timer = *end;
                self.pending.set((*end, key, *slot));
            }
        }
    }

    fn has_changed(&mut self, key: u32) {
        if let Some(unsaved) = &mut self.unsaved
            && !std::mem::replace(&mut self.keys[key as usize].unsaved, true)
        {
            unsaved.push(key);
        }
    }

    /// The rows of the last fold were never here.
    pub(super) fn undo(&mut self) {
        let Fold { before, fresh, .. } = self.fold.take();
        self.slots.free(fresh);
        for (key, before) in before {
            self.keys[key as usize].sessions = before;
            self.forget_if_quiet(key);
        }
    }

    fn forget_if_quiet(&mut self, key: u32) {
        let Key { sessions, bytes, stored, .. } = &self.keys[key as usize];
        if !sessions.is_empty() {
            return;
        }
        let hash = xxh3_64(bytes);
        if self.table.find(hash, |number| number == key).is_some() {
            self.key_bytes -= heap_bytes(bytes);
            self.gone.extend(stored.then(|| Box::from(&**bytes)));
            self.table.remove(hash, key);
            self.free_keys.push(key);
        }
    }

    /// The watermark that sessions have fired up to.
    pub(super) fn watermark(&self) -> i64 {
        self.watermark
    }

    /// The sessions whose results are due at a watermark, in no order. Also gives the
    /// slots of those that no row can be in any more, which are to be given back.
    pub(super) fn due(&mut self, watermark: i64) -> (Vec<Due>, Vec<u32>) {
        let early = self.firing.emit.is_due(self.watermark, watermark);
        let over = watermark.saturating_sub(self.firing.allowed_lateness_us);
        let timers = self.pending.take(watermark);
        let (mut due, mut free) = (Vec::with_capacity(timers.len()), Vec::with_capacity(timers.len()));
        for (time, key, slot) in timers {
            // Its session may be part of another by now, or over and its slot another's.
            let Some(session) = self.session(key, slot).filter(|s| s.timer == time) else { continue };
            let end = session.end;
            if end > watermark {
                session.timer = end;
                self.pending.set((end, key, slot));
                continue;
            }
            (session.timer, session.fired, session.seen) = (NO_TIMER, true, true);
            let emission = Emission::of(end, self.watermark, watermark);
            let unseen = self.unseen.remove(&(key, slot));
            // Results as they change have nothing to say at the end but what has changed.
            if self.firing.emit != Emit::Changes || unseen {
                due.push(self.result(key, slot, emission));
            }
            match end <= over {
                true => self.end(key, slot, &mut free),
                false => drop(self.fired.insert((end, key, slot))),
            }
        }
        if early {
            for (key, slot) in std::mem::take(&mut self.unseen) {
                if let Some(session) = self.session(key, slot) {
                    session.seen = true;
                    due.push(self.result(key, slot, Emission::Early));
                }
            }
        }
        while let Some(&(end, key, slot)) = self.fired.first()
            && end <= over
        {
            self.fired.pop_first();
            self.end(key, slot, &mut free);
        }
        self.watermark = self.watermark.max(watermark);
        (due, free)
    }

    /// Takes a session out: no row can be in it any more.
    fn end(&mut self, key: u32, slot: u32, free: &mut Vec<u32>) {
        let sessions = &mut self.keys[key as usize].sessions;
        if let Some(place) = sessions.iter().position(|s| s.slot == slot) {
            free.extend(sessions.swap_remove(place).slots());
        }
        // Of what a store has of the key this session is to go.
        if self.keys[key as usize].stored {
            self.has_changed(key);
        }
        self.forget_if_quiet(key);
    }

    fn session(&mut self, key: u32, slot: u32) -> Option<&mut Session> {
        self.keys[key as usize].sessions.iter_mut().find(|s| s.slot == slot)
    }

    fn result(&self, key: u32, slot: u32, emission: Emission) -> Due {
        let Key { bytes, sessions, .. } = &self.keys[key as usize];
        let session = sessions.iter().find(|s| s.slot == slot);
        let (start, end) = session.map_or((0, 0), |s| (s.start, s.end));
        let others = session.map_or(Others::default(), |s| s.others.clone());
        Due { emission, end, key: bytes.clone(), start, slot, others }
    }
}

/// What a key takes beside its entry.
fn heap_bytes(key: &Bytes) -> usize {
    if key.spilled() { key.len() } else { 0 }
}

/// Makes one session of those that meet a row: the first by its start, with the slots of the others in their order.
fn join(known: &mut Open, meets: impl Fn(&Session) -> bool) -> usize {
    let mut found: Vec<Session> = known.iter().filter(|s| meets(s)).cloned().collect();
    known.retain(|s| !meets(s));
    found.sort_by_key(|s| s.start);
    let joined = found.into_iter().reduce(|mut session, other| {
        session.end = session.end.max(other.end);
        session.others.extend(other.slots());
        session
    });
    known.extend(joined);
    known.len() - 1
}

impl Fold {
    /// Nothing has changed. The memory for what will is kept.
    fn start(&mut self) {
        self.number = self.number.wrapping_add(1);
        self.before.clear();
        self.unsettled.clear();
        self.fresh.clear();
    }

    /// What has changed; put it back, or there is a fold of the same number that has changed nothing.
    fn take(&mut self) -> Self {
        let number = self.number;
        std::mem::replace(self, Self { number, ..Self::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Late;

    const FINAL: Firing = Firing { emit: Emit::Final, allowed_lateness_us: 0, late: Late::Drop };

    /// Folds rows of one key, judged by one watermark, and says how many were late.
    fn fold(sessions: &mut Sessions, times: &[i64], watermark: i64) -> Placed {
        let watermarks = vec![watermark; times.len()].into();
        let input = Input { times: &times.to_vec().into(), watermarks: &watermarks, keys: None, considered: None };
        let mut groups = Groups::default();
        groups.start(0);
        sessions.place(input, &mut groups)
    }

    /// The sessions that are over.
    fn over(sessions: &mut Sessions, watermark: i64) -> Vec<Due> {
        let (mut due, free) = sessions.due(watermark);
        sessions.slots.free(free);
        due.sort_unstable_by_key(|due| due.end);
        due
    }

    fn spans(due: &[Due]) -> Vec<(i64, i64)> {
        due.iter().map(|o| (o.start, o.end)).collect()
    }

    #[test]
    fn rows_within_a_gap_are_one_session_and_gaps_that_touch_are_too() {
        let mut sessions = Sessions::new(5, FINAL);
        let placed = fold(&mut sessions, &[0, 4, 20, 9, 14, 31], i64::MIN);
        // 0, 4, 9 and 14 follow each other by five at most; 20 is six behind.
        assert_eq!(placed.groups, [0, 0, 1, 0, 0, 2]);
        sessions.commit();
        assert_eq!(spans(&over(&mut sessions, 25)), [(0, 19), (20, 25)]);
        assert_eq!(spans(&over(&mut sessions, i64::MAX)), [(31, 36)]);
    }

    #[test]
    fn a_row_makes_three_sessions_one() {
        let mut sessions = Sessions::new(5, FINAL);
        for time in [0, 10] {
            fold(&mut sessions, &[time], i64::MIN);
            sessions.commit();
        }
        let placed = fold(&mut sessions, &[20, 5, 15, 1], i64::MIN);
        // The third is opened; then 5 joins the first and the second, and 15 those and the third.
        assert_eq!((placed.slots, placed.groups), (vec![2, 0], vec![0, 1, 1, 1]));
        sessions.commit();
        let over = over(&mut sessions, i64::MAX);
        assert_eq!((spans(&over), over[0].others.slots()), (vec![(0, 25)], &[1, 2][..]));
    }

    #[test]
    fn what_has_ended_for_a_row_is_not_its_session() {
        let mut sessions = Sessions::new(5, FINAL);
        fold(&mut sessions, &[0], i64::MIN);
        sessions.commit();
        let placed = fold(&mut sessions, &[3, -3], 5);
        assert_eq!((placed.late, placed.rows), (vec![1], vec![0]));
        sessions.commit();
        assert_eq!(spans(&over(&mut sessions, i64::MAX)), [(0, 5), (3, 8)]);
    }

    #[test]
    fn a_late_row_that_reaches_an_open_session_is_in_time() {
        let mut sessions = Sessions::new(5, FINAL);
        fold(&mut sessions, &[4], i64::MIN);
        sessions.commit();
        assert_eq!(fold(&mut sessions, &[0], 6).late, Vec::<u32>::new());
        sessions.commit();
        assert_eq!(spans(&over(&mut sessions, i64::MAX)), [(0, 9)]);
    }

    #[test]
    fn undone_rows_leave_nothing() {
        let mut sessions = Sessions::new(5, FINAL);
        fold(&mut sessions, &[0, 10], i64::MIN);
        sessions.commit();
        fold(&mut sessions, &[5, 100], i64::MIN);
        sessions.undo();
        assert_eq!(spans(&over(&mut sessions, i64::MAX)), [(0, 5), (10, 15)]);
        assert!(sessions.table.len() == 0);
        fold(&mut sessions, &[7], i64::MIN);
        sessions.undo();
        assert!(sessions.table.len() == 0 && over(&mut sessions, i64::MAX).is_empty());
    }

    #[test]
    fn folds_are_told_apart_when_their_numbers_begin_again() {
        let mut sessions = Sessions::new(5, FINAL);
        sessions.fold.number = u32::MAX - 2;
        for time in [0, 4, 8, 12] {
            fold(&mut sessions, &[time], i64::MIN);
            sessions.commit();
            fold(&mut sessions, &[time + 1], i64::MIN);
            sessions.undo();
        }
        assert_eq!(spans(&over(&mut sessions, i64::MAX)), [(0, 17)]);
    }

    #[test]
    fn a_session_that_has_fired_takes_late_rows_and_fires_again() {
        let mut sessions = Sessions::new(5, Firing { allowed_lateness_us: 10, ..FINAL });
        fold(&mut sessions, &[0, 20], i64::MIN);
        sessions.commit();
        assert_eq!(spans(&over(&mut sessions, 12)), [(0, 5)]);
        // It ended at 5, and is kept until 15; the row makes it longer.
        assert_eq!(fold(&mut sessions, &[3], 12).late, Vec::<u32>::new());
        sessions.commit();
        let due = over(&mut sessions, 13);
        assert_eq!((spans(&due), due[0].emission), (vec![(0, 8)], Emission::Late));
        assert!(over(&mut sessions, 18).is_empty(), "it has nothing new to say");
        assert_eq!(fold(&mut sessions, &[3], 18).late, [0]);
        sessions.commit();
        assert_eq!(spans(&over(&mut sessions, i64::MAX)), [(20, 25)]);
        assert!(sessions.table.len() == 0);
    }

    #[test]
    fn early_results_are_of_what_has_changed() {
        let mut sessions = Sessions::new(5, Firing { emit: Emit::Changes, ..FINAL });
        fold(&mut sessions, &[0, 20], i64::MIN);
        sessions.commit();
        assert_eq!(spans(&over(&mut sessions, -5)), [(0, 5), (20, 25)]);
        fold(&mut sessions, &[23], -5);
        sessions.commit();
        assert_eq!(spans(&over(&mut sessions, 10)), [(20, 28)]);
        assert!(over(&mut sessions, i64::MAX).is_empty(), "both have been given");
    }
}
