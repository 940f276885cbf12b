//! The source operator: reads the partitions that are this worker's, stamps their rows, and cuts
//! them into epochs.
//!
//! An epoch is the same number of rows of every partition, so what is in it depends on the data
//! alone; only a partition that has nothing to give yet ends an epoch early. Few epochs are in
//! flight at once, which is what bounds memory: a source that is ahead waits for the sinks.

mod partition;
mod reader;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use timely::dataflow::Scope;
use timely::dataflow::operators::generic::operator;
use timely::dataflow::operators::probe::Handle;

use super::cut::{Cuts, Restored, Then};
use super::dead_letters::Failures;
use super::{Epoch, Options, Stream, source};
use crate::error::Result;
use crate::plan;
use crate::report::Node;
use partition::Open;
use reader::{Reader, Step};

/// Epochs that may be open at once.
const EPOCHS_IN_FLIGHT: Epoch = 4;

/// How long a source that has nothing to do sleeps.
const NAP: Duration = Duration::from_micros(500);

/// What the operator needs to know of its source.
pub(super) struct Setting<'a> {
    pub(super) node: &'a plan::Node,
    pub(super) source: &'a plan::Source,
    pub(super) options: &'a Options,
    pub(super) counters: Arc<Node>,
    pub(super) failures: Failures,
    /// How far the sinks are.
    pub(super) probe: Handle<Epoch>,
    pub(super) cuts: Cuts,
    pub(super) restored: &'a Restored,
}

/// The rows of one source that are this worker's.
pub(super) fn read<'scope>(scope: &Scope<'scope, Epoch>, setting: Setting<'_>) -> Stream<'scope> {
    let Setting { node, source, options, counters, failures, probe, cuts, restored } = setting;
    let (names, known) = (source.discovered.names(), restored.positions(&node.name));
    let mine = (0..source.discovered.partitions.len()).filter(|p| p % scope.peers() == scope.index());
    let open = |p: usize| {
        let opened = source::open(&source.settings, &source.discovered, p, &source.columns)?;
        let mut open = Open::new(p, opened, source, options);
        if let Some(position) = known.get(names[p].as_str()) {
            open.resume(position);
        }
        Ok(open)
    };
    let opened: Result<Vec<_>> = mine.map(open).collect();
    let partitions = opened.unwrap_or_else(|error| {
        failures.shared.fail(error);
        Vec::new()
    });
    let mut reader = Reader::new(partitions, node, options, counters, failures, names, cuts.are_taken());
    if !reader.has_ended() {
        cuts.add_source();
    }
    let mut reading = !reader.has_ended();
    operator::source(*scope, &node.name, |capability, info| {
        let activator = scope.activator_for(info.address);
        let mut capability = Some(capability);
        // Since when it waits for the sinks.
        let mut held_since: Option<Instant> = None;
        move |output| {
            let Some(held) = &mut capability else { return };
            let epoch = *held.time();
            if cuts.are_taken() && reader.failures.shared.has_failed() {
                capability = None;
                return;
            }
            let ahead = epoch >= EPOCHS_IN_FLIGHT && probe.less_equal(&(epoch - EPOCHS_IN_FLIGHT));
            if !cuts.may_read(epoch) || ahead && !reader.failures.shared.is_ending() {
                held_since.get_or_insert_with(Instant::now);
                activator.activate_after(NAP);
                return;
            }
            if let Some(since) = held_since.take() {
                Node::add_time(&reader.counters.held_ns, since.elapsed());
            }
            let started = Instant::now();
            let step = {
                let mut session = output.session(&*held);
                reader.step(&mut |batch| session.give(batch))
            };
            Node::add_time(&reader.counters.busy_ns, started.elapsed());
            if step == Step::End && std::mem::replace(&mut reading, false) {
                cuts.source_ended();
            }
            match (step, cuts.at(epoch)) {
                (Step::Again, _) => activator.activate(),
                (_, Some(then)) => {
                    let positions = {
                        let mut session = output.session(&*held);
                        reader.cut(&mut |batch| session.give(batch))
                    };
                    cuts.leave_positions(positions);
                    match then {
                        Then::GoOn => {
                            held.downgrade(&(epoch + 1));
                            activator.activate();
                        }
                        Then::End => capability = None,
                    }
                }
                (Step::Nothing, None) => {
                    // Others may be ahead and waiting for this source, which has nothing to say.
                    if !probe.less_than(&epoch) {
                        held.downgrade(&(epoch + 1));
                    }
                    activator.activate_after(NAP);
                }
                (Step::EpochDone, None) => {
                    held.downgrade(&(epoch + 1));
                    activator.activate();
                }
                // What it has read is over, but not the cuts that it is in.
                (Step::End, None) if cuts.are_taken() => {
                    if !probe.less_than(&epoch) {
                        held.downgrade(&(epoch + 1));
                    }
                    activator.activate_after(NAP);
                }
                (Step::End, None) => capability = None,
            }
        }
    })
}
