//! The join operator: keeps the rows of two streams until the watermark says that no partner can
//! come any more, and gives pairs, once for each epoch.
//!
//! In come batches of both streams, exchanged by key, or the left ones where they are and the right ones
//! on every worker; out go pairs, in an order that depends on the
//! rows alone. The join's watermark is the lesser of the two streams'. Whether a row is late is
//! decided by the watermark of its own partition, as for windows. Rows are kept as Arrow columns
//! ([`held`]); what finds them there is numbers ([`window`], [`interval`]).

mod held;
mod intake;
mod interval;
mod pairs;
mod saved;
mod shelf;
mod side;
mod sorted;
mod timeline;
mod window;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use serde::{Deserialize, Serialize};
use serde_json::json;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator as _;

use super::batch::{Batch, Marks};
use super::cut::keyed::Pace;
use super::cut::{Cuts, Sections};
use super::dead_letters::Shared;
use super::epochs::{Epochs, Order, complete_both, merged};
use super::exchange::{Edge, exchange, owner, workers_of_key_groups};
use super::watermarks::{self, Watermarks};
use super::{Options, Stream};
use crate::checkpoint::{Frozen, Section, Table};
use crate::error::Result;
use crate::plan::{self, Operator, Pairing, Plan};
use crate::report::{Counted, Node};
use crate::state::Stores;
use crate::types::{Field, arrow_schema};
use intake::Intake;
use interval::Intervals;
use pairs::Shape;
use saved::{Adopted, adopted};
use shelf::Keeping;
use window::Windows;

/// What the operator needs to know of its step.
pub(super) struct Setting<'a> {
    pub(super) node: &'a plan::Node,
    pub(super) join: &'a plan::Join,
    pub(super) options: &'a Options,
    pub(super) counters: Arc<Node>,
    pub(super) shared: &'a Arc<Shared>,
    /// Where rows are kept that memory has no room for.
    pub(super) stores: &'a Stores,
    pub(super) cuts: Cuts,
    /// What it held where the run goes on.
    pub(super) restored: Option<Sections<'a>>,
}

/// What is small of a join on a worker, in a checkpoint.
#[derive(Serialize, Deserialize)]
struct Facts {
    watermarks: [watermarks::Saved; 2],
    /// Batches that it has given.
    batches: u64,
    /// The watermark up to which rows are paired.
    fired: i64,
    /// How many rows have been put on each shelf, where there are any.
    #[serde(default)]
    came: [i64; 2],
}

/// Joins two streams, each given with its node.
pub(super) fn join<'scope>(
    [left, right]: [(Stream<'scope>, usize); 2],
    plan: &Plan,
    setting: Setting<'_>,
) -> Stream<'scope> {
    let Setting { node, join, options, counters, shared, stores, cuts, restored } = setting;
    let scope = left.0.scope();
    let (left_node, right_node) = (left.1, right.1);
    let (peers, worker) = (scope.peers(), scope.index());
    let moved = |(stream, of): (Stream<'scope>, usize), key: &[Field], broadcast: Edge| {
        let edge = match join.broadcast {
            true => broadcast,
            false => Edge::Key { columns: key.to_vec(), numbered: false },
        };
        exchange(stream, &edge, &plan.nodes[of].fields)
    };
    let watermarks = [left.1, right.1].map(|of| Watermarks::new(plan.partition_count(of, peers)));
    let streams = [left.1, right.1].map(|of| (arrow_schema(&plan.nodes[of].fields), Order::of(&plan.nodes[of])));
    let intakes = Intake::of(join, [&plan.nodes[left.1], &plan.nodes[right.1]]);
    let (left, right) = (moved(left, &join.left_key, Edge::Stay), moved(right, &join.right_key, Edge::All));
    let shape = Shape::new(join, &intakes, options.batch_rows, peers > 1);
    let mut open = match join.pairing {
        Pairing::Window(kind) => Open::Windows(Windows::new(kind, intakes, join.kind)),
        Pairing::Within { before_us, after_us } => {
            Open::Intervals(Intervals::new([before_us, after_us], intakes, join.kind))
        }
    };
    let shared = Arc::clone(shared);
    let keeping =
        Keeping { stores, step: &node.name, join, worker, workers: peers, batch_rows: options.batch_rows, restored };
    if let Err(error) = open.keep_in(&keeping) {
        shared.fail(error);
    }
    let names = [left_node, right_node].map(|of| match &plan.nodes[of].operator {
        Operator::Window(_) | Operator::Join(_) => Vec::new(),
        _ => plan.partition_names_of(of),
    });
    let (worker, name) = (worker as u32, node.name.clone());
    let broadcast = join.broadcast;
    let pace = Pace::default();
    let mut step = Step {
        open,
        shape,
        watermarks,
        streams,
        broadcast,
        worker,
        sequence: 0,
        shared,
        counters,
        counted: Counted::default(),
        name,
        names,
        pace,
    };
    if cuts.are_taken() {
        step.open.save();
    }
    if let Some(sections) = restored
        && let Err(error) = step.restore(sections, peers)
    {
        step.shared.fail(error);
    }
    let (mut lefts, mut rights) = (Epochs::default(), Epochs::default());
    left.binary_frontier(right, Pipeline, Pipeline, &node.name, move |_, _| {
        move |(left, left_frontier), (right, right_frontier), output| {
            for (input, epochs) in [(left, &mut lefts), (right, &mut rights)] {
                input.for_each(|capability, batches| {
                    let Some(capability) = capability.retain_least(output.output_index()) else { return };
                    epochs.push(*capability.time(), || capability, batches.drain(..));
                });
            }
            let frontiers = [left_frontier, right_frontier];
            while let Some((capability, sides)) = complete_both([&mut lefts, &mut rights], frontiers) {
                {
                    let mut session = output.session(&capability);
                    step.epoch(sides, &mut |batch| session.give(batch));
                }
                if cuts.at(*capability.time()).is_some() {
                    step.leave(&cuts);
                }
            }
        }
    })
}

/// The rows of both sides that wait, by how they are paired.
enum Open {
    Windows(Windows),
    Intervals(Intervals),
}

impl Open {
    fn save(&mut self) {
        match self {
            Self::Windows(windows) => windows.save(),
            Self::Intervals(intervals) => intervals.save(),
        }
    }

    fn snapshot(&mut self, pace: &mut Pace) -> (i64, Vec<Table>, bool) {
        let (fired, (tables, whole)) = match self {
            Self::Windows(windows) => (windows.fired(), windows.snapshot(pace)),
            Self::Intervals(intervals) => (intervals.fired(), intervals.snapshot(pace)),
        };
        (fired, tables, whole)
    }

    fn freeze(&mut self) -> Result<Vec<Frozen>> {
        match self {
            Self::Windows(windows) => windows.freeze(),
            Self::Intervals(intervals) => intervals.freeze(),
        }
    }

    fn came(&self) -> [i64; 2] {
        match self {
            Self::Windows(windows) => windows.came(),
            Self::Intervals(intervals) => intervals.came(),
        }
    }

    fn keep_in(&mut self, keeping: &Keeping<'_>) -> Result<()> {
        match self {
            Self::Windows(windows) => windows.keep_in(keeping),
            Self::Intervals(intervals) => intervals.keep_in(keeping),
        }
    }

    /// Rows in memory, about how many bytes they take, and how many those in stores take.
    fn size(&self) -> (usize, usize, u64) {
        match self {
            Self::Windows(windows) => windows.size(),
            Self::Intervals(intervals) => intervals.size(),
        }
    }

    fn resume(&mut self, fired: i64, came: [i64; 2]) -> Result<()> {
        match self {
            Self::Windows(windows) => windows.resume(fired, came),
            Self::Intervals(intervals) => {
                intervals.resume(fired, came);
                Ok(())
            }
        }
    }

    fn adopt(&mut self, side: usize, kept: &Adopted) {
        match self {
            Self::Windows(windows) => windows.adopt(side, kept),
            Self::Intervals(intervals) => intervals.adopt(side, kept),
        }
    }
}

/// A join on one worker, and how far its streams are.
struct Step {
    open: Open,
    shape: Shape,
    watermarks: [Watermarks; 2],
    /// The columns and the order of each.
    streams: [(SchemaRef, Order); 2],
    /// Whether every worker has all right rows.
    broadcast: bool,
    worker: u32,
    sequence: u64,
    shared: Arc<Shared>,
    counters: Arc<Node>,
    /// What it has told of its state.
    counted: Counted,
    /// What it is called in checkpoints, and its partitions are; how much of it goes into each.
    name: String,
    names: [Vec<String>; 2],
    pace: Pace,
}

impl Step {
    /// Whether another worker has all rows of a side as well, and tells of them.
    fn is_copy(&self, side: usize) -> bool {
        self.broadcast && side == 1 && self.worker > 0
    }

    /// Leaves what waits, or what of it has come since the last checkpoint.
    fn leave(&mut self, cuts: &Cuts) {
        let frozen = self.open.freeze().unwrap_or_else(|error| {
            self.shared.fail(error);
            Vec::new()
        });
        let (fired, mut tables, whole) = self.open.snapshot(&mut self.pace);
        if self.is_copy(1) {
            tables.truncate(1);
        }
        let watermarks = [0, 1].map(|side| self.watermarks[side].saved(&self.names[side]));
        let facts = Facts { watermarks, batches: self.sequence, fired, came: self.open.came() };
        cuts.leave(Section { node: self.name.clone(), whole, facts: json!(facts), tables });
        frozen.into_iter().for_each(|frozen| cuts.leave_frozen(&self.name, frozen));
    }

    /// Goes on where a checkpoint was.
    fn restore(&mut self, sections: Sections<'_>, peers: usize) -> Result<()> {
        let facts: Vec<(usize, Facts)> = sections.facts()?;
        let Some((_, first)) = facts.first() else { return Ok(()) };
        for side in [0, 1] {
            self.watermarks[side].resume(&first.watermarks[side], &self.names[side]);
        }
        // Rows that come are behind all that have come to any worker.
        let came = [0, 1].map(|side| facts.iter().map(|(_, facts)| facts.came[side]).max().unwrap_or_default());
        self.open.resume(first.fired, came)?;
        self.sequence = sections.of_worker(self.worker as usize, &facts).map_or(0, |facts| facts.batches);
        let owners = workers_of_key_groups(peers);
        // Oldest first: rows are in the order in which they came.
        for (_, section) in sections.all() {
            for side in [0, 1] {
                let mine = |key: &[u8]| (self.broadcast && side == 1) || owner(key, &owners) == self.worker;
                let kept = adopted(section, side, &mine).map_err(|what| sections.wrong(what))?;
                kept.iter().for_each(|kept| self.open.adopt(side, kept));
            }
        }
        Ok(())
    }

    /// Takes in what an epoch brought on both sides, and gives the pairs that are complete.
    fn epoch(&mut self, sides: [Vec<Batch>; 2], give: &mut dyn FnMut(Batch)) {
        if self.shared.has_failed() {
            return;
        }
        let started = Instant::now();
        for (side, batches) in sides.into_iter().enumerate() {
            batches.iter().for_each(|batch| self.watermarks[side].note(batch));
            let (schema, order) = &self.streams[side];
            for batch in merged(batches, schema, *order) {
                let taken = match &mut self.open {
                    Open::Windows(windows) => windows.take_in(side, &batch),
                    Open::Intervals(intervals) => intervals.take_in(side, &batch),
                };
                let late = match taken {
                    Ok(late) => late,
                    Err(error) => return self.shared.fail(error),
                };
                if !self.is_copy(side) {
                    Node::add(&self.counters.rows_in, batch.rows.num_rows());
                    Node::add(&self.counters.late, late);
                }
            }
        }
        let (rows, bytes, stored) = self.open.size();
        self.counters.count_state(&mut self.counted, rows as u64, bytes as u64, stored);
        let (watermark, idle) = Watermarks::of_both(&mut self.watermarks);
        self.counters.watermark.fetch_max(watermark, Relaxed);
        let mut rows_out = 0;
        let (worker, sequence) = (self.worker, &mut self.sequence);
        let mut numbered = |watermark: i64, rows: RecordBatch, marks: Marks| {
            rows_out += rows.num_rows();
            give(Batch {
                partition: worker,
                sequence: *sequence,
                watermark,
                idle,
                target: 0,
                folded: false,
                rows,
                marks,
            });
            *sequence += 1;
        };
        // The stream is at its new watermark only behind the last of these rows.
        let mut pairs = |rows: RecordBatch, marks: Marks| numbered(i64::MIN, rows, marks);
        let fired = match &mut self.open {
            Open::Windows(windows) => windows.fire(watermark, &self.shape, &mut pairs),
            Open::Intervals(intervals) => intervals.fire(watermark, &self.shape, &mut pairs),
        };
        let passed_on = match fired {
            Ok(watermark) => watermark,
            Err(error) => return self.shared.fail(error),
        };
        // What follows has to know the watermark even where there is no pair.
        let (rows, marks) = self.shape.nothing();
        numbered(passed_on, rows, marks);
        Node::add_time(&self.counters.busy_ns, started.elapsed());
        Node::add(&self.counters.rows_out, rows_out);
    }
}
