//! How an edge makes parts of a batch, one for each worker that it may go to.

use std::sync::Arc;

use arrow_array::{ArrayRef, UInt32Array};
use arrow_row::RowConverter;

use super::{Edge, key_converter, owner, workers_of_key_groups};
use crate::flow::batch::Batch;
use crate::types::Field;

pub(super) enum Split {
    Key { columns: Vec<usize>, converter: RowConverter, workers: Vec<u32>, peers: usize, numbered: bool },
    Turn { peers: u64 },
    One,
}

impl Split {
    pub(super) fn new(edge: &Edge, fields: &[Field], peers: usize) -> Self {
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

    pub(super) fn split(&mut self, mut batch: Batch, give: &mut dyn FnMut(Batch)) {
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
}
