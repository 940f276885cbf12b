//! State that is on disk already: files that never change, which go into a checkpoint as they are.

use std::path::PathBuf;

use tempfile::TempDir;

/// The files of one node's state on a worker, as they were at a cut.
#[derive(Debug)]
pub struct Frozen {
    /// Each with what the node calls it. In a run, one name is one file with the same bytes.
    pub files: Vec<(String, PathBuf)>,
    /// Where they are, until this goes.
    pub folder: TempDir,
}
