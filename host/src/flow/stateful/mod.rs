//! The stateful-map operator: any number of rows out for each row in, and a state for each key.
//!
//! In come batches that are exchanged by key; out go the function's rows, each with its row's other
//! columns, its time and its place in the stream. Rows are taken in the order of (partition,
//! sequence): as they come where there is one worker, and else when their epoch is complete. There is
//! no clock here: what a key's state is depends on the rows before and on nothing else.

mod behind;
mod keys;
mod states;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::json;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::Operator;

use super::batch::{Batch, Marks, record_batch};
use super::cut::{Cuts, Sections};
use super::dead_letters::{Called, Failures};
use super::epochs::{Epochs, Order, merged};
use super::exchange::{owner, workers_of_key_groups};
use super::stored::Whose;
use super::watermarks::{self, Watermarks};
use super::{Options, Stream};
use crate::checkpoint::Section;
use crate::error::Result;
use crate::plan;
use crate::report::{Counted, Node};
use crate::state::Stores;
use crate::types::{Field, arrow_schema};
use states::States;

/// What the operator needs to know of its step and its stream.
pub(super) struct Setting<'a> {
    pub(super) node: &'a plan::Node,
    pub(super) stateful: &'a plan::StatefulMap,
    /// The columns of the stream that it takes.
    pub(super) input: &'a [Field],
    /// The partitions of that stream, and the order of its rows.
    pub(super) partitions: usize,
    pub(super) order: Order,
    pub(super) options: &'a Options,
    pub(super) failures: Failures,
    /// Where state is kept that memory has no room for.
    pub(super) stores: &'a Stores,
    pub(super) cuts: Cuts,
    /// What it held where the run goes on.
    pub(super) restored: Option<Sections<'a>>,
    /// What tells the partitions of its stream apart; empty behind windows.
    pub(super) names: &'a [String],
}

/// What is small of a step on a worker, in a checkpoint.
#[derive(Serialize, Deserialize)]
struct Facts {
    watermarks: watermarks::Saved,
    /// What is known of its store, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sweep: Option<behind::Sweep>,
}

/// Puts a stateful map on a stream that is exchanged by its key.
pub(super) fn stateful_map<'scope>(stream: Stream<'scope>, setting: Setting<'_>) -> Stream<'scope> {
    let (peers, worker) = (stream.scope().peers(), stream.scope().index());
    let in_order = peers == 1;
    let Setting { node, stateful, input, partitions, order, options, failures, stores, cuts, restored, names } =
        setting;
    let mut step = Step {
        states: States::new(node, stateful, input, options, &failures.counters),
        watermarks: Watermarks::new(partitions),
        called: Called::new(&stateful.apply.call.label, &stateful.apply.call.function),
        failures,
        counted: Counted::default(),
        name: node.name.clone(),
        names: names.to_vec(),
    };
    let whose = Whose { step: &node.name, worker, workers: peers, key: &stateful.key };
    if let Err(error) = step.states.keep_in(stores, &whose, stateful, options.batch_rows, restored) {
        step.failures.shared.fail(error);
    }
    if cuts.are_taken() {
        step.states.save();
    }
    if let Some(sections) = restored
        && let Err(error) = step.restore(sections, worker as u32, peers)
    {
        step.failures.shared.fail(error);
    }
    let schema = arrow_schema(input);
    let mut epochs = Epochs::default();
    stream.unary_frontier(Pipeline, &node.name, move |_, _| {
        move |(input, frontier), output| {
            input.for_each(|capability, batches| {
                let Some(capability) = capability.retain_least(output.output_index()) else { return };
                if in_order {
                    let mut session = output.session(&capability);
                    for batch in batches.iter_mut() {
                        let bare = batch.with(record_batch(arrow_schema(&[]), Vec::new(), 0), Marks::default());
                        step.step(&std::mem::replace(batch, bare), &mut |batch| session.give(batch));
                    }
                }
                epochs.push(*capability.time(), || capability, batches.drain(..));
            });
            while let Some((capability, batches)) = epochs.complete(frontier) {
                batches.iter().for_each(|batch| step.watermarks.note(batch));
                if !in_order {
                    let mut session = output.session(&capability);
                    let (bare, full): (Vec<Batch>, _) = batches.into_iter().partition(|b| b.rows.num_rows() == 0);
                    let batches = merged(full, &schema, order).into_iter().chain(last_of_each(bare));
                    batches.for_each(|batch| step.step(&batch, &mut |batch| session.give(batch)));
                }
                step.settle();
                if cuts.at(*capability.time()).is_some() {
                    step.leave(&cuts);
                }
            }
        }
    })
}

/// Of batches without rows, which say where their partition is, the one of each partition that is
/// furthest. Every split by key makes several of each: if all went on, each stateful map behind another
/// would multiply them by the number of workers.
fn last_of_each(bare: Vec<Batch>) -> impl Iterator<Item = Batch> {
    let mut last: BTreeMap<u32, Batch> = BTreeMap::new();
    for batch in bare {
        match last.get_mut(&batch.partition) {
            Some(before) => before.watermark = before.watermark.max(batch.watermark),
            None => drop(last.insert(batch.partition, batch)),
        }
    }
    last.into_values()
}

/// The states of a step on one worker, and how far its stream is.
struct Step {
    states: States,
    watermarks: Watermarks,
    called: Called,
    failures: Failures,
    /// What it has told of its state.
    counted: Counted,
    /// What it is called in checkpoints, and its partitions are.
    name: String,
    names: Vec<String>,
}

impl Step {
    /// Leaves what it holds at a cut, or what of it has changed.
    fn leave(&mut self, cuts: &Cuts) {
        let frozen = self.states.freeze().unwrap_or_else(|error| {
            self.failures.shared.fail(error);
            None
        });
        let (tables, whole) = match &frozen {
            Some(_) => (Vec::new(), true),
            None => {
                let (table, whole) = self.states.snapshot();
                (vec![table], whole)
            }
        };
        let sweep = frozen.as_ref().map(|(_, sweep)| *sweep);
        let facts = Facts { watermarks: self.watermarks.saved(&self.names), sweep };
        cuts.leave(Section { node: self.name.clone(), whole, facts: json!(facts), tables });
        if let Some((frozen, _)) = frozen {
            cuts.leave_frozen(&self.name, frozen);
        }
    }

    /// Goes on where a checkpoint was.
    fn restore(&mut self, sections: Sections<'_>, worker: u32, peers: usize) -> Result<()> {
        let facts: Vec<(usize, Facts)> = sections.facts()?;
        if let Some((_, first)) = facts.first() {
            self.watermarks.resume(&first.watermarks, &self.names);
        }
        let owners = workers_of_key_groups(peers);
        self.states.restore(sections, &|key| owner(key, &owners) == worker)?;
        self.states.resume_sweep(facts.iter().filter_map(|(_, facts)| facts.sweep));
        self.states.forget(self.watermarks.stream());
        Ok(())
    }

    fn step(&mut self, batch: &Batch, give: &mut dyn FnMut(Batch)) {
        if self.failures.shared.has_failed() {
            return;
        }
        let started = Instant::now();
        let (moment, mut failed) = (batch.moment(), Vec::new());
        let out = match self.states.step(batch, moment, &mut failed) {
            Ok(out) => out,
            Err(error) => return self.failures.shared.fail(error),
        };
        self.failures.rows(&self.called, batch, failed.iter());
        let counters: &Arc<Node> = &self.failures.counters;
        Node::add(&counters.rows_in, batch.rows.num_rows());
        Node::add(&counters.rows_out, out.rows.num_rows());
        Node::add_time(&counters.busy_ns, started.elapsed());
        give(out);
    }

    /// An epoch is complete: forgets what no row can find any more, and writes what has changed where others
    /// read it.
    fn settle(&mut self) {
        if self.failures.shared.has_failed() {
            return;
        }
        let started = Instant::now();
        self.states.count_state(&self.failures.counters, &mut self.counted);
        if let Err(error) = self.states.settle(self.watermarks.stream()) {
            self.failures.shared.fail(error);
        }
        Node::add_time(&self.failures.counters.busy_ns, started.elapsed());
    }
}
