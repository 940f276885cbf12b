//! Standard input and named pipes, read ahead.
//!
//! In come blocks from a thread through a bounded channel, because no worker may wait for whoever
//! writes to us; out go bytes, or that there are none now. It never looks at what they say.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use super::input::{BLOCK_BYTES, Filled};
use super::unpack::{Counted, Unpacked};
use crate::error::{Error, Result};

/// Blocks that are read ahead.
const BLOCKS_AHEAD: usize = 16;

/// Whether to wait for bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    Yes,
    No,
}

/// What somebody writes to us, read ahead by a thread.
///
/// The thread ends with the input, or at its next block once nobody takes blocks any more.
#[derive(Debug)]
pub(super) struct Ahead {
    blocks: Receiver<io::Result<Vec<u8>>>,
    read: Arc<AtomicU64>,
    /// What was looked at to infer the columns.
    looked_at: Vec<u8>,
}

impl Ahead {
    /// Starts to read.
    pub(super) fn start(reader: impl Read + Send + 'static) -> Result<Self> {
        let (sender, blocks) = sync_channel(BLOCKS_AHEAD);
        let (reader, read) = Counted::new(reader);
        let ahead = move || {
            let mut unpacked = match Unpacked::new(reader, None) {
                Ok(unpacked) => unpacked,
                Err(e) => return drop(sender.send(Err(e))),
            };
            loop {
                // One read each, so that what a slow writer has written is there at once.
                let mut block = vec![0; BLOCK_BYTES / 4];
                let sent = match unpacked.read(&mut block) {
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
        let thread = std::thread::Builder::new().name("weir-ahead".to_owned()).spawn(ahead);
        thread.map_err(|e| Error::source_io("can't start a thread to read ahead", e))?;
        Ok(Self { blocks, read, looked_at: Vec::new() })
    }

    /// Starts to read a named pipe. The thread opens it, since that waits for somebody who writes.
    pub(super) fn start_pipe(path: PathBuf) -> Result<Self> {
        Self::start(Pipe { path, file: None })
    }

    /// Bytes read so far, packed as they are, read ahead included.
    pub(super) fn bytes(&self) -> u64 {
        self.read.load(Relaxed)
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

/// A named pipe that is opened when it is first read.
struct Pipe {
    path: PathBuf,
    file: Option<File>,
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(File::open(&self.path)?),
        };
        file.read(buffer)
    }
}
