//! From what a guest returned to Arrow columns. Nothing is trusted: lengths, offsets, UTF-8 and
//! nulls are checked before Arrow adopts a buffer, and what does not hold is a fault that says
//! which column of which function broke which rule.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, PrimitiveArray, StringArray, UInt32Array};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, Buffer, MutableBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};

use super::bindings::weir::udf::types::{BatchResult, ColumnResult, RowError as WitRowError};
use super::limits::Limits;
use crate::function::{Fault, FaultKind, RowError};
use crate::types::{DataType, Field};

/// Checks and adopts a batch that must have these columns and this many rows.
pub(super) fn batch(
    what: &str,
    batch: BatchResult,
    fields: &[Field],
    rows: usize,
    limits: &Limits,
) -> Result<Vec<ArrayRef>, Fault> {
    if batch.rows as usize != rows {
        return Err(Fault::contract(format!("{what}: {} rows, expected {rows}", batch.rows)));
    }
    adopt(what, batch, fields, limits)
}

/// Checks and adopts a batch that must have these columns and says itself how many rows it has.
pub(super) fn columns(
    what: &str,
    batch: BatchResult,
    fields: &[Field],
    limits: &Limits,
) -> Result<Vec<ArrayRef>, Fault> {
    if batch.rows as usize > limits.output_rows_max {
        let message = format!("{what}: {} rows, and its limit is {}", batch.rows, limits.output_rows_max);
        return Err(Fault::new(FaultKind::Output, message));
    }
    adopt(what, batch, fields, limits)
}

fn adopt(what: &str, batch: BatchResult, fields: &[Field], limits: &Limits) -> Result<Vec<ArrayRef>, Fault> {
    if batch.columns.len() != fields.len() {
        return Err(Fault::contract(format!(
            "{what}: {} columns, but the signature has {}",
            batch.columns.len(),
            fields.len()
        )));
    }
    let rows = batch.rows as usize;
    let lifted = batch.columns.into_iter().zip(fields).map(|(column, field)| {
        lift(column, field, rows)
            .map_err(|rule| Fault::contract(format!("{what}, column `{}`: {rule}", field.name)))
            .and_then(|column| check_texts(what, column, field, limits.text_bytes_max))
    });
    lifted.collect()
}

/// Refuses a column with a value that is too long. Looks at the values only where all together are.
fn check_texts(what: &str, column: ArrayRef, field: &Field, bytes_max: usize) -> Result<ArrayRef, Fault> {
    let offsets = match field.data_type {
        DataType::Text => column.as_string::<i32>().value_offsets(),
        DataType::Bytes => column.as_binary::<i32>().value_offsets(),
        _ => return Ok(column),
    };
    let all = offsets.last().map_or(0, |end| *end as usize);
    let longest = || offsets.windows(2).map(|w| (w[1] - w[0]) as usize).max().unwrap_or(0);
    if all > bytes_max && longest() > bytes_max {
        let message =
            format!("{what}, column `{}`: a value of {} bytes, and its limit is {bytes_max}", field.name, longest());
        return Err(Fault::new(FaultKind::Output, message));
    }
    Ok(column)
}

/// Checks row errors against the number of rows.
pub(super) fn errors(errors: Vec<WitRowError>, rows: usize, limits: &Limits) -> Result<Vec<RowError>, Fault> {
    errors_among("row", errors, rows, limits)
}

/// Checks errors of what there are so many of.
pub(super) fn errors_among(
    what: &str,
    errors: Vec<WitRowError>,
    count: usize,
    limits: &Limits,
) -> Result<Vec<RowError>, Fault> {
    if let Some(error) = errors.iter().find(|e| e.row as usize >= count) {
        return Err(Fault::contract(format!("an error for {what} {}, but there are {count} {what}s", error.row)));
    }
    let mut errors: Vec<RowError> = errors
        .into_iter()
        .map(|e| RowError { row: e.row, message: shortened(e.message, limits.message_bytes_max) })
        .collect();
    // A row fails once, whatever the guest says; the first message stands.
    errors.sort_by_key(|e| e.row);
    errors.dedup_by_key(|e| e.row);
    Ok(errors)
}

/// The message, cut where it is too long. What is cut gives its memory back.
pub(super) fn shortened(mut message: String, bytes_max: usize) -> String {
    if message.len() > bytes_max {
        message.truncate(message.floor_char_boundary(bytes_max));
        message.push('…');
        message.shrink_to_fit();
    }
    message
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
mod tests;
