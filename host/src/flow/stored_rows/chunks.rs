//! Rows of several panes in the order of their keys, some keys at a time.
//!
//! Each pane is read page by page. A chunk ends in front of the least key that is the last one read of some
//! pane which has more, so all rows of its keys are in it. Panes may be of several stores, as the two sides of
//! a join are.

use arrow_array::{Array, ArrayRef, BinaryArray};
use arrow_select::concat::concat;

use super::StoredRows;
use crate::error::Result;
use crate::state::Pane;

/// Rows of a chunk, over all panes, in batches: more of them are read at once.
const CHUNK_BATCHES: usize = 4;

/// How far some panes are.
pub(in crate::flow) struct Chunks {
    cursors: Vec<Cursor>,
    /// Rows of a page.
    rows: usize,
}

/// How far one pane is.
struct Cursor {
    /// The number of the store, and the pane in it.
    of: usize,
    pane: Pane,
    page: Option<Page>,
    /// Rows of the page that are done.
    used: usize,
    more: bool,
}

struct Page {
    names: BinaryArray,
    columns: Vec<ArrayRef>,
}

/// What a pane has of a chunk, in the order of names.
pub(in crate::flow) struct Part {
    /// The number of its store.
    pub(in crate::flow) of: usize,
    pub(in crate::flow) names: BinaryArray,
    pub(in crate::flow) columns: Vec<ArrayRef>,
}

impl Chunks {
    /// At the start of panes, each with the number of its store.
    pub(in crate::flow) fn new(panes: impl Iterator<Item = (usize, Pane)>, batch_rows: usize) -> Self {
        let cursor = |(of, pane)| Cursor { of, pane, page: None, used: 0, more: true };
        let cursors: Vec<Cursor> = panes.map(cursor).collect();
        let rows = (CHUNK_BATCHES * batch_rows / cursors.len().max(1)).max(1);
        Self { cursors, rows }
    }

    /// The rows of the next keys, pane by pane; none where all are done.
    pub(in crate::flow) fn next(&mut self, stores: &mut [&mut StoredRows]) -> Result<Option<Vec<Part>>> {
        for cursor in self.cursors.iter_mut().filter(|cursor| cursor.more && cursor.left() == 0) {
            cursor.read(stores[cursor.of], self.rows)?;
        }
        let bound = loop {
            let last = |cursor: &Cursor| cursor.key(stores[cursor.of], cursor.page.as_ref()?.names.len() - 1);
            let bound = self.cursors.iter().filter(|cursor| cursor.more).filter_map(last).min();
            let Some(bound) = bound else { break None };
            let first = |cursor: &Cursor| cursor.key(stores[cursor.of], cursor.used);
            if self.cursors.iter().filter_map(first).any(|key| key < bound) {
                break Some(bound);
            }
            // All that is read is of one key, and it goes on.
            for cursor in self.cursors.iter_mut().filter(|cursor| cursor.more) {
                if cursor.key(stores[cursor.of], cursor.used).is_some_and(|key| key == bound) {
                    cursor.read(stores[cursor.of], self.rows)?;
                }
            }
        };
        let take = |cursor: &mut Cursor| cursor.take(stores[cursor.of], bound.as_deref());
        let parts: Vec<Part> = self.cursors.iter_mut().filter_map(take).collect();
        Ok((!parts.is_empty()).then_some(parts))
    }
}

impl Cursor {
    /// Reads on, behind what is not done.
    fn read(&mut self, store: &mut StoredRows, rows: usize) -> Result<()> {
        let after = self.page.as_ref().map(|page| page.names.value(page.names.len() - 1).to_vec());
        let Some((names, columns)) = store.page(self.pane, after.as_deref(), rows)? else {
            self.more = false;
            return Ok(());
        };
        self.more = names.len() == rows;
        let left = self.left();
        let next = match self.page.take() {
            Some(page) if left > 0 => {
                let behind = |(old, new): (&ArrayRef, &ArrayRef)| {
                    concat(&[&*old.slice(self.used, left), new]).expect("columns of one store")
                };
                let columns = page.columns.iter().zip(&columns).map(behind).collect();
                let old = page.names.iter().skip(self.used);
                Page { names: BinaryArray::from_iter_values(old.chain(&names).flatten()), columns }
            }
            _ => Page { names, columns },
        };
        (self.page, self.used) = (Some(next), 0);
        Ok(())
    }

    /// Rows that are read and not done.
    fn left(&self) -> usize {
        self.page.as_ref().map_or(0, |page| page.names.len() - self.used)
    }

    /// The key of a row of the page, if there is such a row.
    fn key(&self, store: &StoredRows, row: usize) -> Option<Vec<u8>> {
        let page = self.page.as_ref().filter(|page| row < page.names.len())?;
        Some(store.key(page.names.value(row)).to_vec())
    }

    /// The rows whose keys are below a bound.
    fn take(&mut self, store: &StoredRows, bound: Option<&[u8]>) -> Option<Part> {
        let page = self.page.as_ref()?;
        let from = self.used;
        let within = |row: &usize| bound.is_none_or(|bound| store.key(page.names.value(*row)) < bound);
        let count = (from..page.names.len()).take_while(within).count();
        self.used += count;
        let columns = page.columns.iter().map(|column| column.slice(from, count)).collect();
        (count > 0).then(|| Part { of: self.of, names: page.names.slice(from, count), columns })
    }
}
