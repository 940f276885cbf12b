//! The folder of a run's state on disk: taken at its start, emptied then and at its end.
//!
//! What is in it is this run's scratch. It is emptied, so it has to be one that weir made or an empty
//! one: a file that only weir writes says so. That file is locked as long as the run lasts.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, fs, io};

use lsm_tree::{Cache, DescriptorTable};

use super::Disk;
use crate::error::{Error, Result};
use crate::lock;
use crate::state::{Part, Saved, disk_error};

/// The file that says that the folder is weir's.
const MARK: &str = "weir-state";

/// Blocks that are kept in memory, at least.
const CACHE_BYTES_MIN: u64 = 1 << 20;

/// Open files that the trees of a run share, at most.
const FILES: usize = 256;

/// A folder that is this run's alone.
pub(in crate::state) struct Folder {
    path: PathBuf,
    /// Held for its lock.
    _mark: File,
    cache: Arc<Cache>,
    files: Arc<DescriptorTable>,
}

impl Folder {
    /// Takes a folder and empties it. A quarter of the memory is for blocks read from it.
    pub(in crate::state) fn take(path: &Path, memory_bytes: usize) -> Result<Self> {
        let failed = |e: io::Error| disk_error("can't be kept there", path, e);
        fs::create_dir_all(path).map_err(failed)?;
        let entries = entries(path).map_err(failed)?;
        let mark = path.join(MARK);
        if !mark.exists() && !entries.is_empty() {
            return Err(Error::State {
                message: format!("the folder {} has files that are not weir's, and would be emptied", path.display()),
                hint: Some("name a folder that is empty or does not exist".into()),
                cause: None,
            });
        }
        let file = File::options().create(true).truncate(false).write(true).open(&mark).map_err(failed)?;
        match lock::take(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::State {
                    message: format!("another run keeps its state in {}", path.display()),
                    hint: Some("give each pipeline a folder of its own".into()),
                    cause: None,
                });
            }
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
        empty(&entries).map_err(failed)?;
        Ok(Self {
            path: path.to_path_buf(),
            _mark: file,
            cache: Arc::new(Cache::with_capacity_bytes((memory_bytes as u64 / 4).max(CACHE_BYTES_MIN))),
            files: Arc::new(DescriptorTable::new(FILES)),
        })
    }

    /// The store of a step on a worker.
    pub(in crate::state) fn store(&self, part: &Part<'_>, saved: Option<&Saved<'_>>) -> Result<Disk> {
        // Names of steps are anything that TOML can say, so a folder's name is not made of them alone.
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        let name: String = part.step.chars().map(plain).take(40).collect();
        let hash = xxhash_rust::xxh3::xxh3_64(part.step.as_bytes());
        let index = part.index.map_or(String::new(), |index| format!("-{index}"));
        let path = self.path.join(format!("{name}-{hash:016x}{index}-{}", part.worker));
        Disk::open(path, part, saved, (&self.cache, &self.files))
    }
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Folder").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What can't be removed now is removed at the next start.
        let _ = entries(&self.path).and_then(|entries| empty(&entries));
    }
}

/// What is in a folder beside the mark.
fn entries(path: &Path) -> io::Result<Vec<PathBuf>> {
    let all: io::Result<Vec<PathBuf>> = fs::read_dir(path)?.map(|e| e.map(|e| e.path())).collect();
    Ok(all?.into_iter().filter(|p| p.file_name().is_none_or(|name| name != MARK)).collect())
}

fn empty(entries: &[PathBuf]) -> io::Result<()> {
    entries.iter().try_for_each(|path| match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_others_is_not_emptied() {
        let folder = tempfile::tempdir().expect("a folder");
        let precious = folder.path().join("precious.txt");
        fs::write(&precious, "mine").expect("a file");
        let error = Folder::take(folder.path(), 1 << 20).expect_err("it is not weir's");
        assert!(error.to_string().contains("would be emptied"), "{error}");
        assert!(precious.exists());
    }

    #[test]
    fn a_folder_is_one_run_s_and_is_left_empty() {
        let parent = tempfile::tempdir().expect("a folder");
        let path = parent.path().join("new/state");
        let taken = Folder::take(&path, 1 << 20).expect("a folder that does not exist");
        let error = Folder::take(&path, 1 << 20).expect_err("it is taken");
        assert!(error.to_string().contains("another run"), "{error}");
        fs::create_dir(path.join("left-over")).expect("a folder");
        fs::write(path.join("left-over/file"), "x").expect("a file");
        drop(taken);
        assert!(entries(&path).expect("a folder").is_empty());
        fs::create_dir(path.join("left-over")).expect("a folder");
        let _again = Folder::take(&path, 1 << 20).expect("it is weir's and free");
        assert!(entries(&path).expect("a folder").is_empty());
    }
}
