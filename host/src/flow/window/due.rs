//! Sessions that a watermark has passed, in memory and in a store.
//!
//! Those in the store alone are found by their ends, a batch at a time in the order in which results come
//! out, and nothing of them stays in memory: what says that a session has fired or is over is the
//! watermark. A key leaves the store when the last of its sessions is over.

use super::by_key::{Behind, ByKey, picked};
use super::ends::{End, Span};
use super::fire::Fired;
use super::fold::Windows;
use super::place::Open;
use super::ready::{self, Emission, Ready, in_order};
use super::sessions::{Due, Others, bounds};
use super::spill::scatter;
use crate::error::Result;
use crate::state::Entries;

/// Ends that were read, and what the store has of their keys that are not in memory.
struct Read {
    ends: Vec<End>,
    found: Entries,
    /// Where the rows of each key that was found begin, and where the last's end.
    begins: Vec<usize>,
}

impl Read {
    /// The rows of a key.
    fn rows(&self, key: &[u8]) -> std::ops::Range<usize> {
        let keys = &self.found.keys;
        let (mut from, mut to) = (0, self.begins.len() - 1);
        while from < to {
            let middle = from.midpoint(to);
            match keys.value(middle).cmp(key) {
                std::cmp::Ordering::Less => from = middle + 1,
                std::cmp::Ordering::Equal => return self.begins[middle]..self.begins[middle + 1],
                std::cmp::Ordering::Greater => to = middle,
            }
        }
        0..0
    }

    /// The keys with no session that ends later than one that was read.
    fn last_of_keys(&self) -> impl Iterator<Item = &[u8]> {
        let [_, ends] = bounds(&self.found);
        let is_last = |end: &End| self.rows(&end.1).map(|row| ends[row]).max() == Some(end.0);
        self.ends.iter().filter(move |end| is_last(end)).map(|(_, key)| &**key)
    }
}

/// A firing of sessions.
#[derive(Default)]
pub(super) struct OfSessions {
    /// The watermark that sessions had fired up to.
    fired: i64,
    /// Those in memory, in which order they are given, and how many of them are done.
    here: Vec<Due>,
    order: Vec<u32>,
    passed: usize,
    /// Slots of sessions that no row can be in any more.
    over: Vec<u32>,
    /// Those in the store alone.
    there: Option<Span>,
}

impl Windows {
    /// Begins to give the results of sessions that are due at a watermark.
    pub(super) fn begin_sessions(&mut self, watermark: i64) -> OfSessions {
        let Open::Sessions(sessions) = &mut self.open else { return OfSessions::default() };
        let fired = sessions.watermark();
        let (here, over) = sessions.due(watermark);
        let order = in_order(here.iter().map(|due| (due.end, &*due.key)));
        OfSessions { fired, here, order, passed: 0, over, there: self.passed(fired, 0) }
    }

    /// Gives the next results of a firing of sessions. Whether it is over.
    pub(super) fn fire_sessions(&mut self, firing: &mut OfSessions, out: &mut dyn Fired) -> Result<bool> {
        let OfSessions { fired, here, order, passed, over, there } = firing;
        let left = &order[*passed..];
        let due = |place: &u32| &here[*place as usize];
        if let Some(span) = there {
            let Some(read) = self.read(span)? else {
                *there = None;
                return Ok(false);
            };
            let (found, slots) = self.due_of(&read);
            if let Some(last) = found.last() {
                let before = |place: &u32| (due(place).end, &*due(place).key) < (last.end, &*last.key);
                let now = &left[..left.partition_point(before)];
                *passed += now.len();
                let mut both: Vec<&Due> = now.iter().map(due).chain(&found).collect();
                both.sort_by(|a, b| (a.end, &a.key).cmp(&(b.end, &b.key)));
                self.give_sessions(&both, *fired, out);
            }
            self.free(slots);
            return Ok(false);
        }
        let some: Vec<&Due> = left.iter().take(self.batch_rows).map(due).collect();
        *passed += some.len();
        self.give_sessions(&some, *fired, out);
        if *passed < order.len() {
            return Ok(false);
        }
        self.free(std::mem::take(over));
        self.forget_over(*fired)?;
        Ok(true)
    }

    fn give_sessions(&mut self, due: &[&Due], fired: i64, out: &mut dyn Fired) {
        for chunk in due.chunks(self.batch_rows) {
            let mut ready = Ready::default();
            for Due { emission, start, end, key, slot, others } in chunk {
                let key = ready::Due { emission: *emission, start: *start, end: *end, key, slot: *slot };
                ready.add(key, others.slots().iter().copied());
            }
            self.settle(ready, fired, out);
        }
    }

    /// The ends that a time so long behind the watermark has passed since it was at `fired`, of keys in the
    /// store alone.
    fn passed(&mut self, fired: i64, behind_us: i64) -> Option<Span> {
        let (Some(Behind { stored, ends: Some(ends), .. }), Open::Sessions(sessions)) =
            (&mut self.behind, &mut self.open)
        else {
            return None;
        };
        // What has ended in memory is no more, and the store may still have it.
        sessions.gone().into_iter().for_each(|key| stored.take_out(key));
        let (from, to) = (fired.saturating_sub(behind_us), sessions.watermark().saturating_sub(behind_us));
        (from < to).then(|| ends.span(from, to))
    }

    fn read(&mut self, span: &mut Span) -> Result<Option<Read>> {
        let (Some(Behind { stored, ends: Some(ends), .. }), Open::Sessions(sessions)) = (&mut self.behind, &self.open)
        else {
            return Ok(None);
        };
        if stored.is_crowded() {
            stored.write_gone()?;
        }
        let Some(ends) = ends.next(span, self.batch_rows)? else { return Ok(None) };
        let keys = ends.iter().map(|(_, key)| &**key).filter(|key| !sessions.has(key));
        let found = stored.recall(keys.collect())?;
        let mut begins = vec![0];
        for count in found.counts.iter().flatten() {
            begins.push(begins[begins.len() - 1] + *count as usize);
        }
        Ok(Some(Read { ends, found, begins }))
    }

    /// The sessions that end where it was read, with their accumulators in slots of their own.
    fn due_of(&mut self, read: &Read) -> (Vec<Due>, Vec<u32>) {
        let (Some(Behind { stored, columns, .. }), Open::Sessions(sessions)) = (&mut self.behind, &mut self.open)
        else {
            return (Vec::new(), Vec::new());
        };
        let [starts, ends] = bounds(&read.found);
        let (mut due, mut rows, mut slots) = (Vec::<Due>::new(), Vec::new(), Vec::new());
        let told = if sessions.end_is_told() { &read.ends[..] } else { &[] };
        for (end, key) in told {
            for row in read.rows(key).filter(|row| ends[*row] == *end) {
                let (start, slot) = (starts[row], sessions.slots.get());
                rows.push(row as u32);
                slots.push(slot);
                match due.last_mut() {
                    // What has become one with a session stands behind it.
                    Some(last) if (last.start, last.end, &*last.key) == (start, *end, key) => {
                        last.others.extend([slot])
                    }
                    _ => {
                        let (emission, key) = (Emission::Final, (&**key).into());
                        due.push(Due { emission, start, end: *end, key, slot, others: Others::default() });
                    }
                }
            }
        }
        if sessions.allowed_lateness_us() == 0 {
            read.last_of_keys().for_each(|key| stored.take_out(key.into()));
        }
        let (values, count) = (picked(&read.found.values[*columns..], rows), sessions.slots.count());
        self.aggregates.iter_mut().for_each(|a| a.store.grow(count));
        scatter(&mut self.aggregates, &slots, &values);
        (due, slots)
    }

    /// Takes out of the store what no late row can find any more.
    fn forget_over(&mut self, fired: i64) -> Result<()> {
        let Open::Sessions(sessions) = &self.open else { return Ok(()) };
        let (lateness, watermark) = (sessions.allowed_lateness_us(), sessions.watermark());
        if lateness > 0
            && let Some(mut span) = self.passed(fired, lateness)
        {
            while let Some(read) = self.read(&mut span)? {
                let Some(Behind { stored, .. }) = &mut self.behind else { break };
                read.last_of_keys().for_each(|key| stored.take_out(key.into()));
            }
        }
        match &mut self.behind {
            Some(Behind { ends: Some(ends), .. }) => ends.give_up(watermark.saturating_sub(lateness)),
            _ => Ok(()),
        }
    }
}
