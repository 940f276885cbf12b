//! State outside of memory: on disk where it is larger than memory, in Redis where other programs
//! read it.
//!
//! A step keeps its accumulators in memory ([`crate::flow`] does, and asks nothing here where the
//! pipeline has no `[state]`). Behind that memory a [`Store`] may stand: one for each step and worker.
//! In go accumulators as columns, many at a time and in the order of (pane, key); they come out the
//! same way, by their keys or page by page. A key has one row of them, or several where the step says so.
//! A store never folds, never looks into an accumulator, and knows nothing of time beyond the order of panes.

mod disk;
mod redis;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use arrow_array::{ArrayRef, BinaryArray};

use crate::checkpoint::{FileRef, Frozen};
use crate::error::{Error, Result};
use crate::types::Field;

/// Where state is kept, as the plan found it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Settings {
    /// In memory alone.
    #[default]
    Memory,
    /// In memory up to a size, and the rest in files of this run.
    Disk {
        /// The folder of those files.
        folder: PathBuf,
        /// How much is kept in memory, over all steps and workers.
        memory_bytes: usize,
    },
    /// In memory, and in Redis as it was when the last epoch was complete.
    Redis {
        /// Where the server is: `redis://USER:PASSWORD@HOST:PORT/DATABASE`.
        url: String,
        /// What the names of all keys start with.
        prefix: String,
        /// How much is kept in memory, over all steps and workers.
        memory_bytes: usize,
    },
}

impl Settings {
    /// How much is kept in memory, where that is limited.
    pub fn memory_bytes(&self) -> Option<usize> {
        match self {
            Self::Memory => None,
            Self::Disk { memory_bytes, .. } | Self::Redis { memory_bytes, .. } => Some(*memory_bytes),
        }
    }
}

/// Whether a text says where a Redis server is; if not, why.
pub fn check_redis_url(url: &str) -> Result<(), String> {
    redis::check_url(url)
}

/// A part of a step's state that is given up as a whole: mostly the rows of one slice of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pane {
    /// Where the slice starts, in microseconds since 1970-01-01T00:00:00Z.
    pub start: i64,
    /// Tells apart panes of one start.
    pub variant: i64,
}

/// Accumulators of one pane.
#[derive(Clone, Debug, PartialEq)]
pub struct Entries {
    /// The pane.
    pub pane: Pane,
    /// The keys, ascending and each once, encoded so that their bytes sort as their columns do.
    pub keys: BinaryArray,
    /// How many rows each key has, which stand side by side; one where nothing is said. A key that is put
    /// with none is taken out.
    pub counts: Option<Vec<u32>>,
    /// The columns of [`Part::values`].
    pub values: Vec<ArrayRef>,
}

/// What a store has for keys that it was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Which of the keys it has, by their places in the question; ascending.
    pub places: Vec<u32>,
    /// How many rows each of them has; one where nothing is said.
    pub counts: Option<Vec<u32>>,
    /// Their accumulators.
    pub values: Vec<ArrayRef>,
}

/// The state of one step on one worker, behind its memory.
pub trait Store: fmt::Debug {
    /// The accumulators of some keys of a pane; the keys ascend.
    fn get(&mut self, pane: Pane, keys: &BinaryArray) -> Result<Found>;

    /// Puts accumulators where there are none and in place of all those that a key has. They come in
    /// the order of (pane, key), and when this returns all of them are in.
    fn put(&mut self, entries: &mut dyn Iterator<Item = Entries>) -> Result<()>;

    /// The next entries of a pane, in the order of their keys: those behind `after`, at most so
    /// many keys. None when there are no more.
    fn page(&mut self, pane: Pane, after: Option<&[u8]>, rows: usize) -> Result<Option<Entries>>;

    /// Gives panes up with all that is in them. They do not come back.
    fn remove(&mut self, panes: &[Pane]) -> Result<()>;

    /// About how many bytes it takes.
    fn bytes(&self) -> u64;

    /// The panes that have something here.
    fn panes(&self) -> Vec<Pane>;

    /// What it holds, in files that stay as they are; none where it can't be had so.
    fn freeze(&mut self) -> Result<Option<Frozen>> {
        Ok(None)
    }
}

/// A step's state in a checkpoint, in the files that its stores had been frozen to.
pub struct Saved<'a> {
    /// Those of each worker that had some.
    pub files: BTreeMap<usize, Vec<&'a FileRef>>,
    /// Whether a worker has the keys that the worker of its number had.
    pub same_workers: bool,
    /// Puts a file to a place of the store's own.
    pub fetch: &'a dyn Fn(&FileRef, &Path) -> Result<()>,
}

/// Says whether a key is a worker's.
pub type Mine = Box<dyn Fn(&[u8]) -> bool + Send>;

/// How many rows of accumulators a key may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PerKey {
    /// One in each pane.
    One,
    /// Any number.
    Many,
}

/// Whose state a store keeps.
pub struct Part<'a> {
    /// The step's name.
    pub step: &'a str,
    /// What it is called, where it is not the step's state but an index to it.
    pub index: Option<&'a str>,
    /// The worker, and how many there are.
    pub worker: usize,
    /// How many workers there are.
    pub workers: usize,
    /// The columns of the key.
    pub key: &'a [Field],
    /// The columns of an accumulator, with names that tell them apart.
    pub values: &'a [Field],
    /// How many rows of these a key may have.
    pub per_key: PerKey,
    /// Whether a key is this worker's; keys are never two workers'.
    pub mine: Mine,
}

/// What the stores of a run share.
#[derive(Debug)]
pub struct Stores {
    shared: Shared,
    memory_bytes: usize,
}

#[derive(Debug)]
enum Shared {
    Memory,
    Disk(disk::Folder),
    Redis(redis::Server),
}

impl Stores {
    /// Takes the folder, or asks the server, and removes what an earlier run of this pipeline left.
    /// There are so many steps with state.
    pub fn open(settings: &Settings, pipeline: &str, steps: usize) -> Result<Self> {
        let shared = match settings {
            Settings::Memory => Shared::Memory,
            Settings::Disk { folder, memory_bytes } => Shared::Disk(disk::Folder::take(folder, *memory_bytes)?),
            Settings::Redis { url, prefix, .. } => Shared::Redis(redis::Server::connect(url, prefix, pipeline)?),
        };
        let memory_bytes = settings.memory_bytes().map_or(usize::MAX, |bytes| bytes / 4 * 3 / steps.max(1));
        Ok(Self { shared, memory_bytes })
    }

    /// How much a step may keep in memory, all of its workers together.
    pub fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// Whether others read what is kept, so that it has to be there.
    pub fn are_read(&self) -> bool {
        matches!(self.shared, Shared::Redis(_))
    }

    /// The store of a step on a worker, with what is the worker's of an earlier run's; none where state is in
    /// memory alone.
    pub fn store(&self, part: Part<'_>, saved: Option<&Saved<'_>>) -> Result<Option<Box<dyn Store>>> {
        Ok(match &self.shared {
            Shared::Memory => None,
            Shared::Disk(folder) => Some(Box::new(folder.store(&part, saved)?)),
            Shared::Redis(server) => Some(Box::new(server.store(part)?)),
        })
    }
}

/// An error of a store on disk.
fn disk_error(what: &str, folder: &Path, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::State { message: format!("the state in {} {what}", folder.display()), hint: None, cause: Some(cause.into()) }
}
