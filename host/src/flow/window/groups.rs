//! Windows that hand whole groups to one function: the rows of each window and key, kept as they came
//! until it fires, and then given in the order of their event times.
//!
//! Rows stay in the batches they came in, of which only the function's columns are kept; a slot has a
//! list of places in them. Batches go when no row of theirs is left, and are packed anew when most of
//! what is kept is of no use any more.

mod stored;

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, UInt32Array};
use arrow_select::interleave::interleave;
use arrow_select::take::take;

use super::fire::Fired;
use super::fold::Windows;
use super::place::Placed;
use super::ready::{Due, Ready};
use super::results::moment;
use crate::flow::batch::{Batch, record_batch};
use crate::function::invoke::Invoker;
use crate::plan::Apply;
use crate::report::Node;
use crate::sandbox::Reuse;
use crate::types::{Field, arrow_schema};
use stored::Stored;

/// Rows that are kept for nothing before batches are packed anew.
const WASTE_ROWS_MAX: usize = 65_536;

/// A function of whole groups, and the rows that it is to see.
pub(super) struct GroupMap {
    invoker: Invoker,
    pub(super) outputs: Vec<Field>,
    /// The columns of the stream that the function takes.
    columns: Vec<usize>,
    fields: Vec<Field>,
    batches: Vec<Kept>,
    free: Vec<u32>,
    /// The rows of each slot.
    slots: Vec<Vec<Place>>,
    /// Rows that came so far.
    came: u64,
    /// Rows in batches, and those of them that a slot has.
    held: usize,
    alive: usize,
    /// Where rows are that memory has no room for.
    stored: Option<Stored>,
}

/// Rows of some slots, for a checkpoint.
pub(super) struct KeptRows {
    /// The place of each one's slot among those slots.
    pub(super) slots: Vec<u32>,
    pub(super) times: Vec<i64>,
    /// Their numbers among the rows that came.
    pub(super) came: Vec<u64>,
    pub(super) columns: Vec<(Field, ArrayRef)>,
}

/// A batch that rows are kept in.
struct Kept {
    columns: Vec<ArrayRef>,
    rows: usize,
    alive: usize,
    bytes: usize,
}

impl Kept {
    /// So many rows, of all of which somebody has the place.
    fn new(columns: Vec<ArrayRef>, rows: usize) -> Self {
        let bytes = columns.iter().map(bytes).sum();
        Self { columns, rows, alive: rows, bytes }
    }

    fn empty() -> Self {
        Self::new(Vec::new(), 0)
    }
}

/// About how many bytes a column takes.
fn bytes(column: &ArrayRef) -> usize {
    column.to_data().get_slice_memory_size().unwrap_or_else(|_| column.get_array_memory_size())
}

/// Where a row is kept, in the order in which a function sees rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    time: i64,
    came: u64,
    batch: u32,
    row: u32,
}

impl GroupMap {
    pub(super) fn new(apply: &Apply, stream: &[Field], reuse: Reuse, counters: &Arc<Node>) -> Self {
        let mut columns: Vec<usize> = Vec::new();
        for argument in &apply.call.arguments {
            let place = stream.iter().position(|f| f.name == argument.column).expect("the plan has found the column");
            if !columns.contains(&place) {
                columns.push(place);
            }
        }
        let fields: Vec<Field> = columns.iter().map(|c| stream[*c].clone()).collect();
        Self {
            invoker: Invoker::new(&apply.call, &fields, reuse, Arc::clone(counters)),
            outputs: apply.outputs.clone(),
            columns,
            fields,
            batches: Vec::new(),
            free: Vec::new(),
            slots: Vec::new(),
            came: 0,
            held: 0,
            alive: 0,
            stored: None,
        }
    }

    /// About how many bytes the rows in memory take.
    pub(super) fn bytes(&self) -> usize {
        self.batches.iter().map(|kept| kept.bytes).sum::<usize>() + self.alive * size_of::<Place>()
    }

    /// Keeps a batch, and says which number it has.
    fn add(&mut self, kept: Kept) -> u32 {
        (self.held, self.alive) = (self.held + kept.rows, self.alive + kept.alive);
        let number = self.free.pop().unwrap_or_else(|| {
            self.batches.push(Kept::empty());
            self.batches.len() as u32 - 1
        });
        self.batches[number as usize] = kept;
        number
    }

    /// How many rows have come.
    pub(super) fn came(&self) -> u64 {
        self.came
    }

    /// Makes places for so many slots.
    pub(super) fn grow(&mut self, slots: usize) {
        self.slots.resize(slots.max(self.slots.len()), Vec::new());
    }

    /// Keeps the rows of a batch that are in time.
    pub(super) fn take(&mut self, batch: &Batch, times: &Int64Array, placed: &Placed) {
        let rows = placed.rows.len();
        if rows == 0 {
            return;
        }
        let all = rows == batch.rows.num_rows();
        let indices = UInt32Array::from(placed.rows.clone());
        let pick = |column: &usize| match all {
            true => Arc::clone(batch.rows.column(*column)),
            false => take(batch.rows.column(*column), &indices, None).expect("rows in time are rows of the batch"),
        };
        let number = self.add(Kept::new(self.columns.iter().map(pick).collect(), rows));
        for (row, (from, group)) in placed.rows.iter().zip(&placed.groups).enumerate() {
            let slot = placed.slots[*group as usize] as usize;
            let time = times.value(*from as usize);
            self.slots[slot].push(Place { time, came: self.came, batch: number, row: row as u32 });
            self.came += 1;
        }
    }

    /// Lets the rows of these slots go.
    fn forget(&mut self, slots: &[u32]) {
        for slot in slots {
            // A slot may never have had a row.
            let Some(places) = self.slots.get_mut(*slot as usize) else { continue };
            let places = std::mem::take(places);
            self.let_go(places.into_iter());
        }
        if self.held > 4 * self.alive + WASTE_ROWS_MAX {
            self.pack();
        }
    }

    /// Lets rows go, of which nobody has the places any more.
    fn let_go(&mut self, places: impl Iterator<Item = Place>) {
        for Place { batch, .. } in places {
            let kept = &mut self.batches[batch as usize];
            kept.alive -= 1;
            self.alive -= 1;
            if kept.alive == 0 {
                self.held -= kept.rows;
                *kept = Kept::empty();
                self.free.push(batch);
            }
        }
    }

    /// Puts all rows that are left into one batch.
    fn pack(&mut self) {
        let places: Vec<Place> = self.slots.iter().flatten().copied().collect();
        let kept = Kept::new(self.gather(&places), places.len());
        for (row, place) in self.slots.iter_mut().flatten().enumerate() {
            (place.batch, place.row) = (0, row as u32);
        }
        (self.held, self.alive) = (kept.rows, kept.alive);
        self.batches = vec![kept];
        self.free.clear();
    }

    /// The rows of these places.
    fn gather(&self, places: &[Place]) -> Vec<ArrayRef> {
        let indices: Vec<(usize, usize)> = places.iter().map(|p| (p.batch as usize, p.row as usize)).collect();
        let column = |column: usize| {
            let empty = arrow_array::new_empty_array(&self.fields[column].data_type.arrow());
            if self.batches.is_empty() {
                return empty;
            }
            let arrays: Vec<&dyn Array> =
                self.batches.iter().map(|b| b.columns.get(column).unwrap_or(&empty).as_ref()).collect();
            interleave(&arrays, &indices).expect("places are rows of batches of one stream")
        };
        (0..self.fields.len()).map(column).collect()
    }
}

impl GroupMap {
    /// The rows of these slots.
    pub(super) fn kept(&self, slots: &[u32]) -> KeptRows {
        let of = |slot: &u32| self.slots.get(*slot as usize).map_or(&[][..], Vec::as_slice);
        let numbered =
            slots.iter().zip(0..).flat_map(|(slot, number)| of(slot).iter().map(move |place| (number, *place)));
        let (slots, places): (Vec<u32>, Vec<Place>) = numbered.unzip();
        let times = places.iter().map(|place| place.time).collect();
        let came = places.iter().map(|place| place.came).collect();
        let columns = self.fields.iter().cloned().zip(self.gather(&places)).collect();
        KeptRows { slots, times, came, columns }
    }

    /// Takes in rows as they were, each with its slot, its time and its number.
    pub(super) fn adopt(&mut self, columns: Vec<ArrayRef>, slots: &[u32], times: &[i64], came: &[u64]) {
        if slots.is_empty() {
            return;
        }
        let batch = self.add(Kept::new(columns, slots.len()));
        for (row, ((slot, time), came)) in slots.iter().zip(times).zip(came).enumerate() {
            self.slots[*slot as usize].push(Place { time: *time, came: *came, batch, row: row as u32 });
            self.came = self.came.max(came + 1);
        }
    }
}

impl Windows {
    /// Gives what the function makes of the groups that are due, as many at once as fit a batch.
    pub(super) fn give_groups(&mut self, ready: Ready<'_>, fired: i64, out: &mut dyn Fired) {
        let Ready { keys, others, groups } = ready;
        let mut parts: Vec<(Due<'_>, Vec<u32>)> = keys.into_iter().map(|due| (due, vec![due.slot])).collect();
        for (slot, group) in others.into_iter().zip(groups) {
            parts[group as usize].1.push(slot);
        }
        parts.sort_by(|(a, _), (b, _)| (a.end, a.key).cmp(&(b.end, b.key)));
        let (mut keys, mut places, mut groups) = (Vec::new(), Vec::new(), Vec::new());
        for (due, slots) in parts {
            let Some(map) = &self.group_map else { return };
            let from = places.len();
            places.extend(slots.iter().flat_map(|slot| &map.slots[*slot as usize]).copied());
            places[from..].sort_unstable();
            groups.resize(places.len(), keys.len() as u32);
            keys.push(due);
            if places.len() >= self.batch_rows {
                self.map_groups(&keys, &places, &groups, fired, out);
                (keys, places, groups) = (Vec::new(), Vec::new(), Vec::new());
            }
        }
        if !keys.is_empty() {
            self.map_groups(&keys, &places, &groups, fired, out);
        }
    }

    fn map_groups(&mut self, keys: &[Due<'_>], places: &[Place], groups: &[u32], fired: i64, out: &mut dyn Fired) {
        let mut columns = self.named(keys);
        let Some(map) = &mut self.group_map else { return };
        let rows = record_batch(arrow_schema(&map.fields), map.gather(places), places.len());
        let moment = moment(keys[keys.len() - 1].end);
        let mut failures = Vec::new();
        let (outputs, parents) = map.invoker.map_groups(keys.len(), groups, &rows, moment, &mut failures);
        let outputs: Vec<_> = map.outputs.iter().cloned().zip(outputs).collect();
        if !failures.is_empty() {
            self.tell(&[(0, failures)], keys, out);
        }
        for (_, column) in &mut columns {
            *column = take(column, &parents, None).expect("parents are groups of the call");
        }
        columns.extend(outputs);
        out.rows(self.rows(columns, parents.len()), self.marks(keys, parents.values(), fired));
    }

    /// Lets go of the rows that no window sees any more.
    pub(super) fn forget_rows(&mut self) {
        if let Some(map) = &mut self.group_map {
            map.forget(self.open.slots().unused());
        }
    }
}
