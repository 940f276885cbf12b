//! What a side keeps of a batch: the columns that pairs have, and the key.
//!
//! A null is no key: it equals nothing, not even another null. Such rows are not kept where they
//! would never come out, which is everywhere but on the left of a left join.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, UInt32Array};
use arrow_buffer::NullBuffer;
use arrow_row::RowConverter;
use arrow_select::take::take;

use super::held::{Held, Place};
use crate::flow::batch::Batch;
use crate::flow::exchange::key_converter;
use crate::plan::{self, JoinKind, Origin};
use crate::types::{DataType, Field, arrow_schema};

/// How rows of one side come in.
#[derive(Debug)]
pub(super) struct Intake {
    /// The columns that are kept.
    pub(super) columns: Vec<Field>,
    /// Where they stand in the stream.
    from: Vec<usize>,
    key_from: Vec<usize>,
    converter: RowConverter,
    keeps_null_keys: bool,
    /// Whether the stream has an order of its own, which the number of a partition says nothing of.
    windowed: bool,
}

/// A row that came in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// Its event time.
    pub(super) time: i64,
    /// Its source partition; rows of one time are in the order of their partitions, and then of
    /// their arrival.
    pub(super) partition: u32,
    /// Its record's number in the partition.
    pub(super) position: u64,
    /// Where it is held.
    pub(super) place: Place,
}

impl Row {
    /// What it stands by among the rows of its key. Rows of one record come together, in their order; those of
    /// several workers, which a run that goes on with fewer has together, don't come in that of their records.
    pub(super) fn order(&self) -> (i64, u32, u64) {
        (self.time, self.partition, self.position)
    }
}

impl Intake {
    /// Those of the left and the right side.
    pub(super) fn of(join: &plan::Join, nodes: [&plan::Node; 2]) -> [Self; 2] {
        let carried = |side: usize| {
            join.columns.iter().filter_map(move |c| match (&c.origin, side) {
                (Origin::Left(name), 0) | (Origin::Right(name), 1) => Some(name.as_str()),
                _ => None,
            })
        };
        [0, 1].map(|side| {
            let (node, key) = (nodes[side], [&join.left_key, &join.right_key][side]);
            let at =
                |name: &str| node.fields.iter().position(|f| f.name == name).expect("the plan has found the column");
            let from: Vec<usize> = carried(side).map(at).collect();
            Self {
                columns: from.iter().map(|i| node.fields[*i].clone()).collect(),
                from,
                key_from: key.iter().map(|k| at(&k.name)).collect(),
                converter: key_converter(key),
                keeps_null_keys: side == 0 && join.kind == JoinKind::Left,
                windowed: node.windowed,
            }
        })
    }

    /// A place for this side's rows.
    pub(super) fn held(&self) -> Held {
        let key = Field::new("", DataType::Bytes, false);
        let fields: Vec<Field> = self.columns.iter().cloned().chain([key]).collect();
        Held::new(arrow_schema(&fields))
    }

    /// The key of a batch's rows, and which of them have one.
    pub(super) fn keys(&self, rows: &RecordBatch) -> (ArrayRef, Option<NullBuffer>) {
        let columns: Vec<ArrayRef> = self.key_from.iter().map(|c| Arc::clone(rows.column(*c))).collect();
        let valid = match self.keeps_null_keys {
            true => None,
            false => columns.iter().fold(None, |all, c| NullBuffer::union(all.as_ref(), c.nulls())),
        };
        let keys = self.converter.convert_columns(&columns).expect("the key has the columns of the plan");
        (Arc::new(keys.try_into_binary().expect("the keys of a batch are below 2 GiB")), valid)
    }

    /// Holds some rows of a batch, and says where; also gives them as they are held.
    pub(super) fn hold(
        &self,
        held: &mut Held,
        batch: &Batch,
        keys: ArrayRef,
        times: &Int64Array,
        rows: &[u32],
    ) -> (Vec<Row>, RecordBatch) {
        if rows.is_empty() {
            return (Vec::new(), RecordBatch::new_empty(held.schema()));
        }
        let mut columns: Vec<ArrayRef> = self.from.iter().map(|c| Arc::clone(batch.rows.column(*c))).collect();
        columns.push(keys);
        if rows.len() < batch.rows.num_rows() {
            let indices = UInt32Array::from(rows.to_vec());
            let some = |column: &ArrayRef| take(column, &indices, None).expect("the indices are rows of the batch");
            columns = columns.iter().map(some).collect();
        }
        let kept = RecordBatch::try_new(held.schema(), columns).expect("columns of the side");
        let places = held.push(kept.clone());
        let partition = if self.windowed { 0 } else { batch.partition };
        let positions = batch.marks.positions.as_ref().filter(|_| !self.windowed);
        let of = |(row, place): (&u32, Place)| {
            let row = *row as usize;
            Row { time: times.value(row), partition, position: positions.map_or(0, |p| p.value(row)), place }
        };
        (rows.iter().zip(places).map(of).collect(), kept)
    }
}
