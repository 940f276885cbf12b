//! A Parquet file of dead letters that is being written. Which columns it has is said in `letter/table.rs`.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use serde_json::{Map, Value};

use crate::checkpoint::Files;
use crate::letter::table::{rows, schema};

/// Letters, and bytes of them as JSON, that are held until they are put into columns together.
const HELD_MAX: usize = 1_024;
const HELD_BYTES_MAX: usize = 1 << 20;

/// Bytes of a row group: what is in memory until it is written.
const GROUP_BYTES_MAX: usize = 8 << 20;

/// Bytes of one letter. A Parquet page ends at 2 GiB.
const LETTER_BYTES_MAX: usize = 1 << 30;

/// A file that is written.
pub(super) struct Table {
    writer: ArrowWriter<Through>,
    file: File,
    held: Vec<Map<String, Value>>,
    held_bytes: usize,
    letters: u64,
}

impl Table {
    pub(super) fn create(path: &Path, files: &Files) -> io::Result<Self> {
        let file = files.create(path)?;
        let through = Through { files: files.clone(), file: file.try_clone()? };
        // What pyarrow, DuckDB and others write if they are not told otherwise, so that what they have chosen of
        // the letters is read as well.
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_bytes(Some(GROUP_BYTES_MAX))
            .build();
        let writer = ArrowWriter::try_new(through, schema(), Some(properties)).map_err(io_error)?;
        Ok(Self { writer, file, held: Vec::new(), held_bytes: 0, letters: 0 })
    }

    pub(super) fn write(&mut self, letter: &Map<String, Value>) -> io::Result<()> {
        let bytes = serde_json::to_string(letter)?.len();
        if bytes > LETTER_BYTES_MAX {
            return Err(io::Error::other(format!("a letter of {bytes} bytes is too large for a Parquet file")));
        }
        self.held.push(letter.clone());
        self.held_bytes += bytes;
        self.letters += 1;
        match self.held.len() >= HELD_MAX || self.held_bytes >= HELD_BYTES_MAX {
            true => self.pass_on(),
            false => Ok(()),
        }
    }

    fn pass_on(&mut self) -> io::Result<()> {
        self.held_bytes = 0;
        self.writer.write(&rows(&std::mem::take(&mut self.held))).map_err(io_error)
    }

    /// Writes the file's end. Gives the file, its bytes and the number of its letters.
    pub(super) fn finish(&mut self) -> io::Result<(File, u64, u64)> {
        self.pass_on()?;
        self.writer.finish().map_err(io_error)?;
        Ok((self.file.try_clone()?, self.writer.bytes_written() as u64, self.letters))
    }
}

/// A file that is written through [`Files`].
struct Through {
    files: Files,
    file: File,
}

impl Write for Through {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.files.write(&mut self.file, bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The disk's own error, where it was one.
fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => inner.downcast::<io::Error>().map_or_else(io::Error::other, |e| *e),
        other => io::Error::other(other),
    }
}
