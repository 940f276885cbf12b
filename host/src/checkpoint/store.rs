//! What is done with what is stored: few operations, on the files of a folder or the objects of a bucket.
//!
//! A file is written beside its name, synced and renamed; an object is there as a whole or not at all
//! by itself. What several runs would write is only written where it is not there yet.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::owner::{NOTE_BYTES, number};
use super::remote::Remote;
use super::{Files, Location};
use crate::error::Result;

/// The place itself.
#[derive(Clone, Debug)]
pub(super) enum Store {
    Folder(PathBuf, Files),
    Bucket(Arc<Remote>),
}

/// The names of what is there, in their order.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) names: Vec<String>,
    /// Those of notes that stand in for manifests ([`super::owner`]), which are not among the names.
    pub(super) notes: Vec<String>,
}

/// What became of something that must not be there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// It is there now.
    New,
    /// Something else has its name.
    Taken,
}

impl Store {
    pub(super) fn open(location: &Location, files: Files) -> Result<Self> {
        Ok(match location {
            Location::Folder(path) => Self::Folder(path.clone(), files),
            Location::Bucket(bucket) => Self::Bucket(Arc::new(Remote::open(bucket)?)),
        })
    }

    /// What is there.
    pub(super) fn list(&self) -> io::Result<Listing> {
        match self {
            Self::Folder(path, files) => match files.names(path) {
                // A process that only adds parts may look before the one that makes the folder.
                Err(e) if e.kind() == ErrorKind::NotFound => Ok(Listing::default()),
                names => Ok(Listing { names: names?, notes: Vec::new() }),
            },
            Self::Bucket(remote) => {
                let is_note = |(name, bytes): &(String, u64)| *bytes == NOTE_BYTES && number(name).is_some();
                let (notes, names): (Vec<_>, Vec<_>) = remote.list()?.into_iter().partition(is_note);
                let names_of = |of: Vec<(String, u64)>| of.into_iter().map(|(name, _)| name).collect();
                Ok(Listing { names: names_of(names), notes: names_of(notes) })
            }
        }
    }

    pub(super) fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        match self {
            Self::Folder(path, files) => files.read(&path.join(name)),
            Self::Bucket(remote) => remote.read(name),
        }
    }

    /// Writes what nothing names yet; it may be torn where this fails.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Folder(path, files) => {
                let mut out = files.create(&path.join(name))?;
                files.write(&mut out, bytes)?;
                files.sync(&out)
            }
            Self::Bucket(remote) => remote.write(name, bytes),
        }
    }

    /// Adds a file that never changes, of these bytes, under a name that nothing has.
    pub(super) fn add(&self, name: &str, from: &Path, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Folder(path, files) => files.link(from, &path.join(name)),
            Self::Bucket(remote) => remote.write(name, bytes),
        }
    }

    /// Puts a file that was added, of these bytes, to a place outside.
    pub(super) fn fetch(&self, name: &str, to: &Path, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Folder(path, files) => files.link(&path.join(name), to),
            Self::Bucket(_) => fs::write(to, bytes),
        }
    }

    /// Makes something be there as a whole, behind all that was written before it.
    pub(super) fn publish(&self, name: &str, bytes: &[u8]) -> io::Result<Made> {
        match self {
            Self::Folder(path, files) => {
                // The names of what was written come first. Who writes here holds the lock, so nobody else
                // has this name.
                files.sync_folder(path)?;
                files.write_whole(&path.join(name), bytes)?;
                Ok(Made::New)
            }
            Self::Bucket(remote) => match remote.create(name, bytes) {
                Ok(()) => Ok(Made::New),
                // An answer may be lost and the request made again: then it is ours that is there.
                Err(e) if e.kind() == ErrorKind::AlreadyExists && remote.read(name)? == bytes => Ok(Made::New),
                Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(Made::Taken),
                Err(e) => Err(e),
            },
        }
    }

    /// Removes something, if it is there.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match self {
            Self::Folder(path, files) => files.remove(&path.join(name)),
            Self::Bucket(remote) => remote.remove(name),
        }
    }

    /// What would help where an operation failed.
    pub(super) fn hint(&self, error: &io::Error) -> Option<String> {
        match self {
            Self::Folder(..) => None,
            Self::Bucket(remote) => remote.hint(error.kind()),
        }
    }
}
