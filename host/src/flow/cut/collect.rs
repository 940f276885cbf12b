//! Collecting: what the operators of a worker have left at a cut becomes its part, and the parts of all
//! workers a checkpoint.
//!
//! The sinks' streams have passed a cut's epoch when every operator of every worker has completed
//! it. Writing takes place on a thread beside the worker; when a part is on the disk the first worker
//! hears of it, and when it has heard of all, it lets its thread write the manifest.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use timely::container::CapacityContainerBuilder;
use timely::dataflow::Scope;
use timely::dataflow::channels::pact::{Exchange, Pipeline};
use timely::dataflow::operators::Concatenate;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::operators::generic::{Operator, OutputBuilder};

use super::{Committer, Cuts, Job, Part, Then};
use crate::flow::dead_letters::Shared;
use crate::flow::{Epoch, Stream};

/// How long it waits before it looks again whether a part is written.
const NAP: Duration = Duration::from_micros(500);

/// What collecting needs to know.
pub(in crate::flow) struct Collector {
    pub(in crate::flow) cuts: Cuts,
    /// The thread of this worker that writes.
    pub(in crate::flow) committer: Committer,
    /// The number of the checkpoint that the run goes on from; 0 for none.
    pub(in crate::flow) after: u64,
    pub(in crate::flow) shared: Arc<Shared>,
}

/// Collects cuts where all sinks are done with them.
pub(in crate::flow) fn collect<'scope>(scope: &Scope<'scope, Epoch>, sinks: Vec<Stream<'scope>>, collector: Collector) {
    let Collector { cuts, committer, after, shared } = collector;
    let peers = scope.peers();
    let mut builder = OperatorBuilder::new("collect".to_owned(), *scope);
    let mut input = builder.new_input(scope.concatenate(sinks), Pipeline);
    let (output, parts) = builder.new_output();
    let mut output = OutputBuilder::<Epoch, CapacityContainerBuilder<Vec<Part>>>::from(output);
    let activator = scope.activator_for(builder.operator_info().address);
    let gathered = committer.clone();
    let worker = scope.index();
    let of = Arc::clone(&shared);
    builder.build(move |mut capabilities| {
        let mut capability = capabilities.pop();
        let (mut checkpoint, mut writing) = (after, 0);
        move |frontiers| {
            input.for_each(|_, batches| batches.clear());
            let Some(held) = &mut capability else { return };
            if let Some((cut, then)) = cuts.uncollected()
                && !frontiers[0].less_equal(&cut)
            {
                checkpoint += 1;
                let mut left = cuts.take();
                left.staged.extend(of.letters_at(checkpoint));
                if !of.has_failed() {
                    writing += 1;
                    committer.send(Job::Write { checkpoint, worker, last: then == Then::End, left });
                }
            }
            let mut output = output.activate();
            while let Some(part) = committer.written() {
                writing -= 1;
                output.session(&*held).give(part);
            }
            if of.has_failed() || frontiers[0].is_empty() && writing == 0 && cuts.uncollected().is_none() {
                capability = None;
            } else if writing > 0 {
                activator.activate_after(NAP);
            }
        }
    });

    let mut gathering: BTreeMap<u64, Vec<Part>> = BTreeMap::new();
    parts.sink(Exchange::new(|_: &Part| 0), "commit", move |(input, _)| {
        input.for_each(|_, parts| {
            for part in parts.drain(..) {
                let checkpoint = part.checkpoint;
                let of = gathering.entry(checkpoint).or_default();
                of.push(part);
                if of.len() == peers
                    && let Some(mut parts) = gathering.remove(&checkpoint)
                {
                    parts.sort_by_key(|part| part.worker);
                    gathered.send(Job::Commit { checkpoint, parts });
                }
            }
        });
    });
}
