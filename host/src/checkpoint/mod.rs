//! Checkpoints: what a run has to remember to go on where it was killed.
//!
//! A checkpoint is a cut through the stream at an epoch: everything before it is in, nothing after
//! it. What each node held then is a [`Section`]; the sections of a worker are one file, a part. A
//! section is all that a node holds or what has changed since the one before, so a [`Manifest`] names the
//! parts that together are the state, where the sources were, and which outputs are final. It is
//! written last and at once: a checkpoint is there as a whole or not at all.
//!
//! Nothing here knows the dataflow; [`crate::flow`] says what is in a section.

mod files;
mod folder;
mod frozen;
mod location;
mod manifest;
mod owner;
mod part;
#[cfg_attr(not(feature = "s3"), path = "without.rs")]
mod remote;
mod shape;
mod store;

use std::time::Duration;

pub use files::Files;
pub use folder::{Folder, Found};
pub use frozen::Frozen;
pub use location::{Bucket, Location, Wrong, is_url};
pub use manifest::{FileRef, Manifest, Output, PartRef, Position, SectionRef};
pub use part::{Section, Table};
pub use shape::{Shape, difference};

use crate::error::Error;

/// When checkpoints are taken, and where they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where this pipeline's checkpoints are.
    pub location: Location,
    /// The time from one to the next.
    pub every: Duration,
    /// How many are kept.
    pub keep: usize,
}

/// What a checkpoint that can't be used is wrong in, or what kept one from being written.
fn error(message: impl Into<String>, hint: Option<&str>) -> Error {
    Error::Checkpoint { message: message.into(), hint: hint.map(str::to_owned), cause: None }
}

fn io_error(message: impl Into<String>, cause: std::io::Error) -> Error {
    Error::Checkpoint { message: message.into(), hint: None, cause: Some(cause) }
}
