//! Bytes on their way in: files and standard input, unpacked if they are gzip or zstd.
//!
//! Out go blocks of bytes. A file is read when it is asked for more; standard input is read ahead
//! on a thread of its own through a bounded channel, because nobody may wait for it. It never
//! looks at what the bytes say beyond the first four, which tell how they are packed.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use flate2::bufread::MultiGzDecoder;

use crate::error::{Error, Result};

/// Bytes that are asked for at once.
pub(super) const BLOCK_BYTES: usize = 256 << 10;
/// Blocks of standard input that are read ahead.
const BLOCKS_AHEAD: usize = 16;

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
    Stdin(Stdin),
}

impl Input {
    /// Appends some bytes, also where an error follows them.
    pub(super) fn fill(&mut self, chunk: &mut Vec<u8>) -> io::Result<Filled> {
        match self {
            Self::File(file) => file.fill(chunk, BLOCK_BYTES),
            Self::Stdin(stdin) => stdin.fill(chunk, Wait::No),
        }
    }

    /// Bytes read so far, packed as they are.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::File(file) => file.read.load(Relaxed),
            Self::Stdin(stdin) => stdin.read.load(Relaxed),
        }
    }
}

/// The files that a path or a pattern means, in order.
pub(super) fn files(path: &Path) -> Result<Vec<PathBuf>> {
    let shown = path.display();
    if path.is_dir() {
        let hint = format!("name the files in it with a pattern, such as `{}`", path.join("*.csv").display());
        return Err(crate::error::Invalid::new(format!("`{shown}` is a folder")).hint(hint).into());
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

/// Opens a file.
pub(super) fn open(path: &Path) -> Result<Unpacked> {
    let opened = File::open(path).and_then(|file| Unpacked::new(file, Packing::by_name(path)));
    opened.map_err(|e| Error::source_io(format!("can't read `{}`", path.display()), e))
}

/// How bytes are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Gzip,
    Zstd,
}

impl Packing {
    const ALL: [(Self, &'static [u8], &'static str); 2] =
        [(Self::Gzip, &[0x1f, 0x8b], "gz"), (Self::Zstd, &[0x28, 0xb5, 0x2f, 0xfd], "zst")];

    fn by_name(path: &Path) -> Option<Self> {
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
    fn new(reader: impl Read + Send + 'static, named: Option<Packing>) -> io::Result<Self> {
        let read = Arc::new(AtomicU64::new(0));
        let mut reader = BufReader::with_capacity(128 << 10, Counted { reader, read: Arc::clone(&read) });
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

    /// Appends up to so many bytes.
    pub(super) fn fill(&mut self, chunk: &mut Vec<u8>, bytes: usize) -> io::Result<Filled> {
        let limit = u64::try_from(bytes).unwrap_or(u64::MAX);
        let count = self.reader.by_ref().take(limit).read_to_end(chunk)?;
        Ok(if count == 0 { Filled::End } else { Filled::Some })
    }
}

struct Counted<R> {
    reader: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.read.fetch_add(count as u64, Relaxed);
        Ok(count)
    }
}

/// Whether to wait for bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    Yes,
    No,
}

/// Standard input, read ahead by a thread.
///
/// The thread ends with the input, or at its next block once nobody takes blocks any more.
#[derive(Debug)]
pub(super) struct Stdin {
    blocks: Receiver<io::Result<Vec<u8>>>,
    read: Arc<AtomicU64>,
    /// What was looked at to infer the columns.
    looked_at: Vec<u8>,
}

impl Stdin {
    /// Starts to read.
    pub(super) fn start(reader: impl Read + Send + 'static) -> Result<Self> {
        let (sender, blocks) = sync_channel(BLOCKS_AHEAD);
        let read = Arc::new(AtomicU64::new(0));
        let reader = Counted { reader, read: Arc::clone(&read) };
        let ahead = move || {
            let mut unpacked = match Unpacked::new(reader, None) {
                Ok(unpacked) => unpacked,
                Err(e) => return drop(sender.send(Err(e))),
            };
            loop {
                // One read each, so that what a slow writer has written is there at once.
                let mut block = vec![0; BLOCK_BYTES / 4];
                let sent = match unpacked.reader.read(&mut block) {
                    Ok(0) => return,
                    Ok(count) => {
                        block.truncate(count);
                        sender.send(Ok(block))
                    }
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                    Err(e) => return drop(sender.send(Err(e))),
                };
                if sent.is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("weir-stdin".to_owned()).spawn(ahead);
        thread.map_err(|e| Error::source_io("can't start a thread for standard input", e))?;
        Ok(Self { blocks, read, looked_at: Vec::new() })
    }

    /// Appends what is there.
    pub(super) fn fill(&mut self, chunk: &mut Vec<u8>, wait: Wait) -> io::Result<Filled> {
        if !self.looked_at.is_empty() {
            chunk.append(&mut self.looked_at);
            return Ok(Filled::Some);
        }
        let block = match wait {
            Wait::Yes => self.blocks.recv().map_err(|_| TryRecvError::Disconnected),
            Wait::No => self.blocks.try_recv(),
        };
        match block {
            Ok(block) => {
                chunk.extend_from_slice(&block?);
                Ok(Filled::Some)
            }
            Err(TryRecvError::Empty) => Ok(Filled::Pending),
            Err(TryRecvError::Disconnected) => Ok(Filled::End),
        }
    }

    /// Puts back what was looked at.
    pub(super) fn put_back(&mut self, bytes: Vec<u8>) {
        self.looked_at = bytes;
    }
}
