//! The rows of one side of a window join, by pane: in memory, and on the shelf where that has no room or others
//! read them.
//!
//! A row is put on the shelf once. A pane of which rows are there alone has in memory what came
//! later.

use std::collections::BTreeMap;

use super::held::Held;
use super::intake::{Intake, Row};
use super::shelf::Shelf;
use super::sorted::{Keyed, Sorted};
use crate::checkpoint::Frozen;
use crate::error::Result;
use crate::flow::window::assign::{PaneId, Slices};
use crate::flow::window::spill::{pane_of, place};
use crate::state;

/// The rows of a side.
pub(super) struct Side {
    pub(super) intake: Intake,
    pub(super) held: Held,
    pub(super) panes: BTreeMap<PaneId, Waiting>,
    /// Whether there is or was a key that its prefix does not hold.
    pub(super) long_keys: bool,
    /// Where rows are that memory has no room for.
    pub(super) shelf: Option<Shelf>,
}

/// The rows of a pane, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) rows: Vec<Keyed>,
    /// How many of them are on the shelf as well.
    written: usize,
    /// Whether there are rows that are on the shelf alone: these came first.
    pub(super) spilled: bool,
}

impl Side {
    pub(super) fn new(intake: Intake) -> Self {
        Self { held: intake.held(), intake, panes: BTreeMap::new(), long_keys: false, shelf: None }
    }

    /// The rows of panes in the order of (key, time, partition, arrival).
    pub(super) fn sorted(&self, panes: &[PaneId]) -> Sorted<'_> {
        let rows = panes.iter().flat_map(|id| &self.panes[id].rows).copied().collect();
        Sorted::new(rows, &self.held, self.long_keys)
    }

    /// Puts what came since it last did on the shelf, where others read it.
    pub(super) fn write(&mut self, slices: Slices) -> Result<()> {
        match self.shelf.as_ref().is_some_and(|shelf| shelf.is_read) {
            true => self.put(slices, |_| true),
            false => Ok(()),
        }
    }

    /// Moves everything to the shelf where it takes more memory than it may.
    pub(super) fn make_room(&mut self, slices: Slices) -> Result<()> {
        if self.shelf.as_ref().is_none_or(|shelf| self.size().1 <= shelf.memory_bytes) {
            return Ok(());
        }
        self.put(slices, |_| true)?;
        self.forget(|_| true);
        self.held = self.intake.held();
        Ok(())
    }

    /// Moves some panes to the shelf.
    pub(super) fn spill(&mut self, slices: Slices, panes: &[PaneId]) -> Result<()> {
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

    /// Puts all rows on the shelf, so that they can be taken from there into a checkpoint.
    pub(super) fn freeze(&mut self, slices: Slices) -> Result<Option<Frozen>> {
        self.put(slices, |_| true)?;
        self.shelf.as_mut().map_or(Ok(None), |shelf| shelf.stored().freeze())
    }

    /// Goes on with what is on the shelf, behind so many rows, where windows had fired up to a watermark.
    pub(super) fn resume(&mut self, slices: Slices, fired: i64, came: i64) -> Result<()> {
        let Some(shelf) = &mut self.shelf else { return Ok(()) };
        let panes = shelf.resume(came).into_iter().map(|pane| (pane, pane_of(slices, pane)));
        let (over, held): (Vec<_>, Vec<_>) = panes.partition(|(_, id)| slices.ends(id.start).1 <= fired);
        shelf.remove(&over.into_iter().map(|(pane, _)| pane).collect::<Vec<_>>())?;
        for (_, id) in held {
            self.panes.entry(id).or_default().spilled = true;
        }
        Ok(())
    }

    /// Rows in memory, and about how many bytes they take.
    pub(super) fn size(&self) -> (usize, usize) {
        let rows = self.panes.values().map(|pane| pane.rows.len()).sum();
        (rows, self.held.bytes() + rows * size_of::<Keyed>())
    }

    /// Lets go of the panes that no window sees any more.
    pub(super) fn close(&mut self, slices: Slices, watermark: i64) -> Result<()> {
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
