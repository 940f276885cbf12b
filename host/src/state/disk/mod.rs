//! State on disk: a log-structured merge tree for each step and worker.
//!
//! What is put comes sorted, so it is written as a table at once, without a journal or a table in memory:
//! what has to survive the run goes into checkpoints, as the tables that there are ([`frozen`]). The tables are merged after a put, in the worker itself,
//! so that there is no thread that could fall behind. A pane is given up by dropping the tables
//! that hold nothing but panes that were given up; what else is left of it is never asked for.
//!
//! A key of the tree is the pane's start and variant, each as eight bytes that sort like the number,
//! and the key. A value is the accumulator's columns in arrow-row's encoding, which keeps every bit; where a
//! key may have several, one behind the other (`rows.rs`).

mod folder;
mod frozen;
mod rows;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::BinaryBuilder;
use arrow_array::{Array, BinaryArray};
use lsm_tree::compaction::Leveled;
use lsm_tree::{AbstractTree, AnyTree, Cache, Config, DescriptorTable, Guard, SeqNo, SequenceNumberCounter};

use super::{Entries, Found, Pane, Part, Saved, Store, disk_error};
use crate::checkpoint::Frozen;
use crate::error::Result;
use rows::Values;

pub(super) use folder::Folder;

/// Bytes that a pane takes in front of a key.
const PANE: usize = 16;

/// No snapshot is ever held, so every version of a key but the last may go.
const NO_SNAPSHOT: SeqNo = SeqNo::MAX >> 1;

/// The state of one step on one worker.
pub(super) struct Disk {
    path: PathBuf,
    tree: AnyTree,
    /// What it is called in a checkpoint.
    name: String,
    strategy: Arc<Leveled>,
    values: Values,
    /// Panes that have something here.
    panes: BTreeSet<Pane>,
}

/// What the trees of a run share.
type Common<'a> = (&'a Arc<Cache>, &'a Arc<DescriptorTable>);

impl Disk {
    fn open(path: PathBuf, part: &Part<'_>, saved: Option<&Saved<'_>>, common: Common<'_>) -> Result<Self> {
        let name = part.index.unwrap_or("state").to_owned();
        let own = saved.filter(|saved| saved.same_workers).and_then(|saved| {
            let files = saved.files.get(&part.worker)?;
            Some(frozen::thaw(&path, &name, files, saved.fetch))
        });
        let panes = own.transpose()?.unwrap_or_default();
        let tree = open(&path, common)?;
        let (strategy, values) = (Arc::new(Leveled::default()), Values::new(part.values, part.per_key));
        let mut disk = Self { path, tree, name, strategy, values, panes };
        if let Some(saved) = saved.filter(|saved| !saved.same_workers) {
            for (worker, files) in &saved.files {
                disk.take_over(part, *worker, &|path, name| frozen::thaw(path, name, files, saved.fetch), common)?;
            }
        }
        Ok(disk)
    }

    /// Takes what is this worker's from the tree that another had.
    fn take_over(
        &mut self,
        part: &Part<'_>,
        worker: usize,
        thaw: &dyn Fn(&Path, &str) -> Result<BTreeSet<Pane>>,
        common: Common<'_>,
    ) -> Result<()> {
        let path = self.path.with_extension(format!("of-{worker}"));
        let panes = thaw(&path, &self.name)?;
        let other = open(&path, common)?;
        let failed = |e| disk_error("can't be written", &self.path, e);
        let mut table = self.tree.ingestion().map_err(failed)?;
        let mut any = false;
        for entry in other.iter(SeqNo::MAX, None) {
            let (key, value) = entry.into_inner().map_err(|e| disk_error("can't be read", &path, e))?;
            let Some((pane, of)) = key.split_first_chunk::<PANE>() else { continue };
            let pane = frozen::pane_of(pane);
            if panes.contains(&pane) && (part.mine)(of) {
                table.write(&key[..], &value[..]).map_err(failed)?;
                self.panes.insert(pane);
                any = true;
            }
        }
        if any {
            table.finish().map_err(failed)?;
        }
        drop(other);
        std::fs::remove_dir_all(&path).map_err(|e| disk_error("can't be removed", &path, e))?;
        self.compact()
    }

    /// Merges tables until there is nothing to merge.
    fn compact(&self) -> Result<()> {
        let tables = || (0..7).map(|level| self.tree.level_table_count(level)).collect::<Vec<_>>();
        loop {
            let before = tables();
            let strategy = Arc::clone(&self.strategy);
            self.tree.compact(strategy, NO_SNAPSHOT).map_err(|e| disk_error("can't be merged", &self.path, e))?;
            if tables() == before {
                return Ok(());
            }
        }
    }
}

impl Store for Disk {
    fn get(&mut self, pane: Pane, keys: &BinaryArray) -> Result<Found> {
        let (mut places, mut values) = (Vec::new(), Vec::new());
        if self.panes.contains(&pane) {
            let mut full = prefix(pane).to_vec();
            for (key, place) in keys.iter().flatten().zip(0..) {
                full.truncate(PANE);
                full.extend_from_slice(key);
                let got = self.tree.get(&full, SeqNo::MAX).map_err(|e| disk_error("can't be read", &self.path, e))?;
                if let Some(value) = got {
                    places.push(place);
                    values.push(value);
                }
            }
        }
        let (counts, values) = self.values.decode(&values);
        Ok(Found { places, counts, values })
    }

    fn put(&mut self, entries: &mut dyn Iterator<Item = Entries>) -> Result<()> {
        let failed = |e| disk_error("can't be written", &self.path, e);
        let mut table = self.tree.ingestion().map_err(failed)?;
        let mut full = Vec::new();
        let mut any = false;
        for Entries { pane, keys, counts, values } in entries {
            full.clear();
            full.extend_from_slice(&prefix(pane));
            let mut encoded = self.values.encode(&values);
            for (place, key) in keys.iter().flatten().enumerate() {
                full.truncate(PANE);
                full.extend_from_slice(key);
                match counts.as_ref().map_or(1, |counts| counts[place]) {
                    0 => table.write_tombstone(&full[..]).map_err(failed)?,
                    count => table.write(&full[..], encoded.next(count)).map_err(failed)?,
                }
                any = true;
            }
            self.panes.insert(pane);
        }
        if any {
            table.finish().map_err(failed)?;
            self.compact()?;
        }
        Ok(())
    }

    fn page(&mut self, pane: Pane, after: Option<&[u8]>, rows: usize) -> Result<Option<Entries>> {
        let from = [&prefix(pane)[..], after.unwrap_or_default()].concat();
        let from = if after.is_some() { Bound::Excluded(from) } else { Bound::Included(from) };
        let to = behind(pane).map_or(Bound::Unbounded, Bound::Excluded);
        let (mut keys, mut values) = (BinaryBuilder::with_capacity(rows, 0), Vec::new());
        for entry in self.tree.range((from, to), SeqNo::MAX, None).take(rows) {
            let (key, value) = entry.into_inner().map_err(|e| disk_error("can't be read", &self.path, e))?;
            keys.append_value(&key[PANE..]);
            values.push(value);
        }
        let (keys, (counts, values)) = (keys.finish(), self.values.decode(&values));
        Ok((!keys.is_empty()).then_some(Entries { pane, keys, counts, values }))
    }

    fn remove(&mut self, panes: &[Pane]) -> Result<()> {
        let removed: Vec<Pane> = panes.iter().copied().filter(|pane| self.panes.remove(pane)).collect();
        // Between two panes that are still here there is nothing that anyone asks for.
        let mut last = None;
        for pane in removed {
            let to = self.panes.range(pane..).next().copied();
            if last == Some(to) {
                continue;
            }
            last = Some(to);
            let from = self.panes.range(..pane).next_back().and_then(|before| behind(*before));
            let bounds = (
                from.map_or(Bound::Unbounded, Bound::Included),
                to.map_or(Bound::Unbounded, |pane| Bound::Excluded(prefix(pane).to_vec())),
            );
            self.tree.drop_range::<Vec<u8>, _>(bounds).map_err(|e| disk_error("can't be removed", &self.path, e))?;
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.tree.disk_space()
    }

    fn panes(&self) -> Vec<Pane> {
        self.panes.iter().copied().collect()
    }

    fn freeze(&mut self) -> Result<Option<Frozen>> {
        frozen::freeze(&self.tree, (&self.path, &self.name), &self.panes).map(Some)
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").field("path", &self.path).field("panes", &self.panes.len()).finish_non_exhaustive()
    }
}

/// Opens a tree: a new one, or that of the files that are there.
fn open(path: &Path, (cache, files): Common<'_>) -> Result<AnyTree> {
    let failed = |e| disk_error("can't be opened", path, e);
    let (last, visible) = (SequenceNumberCounter::default(), SequenceNumberCounter::default());
    let config = Config::new(path, last.clone(), visible.clone())
        .use_cache(Arc::clone(cache))
        .use_descriptor_table(Some(Arc::clone(files)));
    let tree = config.open().map_err(failed)?;
    // What is put has to be newer than what is there.
    let next = tree.get_highest_persisted_seqno().map_or(0, |highest| highest + 1);
    last.fetch_max(next);
    visible.fetch_max(next);
    Ok(tree)
}

/// A pane as bytes that sort as panes do.
fn prefix(pane: Pane) -> [u8; PANE] {
    let mut bytes = [0; PANE];
    let sorting = |number: i64| (number as u64 ^ (1 << 63)).to_be_bytes();
    bytes[..8].copy_from_slice(&sorting(pane.start));
    bytes[8..].copy_from_slice(&sorting(pane.variant));
    bytes
}

/// The first bytes behind all keys of a pane.
fn behind(pane: Pane) -> Option<Vec<u8>> {
    let next = u128::from_be_bytes(prefix(pane)).checked_add(1)?;
    Some(next.to_be_bytes().to_vec())
}
