//! The folder of a pipeline's checkpoints, on a disk or in a bucket.
//!
//! | file | |
//! | --- | --- |
//! | `checkpoint-N.json` | the manifest of checkpoint N |
//! | `part-N-W-RUN.weir` | what worker W wrote for it; RUN tells apart runs that were killed before it was taken |
//! | `state-N-W-RUN-NODE-FILE` | a file of state that is on disk, which worker W had first at checkpoint N |
//! | `lock` | on a disk: held while a run writes here |
//! | `owner.json` | in a bucket: the run that took it last; no other makes a checkpoint there ([`super::owner`]) |
//!
//! A manifest is written when everything that it names is on the disk, so there is nothing to be
//! repaired: what no manifest names is removed. One that can't be read is an error, since what it
//! covered may be published already.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;
use std::{fs, io};

use xxhash_rust::xxh3::xxh3_64;

use super::manifest::{FileRef, Manifest, PartRef, SectionRef, file_start};
use super::owner::{self, Owner, manifest_name, manifests, number};
use super::part::{Section, decode, encode};
use super::store::{Listing, Made, Store};
use super::{Files, Frozen, Location, error, io_error};
use crate::error::{Error, Result};
use crate::lock;

const LOCK: &str = "lock";

const ONE_RUN: &str = "wait for it to end, or give each pipeline a folder of its own";

/// A folder of checkpoints.
#[derive(Clone, Debug)]
pub struct Folder {
    location: Location,
    store: Store,
    run: String,
    held: Held,
}

/// By what a folder is this run's.
#[derive(Clone, Debug)]
enum Held {
    /// It is not: this one reads, or writes parts for a run that another process leads.
    Not,
    /// By a lock, which nobody else gets while it is open.
    Lock { _file: Arc<File> },
    /// By a name in a bucket, as long as no other run puts its own there.
    Owner(Owner),
}

/// A checkpoint with what its nodes held.
#[derive(Debug)]
pub struct Found {
    /// What belongs to it.
    pub manifest: Manifest,
    /// The sections of each node, each with its worker; those of a worker oldest first.
    pub sections: BTreeMap<String, Vec<(usize, Section)>>,
    /// Where it was.
    pub folder: Folder,
}

impl Folder {
    /// Takes the folder for a run that writes; makes it if it is not there. In a bucket, a run that had it before
    /// makes no checkpoint any more.
    pub fn take(location: &Location, files: Files) -> Result<Self> {
        let folder = Self::look_at(location, files.clone())?;
        let held = match location {
            Location::Folder(path) => held(path, &files)?,
            Location::Bucket(_) => {
                let failed = |e| folder.failed(format!("checkpoints can't be kept in {location}"), e);
                Held::Owner(Owner::take(&folder.store, &folder.run).map_err(failed)?)
            }
        };
        Ok(Self { held, ..folder })
    }

    /// Takes the folder to tidy it up: on a disk no run may write there meanwhile, in a bucket one may.
    pub fn take_to_prune(location: &Location, files: Files) -> Result<Self> {
        match location {
            Location::Folder(_) => Self::take(location, files),
            Location::Bucket(_) => Self::look_at(location, files),
        }
    }

    /// The folder for who only reads, or writes parts for a run that another process leads.
    pub fn look_at(location: &Location, files: Files) -> Result<Self> {
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let run = xxh3_64(format!("{} {}", time.as_nanos(), std::process::id()).as_bytes());
        let store = Store::open(location, files)?;
        Ok(Self { location: location.clone(), store, run: format!("{run:016x}"), held: Held::Not })
    }

    /// Where it is.
    pub fn location(&self) -> &Location {
        &self.location
    }

    fn taken(&self) -> Error {
        error(format!("another run writes its checkpoints to {}", self.location), Some(ONE_RUN))
    }

    fn failed(&self, message: String, cause: io::Error) -> Error {
        let hint = self.store.hint(&cause);
        Error::Checkpoint { message, hint, cause: Some(cause) }
    }

    /// The numbers of the checkpoints that are there, ascending.
    pub fn numbers(&self) -> Result<Vec<u64>> {
        Ok(manifests(&self.list()?.names).into_keys().collect())
    }

    fn list(&self) -> Result<Listing> {
        let failed = |e| self.failed(format!("the checkpoints in {} can't be listed", self.location), e);
        self.store.list().map_err(failed)
    }

    /// A checkpoint's manifest.
    pub fn manifest(&self, checkpoint: u64) -> Result<Manifest> {
        let name = manifests(&self.list()?.names).remove(&checkpoint);
        self.manifest_in(&name.unwrap_or_else(|| manifest_name(checkpoint, 0)))
    }

    fn manifest_in(&self, name: &str) -> Result<Manifest> {
        Manifest::decode(&self.read(name)?).map_err(|why| self.broken(name, &why))
    }

    /// The last checkpoint's manifest, if there is one.
    pub fn last(&self) -> Result<Option<Manifest>> {
        manifests(&self.list()?.names).into_values().next_back().map(|name| self.manifest_in(&name)).transpose()
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
        Ok(Found { manifest, sections, folder: self.clone() })
    }

    /// Reads everything that belongs to a checkpoint. Says how many files that is.
    pub fn verify(&self, checkpoint: u64) -> Result<usize> {
        let parts = self.manifest(checkpoint)?.parts;
        for part in &parts {
            self.part(part)?;
            part.files.iter().try_for_each(|file| self.file(file).map(drop))?;
        }
        Ok(1 + parts.iter().map(|part| 1 + part.files.len()).sum::<usize>())
    }

    /// Puts a file of state to a place of the run's own.
    pub fn fetch(&self, file: &FileRef, to: &Path) -> Result<()> {
        let bytes = self.file(file)?;
        let failed = |e| io_error(format!("the state can't be put to {}", to.display()), e);
        self.store.fetch(&file.file, to, &bytes).map_err(failed)
    }

    /// The bytes of a file of state: a few dozen MiB at most, since a store writes no larger ones.
    fn file(&self, file: &FileRef) -> Result<Vec<u8>> {
        let FileRef { file: name, bytes: written, sum, .. } = file;
        let bytes = self.read(name)?;
        if bytes.len() as u64 != *written {
            return Err(self.broken(name, &format!("it has {} bytes, and {written} were written", bytes.len())));
        }
        match sum_of(&bytes) == *sum {
            true => Ok(bytes),
            false => Err(self.broken(name, "its checksum does not fit: bytes of it were changed")),
        }
    }

    /// Reads a part.
    pub fn part(&self, part: &PartRef) -> Result<Vec<Section>> {
        let bytes = self.read(&part.file)?;
        if bytes.len() as u64 != part.bytes {
            let why = format!("it has {} bytes, and {} were written", bytes.len(), part.bytes);
            return Err(self.broken(&part.file, &why));
        }
        decode(&bytes).map_err(|why| self.broken(&part.file, &why))
    }

    fn read(&self, name: &str) -> Result<Vec<u8>> {
        self.store.read(name).map_err(|e| self.failed(format!("{} can't be read", self.location.show(name)), e))
    }

    /// Writes what the nodes of a worker hold, and says what a manifest has to know of it. What they have in
    /// files is added, but for those that are `known` from the worker's part before.
    pub fn write_part(
        &self,
        checkpoint: u64,
        worker: usize,
        sections: &[Section],
        frozen: &[(String, Frozen)],
        known: &[FileRef],
    ) -> Result<PartRef> {
        let mut files = Vec::new();
        for (node, frozen) in frozen {
            for (name, path) in &frozen.files {
                match known.iter().find(|file| file.node == *node && file.name == *name) {
                    Some(file) => files.push(file.clone()),
                    None => files.push(self.add((checkpoint, worker), node, name, path)?),
                }
            }
        }
        let file = format!("part-{checkpoint:08}-{worker}-{}.weir", self.run);
        let bytes = encode(sections).map_err(Error::Bug)?;
        let failed =
            |e| self.failed(format!("the checkpoint's part {} can't be written", self.location.show(&file)), e);
        self.store.write(&file, &bytes).map_err(failed)?;
        let section = |s: &Section| SectionRef { node: s.node.clone(), whole: s.whole };
        let sections = sections.iter().map(section).collect();
        Ok(PartRef { file, checkpoint, worker, bytes: bytes.len() as u64, sections, files })
    }

    /// Adds a file of a node's state.
    fn add(&self, (checkpoint, worker): (u64, usize), node: &str, name: &str, path: &Path) -> Result<FileRef> {
        // Names of nodes are anything that TOML can say, so a file's name is not made of them.
        let hash = xxh3_64(node.as_bytes());
        let plain = name.replace('/', "-");
        let file = format!("{}{worker}-{}-{hash:016x}-{plain}", file_start(checkpoint), self.run);
        let bytes =
            fs::read(path).map_err(|e| io_error(format!("the state in {} can't be read", path.display()), e))?;
        let failed = |e| self.failed(format!("the checkpoint's {} can't be written", self.location.show(&file)), e);
        self.store.add(&file, path, &bytes).map_err(failed)?;
        let (node, name, sum) = (node.to_owned(), name.to_owned(), sum_of(&bytes));
        Ok(FileRef { file, node, name, bytes: bytes.len() as u64, sum })
    }

    /// Makes a checkpoint be there.
    pub fn commit(&self, manifest: &Manifest) -> Result<()> {
        let name = manifest_name(manifest.checkpoint, 0);
        let bytes = manifest.encode().map_err(Error::Bug)?;
        let failed = |e| self.failed(format!("the checkpoint {} can't be written", self.location.show(&name)), e);
        let made = match &self.held {
            Held::Owner(owner) => owner.publish(&self.store, manifest.checkpoint, &bytes),
            Held::Lock { .. } | Held::Not => self.store.publish(&name, &bytes),
        };
        match made.map_err(failed)? {
            Made::New => Ok(()),
            Made::Taken => Err(self.taken()),
        }
    }

    /// Removes all but the last so many checkpoints, and what none of those names. Says how many files
    /// went. Where a run may be writing, parts behind the last checkpoint stay: they may be those of the next.
    pub fn prune(&self, keep: usize) -> Result<usize> {
        // Asked once: what a run adds after this is not looked at.
        let Listing { names, notes } = self.list()?;
        let manifests = manifests(&names);
        let last = manifests.keys().next_back().copied();
        let mut named = BTreeSet::new();
        for name in manifests.into_values().rev().take(keep.max(1)) {
            for part in self.manifest_in(&name)?.parts {
                named.extend(part.files.into_iter().map(|file| file.file));
                named.insert(part.file);
            }
            named.insert(name);
        }
        let may_be_next = |name: &str| matches!(self.held, Held::Not) && part_number(name) > last;
        let gone = |name: &String| is_ours(name) && !named.contains(name) && !may_be_next(name);
        let names: Vec<String> = names.into_iter().filter(gone).collect();
        // Manifests first: none may name what is not there.
        let (manifests, parts): (Vec<_>, Vec<_>) = names.iter().partition(|name| number(name).is_some());
        let notes = owner::outlived(&notes, last.unwrap_or(0));
        manifests.into_iter().chain(parts).chain(notes).try_for_each(|name| self.remove(name))?;
        Ok(names.len())
    }

    fn remove(&self, name: &str) -> Result<()> {
        let failed = |e| self.failed(format!("{} can't be removed", self.location.show(name)), e);
        self.store.remove(name).map_err(failed)
    }

    /// Removes every checkpoint.
    pub fn clear(&self) -> Result<()> {
        let names = self.list()?.names;
        let (manifests, parts): (Vec<_>, Vec<_>) =
            names.iter().filter(|name| is_ours(name)).partition(|name| number(name).is_some());
        manifests.into_iter().rev().chain(parts).try_for_each(|name| self.remove(name))
    }

    fn broken(&self, name: &str, why: &str) -> Error {
        error(
            format!("{} can't be used: {why}", self.location.show(name)),
            Some(
                "results that it covers may be published, so nothing is resumed without it: `weir checkpoints verify` \
                 says which checkpoints are whole, `weir run --from-scratch` starts again from nothing",
            ),
        )
    }
}

/// Takes the lock of a folder; makes the folder if it is not there.
fn held(path: &Path, files: &Files) -> Result<Held> {
    let failed = |e| io_error(format!("checkpoints can't be kept in {}", path.display()), e);
    files.create_folder(path).map_err(failed)?;
    let mark = path.join(LOCK);
    let file = File::options().create(true).truncate(false).write(true).open(mark).map_err(failed)?;
    match lock::take(&file) {
        Ok(()) => Ok(Held::Lock { _file: Arc::new(file) }),
        Err(TryLockError::WouldBlock) => {
            Err(error(format!("another run writes its checkpoints to {}", path.display()), Some(ONE_RUN)))
        }
        Err(TryLockError::Error(e)) => Err(failed(e)),
    }
}

/// The checkpoint that a part or a file of state was written for.
fn part_number(name: &str) -> Option<u64> {
    name.strip_prefix("part-").or_else(|| name.strip_prefix("state-"))?.split('-').next()?.parse().ok()
}

/// The checksum of a file of state.
fn sum_of(bytes: &[u8]) -> String {
    format!("{:016x}", xxh3_64(bytes))
}

fn is_ours(name: &str) -> bool {
    let is = |start: &str, end: &str| name.starts_with(start) && name.ends_with(end);
    number(name).is_some()
        || is("part-", ".weir")
        || is("checkpoint-", ".tmp")
        || name.starts_with("state-") && part_number(name).is_some()
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

    fn take(place: &tempfile::TempDir) -> Result<Folder> {
        Folder::take(&place.path().to_path_buf().into(), Files::default())
    }

    fn section(node: &str, whole: bool) -> Section {
        Section { node: node.into(), whole, facts: Value::Null, tables: Vec::new() }
    }

    #[test]
    fn what_no_kept_checkpoint_names_goes() {
        let place = tempfile::tempdir().unwrap();
        let folder = take(&place).unwrap();
        let mut parts = Vec::new();
        for checkpoint in 1..=4 {
            let part = folder.write_part(checkpoint, 0, &[section("a", checkpoint % 2 == 1)], &[], &[]).unwrap();
            parts = Manifest::needed(&parts, vec![part]);
            folder.commit(&manifest(checkpoint, parts.clone())).unwrap();
        }
        folder.write_part(5, 0, &[section("a", true)], &[], &[]).unwrap();
        fs::write(place.path().join("notes.txt"), "mine").unwrap();
        // The manifests of 1 and 2, their parts, and the part of 5.
        assert_eq!(folder.prune(2).unwrap(), 5);
        assert_eq!(folder.numbers().unwrap(), [3, 4]);
        assert!(place.path().join("notes.txt").exists());
        let found = folder.load(folder.last().unwrap().unwrap()).unwrap();
        assert_eq!(found.sections["a"].iter().map(|(_, s)| s.whole).collect::<Vec<_>>(), [true, false]);
        folder.clear().unwrap();
        assert_eq!(folder.list().unwrap().names, ["lock", "notes.txt"]);
    }

    /// A node's state in files of these names, each with its name as bytes.
    fn frozen(names: &[&str]) -> (String, Frozen) {
        let place = tempfile::tempdir().unwrap();
        let file = |name: &&str| {
            let path = place.path().join(name.replace('/', "_"));
            fs::write(&path, name).unwrap();
            ((*name).to_owned(), path)
        };
        ("a".to_owned(), Frozen { files: names.iter().map(file).collect(), folder: place })
    }

    #[test]
    fn files_of_state_are_added_once_and_go_with_the_last_that_names_them() {
        let place = tempfile::tempdir().unwrap();
        let folder = take(&place).unwrap();
        let (mut parts, mut known) = (Vec::new(), Vec::new());
        let is_state = |name: &String| name.starts_with("state-");
        for (checkpoint, names, there) in
            [(1, ["tables/1", "v1"], 2), (2, ["tables/1", "v2"], 3), (3, ["tables/2", "v3"], 4), (4, ["v3", "v4"], 3)]
        {
            let part = folder.write_part(checkpoint, 0, &[section("a", true)], &[frozen(&names)], &known).unwrap();
            known.clone_from(&part.files);
            parts = Manifest::needed(&parts, vec![part]);
            folder.commit(&manifest(checkpoint, parts.clone())).unwrap();
            folder.prune(2).unwrap();
            assert_eq!(folder.list().unwrap().names.into_iter().filter(is_state).count(), there, "{checkpoint}");
        }
        assert_eq!(folder.verify(3).unwrap(), 4);
        let fetched = place.path().join("fetched");
        folder.fetch(&known[0], &fetched).unwrap();
        assert_eq!(fs::read_to_string(&fetched).unwrap(), "v3");
        // The same file under two names.
        fs::write(&fetched, "v9").unwrap();
        let error = folder.verify(4).unwrap_err().to_string();
        assert!(error.contains("checksum") && error.contains("state-00000003"), "{error}");
        folder.clear().unwrap();
        assert_eq!(folder.list().unwrap().names, ["fetched", "lock"]);
    }

    #[test]
    fn what_a_run_may_be_writing_stays() {
        let place = tempfile::tempdir().unwrap();
        let folder = take(&place).unwrap();
        let first = folder.write_part(1, 0, &[section("a", true)], &[], &[]).unwrap();
        folder.commit(&manifest(1, vec![first])).unwrap();
        let next = folder.write_part(2, 1, &[section("a", true)], &[], &[]).unwrap();
        let beside = Folder::look_at(folder.location(), Files::default()).unwrap();
        let is_there = |part: &PartRef| place.path().join(&part.file).exists();
        assert_eq!((beside.prune(1).unwrap(), is_there(&next)), (0, true));
        assert_eq!((folder.prune(1).unwrap(), is_there(&next)), (1, false));
    }

    #[test]
    fn a_folder_is_one_run_s() {
        let place = tempfile::tempdir().unwrap();
        let _first = take(&place).unwrap();
        let error = take(&place).unwrap_err();
        assert!(error.to_string().starts_with("another run writes its checkpoints to"), "{error}");
    }

    #[test]
    fn broken_files_are_named() {
        let place = tempfile::tempdir().unwrap();
        let folder = take(&place).unwrap();
        let part = folder.write_part(1, 0, &[section("a", true)], &[], &[]).unwrap();
        folder.commit(&manifest(1, vec![part.clone()])).unwrap();
        let path = place.path().join(&part.file);
        let bytes = fs::read(&path).unwrap();
        let said = || folder.load(folder.last().unwrap().unwrap()).unwrap_err().to_string();
        fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
        assert!(said().contains("bytes, and"), "{}", said());
        let mut flipped = bytes.clone();
        flipped[20] ^= 1;
        fs::write(&path, flipped).unwrap();
        assert!(said().contains("checksum"), "{}", said());
        fs::write(&path, vec![b'x'; bytes.len()]).unwrap();
        assert!(said().contains("no part of a checkpoint"), "{}", said());
        fs::remove_file(&path).unwrap();
        assert!(said().contains("can't be read"), "{}", said());
        fs::write(place.path().join("checkpoint-00000001.json"), "{}\n").unwrap();
        let error = folder.last().unwrap_err().to_string();
        assert!(error.contains("no manifest of a checkpoint"), "{error}");
    }
}
