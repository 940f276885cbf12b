//! Pairs on their way out: found one by one, given as batches.
//!
//! A pair is two places until a batch is full; only then are its columns gathered. So a key whose
//! rows all match each other takes no more memory than a batch, however many pairs it has.

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow_schema::SchemaRef;

use super::held::{Held, Place, Places};
use super::intake::{Intake, Row};
use crate::flow::batch::{Marks, record_batch};
use crate::flow::window::assign::Slices;
use crate::plan::{self, Origin, PairColumn, Pairing};
use crate::types::{DataType, arrow_schema};

/// What pairs look like.
#[derive(Debug)]
pub(super) struct Shape {
    schema: SchemaRef,
    columns: Vec<From>,
    slices: Option<Slices>,
    batch_rows: usize,
    /// Whether rows of several workers have to be put in order behind this.
    keep_order: bool,
    /// Whether rows of one key come from several workers.
    spread: bool,
}

/// Where a column comes from: the number is that of the column in its side.
#[derive(Clone, Copy, Debug)]
enum From {
    WindowStart,
    WindowEnd,
    Left(usize),
    Right(usize),
}

/// Two rows that go together, or a left one without a partner.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) left: Row,
    pub(super) right: Option<Place>,
    /// Its event time.
    pub(super) time: i64,
    /// What comes first in the order of pairs, before the key: the window's end, or the time of the
    /// left row.
    pub(super) order: i64,
}

/// Takes batches of pairs.
pub(super) type Give<'a> = dyn FnMut(RecordBatch, Marks) + 'a;

impl Shape {
    pub(super) fn new(join: &plan::Join, intakes: &[Intake; 2], batch_rows: usize, keep_order: bool) -> Self {
        let at = |side: usize, name: &str| {
            intakes[side].columns.iter().position(|f| f.name == name).expect("a side keeps what pairs have")
        };
        let from = |column: &PairColumn| match &column.origin {
            Origin::WindowStart => From::WindowStart,
            Origin::WindowEnd => From::WindowEnd,
            Origin::Left(name) => From::Left(at(0, name)),
            Origin::Right(name) => From::Right(at(1, name)),
        };
        let fields: Vec<_> = join.columns.iter().map(PairColumn::field).collect();
        let slices = match join.pairing {
            Pairing::Window(kind) => Some(Slices::from(kind)),
            Pairing::Within { .. } => None,
        };
        let columns = join.columns.iter().map(from).collect();
        Self { schema: arrow_schema(&fields), columns, slices, batch_rows, keep_order, spread: join.broadcast }
    }

    /// Pairs of two sides, to be given to `give`.
    pub(super) fn pairs<'a>(&'a self, left: &'a Held, right: &'a Held, give: &'a mut Give<'_>) -> Pairs<'a> {
        self.pairs_behind(0, left, right, give)
    }

    /// The same behind so many others, which may be of the same keys.
    pub(super) fn pairs_behind<'a>(
        &'a self,
        given: u64,
        left: &'a Held,
        right: &'a Held,
        give: &'a mut Give<'_>,
    ) -> Pairs<'a> {
        Pairs { shape: self, left, right, found: Vec::new(), given, give: Box::new(give) }
    }

    /// How many pairs are given at once, at most.
    pub(super) fn batch_rows(&self) -> usize {
        self.batch_rows
    }

    /// No pairs at all.
    pub(super) fn nothing(&self) -> (RecordBatch, Marks) {
        let none = Int64Array::from(Vec::<i64>::new());
        let order = self.keep_order.then(|| BinaryArray::from_iter_values(std::iter::empty::<&[u8]>()));
        let marks = Marks { positions: None, times: Some(none.clone()), watermarks: Some(none), order };
        (RecordBatch::new_empty(Arc::clone(&self.schema)), marks)
    }
}

/// Pairs that are found.
pub(super) struct Pairs<'a> {
    shape: &'a Shape,
    left: &'a Held,
    right: &'a Held,
    found: Vec<Pair>,
    /// How many were given before those.
    given: u64,
    give: Box<dyn FnMut(RecordBatch, Marks) + 'a>,
}

impl Pairs<'_> {
    /// Adds a pair.
    pub(super) fn push(&mut self, pair: Pair) {
        self.found.push(pair);
        if self.found.len() >= self.shape.batch_rows {
            self.flush();
        }
    }

    /// Gives what is left, and says how many pairs there were.
    pub(super) fn finish(mut self) -> u64 {
        if !self.found.is_empty() {
            self.flush();
        }
        self.given
    }

    fn flush(&mut self) {
        let found = std::mem::take(&mut self.found);
        let lefts: Places = found.iter().map(|pair| Some(pair.left.place)).collect();
        let rights: Places = found.iter().map(|pair| pair.right).collect();
        let timestamps = |of: &dyn Fn(i64) -> i64| -> ArrayRef {
            let array = TimestampMicrosecondArray::from_iter_values(found.iter().map(|pair| of(pair.order)));
            Arc::new(array.with_data_type(DataType::Timestamp.arrow()))
        };
        let column = |from: &From| match (from, &self.shape.slices) {
            (From::Left(index), _) => self.left.column(*index, &lefts),
            (From::Right(index), _) => self.right.column(*index, &rights),
            (From::WindowStart, Some(slices)) => timestamps(&|end| slices.start(end)),
            (From::WindowStart | From::WindowEnd, _) => timestamps(&|end| end),
        };
        let columns = self.shape.columns.iter().map(column).collect();
        let times: Int64Array = found.iter().map(|pair| pair.time).collect::<Vec<_>>().into();
        // Pairs of one key come from one worker, in the order of their numbers; else those of one left row do.
        let order = |(pair, number): (&Pair, u64)| {
            let first = (pair.order as u64 ^ (1 << 63)).to_be_bytes();
            let Row { time, partition, position, place } = pair.left;
            let mut order = [&first[..], self.left.key(place)].concat();
            if self.shape.spread {
                order.extend((time as u64 ^ (1 << 63)).to_be_bytes());
                order.extend(partition.to_be_bytes());
                order.extend(position.to_be_bytes());
            }
            order.extend(number.to_be_bytes());
            order
        };
        let numbered = || found.iter().zip(self.given..);
        let marks = Marks {
            positions: None,
            // A pair is never late: it is judged by its own time.
            watermarks: Some(times.clone()),
            times: Some(times),
            order: self.shape.keep_order.then(|| BinaryArray::from_iter_values(numbered().map(order))),
        };
        self.given += found.len() as u64;
        (self.give)(record_batch(Arc::clone(&self.shape.schema), columns, found.len()), marks);
        self.found = found;
        self.found.clear();
    }
}
