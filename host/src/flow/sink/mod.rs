//! Where rows go: files, standard output, nowhere.
//!
//! A writer gets whole batches in their final order and never reorders, drops or stamps rows.

mod csv;
mod encode;
mod json;
mod output;
mod places;
mod staged;

use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use crate::error::Result;
pub use crate::flow::source::Format;
pub(in crate::flow) use places::{DEAD_LETTERS, Places};
pub(in crate::flow) use staged::Stager;

/// Where the rows of one sink go.
#[derive(Clone, Debug)]
pub enum Output {
    /// A file, replaced when it is opened; packed if its name ends with `.gz` or `.zst`.
    File(PathBuf),
    /// A folder that gets a file with each checkpoint.
    Folder(PathBuf),
    /// Standard output.
    Stdout,
    /// Nowhere: rows are counted and dropped.
    Blackhole,
}

/// A sink that is open.
pub trait Writer: Send {
    /// Writes rows.
    fn write(&mut self, rows: &RecordBatch) -> Result<Wrote>;

    /// Hands on what is buffered; called when an epoch ends.
    fn flush(&mut self) -> Result<Wrote>;

    /// Ends the output, which for a packed file writes its end. Dropping a writer does so as well,
    /// but says nothing of errors.
    fn finish(&mut self) -> Result<Wrote> {
        self.flush()
    }

    /// Bytes written so far, packed as they are; what is buffered does not count.
    fn bytes(&self) -> u64;
}

/// How a write ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrote {
    /// The rows are written, or buffered.
    All,
    /// Whoever read our output has gone: no error, but there is nobody left to write for.
    Closed,
}

/// Opens a sink for rows of this schema. A CSV file gets its header also when no row follows.
///
/// # Errors
/// [`Error::Sink`](crate::error::Error::Sink) if the file can't be made.
pub fn open(output: &Output, format: &Format, schema: &Schema) -> Result<Box<dyn Writer>> {
    if matches!(output, Output::Blackhole) {
        return Ok(Box::new(Blackhole));
    }
    let encoder = encode::Encoder::new(format, schema);
    Ok(Box::new(output::Encoded::open(output, encoder)?))
}

/// Takes everything and writes nothing.
struct Blackhole;

impl Writer for Blackhole {
    fn write(&mut self, _: &RecordBatch) -> Result<Wrote> {
        Ok(Wrote::All)
    }

    fn flush(&mut self) -> Result<Wrote> {
        Ok(Wrote::All)
    }

    fn bytes(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests;
