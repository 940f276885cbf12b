//! The checkpoints of a run, seen from the driver: what it goes on from, and what takes the next.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use timely::dataflow::Scope;
use timely::dataflow::operators::probe::Handle;

use super::commit::Place;
use super::restore::last;
use super::{Collector, Committer, Conductor, Cuts, Restored, collect, conduct};
use crate::checkpoint::{Files, Folder, Manifest, Output, Shape};
use crate::error::Result;
use crate::flow::dead_letters::{Behind, Shared};
use crate::flow::sink::{DEAD_LETTERS, Places};
use crate::flow::{Epoch, Options, Stream};
use crate::plan::Plan;
use crate::report::Metrics;

/// Where a run starts.
pub(in crate::flow) enum Start {
    /// From nothing, or from a checkpoint.
    At(Box<Saved>),
    /// Nowhere: all was done and published before.
    Complete,
}

/// The checkpoints of a run.
pub(in crate::flow) struct Saved {
    /// The manifest of the checkpoint that the run goes on from.
    from: Option<Manifest>,
    /// What its nodes held, until every worker of this process has taken what is its own.
    restored: Mutex<(usize, Arc<Restored>)>,
    taken: Option<Taken>,
}

/// How checkpoints are taken.
struct Taken {
    folder: Folder,
    files: Files,
    every: Duration,
    keep: usize,
    pipeline: String,
    shape: Vec<Shape>,
    places: Places,
    committed: Arc<AtomicU64>,
    metrics: Arc<Metrics>,
}

impl Saved {
    /// Takes the folder of a pipeline's checkpoints, and finds out where the run starts.
    pub(in crate::flow) fn open(plan: &Plan, options: &Options, metrics: &Arc<Metrics>) -> Result<Start> {
        let Some(settings) = &plan.checkpoint else {
            return Ok(Start::At(Box::new(Self { from: None, restored: Mutex::default(), taken: None })));
        };
        let files = options.files.clone();
        let (process, processes) = options.cluster.as_ref().map_or((0, 1), |c| (c.process, c.addresses.len()));
        // The first process makes checkpoints of what all have written, so the folder is its own.
        let leads = process == 0;
        let folder = match leads {
            true => Folder::take(&settings.location, files.clone())?,
            false => Folder::look_at(&settings.location, files.clone())?,
        };
        if options.from_scratch && leads {
            folder.clear()?;
        }
        let manifest = if options.from_scratch { None } else { last(plan, &folder)? };
        let places = Places::of(plan);
        if let Some(manifest) = &manifest {
            if leads {
                // A run that was killed may have made it, and published nothing yet.
                places.publish(&files, manifest)?;
            }
            metrics.checkpoints.resumed.store(manifest.checkpoint, Relaxed);
            if manifest.complete {
                return Ok(Start::Complete);
            }
        }
        if leads {
            places.tidy(&files, plan, manifest.as_ref())?;
        }
        let found = manifest.clone().map(|manifest| folder.load(manifest)).transpose()?;
        let taken = Taken {
            folder,
            files,
            every: settings.every,
            keep: settings.keep,
            pipeline: plan.name.clone(),
            shape: Shape::of(plan),
            places,
            committed: Arc::default(),
            metrics: Arc::clone(metrics),
        };
        let workers = options.workers.max(1);
        let restored = Mutex::new((workers, Arc::new(Restored::new(found, workers * processes))));
        Ok(Start::At(Box::new(Self { from: manifest, restored, taken: Some(taken) })))
    }

    /// What the nodes held, for a worker that lays out the dataflow. It asks once.
    pub(in crate::flow) fn restored(&self) -> Arc<Restored> {
        let mut restored = self.restored.lock().unwrap_or_else(PoisonError::into_inner);
        restored.0 = restored.0.saturating_sub(1);
        match restored.0 {
            0 => std::mem::take(&mut restored.1),
            _ => Arc::clone(&restored.1),
        }
    }

    /// The number of the checkpoint that the run goes on from, or 0; none where none are taken.
    pub(in crate::flow) fn after(&self) -> Option<u64> {
        self.taken.as_ref().map(|_| self.from.as_ref().map_or(0, |manifest| manifest.checkpoint))
    }

    /// What was final of an output.
    pub(in crate::flow) fn output(&self, sink: &str) -> Option<&Output> {
        self.from.as_ref()?.outputs.iter().find(|output| output.sink == sink)
    }

    /// What this process's dead letters go on behind.
    pub(in crate::flow) fn letters_behind(&self, plan: &Plan) -> Behind {
        let bytes = self.letters(plan).map_or(0, |output| output.bytes);
        Behind { checkpoint: self.after().unwrap_or(0), bytes }
    }

    /// What was final of this process's file of dead letters.
    fn letters(&self, plan: &Plan) -> Option<&Output> {
        let name = plan.dead_letters.as_ref()?.path.file_name()?.to_string_lossy();
        let outputs = &self.from.as_ref()?.outputs;
        outputs.iter().find(|output| output.sink == DEAD_LETTERS && output.staged == name)
    }

    /// What a worker knows of cuts.
    pub(in crate::flow) fn cuts(&self) -> Cuts {
        match self.taken {
            Some(_) => Cuts::taken(),
            None => Cuts::default(),
        }
    }

    /// Takes checkpoints of a dataflow with these sinks. Gives what is to be waited for at the end.
    pub(in crate::flow) fn conduct<'scope>(
        &self,
        scope: &Scope<'scope, Epoch>,
        sinks: Vec<Stream<'scope>>,
        probe: &Handle<Epoch>,
        cuts: &Cuts,
        shared: &Arc<Shared>,
    ) -> Option<Committer> {
        let taken = self.taken.as_ref()?;
        let place = Place {
            folder: taken.folder.clone(),
            files: taken.files.clone(),
            keep: taken.keep,
            pipeline: taken.pipeline.clone(),
            workers: scope.peers(),
            commits: scope.index() == 0,
            shape: taken.shape.clone(),
            places: taken.places.clone(),
            // The first sections of a run are whole, and its workers may be others than those before.
            parts: Vec::new(),
            known: Vec::new(),
            committed: Arc::clone(&taken.committed),
            shared: Arc::clone(shared),
            metrics: Arc::clone(&taken.metrics),
        };
        let committer = match Committer::start(place) {
            Ok(committer) => committer,
            Err(error) => {
                shared.fail(error);
                return None;
            }
        };
        let conductor = Conductor {
            cuts: cuts.clone(),
            every: taken.every,
            sinks: probe.clone(),
            committed: Arc::clone(&taken.committed),
            shared: Arc::clone(shared),
        };
        conduct(scope, conductor);
        let after = self.after().unwrap_or(0);
        let collector =
            Collector { cuts: cuts.clone(), committer: committer.clone(), after, shared: Arc::clone(shared) };
        collect(scope, sinks, collector);
        Some(committer)
    }
}
