//! Unpacking gzip and zstd.
//!
//! In comes a reader; out go its bytes as they were before they were packed, whatever the file is
//! called: the first bytes tell. A file that is called packed and is not is an error. It never
//! reads more than it is asked for, and of the first bytes no more than it takes to tell.

use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use flate2::bufread::MultiGzDecoder;

use super::input::Filled;

/// How bytes are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
}

impl Packing {
    const ALL: [(Self, &'static [u8], &'static str); 2] =
        [(Self::Gzip, &[0x1f, 0x8b], "gz"), (Self::Zstd, &[0x28, 0xb5, 0x2f, 0xfd], "zst")];

    /// What a file's name says.
    pub(super) fn by_name(path: &Path) -> Option<Self> {
        let extension = path.extension()?;
        Self::ALL.into_iter().find(|(_, _, name)| extension.eq_ignore_ascii_case(name)).map(|(packing, ..)| packing)
    }
}

/// A reader that unpacks.
pub(super) struct Unpacked {
    reader: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
}

impl std::fmt::Debug for Unpacked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unpacked").field("read", &self.read).finish_non_exhaustive()
    }
}

impl Unpacked {
    /// Looks at the first bytes, and no more of them than it takes to tell.
    pub(super) fn new(reader: impl Read + Send + 'static, named: Option<Packing>) -> io::Result<Self> {
        let (reader, read) = Counted::new(reader);
        let mut reader = BufReader::with_capacity(128 << 10, reader);
        let mut head = Vec::new();
        let packing = loop {
            let may_be = |magic: &[u8]| magic.starts_with(&head);
            match Packing::ALL.into_iter().find(|(_, magic, _)| may_be(magic)) {
                None => break None,
                Some((packing, magic, _)) if magic.len() == head.len() => break Some(packing),
                Some(_) => {}
            }
            if reader.by_ref().take(1).read_to_end(&mut head)? == 0 {
                break None;
            }
        };
        if let (Some(named), None) = (named, packing) {
            let named = format!("{named:?}").to_lowercase();
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("it is called {named} but does not start so"),
            ));
        }
        let whole = Cursor::new(head).chain(reader);
        let reader: Box<dyn Read + Send> = match packing {
            None => Box::new(whole),
            Some(Packing::Gzip) => Box::new(MultiGzDecoder::new(BufReader::new(whole))),
            Some(Packing::Zstd) => Box::new(zstd::Decoder::new(whole)?),
        };
        Ok(Self { reader, read })
    }

    /// Bytes read so far, packed as they are.
    pub(super) fn bytes(&self) -> u64 {
        self.read.load(Relaxed)
    }

    /// One read, of what is there.
    pub(super) fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        self.reader.read(block)
    }

    /// Appends up to so many bytes.
    pub(super) fn fill(&mut self, chunk: &mut Vec<u8>, bytes: usize) -> io::Result<Filled> {
        let limit = u64::try_from(bytes).unwrap_or(u64::MAX);
        let count = self.reader.by_ref().take(limit).read_to_end(chunk)?;
        Ok(if count == 0 { Filled::End } else { Filled::Some })
    }
}

/// Counts what is read.
pub(super) struct Counted<R> {
    reader: R,
    read: Arc<AtomicU64>,
}

impl<R> Counted<R> {
    pub(super) fn new(reader: R) -> (Self, Arc<AtomicU64>) {
        let read = Arc::new(AtomicU64::new(0));
        (Self { reader, read: Arc::clone(&read) }, read)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.read.fetch_add(count as u64, Relaxed);
        Ok(count)
    }
}
