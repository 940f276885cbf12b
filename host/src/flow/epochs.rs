//! Batches held back until their epoch is complete, and then put in order.
//!
//! What arrives from several workers arrives in no order that can be relied on. What an operator
//! makes of an epoch must not depend on that, so it waits for the whole of it and takes the
//! batches by (partition, sequence).

use std::collections::BTreeMap;

use timely::dataflow::operators::Capability;
use timely::progress::frontier::MutableAntichain;

use super::Epoch;
use super::batch::Batch;

/// Epochs that are not complete.
#[derive(Default)]
pub(super) struct Epochs {
    open: BTreeMap<Epoch, (Capability<Epoch>, Vec<Batch>)>,
}

impl Epochs {
    /// Takes a batch in.
    pub(super) fn push(&mut self, capability: &Capability<Epoch>, batches: impl IntoIterator<Item = Batch>) {
        let (_, held) = self.open.entry(*capability.time()).or_insert_with(|| (capability.clone(), Vec::new()));
        held.extend(batches);
    }

    /// The first epoch that is complete, with its batches in order.
    pub(super) fn complete(&mut self, frontier: &MutableAntichain<Epoch>) -> Option<(Capability<Epoch>, Vec<Batch>)> {
        let entry = self.open.first_entry()?;
        if frontier.less_equal(entry.key()) {
            return None;
        }
        let (capability, mut batches) = entry.remove();
        batches.sort_by_key(|b| (b.partition, b.sequence));
        Some((capability, batches))
    }
}
