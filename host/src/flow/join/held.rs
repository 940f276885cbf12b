//! The rows of one side that wait for partners, as Arrow columns.
//!
//! In go batches, out come columns of any rows that are held, in any order. A row is known by its
//! place. Rows that are done with stay until they are the greater part; then those that are left
//! move together, so that memory stays within about twice of what waits.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryArray, RecordBatch, new_null_array};
use arrow_schema::SchemaRef;
use arrow_select::concat::concat_batches;
use arrow_select::interleave::interleave;

/// Rows of a chunk, at most: small batches are put together up to here.
const CHUNK_ROWS: usize = 8192;

/// Rows that are done with, below which moving the others is not worth it.
const DONE_ROWS_MIN: usize = 2 * CHUNK_ROWS;

/// Where a row is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    chunk: u32,
    row: u32,
}

/// The rows of a side.
#[derive(Debug)]
pub(super) struct Held {
    /// The columns, and behind them the key in an encoding that sorts by bytes.
    schema: SchemaRef,
    chunks: Vec<RecordBatch>,
    /// Rows in the chunks.
    rows: usize,
    /// Those of them that are done with.
    done: usize,
    /// Bytes in the chunks.
    bytes: usize,
}

impl Held {
    pub(super) fn new(schema: SchemaRef) -> Self {
        Self { schema, chunks: Vec::new(), rows: 0, done: 0, bytes: 0 }
    }

    /// The columns of a side's rows, the key's last.
    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Takes rows in, and says where each is.
    pub(super) fn push(&mut self, rows: RecordBatch) -> impl Iterator<Item = Place> + use<> {
        let count = rows.num_rows();
        self.rows += count;
        self.bytes += bytes(&rows);
        let before = match self.chunks.last_mut() {
            Some(last) if last.num_rows() + count <= CHUNK_ROWS => {
                let before = last.num_rows();
                *last = concat_batches(&self.schema, [&*last, &rows]).expect("batches of one side");
                before
            }
            _ => {
                self.chunks.push(rows);
                0
            }
        };
        let chunk = self.chunks.len() as u32 - 1;
        (before..before + count).map(move |row| Place { chunk, row: row as u32 })
    }

    /// The key of a row.
    pub(super) fn key(&self, place: Place) -> &[u8] {
        self.keys(place.chunk).value(place.row as usize)
    }

    fn keys(&self, chunk: u32) -> &BinaryArray {
        let chunk = &self.chunks[chunk as usize];
        chunk.column(chunk.num_columns() - 1).as_binary()
    }

    /// A column of these rows; null where there is none.
    pub(super) fn column(&self, index: usize, places: &Places) -> ArrayRef {
        let mut arrays: Vec<&dyn Array> =
            places.chunks.iter().map(|chunk| self.chunks[*chunk as usize].column(index).as_ref()).collect();
        let nothing = new_null_array(self.schema.field(index).data_type(), 1);
        if places.missing {
            arrays.push(&nothing);
        }
        interleave(&arrays, &places.rows).expect("columns of one type")
    }

    /// Some rows, as they are held.
    pub(super) fn rows_of(&self, places: impl Iterator<Item = Place>) -> RecordBatch {
        let places: Places = places.map(Some).collect();
        if places.rows.is_empty() {
            return RecordBatch::new_empty(self.schema());
        }
        let columns = (0..self.schema.fields().len()).map(|index| self.column(index, &places)).collect();
        RecordBatch::try_new(Arc::clone(&self.schema), columns).expect("columns of the side")
    }

    /// About how many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Rows that take memory.
    #[cfg(test)]
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Notes that so many rows are done with.
    pub(super) fn release(&mut self, count: usize) {
        self.done += count;
    }

    /// Whether so much is done with that [`Held::keep`] is worth it.
    pub(super) fn is_wasteful(&self) -> bool {
        self.done > DONE_ROWS_MIN.max(self.rows / 2)
    }

    /// Keeps these rows alone, which are all that are not done with, and puts their new places where the
    /// old ones stood.
    pub(super) fn keep<'a>(&mut self, places: impl Iterator<Item = &'a mut Place>) {
        let mut places: Vec<&mut Place> = places.collect();
        debug_assert_eq!(places.len(), self.rows - self.done, "every row is done with or found");
        let mut chunks = Vec::new();
        for some in places.chunks_mut(CHUNK_ROWS) {
            let found: Places = some.iter().map(|place| Some(**place)).collect();
            let columns = (0..self.schema.fields().len()).map(|index| self.column(index, &found)).collect();
            let chunk = RecordBatch::try_new(Arc::clone(&self.schema), columns).expect("columns of the side");
            for (place, row) in some.iter_mut().zip(0..) {
                **place = Place { chunk: chunks.len() as u32, row };
            }
            chunks.push(chunk);
        }
        (self.rows, self.done, self.bytes) = (places.len(), 0, chunks.iter().map(bytes).sum());
        self.chunks = chunks;
    }
}

/// About how many bytes rows take.
fn bytes(rows: &RecordBatch) -> usize {
    let of = |column: &ArrayRef| column.to_data().get_slice_memory_size();
    rows.columns().iter().map(|column| of(column).unwrap_or_else(|_| column.get_array_memory_size())).sum()
}

/// Rows to be gathered: the chunks that they are in, and where in these each is.
#[derive(Debug, Default)]
pub(super) struct Places {
    chunks: Vec<u32>,
    rows: Vec<(usize, usize)>,
    /// Whether some are of no row; they stand behind the last chunk.
    missing: bool,
}

impl FromIterator<Option<Place>> for Places {
    fn from_iter<I: IntoIterator<Item = Option<Place>>>(places: I) -> Self {
        let places: Vec<Option<Place>> = places.into_iter().collect();
        let mut chunks: Vec<u32> = places.iter().flatten().map(|place| place.chunk).collect();
        chunks.sort_unstable();
        chunks.dedup();
        let find = |chunk: u32| chunks.binary_search(&chunk).unwrap_or_default();
        // Rows that follow each other are mostly of one chunk.
        let mut last = (u32::MAX, 0);
        let (mut rows, mut missing) = (Vec::with_capacity(places.len()), false);
        for place in places {
            rows.push(match place {
                None => {
                    missing = true;
                    (chunks.len(), 0)
                }
                Some(Place { chunk, row }) => {
                    if chunk != last.0 {
                        last = (chunk, find(chunk));
                    }
                    (last.1, row as usize)
                }
            });
        }
        Self { chunks, rows, missing }
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::Int64Array;
    use arrow_array::types::Int64Type;

    use super::*;
    use crate::types::{DataType, Field, arrow_schema};

    fn rows(numbers: std::ops::Range<i64>) -> RecordBatch {
        let fields = [Field::new("n", DataType::Int64, false), Field::new("", DataType::Bytes, false)];
        let keys = BinaryArray::from_iter_values(numbers.clone().map(i64::to_be_bytes));
        let numbers = Int64Array::from_iter_values(numbers);
        RecordBatch::try_new(arrow_schema(&fields), vec![Arc::new(numbers), Arc::new(keys)]).expect("two columns")
    }

    #[test]
    fn rows_are_found_where_they_are_and_after_they_moved() {
        let mut held = Held::new(rows(0..0).schema());
        let mut places: Vec<Place> = [0..3, 3..20_000, 20_000..20_001, 20_001..40_000]
            .into_iter()
            .flat_map(|numbers| held.push(rows(numbers)))
            .collect();
        held.release(30_000);
        assert!(held.is_wasteful());
        let mut kept: Vec<(i64, Place)> = (0..40_000).zip(places.drain(..)).filter(|(n, _)| n % 4 == 3).collect();
        held.keep(kept.iter_mut().map(|(_, place)| place));
        assert!(!held.is_wasteful());
        kept.reverse();
        let found: Places = kept.iter().map(|(_, place)| Some(*place)).chain([None]).collect();
        let column = held.column(0, &found);
        let numbers: Vec<Option<i64>> = column.as_primitive::<Int64Type>().iter().collect();
        let expected: Vec<Option<i64>> = kept.iter().map(|(n, _)| Some(*n)).chain([None]).collect();
        assert_eq!(numbers, expected);
        assert!(kept.iter().all(|(n, place)| held.key(*place) == n.to_be_bytes()));
    }
}
