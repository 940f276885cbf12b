//! The edges on which rows change workers.
//!
//! Where rows go is a property of the edge and of nothing else: by key, in turn, all to one
//! worker or to each. An edge splits a batch into one part for each worker it may go to, the empty parts
//! included, since a part also tells its worker where the partition's watermark stands. Between
//! threads a part moves; between processes it travels as Arrow IPC.

mod groups;
mod part;
mod split;

use arrow_row::{RowConverter, SortField};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::{Exchange, Pipeline};
use timely::dataflow::operators::generic::Operator;

pub(super) use groups::owner;
pub use groups::{KEY_GROUPS, workers_of_key_groups};

use super::Stream;
use super::batch::Batch;
use crate::types::Field;
use part::Part;
use split::Split;

/// Where an edge sends rows.
#[derive(Clone, Debug)]
pub enum Edge {
    /// Rows of one key to one worker.
    Key {
        /// The columns that make the key.
        columns: Vec<Field>,
        /// Whether each row takes along its place in the batch. Where rows come out of what is behind
        /// the edge, those of one batch come out on several workers, and have to be put together
        /// again.
        numbered: bool,
    },
    /// Rows of one range of a column's values to one worker; their places in the batch go along.
    Range {
        /// The column.
        column: Field,
        /// Where one range ends and the next begins, ascending, encoded by [`key_converter`].
        bounds: Vec<Vec<u8>>,
    },
    /// Batches to all workers in turn.
    Turn,
    /// All rows to the first worker.
    One,
    /// All rows to all workers.
    All,
    /// Rows stay on their worker; the others are told how far their partition is.
    Stay,
}

/// Sends the batches of a stream to the workers that an edge says.
pub fn exchange<'scope>(stream: Stream<'scope>, edge: &Edge, fields: &[Field]) -> Stream<'scope> {
    let (peers, worker) = (stream.scope().peers(), stream.scope().index());
    if peers == 1 {
        return stream;
    }
    let mut split = Split::new(edge, fields, peers, worker);
    stream
        .unary::<CapacityContainerBuilder<Vec<Part>>, _, _, _>(Pipeline, "split", move |_, _| {
            move |input, output| {
                input.for_each(|capability, batches| {
                    let mut session = output.session(&capability);
                    for batch in batches.drain(..) {
                        split.split(batch, &mut |part| session.give(Part::new(part)));
                    }
                });
            }
        })
        .unary::<CapacityContainerBuilder<Vec<Batch>>, _, _, _>(Exchange::new(Part::target), "deliver", |_, _| {
            |input, output| {
                input.for_each(|capability, parts| {
                    output.session(&capability).give_iterator(parts.drain(..).map(Part::into_batch));
                });
            }
        })
}

/// The encoding of keys: sorts by bytes as the columns would sort, nulls first.
pub fn key_converter(key: &[Field]) -> RowConverter {
    let fields = key.iter().map(|f| SortField::new(f.data_type.arrow())).collect();
    RowConverter::new(fields).expect("every data type has an encoding")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, BinaryArray, Int64Array, StringArray};

    use super::*;
    use crate::flow::batch::{Marks, record_batch};
    use crate::types::{DataType, arrow_schema};

    /// A batch with a key of seven values and none, numbers, and some of the marks.
    pub(super) fn batch(rows: usize) -> Batch {
        let fields = [Field::new("k", DataType::Text, true), Field::new("n", DataType::Int64, false)];
        let key: StringArray = (0..rows).map(|i| (i % 5 != 0).then(|| format!("key {}", i % 7))).collect();
        let columns: Vec<ArrayRef> = vec![Arc::new(key), Arc::new(Int64Array::from_iter_values(0..rows as i64))];
        Batch {
            partition: 3,
            sequence: 9,
            watermark: -7,
            idle: true,
            target: 0,
            folded: false,
            rows: record_batch(arrow_schema(&fields), columns, rows),
            marks: Marks {
                positions: Some((0..rows as u64).collect()),
                order: Some(BinaryArray::from_iter_values((0..rows).map(|i| i.to_le_bytes()))),
                ..Marks::default()
            },
        }
    }
}
