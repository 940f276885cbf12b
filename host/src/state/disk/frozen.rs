//! A tree in a checkpoint: its files, as they were at a cut, and a tree of them again.
//!
//! A table never changes, so it is in the next checkpoint under the same name and is written once. Beside the
//! tables there are which of them make up the tree (`v7`), which such list is the last (`current-7`), and the panes
//! that have not been given up (`panes-` and a checksum), since a table that was given up in part still has all of it.
//! In front of all of these stands which of a step's trees it is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use lsm_tree::{AbstractTree, AnyTree};
use xxhash_rust::xxh3::xxh3_64;

use super::{PANE, prefix};
use crate::checkpoint::{FileRef, Frozen};
use crate::error::Result;
use crate::state::{Pane, disk_error};

const CURRENT: &str = "current";
const PANES: &str = "panes";
const TABLES: &str = "tables";

/// The files of a tree, linked to a folder of their own, where they stay as they are.
pub(super) fn freeze(tree: &AnyTree, (path, of): (&Path, &str), panes: &BTreeSet<Pane>) -> Result<Frozen> {
    let failed = |e| disk_error("can't be kept for a checkpoint", path, e);
    let beside = path.parent().unwrap_or(path);
    let folder = tempfile::Builder::new().prefix("cut-").tempdir_in(beside).map_err(failed)?;
    let mut files = Vec::new();
    let mut link = |name: String, from: PathBuf| {
        let to = folder.path().join(name.replace('/', "-"));
        fs::hard_link(from, &to)?;
        files.push((format!("{of}/{name}"), to));
        Ok(())
    };
    let version = version(path).map_err(failed)?;
    link(format!("{CURRENT}-{version}"), path.join(CURRENT)).map_err(failed)?;
    link(format!("v{version}"), path.join(format!("v{version}"))).map_err(failed)?;
    for table in tree.current_version().iter_tables() {
        let name = format!("{TABLES}/{}", table.id());
        link(name.clone(), path.join(name)).map_err(failed)?;
    }
    let bytes: Vec<u8> = panes.iter().flat_map(|pane| prefix(*pane)).collect();
    let name = format!("{PANES}-{:016x}", xxh3_64(&bytes));
    let to = folder.path().join(&name);
    fs::write(&to, bytes).map_err(failed)?;
    files.push((format!("{of}/{name}"), to));
    Ok(Frozen { files, folder })
}

/// The number of the last list of tables.
fn version(path: &Path) -> io::Result<u64> {
    let bytes = fs::read(path.join(CURRENT))?;
    let short = || io::Error::new(io::ErrorKind::InvalidData, "the list of tables is torn");
    Ok(u64::from_le_bytes(*bytes.first_chunk().ok_or_else(short)?))
}

/// Puts the files of a tree to where it is to be opened. Gives its panes.
pub(super) fn thaw(
    path: &Path,
    of: &str,
    files: &[&FileRef],
    fetch: &dyn Fn(&FileRef, &Path) -> Result<()>,
) -> Result<BTreeSet<Pane>> {
    let failed = |e: io::Error| disk_error("can't be taken from a checkpoint", path, e);
    fs::create_dir_all(path.join(TABLES)).map_err(failed)?;
    let mut panes = BTreeSet::new();
    let named = files.iter().filter_map(|file| Some((file, file.name.strip_prefix(of)?.strip_prefix('/')?)));
    for (file, name) in named {
        let to = match name.split_once('-') {
            Some((name @ (CURRENT | PANES), _)) => path.join(name),
            _ => path.join(name),
        };
        fetch(file, &to)?;
        if to.ends_with(PANES) {
            let bytes = fs::read(&to).map_err(failed)?;
            panes.extend(bytes.as_chunks::<PANE>().0.iter().map(pane_of));
            fs::remove_file(&to).map_err(failed)?;
        }
    }
    Ok(panes)
}

/// The pane that stands in front of a key.
pub(super) fn pane_of(prefix: &[u8; PANE]) -> Pane {
    let number = |bytes: &[u8]| {
        let sorting = bytes.iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
        (sorting ^ (1 << 63)) as i64
    };
    Pane { start: number(&prefix[..8]), variant: number(&prefix[8..]) }
}
