//! The folder of a pipeline's checkpoints.
//!
//! | file | |
//! | --- | --- |
//! | `checkpoint-N.json` | the manifest of checkpoint N |
//! | `part-N-W-RUN.weir` | what worker W wrote for it; RUN tells apart runs that were killed before it was taken |
//! | `lock` | held while a run writes here |
//!
//! A manifest is written when everything that it names is on the disk, so there is nothing to be
//! repaired: what no manifest names is removed. One that can't be read is an error, since what it
//! covered may be published already.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use xxhash_rust::xxh3::xxh3_64;

use super::manifest::{Manifest, PartRef, SectionRef};
use super::part::{Section, decode, encode};
use super::{Files, error, io_error};
use crate::error::{Error, Result};

const LOCK: &str = "lock";

/// A folder of checkpoints.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    files: Files,
    run: String,
    /// Held by who writes.
    _lock: Option<Arc<File>>,
}

/// A checkpoint with what its nodes held.
#[derive(Debug)]
pub struct Found {
    /// What belongs to it.
    pub manifest: Manifest,
    /// The sections of each node, each with its worker; those of a worker oldest first.
    pub sections: BTreeMap<String, Vec<(usize, Section)>>,
}

impl Folder {
    /// Takes the folder for a run that writes; makes it if it is not there.
    pub fn take(path: &Path, files: Files) -> Result<Self> {
        let failed = |e| io_error(format!("checkpoints can't be kept in {}", path.display()), e);
        files.create_folder(path).map_err(failed)?;
        let mark = path.join(LOCK);
        let lock = File::options().create(true).truncate(false).write(true).open(mark).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let message = format!("another run writes its checkpoints to {}", path.display());
                return Err(error(message, Some("wait for it to end, or give each pipeline a folder of its own")));
            }
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
        Ok(Self { _lock: Some(Arc::new(lock)), ..Self::look_at(path, files) })
    }

    /// The folder for who only reads, or writes parts for a run that another process leads.
    pub fn look_at(path: &Path, files: Files) -> Self {
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let run = xxh3_64(format!("{} {}", time.as_nanos(), std::process::id()).as_bytes());
        Self { path: path.to_path_buf(), files, run: format!("{run:016x}"), _lock: None }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The numbers of the checkpoints that are there, ascending.
    pub fn numbers(&self) -> Result<Vec<u64>> {
        let names = self.names()?;
        let mut numbers: Vec<u64> = names.iter().filter_map(|name| number(name)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn names(&self) -> Result<Vec<String>> {
        let failed = |e| io_error(format!("the checkpoints in {} can't be listed", self.path.display()), e);
        self.files.names(&self.path).map_err(failed)
    }

    /// A checkpoint's manifest.
    pub fn manifest(&self, checkpoint: u64) -> Result<Manifest> {
        let path = self.path.join(manifest_name(checkpoint));
        let bytes = self.read(&path)?;
        Manifest::decode(&bytes).map_err(|why| broken(&path, &why))
    }

    /// The last checkpoint's manifest, if there is one.
    pub fn last(&self) -> Result<Option<Manifest>> {
        self.numbers()?.last().map(|number| self.manifest(*number)).transpose()
    }

    /// Reads what a checkpoint's nodes held.
    pub fn load(&self, manifest: Manifest) -> Result<Found> {
        let mut sections: BTreeMap<String, Vec<(usize, Section)>> = BTreeMap::new();
        for part in &manifest.parts {
            for section in self.part(part)? {
                if part.sections.iter().any(|s| s.node == section.node) {
                    sections.entry(section.node.clone()).or_default().push((part.worker, section));
                }
            }
        }
        Ok(Found { manifest, sections })
    }

    /// Reads a part.
    pub fn part(&self, part: &PartRef) -> Result<Vec<Section>> {
        let path = self.path.join(&part.file);
        let bytes = self.read(&path)?;
        if bytes.len() as u64 != part.bytes {
            let why = format!("it has {} bytes, and {} were written", bytes.len(), part.bytes);
            return Err(broken(&path, &why));
        }
        decode(&bytes).map_err(|why| broken(&path, &why))
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        self.files.read(path).map_err(|e| io_error(format!("{} can't be read", path.display()), e))
    }

    /// Writes what the nodes of a worker hold, and says what a manifest has to know of it.
    pub fn write_part(&self, checkpoint: u64, worker: usize, sections: &[Section]) -> Result<PartRef> {
        let file = format!("part-{checkpoint:08}-{worker}-{}.weir", self.run);
        let path = self.path.join(&file);
        let bytes = encode(sections).map_err(Error::Bug)?;
        let failed = |e| io_error(format!("the checkpoint's part {} can't be written", path.display()), e);
        let mut out = self.files.create(&path).map_err(failed)?;
        self.files.write(&mut out, &bytes).and_then(|()| self.files.sync(&out)).map_err(failed)?;
        let section = |s: &Section| SectionRef { node: s.node.clone(), whole: s.whole };
        let sections = sections.iter().map(section).collect();
        Ok(PartRef { file, checkpoint, worker, bytes: bytes.len() as u64, sections })
    }

    /// Makes a checkpoint be there.
    pub fn commit(&self, manifest: &Manifest) -> Result<()> {
        let path = self.path.join(manifest_name(manifest.checkpoint));
        let bytes = manifest.encode().map_err(Error::Bug)?;
        let failed = |e| io_error(format!("the checkpoint {} can't be written", path.display()), e);
        // The names of the parts come first: a manifest says that they are there.
        self.files.sync_folder(&self.path).and_then(|()| self.files.write_whole(&path, &bytes)).map_err(failed)
    }

    /// Removes all but the last so many checkpoints, and what none of those names. Says how many files
    /// went.
    pub fn prune(&self, keep: usize) -> Result<usize> {
        let numbers = self.numbers()?;
        let kept = &numbers[numbers.len().saturating_sub(keep.max(1))..];
        let mut named: BTreeSet<String> = [LOCK.to_owned()].into();
        for number in kept {
            named.insert(manifest_name(*number));
            named.extend(self.manifest(*number)?.parts.into_iter().map(|part| part.file));
        }
        let gone = |name: &String| is_ours(name) && !named.contains(name);
        let names: Vec<String> = self.names()?.into_iter().filter(gone).collect();
        // Manifests first: none may name what is not there.
        let (manifests, parts): (Vec<_>, Vec<_>) = names.iter().partition(|name| number(name).is_some());
        for name in manifests.into_iter().chain(parts) {
            let path = self.path.join(name);
            self.files.remove(&path).map_err(|e| io_error(format!("{} can't be removed", path.display()), e))?;
        }
        Ok(names.len())
    }

    /// Removes every checkpoint.
    pub fn clear(&self) -> Result<()> {
        let names = self.names()?;
        let (manifests, parts): (Vec<_>, Vec<_>) =
            names.iter().filter(|name| is_ours(name)).partition(|name| number(name).is_some());
        for name in manifests.into_iter().rev().chain(parts) {
            let path = self.path.join(name);
            self.files.remove(&path).map_err(|e| io_error(format!("{} can't be removed", path.display()), e))?;
        }
        Ok(())
    }
}

fn manifest_name(checkpoint: u64) -> String {
    format!("checkpoint-{checkpoint:08}.json")
}

fn number(name: &str) -> Option<u64> {
    name.strip_prefix("checkpoint-")?.strip_suffix(".json")?.parse().ok()
}

fn is_ours(name: &str) -> bool {
    let is = |start: &str, end: &str| name.starts_with(start) && name.ends_with(end);
    number(name).is_some() || is("part-", ".weir") || is("checkpoint-", ".tmp")
}

fn broken(path: &Path, why: &str) -> Error {
    error(
        format!("{} can't be used: {why}", path.display()),
        Some(
            "results that it covers may be published, so nothing is resumed without it: `weir checkpoints verify` \
             says which checkpoints are whole, `weir run --from-scratch` starts again from nothing",
        ),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn manifest(checkpoint: u64, parts: Vec<PartRef>) -> Manifest {
        Manifest {
            checkpoint,
            pipeline: "p".into(),
            weir: "0.1.0".into(),
            taken_ms: 0,
            workers: 1,
            complete: false,
            shape: Vec::new(),
            positions: Vec::new(),
            parts,
            outputs: Vec::new(),
        }
    }

    fn section(node: &str, whole: bool) -> Section {
        Section { node: node.into(), whole, facts: Value::Null, tables: Vec::new() }
    }

    #[test]
    fn what_no_kept_checkpoint_names_goes() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::take(place.path(), Files::default()).unwrap();
        let mut parts = Vec::new();
        for checkpoint in 1..=4 {
            let part = folder.write_part(checkpoint, 0, &[section("a", checkpoint % 2 == 1)]).unwrap();
            parts = Manifest::needed(&parts, vec![part]);
            folder.commit(&manifest(checkpoint, parts.clone())).unwrap();
        }
        folder.write_part(5, 0, &[section("a", true)]).unwrap();
        std::fs::write(place.path().join("notes.txt"), "mine").unwrap();
        // The manifests of 1 and 2, their parts, and the part of 5.
        assert_eq!(folder.prune(2).unwrap(), 5);
        assert_eq!(folder.numbers().unwrap(), [3, 4]);
        assert!(place.path().join("notes.txt").exists());
        let found = folder.load(folder.last().unwrap().unwrap()).unwrap();
        assert_eq!(found.sections["a"].iter().map(|(_, s)| s.whole).collect::<Vec<_>>(), [true, false]);
        folder.clear().unwrap();
        assert_eq!(folder.names().unwrap(), ["lock", "notes.txt"]);
    }

    #[test]
    fn a_folder_is_one_run_s() {
        let place = tempfile::tempdir().unwrap();
        let _first = Folder::take(place.path(), Files::default()).unwrap();
        let error = Folder::take(place.path(), Files::default()).unwrap_err();
        assert!(error.to_string().starts_with("another run writes its checkpoints to"), "{error}");
    }

    #[test]
    fn broken_files_are_named() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::take(place.path(), Files::default()).unwrap();
        let part = folder.write_part(1, 0, &[section("a", true)]).unwrap();
        folder.commit(&manifest(1, vec![part.clone()])).unwrap();
        let path = place.path().join(&part.file);
        let bytes = std::fs::read(&path).unwrap();
        let said = || folder.load(folder.last().unwrap().unwrap()).unwrap_err().to_string();
        std::fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
        assert!(said().contains("bytes, and"), "{}", said());
        let mut flipped = bytes.clone();
        flipped[20] ^= 1;
        std::fs::write(&path, flipped).unwrap();
        assert!(said().contains("checksum"), "{}", said());
        std::fs::write(&path, vec![b'x'; bytes.len()]).unwrap();
        assert!(said().contains("no part of a checkpoint"), "{}", said());
        std::fs::remove_file(&path).unwrap();
        assert!(said().contains("can't be read"), "{}", said());
        std::fs::write(place.path().join("checkpoint-00000001.json"), "{}\n").unwrap();
        let error = folder.last().unwrap_err().to_string();
        assert!(error.contains("no manifest of a checkpoint"), "{error}");
    }
}
