//! JSON Lines to columns.
//!
//! In come the lines of a chunk; out go the columns that were asked for. A line holds one object.
//! Members that are no column are checked and passed over, a column without a member is null, and
//! of two members with one name the last counts. Numbers and booleans may also be in quotes, as
//! exports of CSV have them. A text column takes numbers, booleans, objects and lists as they are
//! spelled. An `int64` takes `3.0` but not `3.5`. Timestamps are ISO 8601 texts, or integers of
//! microseconds; bytes are hexadecimal texts. It never reads a line twice.

mod build;
mod scan;
mod text;

use arrow_schema::SchemaRef;

use super::{Fault, Frames, Rows, texts, without_bad};
use crate::error::Result;
use crate::types::{Field, arrow_schema};
use build::Builder;
use scan::Broken;
pub(super) use scan::{Scan, Value};

/// A decoder of JSON Lines.
#[derive(Debug)]
pub(crate) struct Decoder {
    columns: Vec<Field>,
    schema: SchemaRef,
}

impl Decoder {
    pub(super) fn new(columns: Vec<Field>) -> Self {
        Self { schema: arrow_schema(&columns), columns }
    }

    pub(super) fn decode(&mut self, chunk: &[u8], frames: &mut Frames) -> Result<Rows> {
        let texts = texts(chunk, frames);
        let rows = frames.records.len();
        let mut faults = std::mem::take(&mut frames.faults);
        let mut builders: Vec<Builder> = self.columns.iter().map(|field| Builder::new(field.data_type, rows)).collect();
        let mut cells = Vec::with_capacity(self.columns.len());
        for (record, frame) in frames.records.iter().enumerate() {
            cells.clear();
            cells.resize(self.columns.len(), Value::Null);
            let line = texts.get(frame.start, frame.end);
            if let Err(reason) = read(line, &self.columns, &mut cells) {
                faults.push(Fault { record, reason });
                builders.iter_mut().for_each(Builder::push_null);
                continue;
            }
            for (field, (cell, builder)) in self.columns.iter().zip(cells.iter().zip(&mut builders)) {
                // A value that can't be read stands as null until the record is dropped.
                if let Err(reason) = builder.push(field, cell) {
                    faults.push(Fault { record, reason });
                    builder.push_null();
                }
            }
        }
        let columns = builders.into_iter().map(Builder::finish).collect();
        without_bad(&self.schema, columns, rows, faults)
    }
}

/// Reads the members that are columns.
#[inline]
fn read<'a>(line: &'a str, columns: &[Field], cells: &mut [Value<'a>]) -> Result<(), String> {
    // Members mostly come in the order of the columns.
    let mut likely = 0;
    let read = Scan::new(line).object(|scan, name| {
        let found = if columns.get(likely).is_some_and(|field| field.name == name) {
            Some(likely)
        } else {
            columns.iter().position(|field| field.name == name)
        };
        match found {
            Some(column) => {
                cells[column] = scan.value()?;
                likely = column + 1;
                Ok(())
            }
            None => scan.skip(),
        }
    });
    read.map_err(|broken| match broken.what {
        Broken::NO_OBJECT => broken.what.to_owned(),
        what => format!("not JSON: {what} at byte {}", broken.at + 1),
    })
}
