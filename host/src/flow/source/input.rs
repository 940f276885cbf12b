//! Bytes on their way in.
//!
//! In comes a path, a pattern or standard input; out go blocks of bytes. A file is read when it is
//! asked for more, a pipe is read ahead. It never looks at what the bytes say.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::ahead::{Ahead, Wait};
use super::unpack::{Packing, Unpacked};
use crate::error::{Error, Invalid, Result};

/// Bytes that are asked for at once.
pub(super) const BLOCK_BYTES: usize = 256 << 10;

/// What a read brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filled {
    /// Some bytes.
    Some,
    /// None now.
    Pending,
    /// None any more.
    End,
}

/// Bytes that come in order.
#[derive(Debug)]
pub(super) enum Input {
    File(Unpacked),
    Ahead(Ahead),
}

impl Input {
    /// Appends some bytes, also where an error follows them.
    pub(super) fn fill(&mut self, chunk: &mut Vec<u8>) -> io::Result<Filled> {
        match self {
            Self::File(file) => file.fill(chunk, BLOCK_BYTES),
            Self::Ahead(ahead) => ahead.fill(chunk, Wait::No),
        }
    }

    /// Bytes read so far, packed as they are.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::File(file) => file.bytes(),
            Self::Ahead(ahead) => ahead.bytes(),
        }
    }
}

/// The files that a path or a pattern means, in order.
pub(super) fn files(path: &Path) -> Result<Vec<PathBuf>> {
    let shown = path.display();
    if path.is_dir() {
        let hint = format!("name the files in it with a pattern, such as `{}`", path.join("*.csv").display());
        return Err(Invalid::new(format!("`{shown}` is a folder")).hint(hint).into());
    }
    let pattern = path.to_string_lossy();
    // A file may well be called `a[1].csv`.
    if path.exists() || !pattern.contains(['*', '?', '[']) {
        return match path.metadata() {
            Ok(_) => Ok(vec![path.to_owned()]),
            Err(e) => Err(Error::source_io(format!("can't read `{shown}`"), e)),
        };
    }
    let found = glob::glob(&pattern).map_err(|e| Error::invalid(format!("`{shown}` is no pattern: {}", e.msg)))?;
    let mut files = Vec::new();
    for entry in found {
        let file = entry.map_err(|e| Error::source_io(format!("can't list `{}`", e.path().display()), e.into()))?;
        if !file.is_dir() {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Error::Source { message: format!("no file matches `{shown}`"), cause: None });
    }
    Ok(files)
}

/// Whether a path is a named pipe, whose bytes come when somebody writes them, and once.
pub(super) fn is_pipe(path: &Path) -> bool {
    path.metadata().is_ok_and(|m| m.file_type().is_fifo())
}

/// Opens a file.
pub(super) fn open(path: &Path) -> Result<Unpacked> {
    let opened = File::open(path).and_then(|file| Unpacked::new(file, Packing::by_name(path)));
    opened.map_err(|e| Error::source_io(format!("can't read `{}`", path.display()), e))
}
