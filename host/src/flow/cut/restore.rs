//! Going on from a checkpoint: which one, and what of it is whose.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::checkpoint::{FileRef, Folder, Found, Manifest, Position, Section, Shape, difference};
use crate::error::{Error, Result};
use crate::plan::{Node, Operator, Plan};
use crate::state::Settings;

/// What a run goes on from.
#[derive(Debug, Default)]
pub(in crate::flow) struct Restored {
    found: Option<Found>,
    workers: usize,
}

/// What a node held, on all workers that the run had then.
#[derive(Clone, Copy)]
pub(in crate::flow) struct Sections<'a> {
    node: &'a str,
    all: &'a [(usize, Section)],
    found: &'a Found,
    /// Whether there were as many workers, so that a worker is what it was.
    same_workers: bool,
}

/// What a checkpoint's manifest says, if the pipeline can go on from it.
pub(super) fn last(plan: &Plan, folder: &Folder) -> Result<Option<Manifest>> {
    let Some(manifest) = folder.last()? else { return Ok(None) };
    let refused = |message: String| Error::Checkpoint {
        message,
        hint: Some("change it back, or start again from nothing with `weir run --from-scratch`".into()),
        cause: None,
    };
    let from = format!("can't go on from checkpoint {} in {}", manifest.checkpoint, folder.location());
    if manifest.pipeline != plan.name {
        return Err(refused(format!("{from}: it is of the pipeline `{}`, not of `{}`", manifest.pipeline, plan.name)));
    }
    if let Some(difference) = difference(&manifest.shape, &Shape::of(plan)) {
        return Err(refused(format!("{from}: the pipeline has changed: {difference}")));
    }
    let was_on_disk = manifest.parts.iter().any(|part| !part.files.is_empty());
    let is_on_disk = matches!(plan.state, Settings::Disk { .. }) && plan.nodes.iter().any(Node::has_state);
    if was_on_disk != is_on_disk {
        let place = |on_disk: bool| if on_disk { "on disk" } else { "in memory" };
        let (was, is) = (place(was_on_disk), place(is_on_disk));
        return Err(refused(format!("{from}: the pipeline has changed: its state was {was}, and is {is}")));
    }
    if let Some(missing) = missing_partition(plan, &manifest.positions) {
        return Err(refused(format!("{from}: {missing}")));
    }
    Ok(Some(manifest))
}

/// A partition that was being read and is not there any more.
fn missing_partition(plan: &Plan, positions: &[Position]) -> Option<String> {
    let gone = positions.iter().filter(|p| !p.ended).find(|position| {
        plan.nodes.iter().filter(|node| node.name == position.source).all(|node| match &node.operator {
            Operator::Source(source) => !source.discovered.names().contains(&position.partition),
            _ => true,
        })
    })?;
    Some(format!(
        "source `{}` was at record {} of {}, which is not there any more",
        gone.source, gone.record, gone.partition
    ))
}

impl Restored {
    /// Nothing, or what a checkpoint has.
    pub(super) fn new(found: Option<Found>, workers: usize) -> Self {
        Self { found, workers }
    }

    /// What a node held.
    pub(in crate::flow) fn node<'a>(&'a self, node: &'a str) -> Option<Sections<'a>> {
        let found = self.found.as_ref()?;
        let all = found.sections.get(node)?;
        Some(Sections { node, all, found, same_workers: found.manifest.workers == self.workers })
    }

    /// Where the partitions of a source were, by name.
    pub(in crate::flow) fn positions(&self, source: &str) -> BTreeMap<&str, &Position> {
        let all = self.found.iter().flat_map(|found| &found.manifest.positions);
        all.filter(|p| p.source == source).map(|p| (p.partition.as_str(), p)).collect()
    }
}

impl<'a> Sections<'a> {
    /// All of them, each with its worker; those of a worker oldest first.
    pub(in crate::flow) fn all(self) -> &'a [(usize, Section)] {
        self.all
    }

    /// What each worker had in files.
    pub(in crate::flow) fn files(self) -> BTreeMap<usize, Vec<&'a FileRef>> {
        let mut files: BTreeMap<usize, Vec<&FileRef>> = BTreeMap::new();
        for part in &self.found.manifest.parts {
            let of_node = part.files.iter().filter(|file| file.node == self.node);
            files.entry(part.worker).or_default().extend(of_node);
        }
        files.retain(|_, files| !files.is_empty());
        files
    }

    /// Puts a file of state to a place of the run's own.
    pub(in crate::flow) fn fetch(self, file: &FileRef, to: &Path) -> Result<()> {
        self.found.folder.fetch(file, to)
    }

    /// Whether a worker with this number is what it was.
    pub(in crate::flow) fn same_workers(self) -> bool {
        self.same_workers
    }

    /// The facts of each worker's last section.
    pub(in crate::flow) fn facts<T: DeserializeOwned>(self) -> Result<Vec<(usize, T)>> {
        let facts = self.last().into_iter().map(|(worker, section)| {
            let facts = T::deserialize(&section.facts).map_err(|e| self.wrong(format!("its facts: {e}")))?;
            Ok((worker, facts))
        });
        facts.collect()
    }

    /// Each worker's last section.
    pub(in crate::flow) fn last_of_each(self) -> impl Iterator<Item = &'a Section> {
        self.last().into_values()
    }

    fn last(self) -> BTreeMap<usize, &'a Section> {
        self.all.iter().map(|(worker, section)| (*worker, section)).collect()
    }

    /// What a worker with this number held, if it is still the same one.
    pub(in crate::flow) fn of_worker<T>(self, worker: usize, facts: &[(usize, T)]) -> Option<&T> {
        facts.iter().find(|(of, _)| self.same_workers && *of == worker).map(|(_, facts)| facts)
    }

    /// An error: what the checkpoint has of this node is not what it would have written.
    pub(in crate::flow) fn wrong(self, message: String) -> Error {
        Error::Checkpoint {
            message: format!("what the checkpoint has of `{}` can't be used: {message}", self.node),
            hint: Some("it was written by another version of weir; start again with `weir run --from-scratch`".into()),
            cause: None,
        }
    }
}
