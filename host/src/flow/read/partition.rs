//! A partition that is being read: numbers its batches, stamps its rows, and knows when it is quiet.

use std::sync::Arc;

use arrow_array::{Int64Array, RecordBatch, UInt64Array};
use arrow_buffer::BooleanBufferBuilder;
use arrow_schema::SchemaRef;

use crate::checkpoint::Position;
use crate::flow::Options;
use crate::flow::batch::{Batch, Marks};
use crate::flow::clock::Clock;
use crate::flow::source::{BadRecord, Decoded, Partition};
use crate::flow::stamp::Stamper;
use crate::plan::{self, EventTime, TimeOf};

/// How far the clock may be ahead of the watermark of a partition whose time it is.
const TICK_US: i64 = 50_000;

pub(super) struct Open {
    index: u32,
    pub(super) partition: Box<dyn Partition>,
    sequence: u64,
    /// Rows that it may still give in this epoch.
    pub(super) left: usize,
    bytes: u64,
    event_time: Option<EventTime>,
    clock: Clock,
    stamper: Stamper,
    /// Since when it has had nothing to give, by the steady clock.
    quiet_since_us: Option<i64>,
    idle: bool,
    ended: bool,
    /// The number of its next record.
    record: u64,
}

impl Open {
    pub(super) fn new(index: usize, partition: Box<dyn Partition>, source: &plan::Source, options: &Options) -> Self {
        Self {
            index: index as u32,
            partition,
            sequence: 0,
            left: options.epoch_rows,
            bytes: 0,
            event_time: source.event_time.clone(),
            clock: options.clock.clone(),
            stamper: Stamper::new(source.event_time.as_ref().map_or(0, |t| t.out_of_order_us)),
            quiet_since_us: None,
            idle: false,
            ended: false,
            record: 0,
        }
    }

    /// Goes on where it was at a checkpoint.
    pub(super) fn resume(&mut self, position: &Position) {
        self.partition.skip_to(position.record);
        (self.record, self.sequence, self.ended) = (position.record, position.batches, position.ended);
        self.stamper.pass(position.watermark);
    }

    /// Where it is.
    pub(super) fn position(&self, source: &str, partition: &str) -> Position {
        Position {
            source: source.to_owned(),
            partition: partition.to_owned(),
            record: self.record,
            ended: self.ended,
            watermark: self.stamper.watermark(),
            batches: self.sequence,
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Its number in its source.
    pub(super) fn index(&self) -> u32 {
        self.index
    }

    /// Where its watermark is; `None` where it is idle.
    pub(super) fn watermark(&self) -> Option<i64> {
        match (self.ended, self.idle) {
            (true, _) => Some(i64::MAX),
            (false, true) => None,
            (false, false) => Some(self.stamper.watermark()),
        }
    }

    /// Bytes read since this was last asked.
    pub(super) fn new_bytes(&mut self) -> u64 {
        let bytes = self.partition.bytes();
        bytes - std::mem::replace(&mut self.bytes, bytes)
    }

    /// A batch of records that were read: those that have a time, with it. The others are added to
    /// the bad ones.
    pub(super) fn rows(&mut self, Decoded { rows, positions, bad }: Decoded) -> (Batch, Vec<BadRecord>) {
        self.quiet_since_us = None;
        self.idle = false;
        self.left = self.left.saturating_sub(rows.num_rows() + bad.len());
        let last = positions.last().copied().max(bad.last().map(|record| record.position));
        self.record = last.map_or(self.record, |last| last + 1);
        let marks = Marks { positions: Some(UInt64Array::from(positions)), ..Marks::default() };
        let batch = self.batch(rows, marks);
        match self.event_time.as_ref().map(|t| &t.of) {
            None => (batch, bad),
            Some(TimeOf::Clock) => {
                // One time for all: which of them was read first within the batch nobody can say.
                let times = Int64Array::from_value(self.now_us(), batch.rows.num_rows());
                (self.stamped(batch, times), bad)
            }
            Some(TimeOf::Column { name, format }) => {
                let times = format.read(name, batch.rows.column_by_name(name).expect("the event time is read"));
                let (batch, times, bad) = with_times_only(batch, times.us, times.bad, bad);
                (self.stamped(batch, times), bad)
            }
        }
    }

    /// What is to be said of a partition that has nothing to give now: where its watermark is, if
    /// the clock moves it, and that nobody has to wait for it, once it has been quiet for too long.
    pub(super) fn pending(&mut self, schema: &SchemaRef) -> Option<Batch> {
        let EventTime { of, idle_after_us, .. } = self.event_time.as_ref()?;
        match (of, *idle_after_us) {
            (TimeOf::Clock, _) => {
                let now = self.now_us();
                if now.saturating_sub(self.stamper.watermark()) < TICK_US {
                    return None;
                }
                self.stamper.pass(now);
            }
            (TimeOf::Column { .. }, Some(idle_after_us)) => {
                let now = self.clock.steady_us();
                let since = *self.quiet_since_us.get_or_insert(now);
                if self.idle || now - since < idle_after_us {
                    return None;
                }
                self.idle = true;
            }
            (TimeOf::Column { .. }, None) => return None,
        }
        Some(self.empty(schema))
    }

    /// Says that it has ended: nothing of it can be late any more.
    pub(super) fn end(&mut self, schema: &SchemaRef) -> Batch {
        self.ended = true;
        self.idle = false;
        self.empty(schema)
    }

    /// The clock's time, which never goes back behind what the partition has.
    fn now_us(&self) -> i64 {
        self.clock.time_us().max(self.stamper.watermark())
    }

    fn stamped(&mut self, mut batch: Batch, times: Int64Array) -> Batch {
        batch.marks.watermarks = Some(self.stamper.stamp(&times));
        batch.marks.times = Some(times);
        batch.watermark = self.stamper.watermark();
        batch
    }

    /// A batch without rows, which says where it is.
    pub(super) fn empty(&mut self, schema: &SchemaRef) -> Batch {
        let none = self.event_time.is_some().then(|| Int64Array::from(Vec::<i64>::new()));
        let positions = Some(UInt64Array::from(Vec::<u64>::new()));
        let marks = Marks { positions, times: none.clone(), watermarks: none, order: None };
        let watermark = if self.ended { i64::MAX } else { self.stamper.watermark() };
        Batch { watermark, ..self.batch(RecordBatch::new_empty(Arc::clone(schema)), marks) }
    }

    fn batch(&mut self, rows: RecordBatch, marks: Marks) -> Batch {
        let sequence = self.sequence;
        self.sequence += 1;
        Batch {
            partition: self.index,
            sequence,
            watermark: i64::MIN,
            idle: self.idle,
            target: 0,
            folded: false,
            rows,
            marks,
        }
    }
}

/// Takes out the rows that have no event time: nobody could say which window they are in.
fn with_times_only(
    mut batch: Batch,
    times: Int64Array,
    without: Vec<(usize, String)>,
    mut bad: Vec<BadRecord>,
) -> (Batch, Int64Array, Vec<BadRecord>) {
    if without.is_empty() {
        return (batch, times, bad);
    }
    let mut mask = BooleanBufferBuilder::new(times.len());
    mask.append_n(times.len(), true);
    for (row, reason) in without {
        mask.set_bit(row, false);
        let position = batch.marks.positions.as_ref().map_or(0, |p| p.value(row));
        bad.push(BadRecord { position, line: 0, text: String::new(), reason });
    }
    batch.marks.times = Some(times);
    let mut batch = batch.filter(&mask.finish());
    let times = batch.marks.times.take().expect("it was set");
    (batch, times, bad)
}
