//! What a function is called with: its columns found in the stream's and widened, without the rows that
//! it is not meant to see.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, NullBuffer};
use arrow_cast::cast;
use arrow_select::filter::filter;

use super::Invoker;
use crate::function::Expanded;

/// A column of the stream that an input is taken from.
pub(super) struct Column {
    pub(super) index: usize,
    pub(super) widen: Option<arrow_schema::DataType>,
    pub(super) strict: bool,
}

impl Invoker {
    /// The arguments for the rows of a batch.
    pub(super) fn arguments(&self, rows: &RecordBatch) -> Arguments {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.columns.len());
        let mut present: Option<NullBuffer> = None;
        for column in &self.columns {
            let array = rows.column(column.index);
            columns.push(match &column.widen {
                None => Arc::clone(array),
                Some(to) => cast(array, to).expect("the plan widens only what can be"),
            });
            if column.strict && array.null_count() > 0 {
                present = NullBuffer::union(present.as_ref(), array.nulls());
            }
        }
        let Some(present) = present.map(|p| p.inner().clone()) else {
            return Arguments { columns, rows: rows.num_rows(), present: None, starts: None };
        };
        let mask = BooleanArray::new(present.clone(), None);
        let columns = columns.iter().map(|c| picked(c, &mask)).collect();
        let indices = present.set_indices().map(|row| row as u32).collect::<Vec<_>>();
        Arguments { columns, rows: indices.len(), present: Some(Present { bits: present, indices }), starts: None }
    }
}

/// What a function is called with.
pub(super) struct Arguments {
    pub(super) columns: Vec<ArrayRef>,
    /// What the call is for: its rows, or its groups.
    pub(super) rows: usize,
    /// The rows that the function sees, where that is not all.
    pub(super) present: Option<Present>,
    /// Where the call is for groups: each group's first row, and where the last one ends.
    pub(super) starts: Option<Vec<usize>>,
}

pub(super) struct Present {
    bits: BooleanBuffer,
    indices: Vec<u32>,
}

impl Present {
    fn set_indices(&self) -> impl Iterator<Item = usize> {
        self.indices.iter().map(|row| *row as usize)
    }
}

impl Arguments {
    /// The row of the stream's batch that a row of the call is; a group is itself.
    pub(super) fn row(&self, row: usize) -> usize {
        match (&self.present, &self.starts) {
            (Some(present), None) => present.indices[row] as usize,
            _ => row,
        }
    }

    /// The rows of the columns that some of the call's rows or groups are.
    pub(super) fn slice(&self, range: &Range<usize>) -> Range<usize> {
        self.starts.as_ref().map_or(range.clone(), |starts| starts[range.start]..starts[range.end])
    }

    /// The groups of the rows that the function sees.
    pub(super) fn groups_of_present<'a>(&self, groups: &'a [u32]) -> Cow<'a, [u32]> {
        match &self.present {
            None => Cow::Borrowed(groups),
            Some(present) => Cow::Owned(present.set_indices().map(|row| groups[row]).collect()),
        }
    }

    /// The outputs of those of the call's rows that did not fail; adds where they came from to
    /// `parents`.
    pub(super) fn of_the_good(
        &self,
        range: &Range<usize>,
        expanded: Expanded,
        parents: &mut Vec<u32>,
    ) -> Vec<ArrayRef> {
        let Expanded { outputs, parents: of, errors } = expanded;
        let row = |parent: &u32| self.row(range.start + *parent as usize) as u32;
        if errors.is_empty() {
            parents.extend(of.values().iter().map(row));
            return outputs;
        }
        // A row that failed half way has no outputs.
        let good = |row: u32| errors.binary_search_by_key(&row, |e| e.row).is_err();
        let mask: BooleanArray = of.values().iter().map(|p| Some(good(*p))).collect();
        parents.extend(of.values().iter().filter(|p| good(**p)).map(row));
        outputs.iter().map(|o| picked(o, &mask)).collect()
    }

    /// A selection among the call's rows as one among the stream's.
    pub(super) fn spread(&self, selection: BooleanBuffer) -> BooleanBuffer {
        let Some(present) = &self.present else { return selection };
        let mut spread = BooleanBufferBuilder::new(present.bits.len());
        spread.append_n(present.bits.len(), false);
        for row in selection.set_indices() {
            spread.set_bit(present.indices[row] as usize, true);
        }
        spread.finish()
    }
}

fn picked(array: &ArrayRef, mask: &BooleanArray) -> ArrayRef {
    filter(array, mask).expect("the mask is as long as the column")
}
