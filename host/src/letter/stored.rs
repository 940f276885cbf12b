//! Letters as they lie on the disk: JSON Lines, a Parquet file, or a folder of Parquet files. All come out as lines, each
//! with its place.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::table;
use crate::error::{Error, Invalid, Result};

/// A letter of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The file and the line in it, or the row of a Parquet file, from 1: what errors call it.
    pub place: String,
    /// Its number: of the line, or of the row among all rows of a folder.
    pub number: usize,
    /// The letter as a line of JSON.
    pub line: String,
}

/// All letters of a file or folder, in their order.
///
/// # Errors
/// Where it can't be read, or holds something else.
pub fn stored(path: &Path) -> Result<Vec<Stored>> {
    let failed = |path: &Path, e| Error::source_io(format!("the letters {} can't be read", path.display()), e);
    if path.is_dir() {
        let mut letters = Vec::new();
        for file in parts(path).map_err(|e| failed(path, e))? {
            rows(&file, &mut letters)?;
        }
        return Ok(letters);
    }
    if is_parquet(path).map_err(|e| failed(path, e))? {
        let mut letters = Vec::new();
        rows(path, &mut letters)?;
        return Ok(letters);
    }
    let text = fs::read_to_string(path).map_err(|e| failed(path, e))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let stored = |(at, line): (usize, &str)| Stored {
        place: format!("{}:{}", path.display(), at + 1),
        number: at + 1,
        line: line.to_owned(),
    };
    Ok(lines.map(stored).collect())
}

/// The Parquet files of a folder, in the order of their names, which is that of checkpoints.
fn parts(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    let mut parts: Vec<_> = paths.into_iter().filter(|p| p.extension().is_some_and(|e| e == "parquet")).collect();
    parts.sort_unstable();
    Ok(parts)
}

fn is_parquet(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(4).read_to_end(&mut start)?;
    Ok(start == b"PAR1")
}

/// Adds a Parquet file's letters.
fn rows(path: &Path, letters: &mut Vec<Stored>) -> Result<()> {
    let wrong = |problem: String| {
        Error::from(
            Invalid::new(format!("{}: this is no file of dead letters: {problem}", path.display()))
                .hint("a Parquet file is whole when its run, or the checkpoint that it is of, has ended"),
        )
    };
    let open = || ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?.build();
    let mut row = 0;
    for rows in open().map_err(|e| wrong(e.to_string()))? {
        let rows = rows.map_err(|e| wrong(e.to_string()))?;
        for letter in table::letters(&rows).map_err(wrong)? {
            row += 1;
            letters.push(Stored {
                place: format!("{}:{row}", path.display()),
                number: letters.len() + 1,
                line: serde_json::Value::Object(letter).to_string(),
            });
        }
    }
    Ok(())
}
