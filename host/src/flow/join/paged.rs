//! Both sides of a window, from their shelves: some keys at a time, in the order of keys.
//!
//! Each pane is read page by page. A chunk ends in front of the least key that is the last one read of some
//! pane which has more, so all rows of its keys are in it, on both sides.

use std::ops::Range;

use arrow_select::concat::concat_batches;

use super::held::Held;
use super::intake::Row;
use super::shelf::{Page, Shelf};
use crate::error::Result;
use crate::state::Pane;

/// Rows of a chunk, over all panes, in batches: more of them are read from a store at once.
const CHUNK_BATCHES: usize = 4;

/// How far both sides are.
pub(super) struct Cursors {
    panes: [Vec<Cursor>; 2],
    /// Rows of a page.
    rows: usize,
}

/// How far one pane is.
struct Cursor {
    pane: Pane,
    page: Option<Page>,
    /// Rows of the page that are done.
    used: usize,
    more: bool,
}

/// Rows of some keys: ranges of pages, by side and in the order of panes.
pub(super) struct Chunk<'a> {
    parts: [Vec<(&'a Page, Range<usize>)>; 2],
}

impl Cursors {
    /// At the start of the panes of the two sides.
    pub(super) fn new(panes: [Vec<Pane>; 2], batch_rows: usize) -> Self {
        let count = panes.iter().map(Vec::len).sum::<usize>().max(1);
        let cursor = |pane| Cursor { pane, page: None, used: 0, more: true };
        let panes = panes.map(|panes| panes.into_iter().map(cursor).collect());
        Self { panes, rows: (CHUNK_BATCHES * batch_rows / count).max(1) }
    }

    /// The rows of the next keys, or none where all are done.
    pub(super) fn next(&mut self, mut shelves: [&mut Shelf; 2]) -> Result<Option<Chunk<'_>>> {
        let rows = self.rows;
        let mut each = |cursors: &mut [Vec<Cursor>; 2], wanted: &dyn Fn(&Cursor) -> bool| -> Result<()> {
            for (cursors, shelf) in cursors.iter_mut().zip(&mut shelves) {
                for cursor in cursors.iter_mut().filter(|cursor| cursor.more && wanted(cursor)) {
                    cursor.read(shelf, rows)?;
                }
            }
            Ok(())
        };
        each(&mut self.panes, &|cursor| cursor.left() == 0)?;
        let bound = loop {
            let all = || self.panes.iter().flatten();
            let bound = all().filter(|cursor| cursor.more).filter_map(Cursor::last).min().map(<[u8]>::to_vec);
            let Some(bound) = bound else { break None };
            if all().any(|cursor| cursor.first().is_some_and(|key| *key < *bound)) {
                break Some(bound);
            }
            // All that is read is of one key, and it goes on.
            each(&mut self.panes, &|cursor| cursor.last() == Some(&bound))?;
        };
        if self.panes.iter().flatten().all(|cursor| cursor.left() == 0) {
            return Ok(None);
        }
        let bound = bound.as_deref();
        Ok(Some(Chunk {
            parts: self
                .panes
                .each_mut()
                .map(|cursors| cursors.iter_mut().filter_map(|cursor| cursor.take(bound)).collect()),
        }))
    }
}

impl Cursor {
    /// Reads on, behind what is not done.
    fn read(&mut self, shelf: &mut Shelf, rows: usize) -> Result<()> {
        let after = self.page.as_ref().map(|page| page.last.clone());
        let Some(next) = shelf.page(self.pane, after.as_deref(), rows)? else {
            self.more = false;
            return Ok(());
        };
        self.more = next.rows.len() == rows;
        let left = self.left();
        match &mut self.page {
            Some(page) if left > 0 => {
                let rest = page.columns.slice(self.used, left);
                page.columns = concat_batches(&rest.schema(), [&rest, &next.columns]).expect("batches of one side");
                page.rows.drain(..self.used);
                page.rows.extend(next.rows);
                page.last = next.last;
            }
            page => *page = Some(next),
        }
        self.used = 0;
        Ok(())
    }

    /// Rows that are read and not done.
    fn left(&self) -> usize {
        self.page.as_ref().map_or(0, |page| page.rows.len() - self.used)
    }

    /// The key of the first row that is not done.
    fn first(&self) -> Option<&[u8]> {
        self.page.as_ref().filter(|_| self.left() > 0).map(|page| page.key(self.used))
    }

    /// The key of the last row that was read.
    fn last(&self) -> Option<&[u8]> {
        self.page.as_ref().map(|page| page.key(page.rows.len() - 1))
    }

    /// The rows whose keys are below a bound.
    fn take(&mut self, bound: Option<&[u8]>) -> Option<(&Page, Range<usize>)> {
        let page = self.page.as_ref()?;
        let from = self.used;
        let within = |row: &usize| bound.is_none_or(|bound| page.key(*row) < bound);
        self.used += (from..page.rows.len()).take_while(within).count();
        Some((page, from..self.used))
    }
}

impl Chunk<'_> {
    /// Holds the rows of a side, pane by pane, and says where.
    pub(super) fn hold(&self, side: usize, held: &mut Held) -> Vec<Row> {
        self.parts[side].iter().flat_map(|(page, rows)| page.hold(rows.clone(), held)).collect()
    }
}
