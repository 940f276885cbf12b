//! The thread beside a worker that writes its parts, and beside the first worker also the manifests.
//!
//! It works in order, so the last checkpoint is there when it has ended. What can't be written fails
//! the run: going on without checkpoints would promise what is not kept.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Instant, SystemTime};

use serde::{Deserialize, Serialize};

use super::{Left, Staged};
use crate::checkpoint::{FileRef, Files, Folder, Manifest, Output, PartRef, Position, Shape};
use crate::error::{Error, Result};
use crate::flow::dead_letters::Shared;
use crate::flow::sink::Places;
use crate::report::Metrics;

/// What the thread is to do.
pub(in crate::flow) enum Job {
    /// Write what a worker's operators have left.
    Write { checkpoint: u64, worker: usize, last: bool, left: Left },
    /// Make a checkpoint of the parts of all workers, and publish what it covers.
    Commit { checkpoint: u64, parts: Vec<Part> },
}

/// What a worker has written.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::flow) struct Part {
    pub(super) checkpoint: u64,
    pub(super) worker: usize,
    last: bool,
    part: PartRef,
    positions: Vec<Position>,
    outputs: Vec<Output>,
}

/// A way to the thread.
#[derive(Clone)]
pub(in crate::flow) struct Committer(Rc<Inner>);

struct Inner {
    jobs: RefCell<Option<Sender<Job>>>,
    written: Receiver<Part>,
    thread: RefCell<Option<JoinHandle<()>>>,
    shared: Arc<Shared>,
}

/// What the thread works with.
pub(in crate::flow) struct Place {
    pub(in crate::flow) folder: Folder,
    pub(in crate::flow) files: Files,
    pub(in crate::flow) keep: usize,
    pub(in crate::flow) pipeline: String,
    pub(in crate::flow) workers: usize,
    /// Whether this is the thread that makes checkpoints of parts.
    pub(in crate::flow) commits: bool,
    pub(in crate::flow) shape: Vec<Shape>,
    /// Where sinks write.
    pub(in crate::flow) places: Places,
    /// The parts that the last checkpoint of this run needs.
    pub(in crate::flow) parts: Vec<PartRef>,
    /// The files of state that this worker's last part has.
    pub(in crate::flow) known: Vec<FileRef>,
    /// How many checkpoints of this run are there.
    pub(in crate::flow) committed: Arc<AtomicU64>,
    pub(in crate::flow) shared: Arc<Shared>,
    pub(in crate::flow) metrics: Arc<Metrics>,
}

impl Committer {
    pub(in crate::flow) fn start(place: Place) -> Result<Self> {
        let (jobs, todo) = channel();
        let (done, written) = channel();
        let shared = Arc::clone(&place.shared);
        let work = move || {
            let mut place = place;
            let mut ended = false;
            for job in todo {
                ended |= matches!(&job, Job::Commit { parts, .. } if parts.iter().all(|part| part.last));
                if place.shared.has_failed() {
                    continue;
                }
                match place.work(job) {
                    Ok(None) => {}
                    // Nobody waits for it where the worker has failed.
                    Ok(Some(part)) => drop(done.send(part)),
                    Err(error) => place.shared.fail(error),
                }
            }
            if place.commits && !ended {
                // What is not published is not to be taken for done. A run that failed has said why.
                place.shared.fail(Error::Bug("the run has ended without its last checkpoint".into()));
            }
        };
        let thread = std::thread::Builder::new().name("weir-checkpoint".to_owned()).spawn(work);
        let thread = thread.map_err(|e| Error::Checkpoint {
            message: "can't start a thread that writes checkpoints".into(),
            hint: None,
            cause: Some(e),
        })?;
        let (jobs, thread) = (RefCell::new(Some(jobs)), RefCell::new(Some(thread)));
        Ok(Self(Rc::new(Inner { jobs, written, thread, shared })))
    }

    pub(super) fn send(&self, job: Job) {
        if let Some(jobs) = &*self.0.jobs.borrow() {
            // The thread ends when this end does.
            drop(jobs.send(job));
        }
    }

    /// A part that has been written, if there is one.
    pub(super) fn written(&self) -> Option<Part> {
        self.0.written.try_recv().ok()
    }

    /// Waits until everything is written.
    pub(in crate::flow) fn finish(&self) {
        self.0.jobs.take();
        if let Some(thread) = self.0.thread.take()
            && thread.join().is_err()
        {
            self.0.shared.fail(Error::Bug("the thread that writes checkpoints panicked".into()));
        }
    }
}

impl Place {
    fn work(&mut self, job: Job) -> Result<Option<Part>> {
        match job {
            Job::Write { checkpoint, worker, last, left } => {
                let Left { sections, frozen, positions, staged } = left;
                let part = self.folder.write_part(checkpoint, worker, &sections, &frozen, &self.known)?;
                self.known.clone_from(&part.files);
                let outputs = staged.into_iter().map(|Staged { output, file }| {
                    let failed = |e| {
                        let path = self.places.path(&output.sink, &output.staged);
                        Error::sink_io(format!("the output `{}` can't be written", path.display()), e)
                    };
                    self.files.sync(&file).map_err(failed)?;
                    Ok(output)
                });
                let outputs = outputs.collect::<Result<_>>()?;
                Ok(Some(Part { checkpoint, worker, last, part, positions, outputs }))
            }
            Job::Commit { checkpoint, parts } => {
                let started = Instant::now();
                let complete =
                    parts.iter().all(|p| p.last) && parts.iter().all(|p| p.positions.iter().all(|p| p.ended));
                let mut manifest = Manifest {
                    checkpoint,
                    pipeline: self.pipeline.clone(),
                    weir: env!("CARGO_PKG_VERSION").to_owned(),
                    taken_ms: now_ms(),
                    workers: self.workers,
                    complete,
                    shape: self.shape.clone(),
                    positions: Vec::new(),
                    parts: Vec::new(),
                    outputs: Vec::new(),
                };
                let mut added = Vec::new();
                for Part { part, positions, outputs, .. } in parts {
                    added.push(part);
                    manifest.positions.extend(positions);
                    manifest.outputs.extend(outputs);
                }
                manifest.positions.sort_by(|a, b| (&a.source, &a.partition).cmp(&(&b.source, &b.partition)));
                let bytes = added.iter().map(PartRef::new_bytes).sum();
                self.parts = Manifest::needed(&self.parts, added);
                manifest.parts.clone_from(&self.parts);
                self.folder.commit(&manifest)?;
                self.places.publish(&self.files, &manifest)?;
                self.folder.prune(self.keep)?;
                self.metrics.checkpoints.note(checkpoint, bytes, started.elapsed(), manifest.taken_ms);
                self.committed.fetch_add(1, Relaxed);
                Ok(None)
            }
        }
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
