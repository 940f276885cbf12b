//! Window joins: rows of one key that are in the same window.
//!
//! Rows wait in panes, the slices of time that no window's edge cuts, so a row is kept once however
//! many windows it is in. When the watermark passes a window's end, the rows of its panes are sorted
//! by key on both sides and gone through together. Pairs come in the order of (window end, key, left
//! row, right row), rows in that of (time, partition, arrival).

use std::cmp::Ordering;
use std::collections::BTreeMap;

use arrow_array::Array;
use arrow_array::cast::AsArray;

use super::held::Held;
use super::intake::{Intake, Row};
use super::pairs::{Give, Pair, Pairs, Shape};
use super::saved::{self, Adopted, Unsaved};
use super::shelf::{By, Keeping, Shelf};
use crate::checkpoint::Table;
use crate::error::Result;
use crate::flow::batch::Batch;
use crate::flow::cut::keyed::Pace;
use crate::flow::stored_rows::{ChunkPart, Chunks};
use crate::flow::window::assign::{PaneId, Slices};
use crate::flow::window::keys::prefix;
use crate::flow::window::spill::place;
use crate::plan::{JoinKind, WindowKind};
use crate::state;

/// The rows of both sides whose windows have not fired.
pub(super) struct Windows {
    slices: Slices,
    sides: [Side; 2],
    kind: JoinKind,
    /// The watermark that windows have fired up to.
    fired: i64,
    /// What has come since a checkpoint was taken, where any are.
    unsaved: Option<Unsaved>,
}

struct Side {
    intake: Intake,
    held: Held,
    panes: BTreeMap<PaneId, Waiting>,
    /// Whether there is or was a key that its prefix does not hold.
    long_keys: bool,
    /// Where rows are that memory has no room for.
    shelf: Option<Shelf>,
}

/// The rows of a pane, in the order in which they came.
#[derive(Debug, Default)]
struct Waiting {
    rows: Vec<Keyed>,
    /// How many of them are on the shelf as well.
    written: usize,
    /// Whether there are rows that are on the shelf alone: these came first.
    spilled: bool,
}

/// Rows of a side in the order in which they are paired, with where they are held.
pub(super) struct Sorted<'a> {
    rows: Vec<Keyed>,
    held: &'a Held,
    long_keys: bool,
}

/// A row with the start of its key, which mostly is all of it: sorting then looks nowhere else.
#[derive(Clone, Copy, Debug)]
struct Keyed {
    prefix: [u64; 2],
    row: Row,
}

impl Windows {
    pub(super) fn new(kind: WindowKind, intakes: [Intake; 2], join: JoinKind) -> Self {
        let side = |intake: Intake| Side {
            held: intake.held(),
            intake,
            panes: BTreeMap::new(),
            long_keys: false,
            shelf: None,
        };
        Self { slices: kind.into(), sides: intakes.map(side), kind: join, fired: i64::MIN, unsaved: None }
    }

    /// Takes in the rows of a batch that are not late, and says how many were.
    pub(super) fn take_in(&mut self, number: usize, batch: &Batch) -> Result<usize> {
        let (Some(times), Some(watermarks)) = (&batch.marks.times, &batch.marks.watermarks) else { return Ok(0) };
        let side = &mut self.sides[number];
        let (keys, valid) = side.intake.keys(&batch.rows);
        let (mut rows, mut panes, mut late) = (Vec::new(), Vec::new(), 0);
        for (row, (time, watermark)) in times.values().iter().zip(watermarks.values()).enumerate() {
            // What has fired is behind every row's watermark, unless its partition was not waited for.
            match self.slices.pane(*time, self.fired.max(*watermark)) {
                None => late += 1,
                Some(_) if valid.as_ref().is_some_and(|v| v.is_null(row)) => {}
                Some(pane) => {
                    rows.push(row as u32);
                    panes.push(pane);
                }
            }
        }
        let prefixes: Vec<[u64; 2]> =
            rows.iter().map(|row| prefix(keys.as_binary::<i32>().value(*row as usize))).collect();
        side.long_keys |= rows.iter().any(|row| keys.as_binary::<i32>().value_length(*row as usize) > 16);
        let (held, kept) = side.intake.hold(&mut side.held, batch, keys, times, &rows);
        if let Some(unsaved) = &mut self.unsaved {
            unsaved.add(number, kept, &held, &panes);
        }
        let mut at = 0;
        while at < held.len() {
            // A run of rows in one pane: mostly the whole batch.
            let count = panes[at..].iter().take_while(|pane| **pane == panes[at]).count();
            let run = held[at..at + count].iter().zip(&prefixes[at..]);
            let pane = side.panes.entry(panes[at]).or_default();
            pane.rows.extend(run.map(|(row, prefix)| Keyed { prefix: *prefix, row: *row }));
            at += count;
        }
        side.make_room(self.slices)?;
        Ok(late)
    }

    /// Notes from now on what comes.
    pub(super) fn save(&mut self) {
        self.unsaved = Some(Unsaved::default());
    }

    /// The watermark that windows have fired up to.
    pub(super) fn fired(&self) -> i64 {
        self.fired
    }

    /// What waits, or what of it has come since the last checkpoint; and whether it is all.
    pub(super) fn snapshot(&mut self, pace: &mut Pace) -> (Vec<Table>, bool) {
        let unsaved = self.unsaved.as_mut().map(std::mem::take).unwrap_or_default();
        let all = self.sides.iter().flat_map(|side| side.panes.values()).map(|pane| pane.rows.len()).sum();
        let whole = pace.is_whole(unsaved.rows(), all);
        let tables = [0, 1].map(|number| {
            let side = &self.sides[number];
            match whole {
                false => unsaved.table(number, |_, pane| self.slices.ends(pane.start).1 > self.fired),
                true => saved::table(
                    number,
                    side.panes.iter().map(|(id, pane)| {
                        let rows: Vec<Row> = pane.rows.iter().map(|keyed| keyed.row).collect();
                        let panes = vec![*id; rows.len()];
                        (side.held.rows_of(rows.iter().map(|row| row.place)), rows, panes)
                    }),
                ),
            }
        });
        (tables.into(), whole)
    }

    /// Goes on where windows had fired up to this watermark.
    pub(super) fn resume(&mut self, fired: i64) {
        self.fired = fired;
    }

    /// Takes in a row as it was.
    pub(super) fn adopt(&mut self, number: usize, kept: &Adopted) {
        let (slices, fired, side) = (self.slices, self.fired, &mut self.sides[number]);
        for (row, pane) in kept.hold(&mut side.held, |_, pane| slices.ends(pane.start).1 > fired) {
            let key = side.held.key(row.place);
            side.long_keys |= key.len() > 16;
            let prefix = prefix(key);
            side.panes.entry(pane).or_default().rows.push(Keyed { prefix, row });
        }
    }

    /// Gives the pairs of every window that ends at or before the watermark, and says which watermark
    /// the pairs have behind them.
    pub(super) fn fire(&mut self, watermark: i64, shape: &Shape, give: &mut Give<'_>) -> Result<i64> {
        let mut due: BTreeMap<i64, [Vec<PaneId>; 2]> = BTreeMap::new();
        for (number, side) in self.sides.iter().enumerate() {
            for id in side.panes.keys() {
                let (first, last) = self.slices.ends(id.start);
                if first > watermark {
                    break;
                }
                let mut end = self.slices.next_end(first, self.fired).max(id.seen_from);
                while end <= last.min(watermark) {
                    due.entry(end).or_default()[number].push(*id);
                    if end == i64::MAX {
                        break;
                    }
                    end = self.slices.after(end);
                }
            }
        }
        due.retain(|_, [lefts, rights]| !lefts.is_empty() && (self.kind == JoinKind::Left || !rights.is_empty()));
        let mut due = due.into_iter().peekable();
        while let Some((end, panes)) = due.next() {
            if self.is_spilled(&panes) {
                self.fire_spilled(end, &panes, shape, give)?;
                continue;
            }
            let [left, right] = &self.sides;
            let mut pairs = shape.pairs(&left.held, &right.held, give);
            let mut in_memory = Some((end, panes));
            while let Some((end, [lefts, rights])) = in_memory {
                pair(self.kind, end, &left.sorted(&lefts), &right.sorted(&rights), &mut pairs);
                in_memory = due.next_if(|(_, panes)| !self.is_spilled(panes));
            }
            pairs.finish();
        }
        self.fired = watermark.max(self.fired);
        for side in &mut self.sides {
            side.close(self.slices, watermark)?;
            side.write(self.slices)?;
            side.make_room(self.slices)?;
        }
        Ok(watermark)
    }

    fn is_spilled(&self, panes: &[Vec<PaneId>; 2]) -> bool {
        self.sides.iter().zip(panes).any(|(side, panes)| panes.iter().any(|id| side.panes[id].spilled))
    }

    /// Fires a window of which rows are on a shelf alone: all of its rows go there, and come back in the order
    /// of their keys, some keys at a time.
    fn fire_spilled(&mut self, end: i64, panes: &[Vec<PaneId>; 2], shape: &Shape, give: &mut Give<'_>) -> Result<()> {
        for (side, panes) in self.sides.iter_mut().zip(panes) {
            side.spill(self.slices, panes)?;
        }
        let slices = self.slices;
        let places = |side: usize| panes[side].iter().map(move |id| (side, place(slices, *id)));
        let [left, right] = &mut self.sides;
        let (Some(lefts), Some(rights)) = (&mut left.shelf, &mut right.shelf) else { return Ok(()) };
        let mut chunks = Chunks::new(places(0).chain(places(1)), shape.batch_rows());
        while let Some(parts) = chunks.next(&mut [lefts.stored(), rights.stored()])? {
            let mut held = [&left.intake, &right.intake].map(Intake::held);
            let mut rows = [Vec::new(), Vec::new()];
            for ChunkPart { of, names, columns } in parts {
                let page = [&*lefts, &*rights][of].read(&names, columns);
                rows[of].extend(page.hold(0..names.len(), &mut held[of]));
            }
            let [lefts, rights] = rows;
            let [of_left, of_right] = &held;
            let mut pairs = shape.pairs(of_left, of_right, give);
            pair(self.kind, end, &Sorted::of(lefts, of_left), &Sorted::of(rights, of_right), &mut pairs);
            pairs.finish();
        }
        Ok(())
    }

    /// Keeps rows in stores as well, or where memory has no room for them.
    pub(super) fn keep_in(&mut self, keeping: &Keeping<'_>) -> Result<()> {
        for (number, side) in self.sides.iter_mut().enumerate() {
            side.shelf = Shelf::open(keeping, number, &side.intake.columns, &side.held, By::Key)?;
        }
        Ok(())
    }

    /// Rows in memory, about how many bytes they take, and how many those in stores take.
    pub(super) fn size(&self) -> (usize, usize, u64) {
        let stored = self.sides.iter().filter_map(|side| side.shelf.as_ref()).map(Shelf::bytes).sum();
        let (rows, bytes) =
            self.sides.iter().map(Side::size).fold((0, 0), |all, side| (all.0 + side.0, all.1 + side.1));
        (rows, bytes, stored)
    }
}

/// Gives the pairs of a window, whose two sides are each in the order of keys.
fn pair(kind: JoinKind, end: i64, lefts: &Sorted<'_>, rights: &Sorted<'_>, pairs: &mut Pairs<'_>) {
    let time = end.saturating_sub(1);
    let (mut l, mut r) = (0, 0);
    while l < lefts.rows.len() {
        let key = lefts.rows[l];
        let same = lefts.rows[l..].iter().take_while(|row| compare((row, lefts), (&key, lefts)).is_eq()).count();
        while r < rights.rows.len() && compare((&rights.rows[r], rights), (&key, lefts)).is_lt() {
            r += 1;
        }
        let partners = rights.rows[r..].iter().take_while(|row| compare((row, rights), (&key, lefts)).is_eq()).count();
        for keyed in &lefts.rows[l..l + same] {
            let mut give = |right| pairs.push(Pair { left: keyed.row, right, time, order: end });
            rights.rows[r..r + partners].iter().for_each(|partner| give(Some(partner.row.place)));
            if partners == 0 && kind == JoinKind::Left {
                give(None);
            }
        }
        (l, r) = (l + same, r + partners);
    }
}

impl<'a> Sorted<'a> {
    /// Rows of some panes, those of each in the order in which they came, in the order of
    /// (key, time, partition, arrival).
    fn new(rows: Vec<Keyed>, held: &'a Held, long_keys: bool) -> Self {
        let mut sorted = Self { rows: Vec::new(), held, long_keys };
        let mut rows = rows;
        // It keeps the order of equals, which is that of their arrival.
        rows.sort_by(|a, b| {
            let places = |keyed: &Keyed| (keyed.row.time, keyed.row.partition);
            compare((a, &sorted), (b, &sorted)).then_with(|| places(a).cmp(&places(b)))
        });
        sorted.rows = rows;
        sorted
    }

    fn of(rows: Vec<Row>, held: &'a Held) -> Self {
        let long_keys = rows.iter().any(|row| held.key(row.place).len() > 16);
        let keyed = |row: Row| Keyed { prefix: prefix(held.key(row.place)), row };
        Self::new(rows.into_iter().map(keyed).collect(), held, long_keys)
    }
}

impl Side {
    /// The rows of panes in the order of (key, time, partition, arrival).
    fn sorted(&self, panes: &[PaneId]) -> Sorted<'_> {
        let rows = panes.iter().flat_map(|id| &self.panes[id].rows).copied().collect();
        Sorted::new(rows, &self.held, self.long_keys)
    }

    /// Puts what came since it last did on the shelf, where others read it.
    fn write(&mut self, slices: Slices) -> Result<()> {
        match self.shelf.as_ref().is_some_and(|shelf| shelf.is_read) {
            true => self.put(slices, |_| true),
            false => Ok(()),
        }
    }

    /// Moves everything to the shelf where it takes more memory than it may.
    fn make_room(&mut self, slices: Slices) -> Result<()> {
        if self.shelf.as_ref().is_none_or(|shelf| self.size().1 <= shelf.memory_bytes) {
            return Ok(());
        }
        self.put(slices, |_| true)?;
        self.forget(|_| true);
        self.held = self.intake.held();
        Ok(())
    }

    /// Moves some panes to the shelf.
    fn spill(&mut self, slices: Slices, panes: &[PaneId]) -> Result<()> {
        self.put(slices, |id| panes.contains(&id))?;
        let done = self.forget(|id| panes.contains(&id));
        self.held.release(done);
        Ok(())
    }

    fn put(&mut self, slices: Slices, wanted: impl Fn(PaneId) -> bool) -> Result<()> {
        let Some(shelf) = &mut self.shelf else { return Ok(()) };
        let new = self.panes.iter_mut().filter(|(id, pane)| wanted(**id) && pane.written < pane.rows.len());
        let new: Vec<(state::Pane, Vec<Row>)> = new
            .map(|(id, pane)| {
                let rows = pane.rows[pane.written..].iter().map(|keyed| keyed.row).collect();
                pane.written = pane.rows.len();
                (place(slices, *id), rows)
            })
            .collect();
        match new.is_empty() {
            true => Ok(()),
            false => shelf.put(&self.held, new),
        }
    }

    /// Forgets the rows of panes, which are on the shelf. Says how many there were.
    fn forget(&mut self, wanted: impl Fn(PaneId) -> bool) -> usize {
        let panes = self.panes.iter_mut().filter(|(id, _)| wanted(**id)).map(|(_, pane)| pane);
        panes.map(|pane| std::mem::replace(pane, Waiting { spilled: true, ..Waiting::default() }).rows.len()).sum()
    }

    /// Rows in memory, and about how many bytes they take.
    fn size(&self) -> (usize, usize) {
        let rows = self.panes.values().map(|pane| pane.rows.len()).sum();
        (rows, self.held.bytes() + rows * size_of::<Keyed>())
    }

    /// Lets go of the panes that no window sees any more.
    fn close(&mut self, slices: Slices, watermark: i64) -> Result<()> {
        let (mut done, mut stored) = (0, Vec::new());
        while let Some(first) = self.panes.first_entry()
            && slices.ends(first.key().start).1 <= watermark
        {
            let (id, pane) = first.remove_entry();
            done += pane.rows.len();
            stored.extend((pane.spilled || pane.written > 0).then(|| place(slices, id)));
        }
        self.held.release(done);
        if self.held.is_wasteful() {
            let rows = self.panes.values_mut().flat_map(|pane| &mut pane.rows);
            self.held.keep(rows.map(|keyed| &mut keyed.row.place));
        }
        match &mut self.shelf {
            Some(shelf) if !stored.is_empty() => shelf.remove(&stored),
            _ => Ok(()),
        }
    }
}

fn compare((a, of_a): (&Keyed, &Sorted<'_>), (b, of_b): (&Keyed, &Sorted<'_>)) -> Ordering {
    a.prefix.cmp(&b.prefix).then_with(|| match of_a.long_keys && of_b.long_keys {
        // Of equal prefixes, either both are the whole key or neither is.
        true => of_a.held.key(a.row.place).cmp(of_b.held.key(b.row.place)),
        false => Ordering::Equal,
    })
}
