//! Keyed state in sections: how much of it to write, and which of it stands when it is read.

use std::collections::HashSet;

use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow_schema::{Field as ArrowField, Schema};
use arrow_select::take::take;
use std::sync::Arc;

use crate::checkpoint::{Section, Table};

/// Rows of a batch in a table.
pub(in crate::flow) const ROWS_MAX: usize = 1 << 20;

/// Whether a section is to be whole.
///
/// Changes alone are written until they come to as much as the last whole section: so what is written is
/// at most twice the change, and what is read at most twice the state.
#[derive(Debug, Default)]
pub(in crate::flow) struct Pace {
    whole: Option<usize>,
    since: usize,
}

impl Pace {
    /// Whether the next section is whole, where so many units have changed of so many.
    pub(in crate::flow) fn is_whole(&mut self, changed: usize, all: usize) -> bool {
        match self.whole {
            Some(whole) if self.since + changed <= whole.max(1024) => {
                self.since += changed;
                false
            }
            _ => {
                (self.whole, self.since) = (Some(all), 0);
                true
            }
        }
    }
}

/// The units (keys, or keys of panes) that newer sections have.
#[derive(Debug, Default)]
pub(in crate::flow) struct Newer {
    units: HashSet<Box<[u8]>>,
}

impl Newer {
    /// Whether a newer section has a unit.
    pub(in crate::flow) fn has(&self, unit: &[u8]) -> bool {
        self.units.contains(unit)
    }

    /// Adds a section's units.
    pub(in crate::flow) fn extend<'a>(&mut self, units: impl Iterator<Item = &'a [u8]>) {
        self.units.extend(units.map(Box::from));
    }
}

/// Sections with the newest first, each with whether there are older ones that it has to be known of.
pub(in crate::flow) fn newest_first(sections: &[(usize, Section)]) -> impl Iterator<Item = (&Section, bool)> {
    let wholes = sections.iter().filter(|(_, section)| section.whole).count();
    // Where all are whole, no unit is in two of them.
    let overlap = wholes < sections.len();
    sections.iter().rev().map(move |(_, section)| (section, overlap))
}

/// A table of named columns.
pub(in crate::flow) fn batch(columns: Vec<(String, ArrayRef)>) -> RecordBatch {
    let fields: Vec<ArrowField> =
        columns.iter().map(|(name, array)| ArrowField::new(name, array.data_type().clone(), true)).collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("columns of one length")
}

/// A table of batches, those without rows left out.
pub(in crate::flow) fn table(name: &str, batches: impl IntoIterator<Item = RecordBatch>) -> Table {
    let batches = batches.into_iter().filter(|batch| batch.num_rows() > 0).collect();
    Table { name: name.to_owned(), batches }
}

/// Some rows of a batch's columns from one on.
pub(in crate::flow) fn rows(batch: &RecordBatch, from: usize, rows: &[u32]) -> Vec<ArrayRef> {
    let columns = &batch.columns()[from..];
    if rows.len() == batch.num_rows() {
        return columns.to_vec();
    }
    let indices = UInt32Array::from(rows.to_vec());
    columns.iter().map(|column| take(column, &indices, None).expect("rows of the batch")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_follows_the_change() {
        let mut pace = Pace::default();
        let wholes: Vec<bool> = [10, 3000, 3000, 5000, 1, 20_000].map(|n| pace.is_whole(n, 10_000)).to_vec();
        assert_eq!(wholes, [true, false, false, true, false, true]);
    }
}
