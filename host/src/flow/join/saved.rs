//! Rows that wait, in checkpoints: a table for each side, `left` and `right`.
//!
//! Rows are only ever added, and when one is done with follows from the watermark; so what has changed
//! is what has come. Beside its columns, a row has its time, its partition, its number there and, where windows are
//! joined, its pane.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt32Type};
use arrow_array::{ArrayRef, Int64Array, RecordBatch, UInt32Array};
use arrow_select::take::take;

use super::held::{Held, Place};
use super::intake::Row;
use crate::checkpoint::{Section, Table};
use crate::flow::cut::keyed;
use crate::flow::window::assign::PaneId;

/// Of rows that are in no window.
pub(super) const NO_PANE: PaneId = PaneId { start: 0, seen_from: 0 };

/// What a side's table is called.
const SIDES: [&str; 2] = ["left", "right"];

/// The columns of a table that are not the side's.
const COLUMNS: usize = 5;

/// Rows with where they were and what they are in.
type Kept = (RecordBatch, Vec<Row>, Vec<PaneId>);

/// Rows that have come since a checkpoint was taken.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    sides: [Vec<Kept>; 2],
}

impl Unsaved {
    /// Notes rows of a side.
    pub(super) fn add(&mut self, side: usize, kept: RecordBatch, rows: &[Row], panes: &[PaneId]) {
        if !rows.is_empty() {
            self.sides[side].push((kept, rows.to_vec(), panes.to_vec()));
        }
    }

    /// How many there are.
    pub(super) fn rows(&self) -> usize {
        self.sides.iter().flatten().map(|(_, rows, _)| rows.len()).sum()
    }

    /// Those of a side that still wait.
    pub(super) fn table(&self, side: usize, waits: impl Fn(&Row, PaneId) -> bool) -> Table {
        let waiting = self.sides[side].iter().map(|(kept, rows, panes)| {
            let is_waiting = |at: &usize| waits(&rows[*at], panes[*at]);
            let some: Vec<usize> = (0..rows.len()).filter(is_waiting).collect();
            let indices: UInt32Array = some.iter().map(|at| *at as u32).collect::<Vec<_>>().into();
            let columns = kept.columns().iter().map(|c| take(c, &indices, None).expect("rows of the batch")).collect();
            let kept = RecordBatch::try_new(kept.schema(), columns).expect("columns of the side");
            (kept, some.iter().map(|at| rows[*at]).collect(), some.iter().map(|at| panes[*at]).collect())
        });
        table(side, waiting)
    }
}

/// The table of a side.
pub(super) fn table(side: usize, kept: impl IntoIterator<Item = Kept>) -> Table {
    let batches = kept.into_iter().map(|(kept, rows, panes)| {
        let numbers =
            |of: &dyn Fn(usize) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values((0..rows.len()).map(of))) };
        let partitions: ArrayRef = Arc::new(UInt32Array::from_iter_values(rows.iter().map(|row| row.partition)));
        let own: [(String, ArrayRef); COLUMNS] = [
            ("time".into(), numbers(&|at| rows[at].time)),
            ("partition".into(), partitions),
            ("position".into(), numbers(&|at| rows[at].position as i64)),
            ("start".into(), numbers(&|at| panes[at].start)),
            ("seen_from".into(), numbers(&|at| panes[at].seen_from)),
        ];
        // Sides may have columns of these names, so theirs are numbered.
        let columns = kept.columns().iter().enumerate().map(|(number, c)| (number.to_string(), Arc::clone(c)));
        keyed::batch(own.into_iter().chain(columns).collect())
    });
    keyed::table(SIDES[side], batches)
}

/// Rows of a batch of a section.
pub(super) struct Adopted {
    columns: Vec<ArrayRef>,
    rows: Vec<(Row, PaneId)>,
}

/// The rows of a side in a section that are a worker's, by their keys.
pub(super) fn adopted(section: &Section, side: usize, mine: &dyn Fn(&[u8]) -> bool) -> Result<Vec<Adopted>, String> {
    let missing = || "a column is missing".to_owned();
    let batches = section.table(SIDES[side]).iter().map(|held| {
        let number = |at: usize| held.column(at).as_primitive_opt::<Int64Type>().ok_or_else(missing);
        let (times, positions, starts, seen_froms) = (number(0)?, number(2)?, number(3)?, number(4)?);
        let partitions = held.column(1).as_primitive_opt::<UInt32Type>().ok_or_else(missing)?;
        let keys = held.columns().last().and_then(|keys| keys.as_binary_opt::<i32>()).ok_or_else(missing)?;
        let kept: Vec<u32> = (0..held.num_rows() as u32).filter(|row| mine(keys.value(*row as usize))).collect();
        let of = |row: &u32| {
            let at = *row as usize;
            let (time, partition, position) = (times.value(at), partitions.value(at), positions.value(at) as u64);
            let pane = PaneId { start: starts.value(at), seen_from: seen_froms.value(at) };
            (Row { time, partition, position, place: Place::default() }, pane)
        };
        Ok(Adopted { rows: kept.iter().map(of).collect(), columns: keyed::rows(held, COLUMNS, &kept) })
    });
    batches.collect()
}

impl Adopted {
    /// Holds those that still wait.
    pub(super) fn hold(&self, held: &mut Held, waits: impl Fn(&Row, PaneId) -> bool) -> Vec<(Row, PaneId)> {
        let some: Vec<u32> =
            (0..).zip(&self.rows).filter(|(_, (row, pane))| waits(row, *pane)).map(|(at, _)| at).collect();
        if some.is_empty() {
            return Vec::new();
        }
        let indices = UInt32Array::from(some.clone());
        let columns = self.columns.iter().map(|c| take(c, &indices, None).expect("rows of the batch")).collect();
        let rows = RecordBatch::try_new(held.schema(), columns).expect("columns of the side");
        let places = held.push(rows);
        let of = |(at, place): (&u32, Place)| {
            let (row, pane) = self.rows[*at as usize];
            (Row { place, ..row }, pane)
        };
        some.iter().zip(places).map(of).collect()
    }
}
