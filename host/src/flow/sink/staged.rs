//! Rows that are staged until a checkpoint publishes them.
//!
//! A sink with a `file` has one file that grows, `FILE.staged`, which gets its name when the input has
//! ended; of a run that goes on, what is behind the last checkpoint is cut off. A sink with a
//! `folder` has a file for each checkpoint, staged in `_weir/`. What is packed ends at every cut:
//! gzip and zstd files may have several parts one behind the other.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::Schema;

use super::encode::Encoder;
use super::output::Packed;
use super::places::OURS;
use super::{Format, Output};
use crate::checkpoint::{self, Files};
use crate::error::{Error, Result};
use crate::flow::cut::Staged;

/// Bytes that are held back until there are enough to be written.
const BUFFER_BYTES: usize = 256 << 10;

/// A sink whose rows are staged.
pub(in crate::flow) struct Stager {
    sink: String,
    files: Files,
    /// The sink's folder, and the name of the file that grows in it, if one does.
    folder: PathBuf,
    grows: Option<String>,
    extension: &'static str,
    encoder: Encoder,
    buffer: Vec<u8>,
    open: Option<Open>,
    /// The number of the next checkpoint.
    next: u64,
    /// Rows and bytes since the last one.
    rows: u64,
    bytes: u64,
}

/// The file that is written.
struct Open {
    /// In the sink's folder.
    name: String,
    file: File,
    packed: Option<Packed>,
    /// Bytes in it that are packed and whole.
    whole: u64,
}

impl Stager {
    /// A sink of a run that goes on behind a checkpoint of this number, where this was final of it.
    pub(in crate::flow) fn new(
        sink: &str,
        output: &Output,
        encoding: (&Format, &Schema),
        files: &Files,
        after: u64,
        was: Option<&checkpoint::Output>,
    ) -> Result<Self> {
        let (folder, grows) = match output {
            Output::File(path) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                (path.parent().map_or_else(PathBuf::new, Path::to_path_buf), Some(name))
            }
            Output::Folder(path) => (path.clone(), None),
            Output::Stdout | Output::Blackhole => return Err(Error::Bug("a sink that is not staged".into())),
        };
        let (format, schema) = encoding;
        let mut stager = Self {
            sink: sink.to_owned(),
            files: files.clone(),
            folder,
            grows,
            extension: if matches!(format, Format::Csv(_)) { "csv" } else { "jsonl" },
            encoder: Encoder::new(format, schema),
            buffer: Vec::new(),
            open: None,
            next: after + 1,
            rows: 0,
            bytes: 0,
        };
        if stager.grows.is_some() {
            stager.open(was.map_or(0, |was| was.bytes))?;
        }
        Ok(stager)
    }

    /// Opens the file to be written, behind so many bytes.
    fn open(&mut self, behind: u64) -> Result<()> {
        let name = match &self.grows {
            Some(name) => format!("{name}.staged"),
            None => format!("{OURS}/part-{:08}.{}", self.next, self.extension),
        };
        let path = self.folder.join(&name);
        let file = match behind {
            0 => self.files.create(&path),
            behind => self.files.append_behind(&path, behind),
        };
        let file = file.map_err(|e| Error::sink_io(format!("can't write to `{}`", path.display()), e))?;
        if behind == 0 {
            self.encoder.header(&mut self.buffer);
        }
        self.open = Some(Open { name, file, packed: None, whole: behind });
        Ok(())
    }

    /// Takes rows.
    pub(in crate::flow) fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        if self.open.is_none() {
            self.open(0)?;
        }
        self.encoder.rows(rows, &mut self.buffer)?;
        self.rows += rows.num_rows() as u64;
        if self.buffer.len() >= BUFFER_BYTES {
            self.pass_on()?;
        }
        Ok(())
    }

    /// Bytes written since this was last asked.
    pub(in crate::flow) fn new_bytes(&mut self) -> u64 {
        std::mem::take(&mut self.bytes)
    }

    fn pass_on(&mut self) -> Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let folder = &self.folder;
        let failed = |name: &str, e| Error::sink_io(format!("can't write to `{}`", folder.join(name).display()), e);
        if self.buffer.is_empty() {
            return Ok(());
        }
        let packed = match &mut open.packed {
            Some(packed) => packed,
            None => {
                let place = Appended { files: self.files.clone(), file: open.file.try_clone() };
                // Packed as the file is called when it is published.
                let name = self.grows.as_deref().unwrap_or(&open.name);
                let packed = Packed::new(Path::new(name), place).map_err(|e| failed(&open.name, e))?;
                open.packed.insert(packed)
            }
        };
        packed.write_all(&self.buffer).map_err(|e| failed(&open.name, e))?;
        self.buffer.clear();
        Ok(())
    }

    /// Ends what a checkpoint is to cover. None where there is no file.
    pub(in crate::flow) fn cut(&mut self) -> Result<Option<Staged>> {
        self.pass_on()?;
        let checkpoint = self.next;
        self.next += 1;
        let Some(mut open) = self.open.take() else { return Ok(None) };
        let path = self.folder.join(&open.name);
        let failed = |e| Error::sink_io(format!("can't write to `{}`", path.display()), e);
        if let Some(mut packed) = open.packed.take() {
            packed.end().map_err(failed)?;
            open.whole += packed.bytes();
            self.bytes += packed.bytes();
        }
        let file = open.file.try_clone().map_err(failed)?;
        let (published, grows) = match &self.grows {
            Some(name) => (name.clone(), true),
            None => (format!("part-{checkpoint:08}.{}", self.extension), false),
        };
        let output = checkpoint::Output {
            sink: self.sink.clone(),
            staged: open.name.clone(),
            published,
            grows,
            bytes: open.whole,
            rows: std::mem::take(&mut self.rows),
        };
        if grows {
            self.open = Some(open);
        }
        Ok(Some(Staged { output, file }))
    }
}

/// A file that is written through [`Files`].
struct Appended {
    files: Files,
    file: io::Result<File>,
}

impl Write for Appended {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let file = self.file.as_mut().map_err(|e| io::Error::new(e.kind(), e.to_string()))?;
        self.files.write(file, bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
