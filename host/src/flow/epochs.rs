//! Batches held back until their epoch is complete, and then put in order.
//!
//! What arrives from several workers arrives in no order that can be relied on. What an operator
//! makes of an epoch must not depend on that, so it waits for the whole of it and takes the
//! batches by (partition, sequence).

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, UInt32Array};
use arrow_schema::SchemaRef;
use arrow_select::concat::{concat, concat_batches};
use timely::dataflow::operators::Capability;
use timely::progress::frontier::MutableAntichain;

use super::Epoch;
use super::batch::{Batch, Marks};

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

/// The batches that have rows; those of windows, which several workers fired, merged by (window
/// end, key).
pub(super) fn merged(batches: Vec<Batch>, schema: &SchemaRef) -> Vec<Batch> {
    let batches: Vec<Batch> = batches.into_iter().filter(|b| b.rows.num_rows() > 0).collect();
    let one = batches.len() < 2;
    let Some(order) = joined(&batches, |m| m.order.as_ref()).filter(|_| !one) else { return batches };
    let order = order.as_binary::<i32>().clone();
    let mut indices: Vec<u32> = (0..order.len() as u32).collect();
    indices.sort_by_key(|i| order.value(*i as usize));
    let rows = concat_batches(schema, batches.iter().map(|b| &b.rows)).expect("batches of one stream");
    let marks = Marks {
        positions: None,
        times: joined(&batches, |m| m.times.as_ref()).map(|a| a.as_primitive().clone()),
        watermarks: joined(&batches, |m| m.watermarks.as_ref()).map(|a| a.as_primitive().clone()),
        order: Some(order),
    };
    vec![batches[0].with(rows, marks).take(&UInt32Array::from(indices))]
}

/// A mark of all batches, if they have it.
fn joined<'a, A: Array + 'a>(batches: &'a [Batch], mark: impl Fn(&'a Marks) -> Option<&'a A>) -> Option<ArrayRef> {
    let arrays: Option<Vec<&dyn Array>> = batches.iter().map(|b| mark(&b.marks).map(|a| a as &dyn Array)).collect();
    arrays.filter(|a| !a.is_empty()).map(|arrays| concat(&arrays).expect("marks of one type"))
}
