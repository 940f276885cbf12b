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
use crate::plan;

/// Epochs that are not complete, each with what an operator has to hold to give something in it.
pub(super) struct Epochs<C = Capability<Epoch>> {
    open: BTreeMap<Epoch, (C, Vec<Batch>)>,
}

impl<C> Default for Epochs<C> {
    fn default() -> Self {
        Self { open: BTreeMap::new() }
    }
}

impl<C> Epochs<C> {
    /// Takes batches of an epoch in.
    pub(super) fn push(&mut self, epoch: Epoch, hold: impl FnOnce() -> C, batches: impl IntoIterator<Item = Batch>) {
        let (_, held) = self.open.entry(epoch).or_insert_with(|| (hold(), Vec::new()));
        held.extend(batches);
    }

    /// The first epoch that is complete, with its batches in order.
    pub(super) fn complete(&mut self, frontier: &MutableAntichain<Epoch>) -> Option<(C, Vec<Batch>)> {
        let entry = self.open.first_entry()?;
        if frontier.less_equal(entry.key()) {
            return None;
        }
        let (capability, mut batches) = entry.remove();
        batches.sort_by_key(|b| (b.partition, b.sequence));
        Some((capability, batches))
    }

    /// What has come of the first epoch that is not complete, if it is known to be the first, as it came.
    pub(super) fn incomplete(&mut self, frontier: &MutableAntichain<Epoch>) -> Option<&mut Vec<Batch>> {
        let entry = self.open.first_entry()?;
        (!frontier.less_than(entry.key())).then(|| &mut entry.into_mut().1)
    }
}

/// The first epoch that is complete on both sides of an operator with two inputs, with the batches
/// of either side in order.
pub(super) fn complete_both(
    [left, right]: [&mut Epochs; 2],
    frontiers: [&MutableAntichain<Epoch>; 2],
) -> Option<(Capability<Epoch>, [Vec<Batch>; 2])> {
    let epoch = left.open.keys().next().into_iter().chain(right.open.keys().next()).min().copied()?;
    if frontiers.iter().any(|frontier| frontier.less_equal(&epoch)) {
        return None;
    }
    let take = |side: &mut Epochs| {
        let (capability, mut batches) = side.open.remove(&epoch)?;
        batches.sort_by_key(|b| (b.partition, b.sequence));
        Some((capability, batches))
    };
    let (left, right) = (take(left), take(right));
    let capability = left.as_ref().or(right.as_ref()).map(|(capability, _)| capability.clone())?;
    Some((capability, [left, right].map(|side| side.map_or_else(Vec::new, |(_, batches)| batches))))
}

/// What the order of a stream's rows is, when several workers gave them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// That of its source: batches by (partition, sequence), whose parts are put together again where
    /// they were split by key.
    Source,
    /// That of windows: all rows by (window end, key).
    Windows,
}

impl Order {
    /// The order of the rows that a node gives.
    pub(super) fn of(node: &plan::Node) -> Self {
        if node.windowed { Self::Windows } else { Self::Source }
    }
}

/// The batches of a complete epoch that have rows, put in the stream's order.
pub(super) fn merged(batches: Vec<Batch>, schema: &SchemaRef, order: Order) -> Vec<Batch> {
    let mut batches = batches.into_iter().filter(|b| b.rows.num_rows() > 0).peekable();
    let mut merged = Vec::new();
    while let Some(first) = batches.next() {
        let of = |b: &Batch| order == Order::Windows || (b.partition, b.sequence) == (first.partition, first.sequence);
        let mut parts = Vec::new();
        while let Some(part) = batches.next_if(of) {
            parts.push(part);
        }
        match parts.is_empty() {
            true => merged.push(first),
            false => {
                parts.insert(0, first);
                merged.extend(by_order(parts, schema));
            }
        }
    }
    merged
}

/// One batch of several, its rows by their order; the batches as they are where they have none.
fn by_order(batches: Vec<Batch>, schema: &SchemaRef) -> Vec<Batch> {
    let Some(order) = joined(&batches, |m| m.order.as_ref()) else { return batches };
    let order = order.as_binary::<i32>().clone();
    let mut indices: Vec<u32> = (0..order.len() as u32).collect();
    indices.sort_by_key(|i| order.value(*i as usize));
    let rows = concat_batches(schema, batches.iter().map(|b| &b.rows)).expect("batches of one stream");
    let marks = Marks {
        positions: joined(&batches, |m| m.positions.as_ref()).map(|a| a.as_primitive().clone()),
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::types::Int64Type;
    use arrow_array::{BinaryArray, Int64Array};

    use super::*;
    use crate::flow::batch::record_batch;
    use crate::types::{DataType, Field, arrow_schema};

    fn part(partition: u32, sequence: u64, order: Option<&[&[u8]]>, rows: &[i64]) -> Batch {
        let schema = arrow_schema(&[Field::new("n", DataType::Int64, false)]);
        let marks = Marks {
            positions: Some(rows.iter().map(|n| *n as u64).collect()),
            order: order.map(|order| BinaryArray::from_iter_values(order.iter())),
            ..Marks::default()
        };
        let rows = record_batch(schema, vec![Arc::new(Int64Array::from(rows.to_vec()))], rows.len());
        Batch { partition, sequence, watermark: 7, idle: false, target: 0, folded: false, rows, marks }
    }

    fn rows(batches: &[Batch]) -> Vec<(u32, u64, Vec<i64>)> {
        let of = |b: &Batch| {
            let rows = b.rows.column(0).as_primitive::<Int64Type>().values().to_vec();
            let positions = b.marks.positions.as_ref().map(|p| p.values().to_vec());
            assert_eq!(positions, Some(rows.iter().map(|n| *n as u64).collect()), "marks follow their rows");
            (b.partition, b.sequence, rows)
        };
        batches.iter().map(of).collect()
    }

    #[test]
    fn parts_of_a_batch_are_put_together_again() {
        let schema = arrow_schema(&[Field::new("n", DataType::Int64, false)]);
        let batches = vec![
            part(0, 0, Some(&[b"\0\0", b"\0\x03", b"\0\x03"]), &[10, 13, 14]),
            part(0, 0, Some(&[]), &[]),
            part(0, 0, Some(&[b"\0\x01", b"\0\x02"]), &[11, 12]),
            part(0, 1, Some(&[b"\0\x05"]), &[20]),
            part(1, 0, Some(&[b"\0\x01"]), &[31]),
            part(1, 0, Some(&[b"\0\0"]), &[30]),
        ];
        let merged = merged(batches, &schema, Order::Source);
        let expected = [(0, 0, vec![10, 11, 12, 13, 14]), (0, 1, vec![20]), (1, 0, vec![30, 31])];
        assert_eq!(rows(&merged), expected);
    }

    #[test]
    fn an_epoch_that_is_not_complete_is_the_first_where_none_can_come_before_it() {
        let mut epochs = Epochs::<()>::default();
        for (epoch, n) in [(5, 1), (7, 3), (5, 2)] {
            epochs.push(epoch, || (), [part(0, n as u64, None, &[n])]);
        }
        assert!(epochs.incomplete(&MutableAntichain::from_elem(4)).is_none());
        let first = epochs.incomplete(&MutableAntichain::from_elem(5)).map(std::mem::take);
        assert_eq!(rows(&first.expect("it is known")), [(0, 1, vec![1]), (0, 2, vec![2])]);
        let (_, rest) = epochs.complete(&MutableAntichain::from_elem(6)).expect("the fifth is over");
        assert!(rest.is_empty());
        assert!(epochs.incomplete(&MutableAntichain::from_elem(6)).is_none());
    }

    #[test]
    fn rows_of_windows_are_put_in_order_across_batches() {
        let schema = arrow_schema(&[Field::new("n", DataType::Int64, false)]);
        let batches = || vec![part(0, 0, Some(&[b"a", b"d"]), &[1, 4]), part(1, 0, Some(&[b"b", b"c"]), &[2, 3])];
        assert_eq!(rows(&merged(batches(), &schema, Order::Windows)), [(0, 0, vec![1, 2, 3, 4])]);
        assert_eq!(rows(&merged(batches(), &schema, Order::Source)), [(0, 0, vec![1, 4]), (1, 0, vec![2, 3])]);
        let bare = vec![part(0, 0, None, &[1]), part(0, 1, None, &[2])];
        assert_eq!(rows(&merged(bare, &schema, Order::Windows)), [(0, 0, vec![1]), (0, 1, vec![2])]);
    }
}
