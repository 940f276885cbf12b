//! From what a guest returned to Arrow columns. Nothing is trusted: lengths, offsets, UTF-8 and
//! nulls are checked before Arrow adopts a buffer, and what does not hold is a fault that says
//! which column of which function broke which rule.

use std::sync::Arc;

use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, PrimitiveArray, StringArray, UInt32Array};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, Buffer, MutableBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};

use super::bindings::weir::udf::types::{BatchResult, ColumnResult, RowError as WitRowError};
use crate::function::{Fault, RowError};
use crate::types::{DataType, Field};

/// Checks and adopts a batch that must have these columns and this many rows.
pub(super) fn batch(what: &str, batch: BatchResult, fields: &[Field], rows: usize) -> Result<Vec<ArrayRef>, Fault> {
    if batch.rows as usize != rows {
        return Err(Fault::contract(format!("{what}: {} rows, expected {rows}", batch.rows)));
    }
    columns(what, batch, fields)
}

/// Checks and adopts a batch that must have these columns and says itself how many rows it has.
pub(super) fn columns(what: &str, batch: BatchResult, fields: &[Field]) -> Result<Vec<ArrayRef>, Fault> {
    if batch.columns.len() != fields.len() {
        return Err(Fault::contract(format!(
            "{what}: {} columns, but the signature has {}",
            batch.columns.len(),
            fields.len()
        )));
    }
    let rows = batch.rows as usize;
    let lifted = batch.columns.into_iter().zip(fields).map(|(column, field)| {
        lift(column, field, rows).map_err(|rule| Fault::contract(format!("{what}, column `{}`: {rule}", field.name)))
    });
    lifted.collect()
}

/// Checks row errors against the number of rows.
pub(super) fn errors(errors: Vec<WitRowError>, rows: usize) -> Result<Vec<RowError>, Fault> {
    errors_among("row", errors, rows)
}

/// Checks errors of what there are so many of.
pub(super) fn errors_among(what: &str, errors: Vec<WitRowError>, count: usize) -> Result<Vec<RowError>, Fault> {
    if let Some(error) = errors.iter().find(|e| e.row as usize >= count) {
        return Err(Fault::contract(format!("an error for {what} {}, but there are {count} {what}s", error.row)));
    }
    let mut errors: Vec<RowError> = errors.into_iter().map(|e| RowError { row: e.row, message: e.message }).collect();
    // A row fails once, whatever the guest says; the first message stands.
    errors.sort_by_key(|e| e.row);
    errors.dedup_by_key(|e| e.row);
    Ok(errors)
}

/// Checks a filter's selection.
pub(super) fn selection(bytes: Vec<u8>, rows: usize) -> Result<BooleanBuffer, Fault> {
    let expected = rows.div_ceil(8);
    if bytes.len() != expected {
        return Err(Fault::contract(format!(
            "the selection has {} bytes, expected {expected} for {rows} rows",
            bytes.len()
        )));
    }
    Ok(BooleanBuffer::new(Buffer::from_vec(bytes), 0, rows))
}

/// Checks a flat-mapper's parents: one for each output row, never decreasing, each a row of the
/// input.
pub(super) fn parents(bytes: Vec<u8>, outputs: usize, rows: usize) -> Result<UInt32Array, Fault> {
    parents_among("rows", bytes, outputs, rows)
}

/// Checks parents of which there are so many.
pub(super) fn parents_among(what: &str, bytes: Vec<u8>, outputs: usize, count: usize) -> Result<UInt32Array, Fault> {
    if bytes.len() != outputs * 4 {
        return Err(Fault::contract(format!(
            "the parents have {} bytes, expected {} for {outputs} output rows",
            bytes.len(),
            outputs * 4
        )));
    }
    let parents = UInt32Array::new(scalars::<u32>(bytes, outputs), None);
    if !parents.values().is_sorted() {
        return Err(Fault::contract("the parents decrease"));
    }
    match parents.values().last() {
        Some(last) if *last as usize >= count => {
            Err(Fault::contract(format!("parent {last}, but there are {count} {what}")))
        }
        _ => Ok(parents),
    }
}

fn lift(column: ColumnResult, field: &Field, rows: usize) -> Result<ArrayRef, String> {
    let ColumnResult { validity, offsets, values } = column;
    let nulls = nulls(validity, field, rows)?;
    let texty = matches!(field.data_type, DataType::Text | DataType::Bytes);
    if !texty && !offsets.is_empty() {
        return Err(format!("{} bytes of offsets, but {} has none", offsets.len(), field.data_type));
    }
    Ok(match field.data_type {
        DataType::Boolean => {
            check_length(&values, rows.div_ceil(8), field, rows)?;
            Arc::new(BooleanArray::new(BooleanBuffer::new(Buffer::from_vec(values), 0, rows), nulls))
        }
        DataType::Int32 => primitive::<Int32Type>(values, nulls, field, rows)?,
        DataType::Int64 => primitive::<Int64Type>(values, nulls, field, rows)?,
        DataType::Float32 => primitive::<Float32Type>(values, nulls, field, rows)?,
        DataType::Float64 => primitive::<Float64Type>(values, nulls, field, rows)?,
        DataType::Timestamp => primitive::<TimestampMicrosecondType>(values, nulls, field, rows)?,
        DataType::Text => {
            let offsets = text_offsets(offsets, values.len(), rows)?;
            Arc::new(if values.is_ascii() {
                // SAFETY: the offsets have been checked, and ASCII is UTF-8 wherever it is cut.
                unsafe { StringArray::new_unchecked(offsets, Buffer::from_vec(values), nulls) }
            } else {
                StringArray::try_new(offsets, Buffer::from_vec(values), nulls)
                    .map_err(|e| format!("no valid UTF-8 ({e})"))?
            })
        }
        DataType::Bytes => {
            let offsets = text_offsets(offsets, values.len(), rows)?;
            Arc::new(BinaryArray::try_new(offsets, Buffer::from_vec(values), nulls).map_err(|e| e.to_string())?)
        }
    })
}

fn check_length(values: &[u8], expected: usize, field: &Field, rows: usize) -> Result<(), String> {
    if values.len() == expected {
        return Ok(());
    }
    Err(format!("{} bytes of values, expected {expected} for {rows} rows of {}", values.len(), field.data_type))
}

fn primitive<T: ArrowPrimitiveType>(
    values: Vec<u8>,
    nulls: Option<NullBuffer>,
    field: &Field,
    rows: usize,
) -> Result<ArrayRef, String> {
    check_length(&values, rows * size_of::<T::Native>(), field, rows)?;
    let array = PrimitiveArray::<T>::new(scalars(values, rows), nulls);
    Ok(match field.data_type {
        // Arrow's own type of the numbers has no time zone.
        DataType::Timestamp => Arc::new(array.with_data_type(field.data_type.arrow())),
        _ => Arc::new(array),
    })
}

fn nulls(validity: Vec<u8>, field: &Field, rows: usize) -> Result<Option<NullBuffer>, String> {
    if validity.is_empty() {
        return Ok(None);
    }
    let expected = rows.div_ceil(8);
    if validity.len() != expected {
        return Err(format!("{} bytes of validity, expected {expected} for {rows} rows", validity.len()));
    }
    let nulls = NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(validity), 0, rows));
    match nulls.null_count() {
        0 => Ok(None),
        count if !field.nullable => Err(format!("{count} nulls, but the signature says there are none")),
        _ => Ok(Some(nulls)),
    }
}

fn text_offsets(offsets: Vec<u8>, values: usize, rows: usize) -> Result<OffsetBuffer<i32>, String> {
    if offsets.len() != (rows + 1) * 4 {
        return Err(format!("{} bytes of offsets, expected {} for {rows} rows", offsets.len(), (rows + 1) * 4));
    }
    let offsets = scalars::<i32>(offsets, rows + 1);
    if offsets[0] != 0 {
        return Err(format!("the offsets start at {}, expected 0", offsets[0]));
    }
    // All rows are looked at, which is quicker than to look after each whether to go on.
    if !offsets.windows(2).fold(true, |sorted, w| sorted & (w[0] <= w[1])) {
        let row = offsets.windows(2).position(|w| w[1] < w[0]).unwrap_or(rows);
        return Err(format!("the offsets run backwards at row {row}"));
    }
    if offsets[rows] as usize != values {
        return Err(format!("the offsets end at {}, but there are {values} bytes of values", offsets[rows]));
    }
    // SAFETY: they start at 0 and never run backwards.
    Ok(unsafe { OffsetBuffer::new_unchecked(offsets) })
}

/// The bytes as numbers. Arrow wants them aligned, and a byte vector need not be, though every
/// allocator in use makes it so.
fn scalars<T: ArrowNativeType>(bytes: Vec<u8>, count: usize) -> ScalarBuffer<T> {
    let buffer = if bytes.as_ptr().cast::<T>().is_aligned() {
        Buffer::from_vec(bytes)
    } else {
        let mut aligned = MutableBuffer::with_capacity(bytes.len());
        aligned.extend_from_slice(&bytes);
        aligned.into()
    };
    ScalarBuffer::new(buffer, 0, count)
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;

    use super::*;

    fn text() -> Field {
        Field::new("t", DataType::Text, true)
    }

    fn offsets(offsets: &[i32]) -> Vec<u8> {
        offsets.iter().flat_map(|o| o.to_le_bytes()).collect()
    }

    fn one(column: ColumnResult, field: Field, rows: u32) -> Result<Vec<ArrayRef>, Fault> {
        batch("f", BatchResult { rows, columns: vec![column] }, &[field], 2)
    }

    #[test]
    fn adopts_what_holds() {
        let column = ColumnResult { validity: vec![0b01], offsets: offsets(&[0, 2, 2]), values: b"ab".to_vec() };
        let lifted = one(column, text(), 2).expect("valid");
        assert_eq!(lifted[0].as_ref(), &StringArray::from(vec![Some("ab"), None]) as &dyn Array);
    }

    #[test]
    fn names_the_rule_that_is_broken() {
        let text_with = |o: &[i32], values: &[u8]| {
            let column = ColumnResult { validity: vec![], offsets: offsets(o), values: values.to_vec() };
            one(column, text(), 2).expect_err("invalid").message
        };
        assert_eq!(text_with(&[0, 1], b"ab"), "f, column `t`: 8 bytes of offsets, expected 12 for 2 rows");
        assert_eq!(text_with(&[1, 1, 2], b"ab"), "f, column `t`: the offsets start at 1, expected 0");
        assert_eq!(text_with(&[0, 2, 1], b"ab"), "f, column `t`: the offsets run backwards at row 1");
        assert_eq!(
            text_with(&[0, 2, 9], b"ab"),
            "f, column `t`: the offsets end at 9, but there are 2 bytes of values"
        );
        assert!(text_with(&[0, 1, 2], "é".as_bytes()).starts_with("f, column `t`: no valid UTF-8"));

        let number = |validity: &[u8], values: usize, rows| {
            let column = ColumnResult { validity: validity.to_vec(), offsets: vec![], values: vec![0; values] };
            one(column, Field::new("n", DataType::Int64, false), rows).expect_err("invalid").message
        };
        assert_eq!(number(&[], 8, 2), "f, column `n`: 8 bytes of values, expected 16 for 2 rows of int64");
        assert_eq!(number(&[], 16, 3), "f: 3 rows, expected 2");
        assert_eq!(number(&[0b01], 16, 2), "f, column `n`: 1 nulls, but the signature says there are none");
        assert_eq!(number(&[1, 1], 16, 2), "f, column `n`: 2 bytes of validity, expected 1 for 2 rows");
    }

    #[test]
    fn rows_that_do_not_exist_are_refused() {
        let at = |row| vec![WitRowError { row, message: "no".into() }];
        assert_eq!(errors(at(2), 2).expect_err("out").message, "an error for row 2, but there are 2 rows");
        assert_eq!(errors([at(1), at(1)].concat(), 2).expect("once").len(), 1);
        assert!(selection(vec![0; 2], 8).is_err());
        assert_eq!(parents(offsets(&[1, 0]), 2, 2).expect_err("back").message, "the parents decrease");
        assert_eq!(parents(offsets(&[1, 2]), 2, 2).expect_err("out").message, "parent 2, but there are 2 rows");
    }
}
