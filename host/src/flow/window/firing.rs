//! Windows of panes that are due, window by window, and those with many keys a part at a time.

use std::collections::BTreeMap;

use super::assign::{PaneId, Slices};
use super::fire::Fired;
use super::fold::Windows;
use super::paged::Cursor;
use super::pane::Pane;
use super::panes::{self, Panes};
use super::place::Open;
use super::ready::{Due, Ready};
use super::sliding::Sliding;
use crate::error::Result;
use crate::flow::stored_rows::Chunks;
use crate::function::invoke::Failure;

/// A firing of panes.
pub(super) struct OfPanes {
    /// The watermarks that windows had fired up to, and have when it is over.
    fired: i64,
    watermark: i64,
    slices: Slices,
    /// By their ends.
    due: BTreeMap<i64, panes::Due>,
    open: BTreeMap<PaneId, Pane>,
    sliding: Option<Sliding>,
    /// Whether somebody reads what is kept, and is to find in a pane what came in it, and not what it was made into.
    is_read: bool,
    /// The window that is given a part at a time.
    window: Option<(i64, panes::Due, Way)>,
}

/// How a window is given a part at a time.
enum Way {
    /// The keys of its one pane, in their order, and how many of them are done.
    Sorted(PaneId, Vec<u32>, usize),
    /// Through its panes in memory and in the store.
    Paged(Vec<Cursor>),
    /// Through the rows in a store.
    Groups(Chunks),
}

impl OfPanes {
    pub(super) fn new(panes: &mut Panes, sliding: Option<Sliding>, watermark: i64) -> Self {
        Self {
            fired: panes.fired,
            watermark,
            slices: panes.slices,
            due: panes.due(watermark),
            open: panes.take(),
            is_read: panes.tracked.is_some() && sliding.is_some(),
            sliding,
            window: None,
        }
    }
}

impl Windows {
    /// Gives the next results of a firing of panes. Whether it is over.
    pub(super) fn fire_panes(&mut self, firing: &mut OfPanes, out: &mut dyn Fired) -> Result<bool> {
        if firing.window.is_none() {
            self.fire_whole(firing, out)?;
        } else if !self.fire_part(firing, out)? {
            firing.window = None;
        }
        if firing.window.is_some() || !firing.due.is_empty() {
            return Ok(false);
        }
        self.sliding = firing.sliding.take();
        if let Open::Panes(panes) = &mut self.open {
            panes.close(std::mem::take(&mut firing.open), firing.watermark);
        }
        self.settle_store()?;
        self.settle_rows()?;
        Ok(true)
    }

    /// Gives windows, about a batch of keys, up to one that is to be given a part at a time.
    fn fire_whole(&mut self, firing: &mut OfPanes, out: &mut dyn Fired) -> Result<()> {
        let OfPanes { fired, slices, due: left, open, sliding, is_read, window, .. } = firing;
        let (fired, slices) = (*fired, *slices);
        let mut ready = Ready::default();
        while let Some((end, due)) = left.pop_first() {
            let has_rows = |id: &PaneId| self.group_map.as_ref().is_some_and(|map| map.has_stored(*id));
            if due.panes.iter().any(has_rows) {
                self.settle(ready, fired, out);
                if due.only_changed {
                    return self.fire_changed_groups(of(end, &due, slices), &due, (slices, open), fired, out);
                }
                let chunks = self.begin_stored_groups(&due, (slices, open))?;
                *window = Some((end, due, Way::Groups(chunks)));
                return Ok(());
            }
            if *is_read || due.panes.iter().any(|id| open[id].is_spilled()) {
                self.settle(ready, fired, out);
                if due.only_changed {
                    return self.fire_changed((end, &due), (slices, open), fired, out);
                }
                if let Some(sliding) = sliding {
                    let behind = sliding.rest(slices, open);
                    self.open.slots().free(behind);
                }
                let cursors = due.panes.iter().map(|id| Cursor::new(*id, &open[id])).collect();
                *window = Some((end, due, Way::Paged(cursors)));
                return Ok(());
            }
            if let Some(sliding) = sliding {
                let spoilt = sliding.add_window(self, slices, end, &due.panes, open, &mut ready);
                for (aggregate, failure, key) in spoilt {
                    self.tell(&[(aggregate, vec![Failure { row: 0, ..failure }])], &[key], out);
                }
                self.settle(ready, fired, out);
                return Ok(());
            }
            if let [one] = due.panes[..]
                && !due.only_changed
                && open[&one].slots.len() > self.batch_rows
            {
                self.settle(ready, fired, out);
                let keys = open[&one].sorted();
                *window = Some((end, due, Way::Sorted(one, keys, 0)));
                return Ok(());
            }
            ready.add_panes(slices.start(end), end, &due, open);
            // Not more than a batch: merged windows take memory until they have fired.
            if ready.keys.len() >= self.batch_rows {
                break;
            }
        }
        self.settle(ready, fired, out);
        Ok(())
    }

    /// Gives the next part of a window. Whether there may be more.
    fn fire_part(&mut self, firing: &mut OfPanes, out: &mut dyn Fired) -> Result<bool> {
        let OfPanes { fired, slices, open, sliding, window, .. } = firing;
        let (fired, slices) = (*fired, *slices);
        let Some((end, due, way)) = window else { return Ok(false) };
        match way {
            Way::Groups(chunks) => self.fire_stored_groups(chunks, of(*end, due, slices), fired, out),
            Way::Paged(cursors) => self.fire_page(cursors, (*end, due), (slices, open), sliding.as_ref(), fired, out),
            Way::Sorted(id, keys, passed) => {
                let (pane, of) = (&open[id], of(*end, due, slices));
                let part = &keys[*passed..keys.len().min(*passed + self.batch_rows)];
                *passed += part.len();
                let due = |key: &u32| Due { key: pane.keys.bytes(*key), slot: pane.slots[*key as usize], ..of };
                let ready = Ready { keys: part.iter().map(due).collect(), ..Ready::default() };
                self.settle(ready, fired, out);
                Ok(*passed < keys.len())
            }
        }
    }
}

/// What the results of a window have in common.
fn of(end: i64, due: &panes::Due, slices: Slices) -> Due<'static> {
    Due { emission: due.emission, start: slices.start(end), end, key: &[], slot: 0 }
}
