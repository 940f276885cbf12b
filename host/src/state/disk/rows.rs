//! Accumulators as values of the tree, and back.
//!
//! A row is in arrow-row's encoding. Where a key may have several, each has its length in front, as four
//! bytes with the lowest first: what encodes rows does not say where one ends.

use arrow_array::ArrayRef;
use arrow_row::{RowConverter, RowParser, Rows, SortField};

use crate::state::PerKey;
use crate::types::Field;

/// Bytes that say how long a row is.
const LENGTH: usize = size_of::<u32>();

/// The accumulators of one store.
pub(super) struct Values {
    /// None for accumulators without columns.
    encoding: Option<(RowConverter, RowParser)>,
    per_key: PerKey,
}

/// Columns as rows that are taken one key after the other.
pub(super) struct Encoded {
    rows: Option<Rows>,
    per_key: PerKey,
    taken: usize,
    value: Vec<u8>,
}

impl Values {
    pub(super) fn new(fields: &[Field], per_key: PerKey) -> Self {
        let sorted = fields.iter().map(|f| SortField::new(f.data_type.arrow())).collect();
        let converter = || RowConverter::new(sorted).expect("every data type has an encoding");
        let encoding = (!fields.is_empty()).then(converter).map(|c| {
            let parser = c.parser();
            (c, parser)
        });
        Self { encoding, per_key }
    }

    /// The rows of columns.
    pub(super) fn encode(&self, columns: &[ArrayRef]) -> Encoded {
        let convert = |(converter, _): &(RowConverter, _)| {
            converter.convert_columns(columns).expect("the columns are those of the plan")
        };
        Encoded { rows: self.encoding.as_ref().map(convert), per_key: self.per_key, taken: 0, value: Vec::new() }
    }

    /// How many rows each value has, where that is not one, and the columns of all.
    pub(super) fn decode(&self, values: &[impl AsRef<[u8]>]) -> (Option<Vec<u32>>, Vec<ArrayRef>) {
        let columns = |rows: &mut dyn Iterator<Item = &[u8]>| {
            self.encoding.as_ref().map_or_else(Vec::new, |(converter, parser)| {
                let rows = rows.map(|row| parser.parse(row));
                converter.convert_rows(rows).expect("the rows were made by this converter")
            })
        };
        if self.per_key == PerKey::One {
            return (None, columns(&mut values.iter().map(AsRef::as_ref)));
        }
        let (mut counts, mut rows) = (Vec::with_capacity(values.len()), Vec::new());
        for value in values {
            let (mut rest, before) = (value.as_ref(), rows.len());
            while let Some((length, behind)) = rest.split_first_chunk::<LENGTH>() {
                let (row, behind) = behind.split_at(u32::from_le_bytes(*length) as usize);
                rows.push(row);
                rest = behind;
            }
            counts.push((rows.len() - before) as u32);
        }
        (Some(counts), columns(&mut rows.into_iter()))
    }
}

impl Encoded {
    /// The value of the next key, which has so many of the rows.
    pub(super) fn next(&mut self, count: u32) -> &[u8] {
        self.value.clear();
        for row in self.taken..self.taken + count as usize {
            let row = self.rows.as_ref().map(|rows| rows.row(row));
            let row = row.as_ref().map_or(&[][..], |row| row.data());
            if self.per_key == PerKey::Many {
                self.value.extend_from_slice(&(row.len() as u32).to_le_bytes());
            }
            self.value.extend_from_slice(row);
        }
        self.taken += count as usize;
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Array, Int64Array, StringArray};

    use super::*;
    use crate::types::DataType;

    #[test]
    fn rows_of_keys_come_back() {
        let fields = [Field::new("n", DataType::Int64, false), Field::new("t", DataType::Text, true)];
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![1, 2, 3])),
            Arc::new(StringArray::from(vec![Some("longer than a block of the encoding"), None, Some("")])),
        ];
        for (per_key, counts) in [(PerKey::One, vec![1, 1, 1]), (PerKey::Many, vec![2, 1])] {
            let values = Values::new(&fields, per_key);
            let mut encoded = values.encode(&columns);
            let all: Vec<Vec<u8>> = counts.iter().map(|count| encoded.next(*count).to_vec()).collect();
            let (found, back) = values.decode(&all);
            assert_eq!((found, &back), ((per_key == PerKey::Many).then_some(counts), &columns));
        }
        let none = Values::new(&[], PerKey::Many);
        let value = none.encode(&[]).next(2).to_vec();
        let (counts, columns) = none.decode(&[value]);
        assert_eq!((counts, columns.iter().map(|c| c.len()).sum::<usize>()), (Some(vec![2]), 0));
    }
}
