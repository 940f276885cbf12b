//! Window joins: rows of one key that are in the same window.
//!
//! Rows wait in panes, the slices of time that no window's edge cuts, so a row is kept once however
//! many windows it is in. When the watermark passes a window's end, the rows of its panes are sorted
//! by key on both sides and gone through together. Pairs come in the order of (window end, key, left
//! row, right row), rows in that of (time, partition, arrival).

use std::collections::BTreeMap;

use arrow_array::Array;
use arrow_array::cast::AsArray;

use super::intake::{Intake, Row};
use super::pairs::{Give, Shape};
use super::saved::{self, Adopted, Unsaved};
use super::shelf::{By, Keeping, Shelf};
use super::side::Side;
use super::sorted::{Keyed, Sorted, pair};
use crate::checkpoint::{Frozen, Table};
use crate::error::Result;
use crate::flow::batch::Batch;
use crate::flow::cut::keyed::Pace;
use crate::flow::stored_rows::{ChunkPart, Chunks};
use crate::flow::window::assign::{PaneId, Slices};
use crate::flow::window::keys::prefix;
use crate::flow::window::spill::place;
use crate::plan::{JoinKind, WindowKind};

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

impl Windows {
    pub(super) fn new(kind: WindowKind, intakes: [Intake; 2], join: JoinKind) -> Self {
        Self { slices: kind.into(), sides: intakes.map(Side::new), kind: join, fired: i64::MIN, unsaved: None }
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
        self.unsaved = self.sides[0].shelf.is_none().then(Unsaved::default);
    }

    /// Puts all rows on the shelves, if there are any, and gives what is there.
    pub(super) fn freeze(&mut self) -> Result<Vec<Frozen>> {
        let slices = self.slices;
        let frozen = self.sides.iter_mut().map(|side| side.freeze(slices)).collect::<Result<Vec<_>>>()?;
        Ok(frozen.into_iter().flatten().collect())
    }

    /// How many rows have been put on each shelf.
    pub(super) fn came(&self) -> [i64; 2] {
        self.sides.each_ref().map(|side| side.shelf.as_ref().map_or(0, Shelf::came))
    }

    /// The watermark that windows have fired up to.
    pub(super) fn fired(&self) -> i64 {
        self.fired
    }

    /// What waits, or what of it has come since the last checkpoint; and whether it is all.
    pub(super) fn snapshot(&mut self, pace: &mut Pace) -> (Vec<Table>, bool) {
        if self.sides[0].shelf.is_some() {
            return (Vec::new(), true);
        }
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
    pub(super) fn resume(&mut self, fired: i64, came: [i64; 2]) -> Result<()> {
        self.fired = fired;
        let slices = self.slices;
        self.sides.iter_mut().zip(came).try_for_each(|(side, came)| side.resume(slices, fired, came))
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
