//! The edges on which rows change workers.
//!
//! Where rows go is a property of the edge and of nothing else: by key, in turn, or all to one
//! worker. An edge splits a batch into one part for each worker it may go to, the empty parts
//! included, since a part also tells its worker where the partition's watermark stands. Between
//! threads a part moves; between processes it travels as Arrow IPC.

use std::io::Cursor;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_row::{RowConverter, SortField};
use arrow_schema::{Field as ArrowField, Schema};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use timely::dataflow::channels::pact::{Exchange, Pipeline};
use timely::dataflow::operators::generic::Operator;
use xxhash_rust::xxh3::xxh3_64;

use super::Stream;
use super::batch::{Batch, Marks, record_batch};
use crate::types::Field;

/// Keys hash to one of these, and these go to workers: a change of the number of workers moves
/// whole key groups.
pub const KEY_GROUPS: u32 = 1024;

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
    /// Batches to all workers in turn.
    Turn,
    /// All rows to the first worker.
    One,
}

/// Sends the batches of a stream to the workers that an edge says.
pub fn exchange<'scope>(stream: Stream<'scope>, edge: &Edge, fields: &[Field]) -> Stream<'scope> {
    let peers = stream.scope().peers();
    if peers == 1 {
        return stream;
    }
    let mut split = Split::new(edge, fields, peers);
    stream
        .unary(Pipeline, "split", move |_, _| {
            move |input, output| {
                input.for_each(|capability, batches| {
                    let mut session = output.session(&capability);
                    for batch in batches.drain(..) {
                        split.split(batch, &mut |part| session.give(part));
                    }
                });
            }
        })
        .unary(Exchange::new(|batch: &Batch| u64::from(batch.target)), "deliver", |_, _| {
            |input, output| input.for_each(|capability, batches| output.session(&capability).give_container(batches))
        })
}

/// The worker of each key group, by jump consistent hashing: one worker more takes its share from
/// all others and moves nothing else.
pub fn workers_of_key_groups(workers: usize) -> Vec<u32> {
    (0..KEY_GROUPS).map(|group| jump(u64::from(group), workers as u32)).collect()
}

/// The worker that has a key, by its bytes; `workers` are those of the key groups.
pub(super) fn owner(key: &[u8], workers: &[u32]) -> u32 {
    match key.is_empty() {
        true => workers[0],
        false => workers[(xxh3_64(key) % u64::from(KEY_GROUPS)) as usize],
    }
}

/// Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm" (2014).
fn jump(mut key: u64, buckets: u32) -> u32 {
    let (mut bucket, mut next) = (0i64, 0i64);
    while next < i64::from(buckets) {
        bucket = next;
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        next = ((bucket + 1) as f64 * ((1u64 << 31) as f64 / ((key >> 33) + 1) as f64)) as i64;
    }
    bucket as u32
}

enum Split {
    Key { columns: Vec<usize>, converter: RowConverter, workers: Vec<u32>, peers: usize, numbered: bool },
    Turn { peers: u64 },
    One,
}

impl Split {
    fn new(edge: &Edge, fields: &[Field], peers: usize) -> Self {
        match edge {
            Edge::Key { columns, numbered } => Self::Key {
                columns: columns.iter().filter_map(|k| fields.iter().position(|f| f.name == k.name)).collect(),
                converter: key_converter(columns),
                workers: workers_of_key_groups(peers),
                peers,
                numbered: *numbered,
            },
            Edge::Turn => Self::Turn { peers: peers as u64 },
            Edge::One => Self::One,
        }
    }

    fn split(&mut self, mut batch: Batch, give: &mut dyn FnMut(Batch)) {
        match self {
            Self::One => {
                batch.target = 0;
                give(batch);
            }
            Self::Turn { peers } => {
                batch.target = ((u64::from(batch.partition) + batch.sequence) % *peers) as u32;
                give(batch);
            }
            Self::Key { columns, converter, workers, peers, numbered } => {
                if *numbered {
                    batch.marks.number(batch.rows.num_rows());
                }
                let mut parts: Vec<Vec<u32>> = vec![Vec::new(); *peers];
                let keys: Vec<ArrayRef> = columns.iter().map(|c| Arc::clone(batch.rows.column(*c))).collect();
                if keys.is_empty() {
                    parts[workers[0] as usize] = (0..batch.rows.num_rows() as u32).collect();
                } else {
                    let keys = converter.convert_columns(&keys).expect("the key has the columns of the plan");
                    for (row, key) in keys.iter().enumerate() {
                        parts[owner(key.as_ref(), workers) as usize].push(row as u32);
                    }
                }
                for (target, rows) in parts.into_iter().enumerate() {
                    let mut part = batch.take(&UInt32Array::from(rows));
                    part.target = target as u32;
                    give(part);
                }
            }
        }
    }
}

/// The encoding of keys: sorts by bytes as the columns would sort, nulls first.
pub fn key_converter(key: &[Field]) -> RowConverter {
    let fields = key.iter().map(|f| SortField::new(f.data_type.arrow())).collect();
    RowConverter::new(fields).expect("every data type has an encoding")
}

/// On the wire a batch is its numbers and one Arrow IPC stream, the marks as further columns.
#[derive(Serialize, Deserialize)]
struct Wire {
    partition: u32,
    sequence: u64,
    watermark: i64,
    idle: bool,
    target: u32,
    columns: u32,
    rows: u64,
    marks: [bool; 4],
    ipc: Vec<u8>,
}

impl Serialize for Batch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let marks: [Option<ArrayRef>; 4] = [
            self.marks.positions.clone().map(|a| Arc::new(a) as ArrayRef),
            self.marks.times.clone().map(|a| Arc::new(a) as ArrayRef),
            self.marks.watermarks.clone().map(|a| Arc::new(a) as ArrayRef),
            self.marks.order.clone().map(|a| Arc::new(a) as ArrayRef),
        ];
        let mut fields: Vec<_> = self.rows.schema().fields().iter().cloned().collect();
        let mut columns = self.rows.columns().to_vec();
        for mark in marks.iter().flatten() {
            fields.push(Arc::new(ArrowField::new("", mark.data_type().clone(), false)));
            columns.push(Arc::clone(mark));
        }
        let all = record_batch(Arc::new(Schema::new(fields)), columns, self.rows.num_rows());
        let mut ipc = Vec::new();
        let mut writer = StreamWriter::try_new(&mut ipc, &all.schema()).map_err(S::Error::custom)?;
        writer.write(&all).and_then(|()| writer.finish()).map_err(S::Error::custom)?;
        drop(writer);
        Wire {
            partition: self.partition,
            sequence: self.sequence,
            watermark: self.watermark,
            idle: self.idle,
            target: self.target,
            columns: self.rows.num_columns() as u32,
            rows: self.rows.num_rows() as u64,
            marks: marks.each_ref().map(Option::is_some),
            ipc,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Batch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let mut reader = StreamReader::try_new(Cursor::new(wire.ipc), None).map_err(D::Error::custom)?;
        let all = reader
            .next()
            .ok_or_else(|| D::Error::custom("a batch without rows or columns"))?
            .map_err(D::Error::custom)?;
        let count = wire.columns as usize;
        let mut marks = all.columns().get(count..).unwrap_or_default().iter();
        let mut mark = |there: bool| there.then(|| marks.next().ok_or_else(|| D::Error::custom("a mark is missing")));
        let [positions, times, watermarks, order] = wire.marks.map(&mut mark);
        let marks = Marks {
            positions: positions.transpose()?.map(|a| a.as_primitive::<UInt64Type>().clone()),
            times: times.transpose()?.map(|a| a.as_primitive::<Int64Type>().clone()),
            watermarks: watermarks.transpose()?.map(|a| a.as_primitive::<Int64Type>().clone()),
            order: order.transpose()?.map(|a| a.as_binary::<i32>().clone()),
        };
        let fields: Vec<_> = all.schema().fields().iter().take(count).cloned().collect();
        let columns = all.columns().iter().take(count).cloned().collect();
        let rows: RecordBatch = record_batch(Arc::new(Schema::new(fields)), columns, wire.rows as usize);
        Ok(Self {
            partition: wire.partition,
            sequence: wire.sequence,
            watermark: wire.watermark,
            idle: wire.idle,
            target: wire.target,
            rows,
            marks,
        })
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{BinaryArray, Int64Array, StringArray};

    use super::*;
    use crate::types::{DataType, arrow_schema};

    fn batch(rows: usize) -> Batch {
        let fields = [Field::new("k", DataType::Text, true), Field::new("n", DataType::Int64, false)];
        let key: StringArray = (0..rows).map(|i| (i % 5 != 0).then(|| format!("key {}", i % 7))).collect();
        let columns: Vec<ArrayRef> = vec![Arc::new(key), Arc::new(Int64Array::from_iter_values(0..rows as i64))];
        Batch {
            partition: 3,
            sequence: 9,
            watermark: -7,
            idle: true,
            target: 0,
            rows: record_batch(arrow_schema(&fields), columns, rows),
            marks: Marks {
                positions: Some((0..rows as u64).collect()),
                order: Some(BinaryArray::from_iter_values((0..rows).map(|i| i.to_le_bytes()))),
                ..Marks::default()
            },
        }
    }

    #[test]
    fn one_worker_more_takes_its_share_and_moves_nothing_else() {
        for n in 1..8 {
            let (before, after) = (workers_of_key_groups(n), workers_of_key_groups(n + 1));
            let moved: Vec<_> = before.iter().zip(&after).filter(|(b, a)| b != a).collect();
            assert!(moved.iter().all(|(_, a)| **a == n as u32), "a group moved between old workers");
            let share = moved.len() as f64 / f64::from(KEY_GROUPS);
            let fair = 1.0 / (n + 1) as f64;
            assert!((share - fair).abs() < 0.4 * fair, "{n} to {}: {share} moved, {fair} is fair", n + 1);
        }
    }

    #[test]
    fn a_key_goes_to_one_worker_and_no_row_is_lost() {
        let fields = [Field::new("k", DataType::Text, true), Field::new("n", DataType::Int64, false)];
        let mut split = Split::new(&Edge::Key { columns: vec![fields[0].clone()], numbered: true }, &fields, 3);
        let mut parts = Vec::new();
        split.split(batch(100), &mut |part| parts.push(part));
        assert_eq!(parts.iter().map(|p| p.target).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(parts.iter().all(|p| p.watermark == -7));
        let mut seen = std::collections::HashMap::new();
        let mut rows = 0;
        for part in &parts {
            rows += part.rows.num_rows();
            for key in part.rows.column(0).as_string::<i32>() {
                assert_eq!(*seen.entry(key.map(String::from)).or_insert(part.target), part.target);
            }
            let numbers = part.rows.column(1).as_primitive::<Int64Type>().values();
            for (order, n) in part.marks.order.iter().flatten().zip(numbers) {
                let expected = [&(*n as usize).to_le_bytes()[..], &(*n as u32).to_be_bytes()].concat();
                assert_eq!(order, Some(expected.as_slice()), "what was there, and the place in the batch");
            }
        }
        assert_eq!((rows, seen.len()), (100, 8));
    }

    #[test]
    fn a_batch_survives_the_wire() {
        for rows in [0, 1, 100] {
            let sent = batch(rows);
            let bytes = serde_json::to_vec(&sent).expect("encodes");
            let got: Batch = serde_json::from_slice(&bytes).expect("decodes");
            assert_eq!(got.rows, sent.rows);
            assert_eq!((got.marks.positions, got.marks.order), (sent.marks.positions, sent.marks.order));
            assert_eq!((got.partition, got.sequence, got.watermark, got.idle), (3, 9, -7, true));
            assert!(got.marks.times.is_none());
        }
    }
}
