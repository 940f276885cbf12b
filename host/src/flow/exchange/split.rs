//! How an edge makes parts of a batch, one for each worker that it may go to.

use std::sync::Arc;

use arrow_array::{ArrayRef, UInt32Array};
use arrow_row::RowConverter;

use super::groups::of_range;
use super::{Edge, key_converter, owner, workers_of_key_groups};
use crate::flow::batch::Batch;
use crate::types::Field;

pub(super) enum Split {
    Rows { columns: Vec<usize>, converter: RowConverter, peers: usize, by: By, numbered: bool },
    Turn { peers: u64 },
    One,
    All { peers: u32 },
    Stay { peers: u32, worker: u32 },
}

/// What of a row's key says which worker it goes to.
pub(super) enum By {
    /// Its hash; the worker of each key group.
    Groups(Vec<u32>),
    /// The range that it is in.
    Ranges(Vec<Vec<u8>>),
}

impl Split {
    pub(super) fn new(edge: &Edge, fields: &[Field], peers: usize, worker: usize) -> Self {
        let rows = |key: &[Field], by, numbered| Self::Rows {
            columns: key.iter().filter_map(|k| fields.iter().position(|f| f.name == k.name)).collect(),
            converter: key_converter(key),
            peers,
            by,
            numbered,
        };
        match edge {
            Edge::Key { columns, numbered } => rows(columns, By::Groups(workers_of_key_groups(peers)), *numbered),
            Edge::Range { column, bounds } => rows(std::slice::from_ref(column), By::Ranges(bounds.clone()), true),
            Edge::Turn => Self::Turn { peers: peers as u64 },
            Edge::One => Self::One,
            Edge::All => Self::All { peers: peers as u32 },
            Edge::Stay => Self::Stay { peers: peers as u32, worker: worker as u32 },
        }
    }

    pub(super) fn split(&mut self, mut batch: Batch, give: &mut dyn FnMut(Batch)) {
        match self {
            Self::One => {
                batch.target = 0;
                give(batch);
            }
            Self::All { peers } => (0..*peers).for_each(|target| give(Batch { target, ..batch.clone() })),
            Self::Stay { peers, worker } => {
                let shell = batch.take(&Vec::<u32>::new().into());
                (0..*peers)
                    .filter(|target| target != worker)
                    .for_each(|target| give(Batch { target, ..shell.clone() }));
                batch.target = *worker;
                give(batch);
            }
            Self::Turn { peers } => {
                batch.target = ((u64::from(batch.partition) + batch.sequence) % *peers) as u32;
                give(batch);
            }
            Self::Rows { columns, converter, peers, by, numbered } => {
                if *numbered && !batch.folded {
                    batch.marks.number(batch.rows.num_rows());
                }
                let mut parts: Vec<Vec<u32>> = vec![Vec::new(); *peers];
                // Accumulators have the key in front.
                let places: Vec<usize> = if batch.folded { (0..columns.len()).collect() } else { columns.clone() };
                let keys: Vec<ArrayRef> = places.iter().map(|c| Arc::clone(batch.rows.column(*c))).collect();
                let (by, peers) = (&*by, *peers);
                let worker = |key: &[u8]| match by {
                    By::Groups(workers) => owner(key, workers),
                    By::Ranges(bounds) => of_range(key, bounds, peers),
                };
                if keys.is_empty() {
                    parts[worker(&[]) as usize] = (0..batch.rows.num_rows() as u32).collect();
                } else {
                    let keys = converter.convert_columns(&keys).expect("the key has the columns of the plan");
                    for (row, key) in keys.iter().enumerate() {
                        parts[worker(key.as_ref()) as usize].push(row as u32);
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

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;

    use super::super::tests::batch;
    use super::*;
    use crate::types::DataType;

    #[test]
    fn a_key_goes_to_one_worker_and_no_row_is_lost() {
        let fields = [Field::new("k", DataType::Text, true), Field::new("n", DataType::Int64, false)];
        let mut split = Split::new(&Edge::Key { columns: vec![fields[0].clone()], numbered: true }, &fields, 3, 0);
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
    fn a_range_goes_to_one_worker_and_ranges_to_all() {
        let fields = [Field::new("k", DataType::Text, true), Field::new("n", DataType::Int64, false)];
        let bounds = arrow_array::Int64Array::from(vec![10, 50, 80]);
        let rows = key_converter(&fields[1..]).convert_columns(&[Arc::new(bounds)]).expect("a column");
        let bounds: Vec<Vec<u8>> = rows.iter().map(|row| row.as_ref().to_vec()).collect();
        for (peers, first_of) in [(2, vec![0, 50]), (3, vec![0, 50, 80]), (4, vec![0, 10, 50, 80])] {
            let edge = Edge::Range { column: fields[1].clone(), bounds: bounds.clone() };
            let mut firsts = Vec::new();
            Split::new(&edge, &fields, peers, 0).split(batch(100), &mut |part| {
                firsts.push(part.rows.column(1).as_primitive::<Int64Type>().values()[0]);
            });
            assert_eq!(firsts, first_of, "{peers} workers");
        }
    }
}
