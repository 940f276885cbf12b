//! Encoded rows to a file or to standard output.
//!
//! In come batches; out go bytes, through a buffer and, by the file's name, gzip or zstd. Whoever
//! reads our output may close it: then everything further is dropped, and said to be. It never
//! makes folders.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use arrow_array::RecordBatch;
use flate2::write::GzEncoder;

use super::encode::Encoder;
use super::{Output, Writer, Wrote};
use crate::error::{Error, Result};

/// Bytes that are held back until there are enough to be written.
const BUFFER_BYTES: usize = 256 << 10;

/// Rows that are encoded and written.
pub(super) struct Encoded {
    name: String,
    encoder: Encoder,
    buffer: Vec<u8>,
    packed: Packed,
    closed: bool,
}

/// The way to the output.
pub(super) enum Packed {
    Plain(Counted),
    Gzip(GzEncoder<Counted>),
    Zstd(zstd::Encoder<'static, Counted>),
    /// It has ended; so many bytes were written.
    Ended(u64),
}

impl Encoded {
    pub(super) fn open(output: &Output, encoder: Encoder) -> Result<Self> {
        let (name, packed) = match output {
            Output::File(path) => {
                let name = path.display().to_string();
                let packed = File::create(path)
                    .and_then(|file| Packed::new(path, file))
                    .map_err(|e| Error::sink_io(why_not(path), e))?;
                (name, packed)
            }
            Output::Stdout => ("standard output".to_owned(), Packed::Plain(Counted::new(io::stdout()))),
            // A folder's files are staged; see `super::staged`.
            Output::Blackhole | Output::Folder(_) => ("nowhere".to_owned(), Packed::Plain(Counted::new(io::sink()))),
        };
        Ok(Self::new(name, packed, encoder))
    }

    fn new(name: String, packed: Packed, encoder: Encoder) -> Self {
        let mut buffer = Vec::new();
        encoder.header(&mut buffer);
        Self { name, encoder, buffer, packed, closed: false }
    }

    /// For tests: any place to write to.
    #[cfg(test)]
    pub(super) fn to(place: impl Write + Send + 'static, encoder: Encoder) -> Self {
        Self::new("a test".to_owned(), Packed::Plain(Counted::new(place)), encoder)
    }

    /// Writes the buffer, and then does what else is to be done.
    fn pass_on(&mut self, then: impl FnOnce(&mut Packed) -> io::Result<()>) -> Result<Wrote> {
        if !self.closed {
            let wrote = self.packed.write_all(&self.buffer).and_then(|()| then(&mut self.packed));
            match wrote {
                Ok(()) => {}
                Err(e) if e.kind() == ErrorKind::BrokenPipe => self.closed = true,
                Err(e) => return Err(Error::sink_io(format!("can't write to `{}`", self.name), e)),
            }
        }
        self.buffer.clear();
        Ok(if self.closed { Wrote::Closed } else { Wrote::All })
    }
}

impl Writer for Encoded {
    fn write(&mut self, rows: &RecordBatch) -> Result<Wrote> {
        if self.closed {
            return Ok(Wrote::Closed);
        }
        self.encoder.rows(rows, &mut self.buffer)?;
        if self.buffer.len() < BUFFER_BYTES { Ok(Wrote::All) } else { self.pass_on(|_| Ok(())) }
    }

    fn flush(&mut self) -> Result<Wrote> {
        self.pass_on(Write::flush)
    }

    fn finish(&mut self) -> Result<Wrote> {
        self.pass_on(Packed::end)
    }

    fn bytes(&self) -> u64 {
        self.packed.bytes()
    }
}

impl Drop for Encoded {
    fn drop(&mut self) {
        // Who wants to know of errors calls `finish`.
        drop(self.finish());
    }
}

impl Packed {
    /// To a place, packed as a file's name says.
    pub(super) fn new(path: &Path, place: impl Write + Send + 'static) -> io::Result<Self> {
        let place = Counted::new(place);
        Ok(match path.extension() {
            Some(name) if name.eq_ignore_ascii_case("gz") => {
                Self::Gzip(GzEncoder::new(place, flate2::Compression::default()))
            }
            Some(name) if name.eq_ignore_ascii_case("zst") => Self::Zstd(zstd::Encoder::new(place, 0)?),
            _ => Self::Plain(place),
        })
    }

    /// Bytes that came to the place so far.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Plain(w) => w.count,
            Self::Gzip(w) => w.get_ref().count,
            Self::Zstd(w) => w.get_ref().count,
            Self::Ended(count) => *count,
        }
    }

    /// Writes what is buffered, and of what is packed the end.
    pub(super) fn end(&mut self) -> io::Result<()> {
        let count = match std::mem::replace(self, Self::Ended(0)) {
            Self::Plain(mut w) => {
                w.flush()?;
                w.count
            }
            Self::Gzip(w) => {
                let mut w = w.finish()?;
                w.flush()?;
                w.count
            }
            Self::Zstd(w) => {
                let mut w = w.finish()?;
                w.flush()?;
                w.count
            }
            Self::Ended(count) => count,
        };
        *self = Self::Ended(count);
        Ok(())
    }
}

impl Write for Packed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(w) => w.write(bytes),
            Self::Gzip(w) => w.write(bytes),
            Self::Zstd(w) => w.write(bytes),
            Self::Ended(_) => Err(io::Error::other("the output has ended")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(w) => w.flush(),
            Self::Gzip(w) => w.flush(),
            Self::Zstd(w) => w.flush(),
            Self::Ended(_) => Ok(()),
        }
    }
}

/// Counts what is written.
pub(super) struct Counted {
    place: Box<dyn Write + Send>,
    count: u64,
}

impl Counted {
    fn new(place: impl Write + Send + 'static) -> Self {
        Self { place: Box::new(place), count: 0 }
    }
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.place.write(bytes)?;
        self.count += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.place.flush()
    }
}

fn why_not(path: &Path) -> String {
    let shown = path.display();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.exists() => {
            format!("can't write to `{shown}`: there is no folder `{}`", folder.display())
        }
        _ => format!("can't write to `{shown}`"),
    }
}
