//! Rows to bytes.
//!
//! In come batches of the types of the contract; out go lines of CSV or JSON, appended to a
//! buffer. Values that both write alike are here: timestamps are ISO 8601 in UTC, floats the
//! shortest digits that read back as the same number, bytes two hexadecimal digits each. It never
//! writes to a file.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, BinaryArray, BooleanArray, PrimitiveArray, RecordBatch, StringArray};
use arrow_schema::Schema;
use serde::Serialize;

use super::{Format, csv, json};
use crate::error::{Error, Result};
use crate::flow::decode::iso8601;
use crate::types::DataType;

/// An encoder of one sink's rows.
#[derive(Debug)]
pub(super) enum Encoder {
    Csv(csv::Encoder),
    Json(json::Encoder),
}

impl Encoder {
    pub(super) fn new(format: &Format, schema: &Schema) -> Self {
        match format {
            Format::Csv(format) => Self::Csv(csv::Encoder::new(format, schema)),
            Format::JsonLines => Self::Json(json::Encoder::new(schema)),
        }
    }

    /// What stands before the first row.
    pub(super) fn header(&self, out: &mut Vec<u8>) {
        match self {
            Self::Csv(csv) => csv.header(out),
            Self::Json(_) => {}
        }
    }

    /// Appends rows.
    pub(super) fn rows(&self, rows: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        let columns = rows.columns().iter().map(|column| Column::of(column)).collect::<Result<Vec<_>>>()?;
        match self {
            Self::Csv(csv) => csv.rows(rows.num_rows(), &columns, out),
            Self::Json(json) => json.rows(rows.num_rows(), &columns, out),
        }
        Ok(())
    }
}

/// A column of a batch.
#[derive(Clone, Copy, Debug)]
pub(super) enum Column<'a> {
    Boolean(&'a BooleanArray),
    Int32(&'a PrimitiveArray<Int32Type>),
    Int64(&'a PrimitiveArray<Int64Type>),
    Float32(&'a PrimitiveArray<Float32Type>),
    Float64(&'a PrimitiveArray<Float64Type>),
    Timestamp(&'a PrimitiveArray<TimestampMicrosecondType>),
    Text(&'a StringArray),
    Bytes(&'a BinaryArray),
}

impl<'a> Column<'a> {
    fn of(array: &'a dyn Array) -> Result<Self> {
        let data_type = DataType::of(array.data_type());
        Ok(match data_type.ok_or_else(|| Error::Bug(format!("a {} column came to a sink", array.data_type())))? {
            DataType::Boolean => Self::Boolean(array.as_boolean()),
            DataType::Int32 => Self::Int32(array.as_primitive()),
            DataType::Int64 => Self::Int64(array.as_primitive()),
            DataType::Float32 => Self::Float32(array.as_primitive()),
            DataType::Float64 => Self::Float64(array.as_primitive()),
            DataType::Timestamp => Self::Timestamp(array.as_primitive()),
            DataType::Text => Self::Text(array.as_string()),
            DataType::Bytes => Self::Bytes(array.as_binary()),
        })
    }

    /// Whether a row has no value.
    pub(super) fn is_null(self, row: usize) -> bool {
        match self {
            Self::Boolean(a) => a.is_null(row),
            Self::Int32(a) => a.is_null(row),
            Self::Int64(a) => a.is_null(row),
            Self::Float32(a) => a.is_null(row),
            Self::Float64(a) => a.is_null(row),
            Self::Timestamp(a) => a.is_null(row),
            Self::Text(a) => a.is_null(row),
            Self::Bytes(a) => a.is_null(row),
        }
    }
}

/// Appends a number, boolean or text as JSON writes it. A float that is none is `null`.
pub(super) fn push_json(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    let written = serde_json::to_writer(out, value);
    debug_assert!(written.is_ok(), "a plain value can be written to memory");
}

/// Appends a timestamp.
pub(super) fn push_timestamp(out: &mut Vec<u8>, us: i64) {
    iso8601::write(out, us);
}

/// Appends bytes.
pub(super) fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.extend(bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]));
}
