//! Where rows come from: files, standard input, the Nexmark generator.
//!
//! A source is discovered once, when the pipeline is planned: its columns and its partitions. A
//! worker then opens the partitions that are its own and asks each for its next rows. A partition
//! gives rows in order, numbers its records, and hands back the records it could not read beside
//! the rows it could: one bad record costs no other. It never stamps, filters or partitions rows.

mod ahead;
mod discover;
mod input;
mod nexmark;
mod records;
mod unpack;

use std::path::PathBuf;

use arrow_array::RecordBatch;

use crate::error::Result;
use crate::types::Field;

pub use discover::{Discovered, discover, open};

/// Where the rows of one source are, and how to read them.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the bytes or rows come from.
    pub input: Input,
    /// How records are written; for the generator it says nothing.
    pub format: Format,
    /// The declared columns; without them they are inferred from the first records. With a header
    /// CSV's are found by name, in any order, and others may be there as well; without one they
    /// are all the fields of a record, in order. In JSON a column that a line lacks is null.
    pub schema: Option<Vec<Field>>,
}

/// Where the bytes or rows come from.
#[derive(Clone, Debug)]
pub enum Input {
    /// A path or a glob; files may be gzip or zstd, or named pipes. Each file that it matches is a
    /// partition, in the order of their paths.
    File(PathBuf),
    /// Standard input: one partition.
    Stdin,
    /// Generated rows.
    Nexmark(NexmarkSettings),
}

/// What the Nexmark generator gives.
#[derive(Clone, Debug)]
pub struct NexmarkSettings {
    /// Which of the three streams, or all of them in one.
    pub stream: NexmarkStream,
    /// Rows to give, over all partitions.
    pub rows: u64,
    /// The same seed gives the same rows.
    pub seed: u64,
    /// Partitions that share the rows, one after the other in turn.
    pub partitions: usize,
}

/// A stream of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NexmarkStream {
    /// One event in fifty.
    Person,
    /// Three events in fifty.
    Auction,
    /// Forty-six events in fifty.
    Bid,
    /// All of them, in the published proportions, as one stream with the columns of all three.
    All,
}

/// How records are written. In both formats timestamps are ISO 8601 (UTC where they say nothing
/// else, midnight where they are a date alone) and bytes are two hexadecimal digits each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, or another separator.
    Csv(CsvFormat),
    /// One JSON object a line. A text column takes whatever value as it is spelled.
    JsonLines,
}

/// The dialect of a CSV file. A quote within a quoted field is doubled; lines end with `\n` or
/// `\r\n`; blank lines are no records; every record has as many fields as the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvFormat {
    /// Between fields.
    pub delimiter: u8,
    /// Around fields that hold separators.
    pub quote: u8,
    /// Whether the first record of each file names the columns.
    pub header: bool,
    /// Fields that mean null, beside the empty one. In text and bytes columns they do so only
    /// without quotes: `""` is the empty text.
    pub nulls: Vec<String>,
}

/// A partition that is being read.
pub trait Partition: Send {
    /// The next rows, at most `rows` of them. Bad records count toward `rows`. There may be fewer
    /// although more follow: standard input gives what is there, and long records are given in
    /// smaller batches. After an error there are no more.
    fn next(&mut self, rows: usize) -> Result<Next>;

    /// Passes over the records before this position. To be called before the first rows are asked
    /// for, to go on where an earlier run stopped.
    fn skip_to(&mut self, position: u64);

    /// Bytes read so far, before decompression; 0 for generated rows.
    fn bytes(&self) -> u64;
}

/// What a partition has next.
#[derive(Debug)]
pub enum Next {
    /// Rows, bad records, or both.
    Rows(Decoded),
    /// Nothing now; ask again.
    Pending,
    /// Nothing any more.
    End,
}

/// Records that were read together.
#[derive(Debug)]
pub struct Decoded {
    /// The good ones, with the columns that were asked for.
    pub rows: RecordBatch,
    /// For each row its record's number in the partition, from 0.
    pub positions: Vec<u64>,
    /// The others.
    pub bad: Vec<BadRecord>,
}

/// A record that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRecord {
    /// Its number in the partition, from 0.
    pub position: u64,
    /// The line it starts on, from 1; 0 where it could be read but its row has no event time.
    pub line: u64,
    /// The record as it stands, cut after 4 KiB; what is no UTF-8 is replaced.
    pub text: String,
    /// Why it can't be read.
    pub reason: String,
}
