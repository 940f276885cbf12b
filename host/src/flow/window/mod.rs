//! The window operator: folds rows into windows, and fires those that the stream's watermark has
//! passed, once for each epoch.
//!
//! The stream's watermark is the least of its partitions'. It is taken where an epoch is complete,
//! so that it does not depend on how fast rows came. Rows are folded in the order of (partition,
//! sequence), at once where they come in that order anyway.

pub(super) mod accumulators;
pub(super) mod assign;
mod by_key;
mod counts;
mod due;
mod ends;
mod fire;
mod firing;
mod fold;
mod groups;
pub(super) mod keys;
mod late;
mod local;
mod paged;
mod pane;
mod panes;
pub(super) mod place;
mod ready;
mod results;
mod sessions;
mod sliding;
mod snapshot;
pub(super) mod spill;
mod table;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use arrow_array::RecordBatch;
use serde::{Deserialize, Serialize};
use serde_json::json;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::OutputBuilder;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;

use super::batch::{Batch, Marks};
use super::cut::keyed::Pace;
use super::cut::{Cuts, Sections};
use super::dead_letters::{Called, Failures};
use super::epochs::{Epochs, Order, merged};
use super::exchange::{owner, workers_of_key_groups};
use super::watermarks::{self, Watermarks};
use super::{Epoch, Options, Stream};
use crate::checkpoint::Section;
use crate::error::Result;
use crate::function::invoke::Failure;
use crate::plan::{self, Late, WindowKind};
use crate::report::{Counted, Node};
use crate::state::Stores;
use crate::types::{Field, arrow_schema};
use fire::{Fired, Firing};
use fold::Windows;
pub(super) use late::late;
pub(super) use local::fold_locally;

/// What the operator needs to know of its step and its stream.
pub(super) struct Setting<'a> {
    pub(super) node: &'a plan::Node,
    pub(super) window: &'a plan::Window,
    /// The columns of the stream that it takes.
    pub(super) input: &'a [Field],
    /// Whether the rows of that stream have event times.
    pub(super) timed: bool,
    /// The partitions of that stream, and the order of its rows.
    pub(super) partitions: usize,
    pub(super) order: Order,
    pub(super) options: &'a Options,
    pub(super) counters: Arc<Node>,
    pub(super) failures: Failures,
    /// Where state is kept that memory has no room for.
    pub(super) stores: &'a Stores,
    pub(super) cuts: Cuts,
    /// What it held where the run goes on.
    pub(super) restored: Option<Sections<'a>>,
    /// What tells the partitions of its stream apart; empty behind windows.
    pub(super) names: &'a [String],
}

/// Puts windows on a stream that is exchanged by their key. Gives their results, and the rows that
/// were late for all of them.
pub(super) fn window<'scope>(stream: Stream<'scope>, setting: Setting<'_>) -> (Stream<'scope>, Stream<'scope>) {
    let (peers, worker) = (stream.scope().peers(), stream.scope().index());
    let order = setting.order;
    let mut step = Step::new(&setting, peers, worker);
    let cuts = setting.cuts.clone();
    let side = setting.window.firing.late == Late::Side;
    // Rows of the epochs behind the one that fires may have come already. Where a window gives its
    // results once they do no harm; otherwise they would show.
    let plan::Window { firing, kind, .. } = setting.window;
    let in_order = peers == 1 && !firing.repeats() && !matches!(kind, WindowKind::Count { .. });
    let schema = arrow_schema(setting.input);
    let mut epochs = Epochs::default();

    let scope = stream.scope();
    let mut builder = OperatorBuilder::new(setting.node.name.clone(), scope);
    let activator = scope.activator_for(builder.operator_info().address);
    // The epoch whose results are being given.
    let mut under_way = None;
    let mut input = builder.new_input(stream, Pipeline);
    let (results, result_stream) = builder.new_output();
    let (late, late_stream) = builder.new_output();
    let mut results = OutputBuilder::<Epoch, CapacityContainerBuilder<Vec<Batch>>>::from(results);
    let mut late = OutputBuilder::<Epoch, CapacityContainerBuilder<Vec<Batch>>>::from(late);
    builder.build(move |_| {
        move |frontiers| {
            let (mut results, mut late) = (results.activate(), late.activate());
            if under_way.is_some() {
                // What comes meanwhile waits, and nobody says again that it is there.
                activator.activate();
            } else {
                input.for_each(|capability, batches| {
                    if in_order {
                        let mut late = late.session(&capability);
                        for batch in batches.iter_mut() {
                            let rows = step.fold(batch);
                            if side {
                                late.give(rows);
                            }
                        }
                    }
                    if let (Some(results), Some(late)) =
                        (capability.retain_least(RESULTS), capability.retain_least(LATE))
                    {
                        epochs.push(*results.time(), || (results, late), batches.drain(..));
                    }
                });
            }
            loop {
                if under_way.is_none() {
                    let Some(((for_results, for_late), batches)) = epochs.complete(&frontiers[0]) else { return };
                    batches.iter().for_each(|batch| step.watermarks.note(batch));
                    if !in_order {
                        let mut late = late.session(&for_late);
                        // Those without rows say where their partition is, to who takes late rows as well.
                        let (bare, full): (Vec<_>, Vec<_>) = batches.into_iter().partition(|b| b.rows.num_rows() == 0);
                        // What was folded before it came is whole: no batch of it came from several workers.
                        let (folded, rows): (Vec<_>, Vec<_>) = full.into_iter().partition(|b| b.folded);
                        let mut full = merged(rows, &schema, order);
                        if !folded.is_empty() {
                            full.extend(folded);
                            full.sort_by_key(|b| (b.partition, b.sequence));
                        }
                        for mut batch in full.into_iter().chain(bare) {
                            let rows = step.fold(&mut batch);
                            // What was folded before it came has left its late rows behind.
                            if side && !batch.folded {
                                late.give(rows);
                            }
                        }
                    }
                    // Where the run has failed what was due stays undone, and so does what follows.
                    let Some(firing) = step.begin_firing() else { continue };
                    under_way = Some((for_results, firing));
                }
                let Some((for_results, mut firing)) = under_way.take() else { return };
                let over = {
                    let mut results = results.session(&for_results);
                    step.fire(&mut firing, &mut |batch| results.give(batch))
                };
                if !over {
                    // Those who follow come first: then their memory is there for the results behind these.
                    under_way = Some((for_results, firing));
                    return activator.activate();
                }
                if cuts.at(*for_results.time()).is_some() && !step.failures.shared.has_failed() {
                    step.leave(&cuts);
                }
            }
        }
    });
    (result_stream, late_stream)
}

/// Results, in batches, that are given before those who follow take them.
const BATCHES_AT_ONCE: usize = 4;

/// The operator's outputs.
const RESULTS: usize = 0;
const LATE: usize = 1;

/// The windows of a step on one worker, and how far its stream is.
struct Step {
    windows: Windows,
    watermarks: Watermarks,
    worker: u32,
    sequence: u64,
    called: Vec<Called>,
    failures: Failures,
    counters: Arc<Node>,
    /// What it has told of its state.
    counted: Counted,
    /// What it is called in checkpoints, and its partitions are; how much of it goes into each.
    name: String,
    names: Vec<String>,
    pace: Pace,
}

/// What is small of a step on a worker, in a checkpoint.
#[derive(Serialize, Deserialize)]
struct Facts {
    watermarks: watermarks::Saved,
    /// Batches that it has given.
    batches: u64,
    windows: snapshot::Facts,
}

impl Step {
    fn new(setting: &Setting<'_>, peers: usize, worker: usize) -> Self {
        let Setting { node, window, input, timed, partitions, options, counters, failures, .. } = setting;
        let called = window.compute.calls().map(|call| Called::new(&call.label, &call.function)).collect();
        let (reuse, rows) = (options.reuse, options.batch_rows);
        let mut windows = Windows::new(window, input, *timed, &node.fields, reuse, counters, peers > 1, rows);
        if let Err(error) = windows.keep_in(setting.stores, &node.name, window, worker, peers, setting.restored) {
            failures.shared.fail(error);
        }
        if setting.cuts.are_taken() {
            windows.save();
        }
        let mut step = Self {
            windows,
            watermarks: Watermarks::new(*partitions),
            worker: worker as u32,
            sequence: 0,
            called,
            failures: failures.clone(),
            counters: Arc::clone(counters),
            counted: Counted::default(),
            name: node.name.clone(),
            names: setting.names.to_vec(),
            pace: Pace::default(),
        };
        if let Some(sections) = setting.restored
            && let Err(error) = step.restore(sections, peers)
        {
            step.failures.shared.fail(error);
        }
        step
    }

    /// Goes on where a checkpoint was.
    fn restore(&mut self, sections: Sections<'_>, peers: usize) -> Result<()> {
        let facts: Vec<(usize, Facts)> = sections.facts()?;
        if let Some((_, first)) = facts.first() {
            self.watermarks.resume(&first.watermarks, &self.names);
        }
        let worker = self.worker;
        self.sequence = sections.of_worker(worker as usize, &facts).map_or(0, |facts| facts.batches);
        let owners = workers_of_key_groups(peers);
        let of: Vec<_> = facts.iter().map(|(worker, facts)| (*worker, &facts.windows)).collect();
        self.windows.restore(sections, &of, &|key| owner(key, &owners) == worker)
    }

    /// Leaves what it holds at a cut, or what of it has changed.
    fn leave(&mut self, cuts: &Cuts) {
        let frozen = self.windows.freeze().unwrap_or_else(|error| {
            self.failures.shared.fail(error);
            Vec::new()
        });
        let (windows, tables, whole) = self.windows.snapshot(&mut self.pace);
        let facts = Facts { watermarks: self.watermarks.saved(&self.names), batches: self.sequence, windows };
        cuts.leave(Section { node: self.name.clone(), whole, facts: json!(facts), tables });
        frozen.into_iter().for_each(|frozen| cuts.leave_frozen(&self.name, frozen));
    }

    /// Folds a batch's rows, and leaves of it only where its partition's watermark stands. Gives the
    /// rows that were late.
    fn fold(&mut self, batch: &mut Batch) -> Batch {
        let rows = batch.rows.num_rows();
        if rows == 0 || self.failures.shared.has_failed() {
            return batch.clone();
        }
        let started = Instant::now();
        let mut failed = Vec::new();
        let late = self.windows.fold(batch, &mut failed).unwrap_or_else(|error| {
            self.failures.shared.fail(error);
            Vec::new()
        });
        Node::add_time(&self.counters.busy_ns, started.elapsed());
        if !batch.folded {
            Node::add(&self.counters.rows_in, rows);
        }
        Node::add(&self.counters.late, late.len());
        for (index, called) in self.called.iter().enumerate() {
            let of: Vec<&Failure> = failed.iter().filter(|f| f.aggregate == index).map(|f| &f.failure).collect();
            self.failures.rows(called, batch, of.into_iter());
        }
        let late = batch.take(&late.into());
        *batch = batch.take(&Vec::<u32>::new().into());
        late
    }

    /// Begins to fire what the stream's watermark has passed; not where the run has failed, since a firing before may
    /// have been given up in the middle, with its panes.
    fn begin_firing(&mut self) -> Option<Firing> {
        if self.failures.shared.has_failed() {
            return None;
        }
        let started = Instant::now();
        let watermark = self.watermarks.stream();
        self.counters.watermark.fetch_max(watermark, Relaxed);
        self.windows.count_state(&self.counters, &mut self.counted);
        let firing = self.windows.begin_firing(watermark);
        Node::add_time(&self.counters.busy_ns, started.elapsed());
        Some(firing)
    }

    /// Gives the next results of a firing, and behind the last the watermark. Whether it is over.
    fn fire(&mut self, firing: &mut Firing, give: &mut dyn FnMut(Batch)) -> bool {
        if self.failures.shared.has_failed() {
            return true;
        }
        let shell = Batch {
            partition: self.worker,
            sequence: 0,
            watermark: self.watermarks.stream(),
            idle: self.watermarks.is_idle(),
            target: 0,
            folded: false,
            rows: RecordBatch::new_empty(arrow_schema::Schema::empty().into()),
            marks: Marks::default(),
        };
        let started = Instant::now();
        let mut out = Out {
            shell: &shell,
            sequence: &mut self.sequence,
            called: &self.called,
            failures: &self.failures,
            give,
            rows: 0,
        };
        let mut over = Ok(false);
        while let Ok(false) = over
            && out.rows < BATCHES_AT_ONCE * self.windows.batch_rows
        {
            over = self.windows.fire(firing, &mut out);
        }
        let rows = out.rows;
        let over = over.unwrap_or_else(|error| {
            self.failures.shared.fail(error);
            true
        });
        if over {
            // What follows has to know the watermark even where nothing fired.
            let (rows_of_none, marks) = self.windows.no_results();
            give_numbered(shell.with(rows_of_none, marks), &mut self.sequence, give);
        }
        Node::add_time(&self.counters.busy_ns, started.elapsed());
        Node::add(&self.counters.rows_out, rows);
        over
    }
}

fn give_numbered(mut batch: Batch, sequence: &mut u64, give: &mut dyn FnMut(Batch)) {
    batch.sequence = *sequence;
    *sequence += 1;
    give(batch);
}

/// Where fired rows go.
struct Out<'a> {
    shell: &'a Batch,
    sequence: &'a mut u64,
    called: &'a [Called],
    failures: &'a Failures,
    give: &'a mut dyn FnMut(Batch),
    rows: usize,
}

impl Fired for Out<'_> {
    fn rows(&mut self, rows: RecordBatch, marks: Marks) {
        self.rows += rows.num_rows();
        // The stream is at its new watermark only behind the last of these rows.
        let batch = Batch { watermark: i64::MIN, ..self.shell.with(rows, marks) };
        give_numbered(batch, self.sequence, self.give);
    }

    fn failed(&mut self, aggregate: usize, failures: &[Failure], rows: &RecordBatch) {
        let batch = self.shell.with(rows.clone(), Marks::default());
        self.failures.rows(&self.called[aggregate], &batch, failures.iter());
    }
}
