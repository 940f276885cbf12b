//! Where rows go: files, standard output, nowhere.
//!
//! A writer gets whole batches in their final order and never reorders, drops or stamps rows.

use std::path::PathBuf;

use arrow_array::RecordBatch;

use crate::error::Result;
pub use crate::flow::source::Format;

/// Where the rows of one sink go.
#[derive(Clone, Debug)]
pub enum Output {
    /// A file, replaced when the pipeline starts.
    File(PathBuf),
    /// Standard output.
    Stdout,
    /// Nowhere: rows are counted and dropped.
    Blackhole,
}

/// A sink that is open.
pub trait Writer {
    /// Writes rows.
    fn write(&mut self, rows: &RecordBatch) -> Result<Wrote>;

    /// Hands on what is buffered; called when an epoch ends.
    fn flush(&mut self) -> Result<Wrote>;

    /// Bytes written so far.
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

/// Opens a sink.
pub fn open(output: &Output, format: &Format, fields: &[crate::types::Field]) -> Result<Box<dyn Writer + Send>> {
    let _ = (output, format, fields);
    Err(crate::Error::Bug("stub".into()))
}
