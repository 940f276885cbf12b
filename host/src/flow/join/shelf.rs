//! The rows of one side that memory has no room for, or that others read: in a store.
//!
//! A row's name is its key, its time, its partition, and two numbers: how many rows came before it, which
//! keeps the order of arrival, and its record's number. So the rows of a pane stand in the order in which
//! a join goes through them. Where it goes by time first, the time stands in front of the key.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryArray, RecordBatch};
use arrow_schema::SchemaRef;

use super::held::{Held, Place, Places};
use super::intake::Row;
use crate::error::Result;
use crate::flow::cut::Sections;
use crate::flow::stored_rows::{Setting, StoredRows, encoded, name};
use crate::plan;
use crate::state::{Pane, Stores};
use crate::types::{DataType, Field};

/// What the two sides are called in a store.
const SIDES: [&str; 2] = ["left", "right"];

/// What of a side is kept where.
#[derive(Debug)]
pub(super) struct Shelf {
    rows: StoredRows,
    order: By,
    schema: SchemaRef,
    /// Rows that were put in so far.
    came: i64,
    batch_rows: usize,
    /// How much of the side may be in memory.
    pub(super) memory_bytes: usize,
    /// Whether others read it, so that it has to be there.
    pub(super) is_read: bool,
}

/// What rows of a pane are in the order of, first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Key,
    Time,
}

/// Where a join keeps its rows.
pub(super) struct Keeping<'a> {
    pub(super) stores: &'a Stores,
    pub(super) step: &'a str,
    pub(super) join: &'a plan::Join,
    pub(super) worker: usize,
    pub(super) workers: usize,
    pub(super) batch_rows: usize,
    /// What stores had where the run goes on.
    pub(super) restored: Option<Sections<'a>>,
}

/// Rows that were read, in the order of their names.
#[derive(Debug)]
pub(super) struct Page {
    /// As they are held, the key last.
    pub(super) columns: RecordBatch,
    /// Held nowhere yet.
    pub(super) rows: Vec<Row>,
    /// The name of the last one.
    pub(super) last: Vec<u8>,
}

impl Shelf {
    /// A place for the rows of a side, which are held as `held` does; none where state is in memory alone.
    pub(super) fn open(
        keeping: &Keeping<'_>,
        side: usize,
        columns: &[Field],
        held: &Held,
        order: By,
    ) -> Result<Option<Self>> {
        let Keeping { stores, step, join, worker, workers, batch_rows, restored } = *keeping;
        let number = |name: &str| Field::new(name, DataType::Int64, false);
        let time = Field::new("time", DataType::Timestamp, false);
        let numbers = [time, number("partition"), number("came"), number("position")];
        let (front, behind) = numbers.split_at(usize::from(order == By::Time));
        // Rows of one key may be on every worker, and then each has its own.
        let index = match join.broadcast {
            true => format!("{}.{worker}", SIDES[side]),
            false => SIDES[side].to_owned(),
        };
        let rows = StoredRows::open(
            stores,
            &Setting {
                step,
                index: Some(&index),
                key: [&join.left_key, &join.right_key][side],
                front,
                behind,
                columns,
                worker,
                workers,
                by_key: !join.broadcast,
                restored,
            },
        )?;
        let (memory_bytes, is_read) = (stores.memory_bytes() / workers / SIDES.len(), stores.are_read());
        let of = |rows| Self { rows, order, schema: held.schema(), came: 0, batch_rows, memory_bytes, is_read };
        Ok(rows.map(of))
    }

    /// Puts rows in that came in this order, by pane.
    pub(super) fn put(&mut self, held: &Held, panes: impl IntoIterator<Item = (Pane, Vec<Row>)>) -> Result<()> {
        let (order, batch_rows) = (self.order, self.batch_rows);
        let mut sorted = Vec::new();
        for (pane, mut rows) in panes {
            // It keeps the order of equals, which is that of their arrival.
            rows.sort_by(|a, b| compare(order, held, a, b));
            let first = self.came;
            self.came += rows.len() as i64;
            sorted.push((pane, rows, first));
        }
        let name = |(row, came): (&Row, i64)| {
            let (key, Row { time, partition, position, .. }) = (held.key(row.place), *row);
            let numbers = [time, i64::from(partition), came, position as i64];
            let (front, behind) = numbers.split_at(usize::from(order == By::Time));
            name(front, key, behind)
        };
        let name = &name;
        let mut batches = sorted.iter().flat_map(|(pane, rows, first)| {
            rows.chunks(batch_rows).enumerate().map(move |(chunk, rows)| {
                let names = rows.iter().zip(first + (chunk * batch_rows) as i64..).map(name);
                let places: Places = rows.iter().map(|row| Some(row.place)).collect();
                let columns = (0..held.schema().fields().len() - 1).map(|index| held.column(index, &places));
                (*pane, BinaryArray::from_iter_values(names), columns.collect())
            })
        });
        self.rows.put(&mut batches)
    }

    /// The next rows of a pane with names behind `after`, at most so many.
    pub(super) fn page(&mut self, pane: Pane, after: Option<&[u8]>, rows: usize) -> Result<Option<Page>> {
        Ok(self.rows.page(pane, after, rows)?.map(|(names, columns)| self.read(&names, columns)))
    }

    /// The store.
    pub(super) fn stored(&mut self) -> &mut StoredRows {
        &mut self.rows
    }

    /// Rows from the store, by their names and columns.
    pub(super) fn read(&self, names: &BinaryArray, mut columns: Vec<ArrayRef>) -> Page {
        let behind = usize::from(self.order == By::Key);
        let row = |name: &[u8]| Row {
            time: match self.order {
                By::Key => self.rows.behind(name, 0),
                By::Time => StoredRows::in_front(name, 0),
            },
            partition: self.rows.behind(name, behind) as u32,
            position: self.rows.behind(name, behind + 2) as u64,
            place: Place::default(),
        };
        let rows = names.iter().flatten().map(row).collect();
        columns.push(Arc::new(BinaryArray::from_iter_values(names.iter().flatten().map(|name| self.rows.key(name)))));
        let columns = RecordBatch::try_new(Arc::clone(&self.schema), columns).expect("columns of the side");
        Page { columns, rows, last: names.value(names.len() - 1).to_vec() }
    }

    /// How many rows have been put in.
    pub(super) fn came(&self) -> i64 {
        self.came
    }

    /// Goes on behind so many rows. Gives the panes that have some.
    pub(super) fn resume(&mut self, came: i64) -> Vec<Pane> {
        self.came = came;
        self.rows.panes()
    }

    /// Gives panes up.
    pub(super) fn remove(&mut self, panes: &[Pane]) -> Result<()> {
        self.rows.remove(panes)
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> u64 {
        self.rows.bytes()
    }

    /// What the names of rows of a key from a time on are behind.
    pub(super) fn before(&self, key: &[u8], time: i64) -> Vec<u8> {
        match self.order {
            By::Key => [key, &encoded(time)].concat(),
            By::Time => encoded(time).to_vec(),
        }
    }
}

impl Page {
    /// The key of a row.
    pub(super) fn key(&self, row: usize) -> &[u8] {
        self.columns.column(self.columns.num_columns() - 1).as_binary::<i32>().value(row)
    }

    /// Holds some of the rows, and says where.
    pub(super) fn hold(&self, rows: Range<usize>, held: &mut Held) -> Vec<Row> {
        if rows.is_empty() {
            return Vec::new();
        }
        let places = held.push(self.columns.slice(rows.start, rows.len()));
        self.rows[rows].iter().zip(places).map(|(row, place)| Row { place, ..*row }).collect()
    }
}

fn compare(order: By, held: &Held, a: &Row, b: &Row) -> Ordering {
    let by_key = || held.key(a.place).cmp(held.key(b.place));
    match order {
        By::Key => by_key().then(a.time.cmp(&b.time)),
        By::Time => a.time.cmp(&b.time).then_with(by_key),
    }
    .then_with(|| a.order().cmp(&b.order()))
}
