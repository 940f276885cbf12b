//! Cuts: the epochs at which a run's checkpoints are taken.
//!
//! One worker, the conductor, says epoch by epoch whether there is a cut behind it, and tells all others
//! ([`conductor`]). No source reads an epoch of which that is not known, or one behind a cut that this
//! worker has not collected. So at a cut the dataflow is empty: what its operators hold is exactly
//! what the epochs up to it came to, however batches were spread or folded ahead. Each operator leaves
//! what it holds here when it completes the cut's epoch; when all have, it is collected, written in the
//! background, and made a checkpoint when every worker's part is on the disk ([`collect`]).

mod collect;
mod commit;
mod conductor;
pub(super) mod keyed;
mod restore;
mod saved;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fs::File;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use collect::{Collector, collect};
use commit::{Committer, Job, Part};
use conductor::{Conductor, conduct};
pub(super) use restore::{Restored, Sections};
pub(super) use saved::{Saved, Start};

use super::Epoch;
use crate::checkpoint::{Frozen, Output, Position, Section};

/// What happens behind a cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Then {
    /// The run goes on.
    GoOn,
    /// It ends: the input has, or was asked to be left alone.
    End,
}

/// What the conductor says of the epochs up to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Decision {
    /// The last epoch that it is about.
    through: Epoch,
    /// Whether there is a cut behind that one.
    cut: Option<Then>,
}

/// What a sink has written up to a cut.
pub(super) struct Staged {
    /// What a manifest says of it.
    pub(super) output: Output,
    /// The file, which has to be on the disk before the manifest is.
    pub(super) file: File,
}

/// What one worker knows of the cuts of its run; nothing where there are none.
#[derive(Clone, Default)]
pub(super) struct Cuts(Option<Rc<Known>>);

#[derive(Default)]
struct Known {
    /// The last epoch that the conductor has spoken of.
    decided: Cell<Option<Epoch>>,
    /// The cuts that this worker has not collected. The first worker may have, and so know of the next.
    cuts: RefCell<VecDeque<(Epoch, Then)>>,
    /// The last cut that this worker has collected.
    collected: Cell<Option<Epoch>>,
    /// Sources of this worker that have more to read.
    reading: Cell<usize>,
    /// Whether the conductor has named the last cut.
    ends: Cell<bool>,
    left: RefCell<Left>,
}

/// What operators have left of themselves at a cut.
#[derive(Default)]
pub(super) struct Left {
    pub(super) sections: Vec<Section>,
    /// What nodes have in files, each with its node.
    pub(super) frozen: Vec<(String, Frozen)>,
    pub(super) positions: Vec<Position>,
    pub(super) staged: Vec<Staged>,
}

impl Cuts {
    /// For a run that takes checkpoints.
    pub(super) fn taken() -> Self {
        Self(Some(Rc::new(Known::default())))
    }

    /// Whether the run takes checkpoints.
    pub(super) fn are_taken(&self) -> bool {
        self.0.is_some()
    }

    /// Whether a source may read an epoch.
    pub(super) fn may_read(&self, epoch: Epoch) -> bool {
        let Some(known) = &self.0 else { return true };
        let behind = known.cuts.borrow().front().is_some_and(|(cut, _)| *cut < epoch);
        known.decided.get() >= Some(epoch) && !behind
    }

    /// Whether there is a cut behind an epoch, and what follows it.
    pub(super) fn at(&self, epoch: Epoch) -> Option<Then> {
        let cuts = self.0.as_ref()?.cuts.borrow();
        cuts.iter().find(|(cut, _)| *cut == epoch).map(|(_, then)| *then)
    }

    /// Notes what the conductor has said.
    fn decide(&self, decision: Decision) {
        let Some(known) = &self.0 else { return };
        known.decided.set(Some(decision.through));
        if let Some(then) = decision.cut {
            known.ends.set(then == Then::End);
            known.cuts.borrow_mut().push_back((decision.through, then));
        }
    }

    /// Leaves what a node holds at a cut.
    pub(super) fn leave(&self, section: Section) {
        if let Some(known) = &self.0 {
            known.left.borrow_mut().sections.push(section);
        }
    }

    /// Leaves what a node has in files at a cut, beside its section.
    pub(super) fn leave_frozen(&self, node: &str, frozen: Frozen) {
        if let Some(known) = &self.0 {
            known.left.borrow_mut().frozen.push((node.to_owned(), frozen));
        }
    }

    /// Leaves where a source is at a cut.
    pub(super) fn leave_positions(&self, positions: impl IntoIterator<Item = Position>) {
        if let Some(known) = &self.0 {
            known.left.borrow_mut().positions.extend(positions);
        }
    }

    /// Leaves what a sink has written up to a cut.
    pub(super) fn leave_staged(&self, staged: Staged) {
        if let Some(known) = &self.0 {
            known.left.borrow_mut().staged.push(staged);
        }
    }

    /// The cut that is to be collected next, if there is one.
    fn uncollected(&self) -> Option<(Epoch, Then)> {
        self.0.as_ref()?.cuts.borrow().front().copied()
    }

    /// Takes what was left at the cut that is to be collected next.
    fn take(&self) -> Left {
        let Some(known) = &self.0 else { return Left::default() };
        if let Some((cut, _)) = known.cuts.borrow_mut().pop_front() {
            known.collected.set(Some(cut));
        }
        known.left.take()
    }

    /// Whether a cut has been collected on this worker.
    fn is_collected(&self, cut: Epoch) -> bool {
        self.0.as_ref().is_some_and(|known| known.collected.get() >= Some(cut))
    }

    /// Notes a source of this worker that has something to read.
    pub(super) fn add_source(&self) {
        if let Some(known) = &self.0 {
            known.reading.set(known.reading.get() + 1);
        }
    }

    /// Whether nobody has to wait for a source of this worker: the conductor has spoken and they have ended,
    /// or it has named the last cut.
    fn have_ended(&self) -> bool {
        let ended = |known: &Rc<Known>| known.reading.get() == 0 && known.decided.get().is_some();
        self.0.as_ref().is_some_and(|known| ended(known) || known.ends.get())
    }

    /// Notes that a source of this worker has nothing more to read.
    pub(super) fn source_ended(&self) {
        if let Some(known) = &self.0 {
            known.reading.set(known.reading.get().saturating_sub(1));
        }
    }
}
