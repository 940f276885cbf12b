//! From bytes to columns: records are framed, then decoded.
//!
//! In come bytes that start at a record's first byte; out go the typed columns that were asked
//! for, and for every record that can't be read its place in the chunk and a reason in plain
//! words. One bad record costs no other, and what is bad does not depend on how the bytes were cut
//! into chunks. A decoder never reads (it is handed bytes), never numbers records in a partition
//! and never orders, filters or stamps rows.
//!
//! Both decoders are ours and not `arrow-csv` and `arrow-json`, because those fail a whole batch
//! for one bad record without saying which, have no bytes in CSV, and read every column of CSV.

mod column;
mod csv;
mod frame;
pub(crate) mod infer;
pub mod iso8601;
mod json;
mod lines;
pub(super) mod reason;
mod texts;

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use arrow_select::filter::filter;

use crate::error::{Error, Result};
use crate::flow::source::CsvFormat;
use crate::types::Field;

pub(crate) use csv::header;
pub(crate) use frame::{Fault, Frame, Framed, Frames, RECORD_BYTES_MAX, Tail};
use reason::{mismatch, missing, quoted};
use texts::{Texts, texts};

/// Rows, and the records that are none.
#[derive(Debug)]
pub(crate) struct Rows {
    /// The good ones.
    pub(crate) batch: RecordBatch,
    /// The others, in ascending order.
    pub(crate) faults: Vec<Fault>,
}

/// A decoder of one partition's records.
#[derive(Debug)]
pub(crate) enum Decoder {
    /// Comma-separated values.
    Csv(csv::Decoder),
    /// JSON Lines.
    Json(json::Decoder),
}

impl Decoder {
    /// A decoder of CSV. `columns[i]` is the field at place `places[i]` of a record with `fields`
    /// fields.
    pub(crate) fn csv(format: &CsvFormat, fields: usize, columns: Vec<Field>, places: &[usize]) -> Self {
        Self::Csv(csv::Decoder::new(format, fields, columns, places))
    }

    /// A decoder of JSON Lines.
    pub(crate) fn json(columns: Vec<Field>) -> Self {
        Self::Json(json::Decoder::new(columns))
    }

    /// Frames records of the chunk, from where it left off, until there are `rows` of them.
    /// `chunk` is what it was at the last call, with bytes added.
    pub(crate) fn frame(&mut self, chunk: &[u8], tail: Tail, rows: usize, frames: &mut Frames) -> Framed {
        match self {
            Self::Csv(csv) => csv.frame(chunk, tail, rows, frames, RECORD_BYTES_MAX),
            Self::Json(_) => lines::frame(chunk, tail, rows, frames, RECORD_BYTES_MAX),
        }
    }

    /// The rows of the framed records.
    pub(crate) fn decode(&mut self, chunk: &[u8], frames: &mut Frames) -> Result<Rows> {
        match self {
            Self::Csv(csv) => csv.decode(chunk, frames),
            Self::Json(json) => json.decode(chunk, frames),
        }
    }

    /// Forgets the framed records, before a new chunk.
    pub(crate) fn clear(&mut self, frames: &mut Frames) {
        frames.clear();
        if let Self::Csv(csv) = self {
            csv.clear();
        }
    }
}

/// The rows of the columns' good records. What a bad record has in a column does not matter.
fn without_bad(schema: &SchemaRef, columns: Vec<ArrayRef>, records: usize, mut faults: Vec<Fault>) -> Result<Rows> {
    settle(&mut faults);
    let bug = |e| Error::Bug(format!("decoded records make no batch: {e}"));
    let mut columns = columns;
    if !faults.is_empty() {
        let mut good = vec![true; records];
        for fault in &faults {
            good[fault.record] = false;
        }
        let good = BooleanArray::from(good);
        for column in &mut columns {
            *column = filter(column, &good).map_err(bug)?;
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(records - faults.len()));
    let batch = RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(bug)?;
    Ok(Rows { batch, faults })
}

/// Sorts faults by record; of several of one record the first stays.
fn settle(faults: &mut Vec<Fault>) {
    faults.sort_by_key(|fault| fault.record);
    faults.dedup_by_key(|fault| fault.record);
}

#[cfg(test)]
mod tests;
