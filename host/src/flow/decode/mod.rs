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
pub(crate) mod infer;
pub mod iso8601;
mod json;
mod lines;

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use arrow_select::filter::filter;

use crate::error::{Error, Result};
use crate::flow::source::CsvFormat;
use crate::types::Field;

pub(crate) use csv::header;

/// The longest record that is read: what is longer is bad, so that an open quote or a missing
/// newline costs neither memory nor the rest of the input.
pub(crate) const RECORD_BYTES_MAX: usize = 16 << 20;

/// Where the bytes handed to [`Decoder::frame`] end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// Wherever the last read ended; there may be more.
    Open,
    /// At the end of the input.
    End,
}

/// What has to happen after framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framed {
    /// There are as many records as were asked for.
    Enough,
    /// Every whole record is framed; the next one needs more bytes.
    NeedsMore,
}

/// A record that can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Its place among the chunk's records.
    pub(crate) record: usize,
    /// Why.
    pub(crate) reason: String,
}

/// The bytes of one record in its chunk, without the end of the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The records of a chunk that have been framed so far.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// One for each record.
    pub(crate) records: Vec<Frame>,
    /// Those that are known to be bad already, in ascending order of records.
    pub(crate) faults: Vec<Fault>,
    /// Bytes of the chunk that are done with: the next record starts here.
    pub(crate) consumed: usize,
    /// The last record was cut at [`RECORD_BYTES_MAX`]; what is left of its line is to be dropped.
    pub(crate) cut: bool,
}

impl Frames {
    /// Forgets the chunk.
    pub(crate) fn clear(&mut self) {
        self.records.clear();
        self.faults.clear();
        self.consumed = 0;
        self.cut = false;
    }

    /// Adds a record.
    fn push(&mut self, start: usize, end: usize, next: usize) {
        self.records.push(Frame { start, end });
        self.consumed = next;
    }

    /// Adds a record that is bad.
    fn push_bad(&mut self, start: usize, end: usize, next: usize, reason: String) {
        self.faults.push(Fault { record: self.records.len(), reason });
        self.push(start, end, next);
    }

    /// Adds a record that is too long: its first line if that ends in time, or else as much of it
    /// as may be held.
    fn push_long(&mut self, bytes: &[u8], start: usize, max: usize, why: &str) {
        let held = &bytes[start..bytes.len().min(start + max)];
        let (end, next) = match memchr::memchr(b'\n', held) {
            Some(at) => (start + at, start + at + 1),
            None => {
                self.cut = true;
                (start + held.len(), start + held.len())
            }
        };
        self.push_bad(start, end, next, format!("{why} (a record may have {} at most)", bytes_in_words(max)));
    }
}

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

/// The text of a chunk, if all of it is UTF-8; if not, the records that are none become faults and
/// the others can be read one by one.
fn texts<'a>(chunk: &'a [u8], frames: &mut Frames) -> Texts<'a> {
    match std::str::from_utf8(&chunk[..frames.consumed]) {
        Ok(text) => Texts::All(text),
        Err(_) => {
            let bad = (0..frames.records.len())
                .filter(|&i| std::str::from_utf8(&chunk[frames.records[i].start..frames.records[i].end]).is_err());
            let bad: Vec<Fault> = bad.map(|record| Fault { record, reason: "no valid UTF-8".to_owned() }).collect();
            frames.faults.extend(bad);
            settle(&mut frames.faults);
            Texts::Some(chunk)
        }
    }
}

/// A chunk that is text, or that is text in the records that are not bad.
#[derive(Clone, Copy)]
enum Texts<'a> {
    All(&'a str),
    Some(&'a [u8]),
}

impl<'a> Texts<'a> {
    /// Part of a record; empty if it is no UTF-8.
    #[inline]
    fn get(self, start: usize, end: usize) -> &'a str {
        match self {
            Self::All(text) => text.get(start..end).unwrap_or_default(),
            Self::Some(bytes) => std::str::from_utf8(&bytes[start..end]).unwrap_or_default(),
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

/// `16 MiB`.
fn bytes_in_words(bytes: usize) -> String {
    if bytes >= 1 << 20 && bytes.is_multiple_of(1 << 20) {
        format!("{} MiB", bytes >> 20)
    } else {
        format!("{bytes} bytes")
    }
}

/// A value as it is quoted in a reason: in quotes, and cut after 60 characters.
fn quoted(value: &str) -> String {
    match value.char_indices().nth(60) {
        Some((end, _)) => format!("\"{}…\"", &value[..end]),
        None => format!("\"{value}\""),
    }
}

/// The reason when a value has the wrong type.
fn mismatch(field: &Field, value: &str) -> String {
    format!("column `{}`: {value} is no {}", field.name, field.data_type)
}

/// The reason when there is no value where there has to be one.
fn missing(field: &Field) -> String {
    format!("column `{}`: null where the schema says {} without `?`", field.name, field.data_type)
}

#[cfg(test)]
mod tests;
