//! The conductor: says behind which epochs there are cuts, on the first worker for all.
//!
//! It speaks of a few epochs ahead of what the sinks have done, as far as sources may be ahead. A cut
//! comes when the time is up and the checkpoint before is there; the last one when no source of any
//! worker has more to read, or when the run is asked to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use timely::container::CapacityContainerBuilder;
use timely::dataflow::Scope;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Probe;
use timely::dataflow::operators::generic::{Operator, source};
use timely::dataflow::operators::probe::Handle;
use timely::dataflow::operators::vec::Broadcast;

use super::{Cuts, Decision, Then};
use crate::flow::Epoch;
use crate::flow::dead_letters::Shared;

/// How far ahead of the sinks it speaks.
const EPOCHS_AHEAD: Epoch = 4;

/// How long it waits before it looks again.
const NAP: Duration = Duration::from_micros(500);

/// What the conductor needs to know.
pub(in crate::flow) struct Conductor {
    pub(in crate::flow) cuts: Cuts,
    /// The time from one cut to the next.
    pub(in crate::flow) every: Duration,
    /// How far the sinks are.
    pub(in crate::flow) sinks: Handle<Epoch>,
    /// How many checkpoints of this run are there.
    pub(in crate::flow) committed: Arc<AtomicU64>,
    pub(in crate::flow) shared: Arc<Shared>,
}

/// Lets the first worker say where cuts are, and all of them hear it.
pub(in crate::flow) fn conduct(scope: &Scope<'_, Epoch>, conductor: Conductor) {
    let Conductor { cuts, every, sinks, committed, shared } = conductor;
    let reading = watch_sources(scope, &cuts, &shared);
    let is_first = scope.index() == 0;
    let told = cuts.clone();
    source::<_, CapacityContainerBuilder<Vec<Decision>>, _, _>(*scope, "conductor", |capability, info| {
        let activator = scope.activator_for(info.address);
        let mut capability = is_first.then_some(capability);
        let mut pace = Pace { every, last: Instant::now(), next: 0, cuts: 0, waiting: None };
        let mut started = false;
        move |output| {
            let Some(held) = &capability else { return };
            let at = sinks.with_frontier(|frontier| frontier.first().copied());
            // Before the first progress is known both look as at the end.
            started |= at.is_some() && !reading.done();
            if !started {
                activator.activate_after(NAP);
                return;
            }
            let now = State {
                at,
                ends: reading.done() || shared.is_asked_to_end(),
                committed: committed.load(Relaxed),
                is_collected: &|cut| cuts.is_collected(cut),
            };
            match pace.step(&now) {
                Step::Say(decision) => output.session(held).give(decision),
                Step::Wait => {}
                Step::Done => capability = None,
            }
            if shared.has_failed() {
                capability = None;
            }
            if capability.is_some() {
                activator.activate_after(NAP);
            }
        }
    })
    .broadcast()
    .sink(Pipeline, "cuts", move |(input, _)| {
        input.for_each(|_, decisions| decisions.drain(..).for_each(|decision| told.decide(decision)));
    });
}

/// Says, on every worker, whether a source of any worker has more to read. Until the conductor has
/// spoken every worker does.
fn watch_sources(scope: &Scope<'_, Epoch>, cuts: &Cuts, shared: &Arc<Shared>) -> Handle<Epoch> {
    let (probe, cuts, shared) = (Handle::new(), cuts.clone(), Arc::clone(shared));
    source::<_, CapacityContainerBuilder<Vec<()>>, _, _>(*scope, "reading", |capability, info| {
        let activator = scope.activator_for(info.address);
        let mut capability = Some(capability);
        move |_| {
            if shared.has_failed() || cuts.have_ended() {
                capability = None;
            }
            if capability.is_some() {
                activator.activate_after(NAP);
            }
        }
    })
    .probe_with(&probe);
    probe
}

/// Where the run is.
struct State<'a> {
    /// The first epoch that the sinks have not done; none when nothing can come any more.
    at: Option<Epoch>,
    /// Whether there is nothing to read any more.
    ends: bool,
    committed: u64,
    is_collected: &'a dyn Fn(Epoch) -> bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Say(Decision),
    Wait,
    Done,
}

/// When the next cut is.
struct Pace {
    every: Duration,
    last: Instant,
    /// The first epoch that nothing was said of.
    next: Epoch,
    /// Cuts so far.
    cuts: u64,
    /// A cut that is not collected.
    waiting: Option<(Epoch, Then)>,
}

impl Pace {
    fn step(&mut self, now: &State<'_>) -> Step {
        if let Some((cut, then)) = self.waiting {
            if !(now.is_collected)(cut) {
                return Step::Wait;
            }
            self.waiting = None;
            if then == Then::End {
                return Step::Done;
            }
        }
        let Some(at) = now.at else { return Step::Done };
        let through = at + EPOCHS_AHEAD - 1;
        if self.next > through {
            return Step::Wait;
        }
        // While a checkpoint is being made, files that no manifest names yet are removed: those of the next one
        // may not be among them.
        let may_cut = now.committed >= self.cuts;
        let is_due = now.ends || self.last.elapsed() >= self.every;
        let decision = match may_cut && is_due {
            false => Decision { through, cut: None },
            true => {
                let then = if now.ends { Then::End } else { Then::GoOn };
                (self.last, self.waiting) = (Instant::now(), Some((self.next, then)));
                self.cuts += 1;
                Decision { through: self.next, cut: Some(then) }
            }
        };
        self.next = decision.through + 1;
        Step::Say(decision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_speaks_ahead_of_the_sinks_and_stops_for_a_cut() {
        let mut pace = Pace { every: Duration::ZERO, last: Instant::now(), next: 0, cuts: 0, waiting: None };
        let step = |pace: &mut Pace, at, ends, committed, collected: bool| {
            pace.step(&State { at: Some(at), ends, committed, is_collected: &|_| collected })
        };
        let cut = |through, then| Step::Say(Decision { through, cut: Some(then) });
        assert_eq!(step(&mut pace, 0, false, 0, false), cut(0, Then::GoOn));
        assert_eq!(step(&mut pace, 1, false, 0, false), Step::Wait);
        // It is collected, and not there yet: rows go on.
        assert_eq!(step(&mut pace, 1, false, 0, true), Step::Say(Decision { through: 4, cut: None }));
        assert_eq!(step(&mut pace, 1, false, 1, true), Step::Wait);
        assert_eq!(step(&mut pace, 2, false, 1, true), cut(5, Then::GoOn));
        // The last one waits for the one before as well.
        assert_eq!(step(&mut pace, 6, true, 1, true), Step::Say(Decision { through: 9, cut: None }));
        assert_eq!(step(&mut pace, 7, true, 2, true), cut(10, Then::End));
        assert_eq!(step(&mut pace, 7, true, 2, false), Step::Wait);
        assert_eq!(step(&mut pace, 11, true, 2, true), Step::Done);
    }
}
