//! The source operator: reads the partitions that are this worker's, stamps their rows, and cuts
//! them into epochs.
//!
//! An epoch is the same number of rows of every partition, so what is in it depends on the data
//! alone; only a partition that has nothing to give yet ends an epoch early. Few epochs are in
//! flight at once, which is what bounds memory: a source that is ahead waits for the sinks.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use arrow_array::{Array, BooleanArray, UInt64Array};
use timely::dataflow::Scope;
use timely::dataflow::operators::generic::operator;
use timely::dataflow::operators::probe::Handle;

use super::batch::{Batch, Marks, record_batch};
use super::dead_letters::Failures;
use super::source::{self, BadRecord, Decoded, Next, Partition};
use super::stamp::Stamper;
use super::{Epoch, Options, Stream};
use crate::error::Result;
use crate::plan::{self, EventTime};
use crate::report::Node;
use crate::types::arrow_schema;

/// Epochs that may be open at once.
const EPOCHS_IN_FLIGHT: Epoch = 4;

/// How long a source that has nothing to do sleeps.
const NAP: Duration = Duration::from_micros(500);

/// What the operator needs to know of its source.
pub(super) struct Setting<'a> {
    pub(super) node: &'a plan::Node,
    pub(super) source: &'a plan::Source,
    pub(super) options: &'a Options,
    pub(super) counters: Arc<Node>,
    pub(super) failures: Failures,
    /// How far the sinks are.
    pub(super) probe: Handle<Epoch>,
}

/// The rows of one source that are this worker's.
pub(super) fn read<'scope>(scope: &Scope<'scope, Epoch>, setting: Setting<'_>) -> Stream<'scope> {
    let Setting { node, source, options, counters, failures, probe } = setting;
    let mine = (0..source.discovered.partitions.len()).filter(|p| p % scope.peers() == scope.index());
    let opened: Result<Vec<Open>> = mine.map(|p| Open::new(source, p, options)).collect();
    let (partitions, error) = match opened {
        Ok(partitions) => (partitions, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    if let Some(error) = error {
        failures.shared.fail(error);
    }
    let mut reader = Reader {
        partitions,
        current: 0,
        gave: false,
        event_time: source.event_time.clone(),
        schema: arrow_schema(&node.fields),
        batch_rows: options.batch_rows,
        epoch_rows: options.epoch_rows,
        counters,
        failures,
    };
    operator::source(*scope, &node.name, |capability, info| {
        let activator = scope.activator_for(info.address);
        let mut capability = Some(capability);
        move |output| {
            let Some(held) = &mut capability else { return };
            let epoch = *held.time();
            if epoch >= EPOCHS_IN_FLIGHT
                && probe.less_equal(&(epoch - EPOCHS_IN_FLIGHT))
                && !reader.failures.shared.is_ending()
            {
                activator.activate_after(NAP);
                return;
            }
            let started = Instant::now();
            let step = {
                let mut session = output.session(&*held);
                reader.step(&mut |batch| session.give(batch))
            };
            Node::add_time(&reader.counters.busy_ns, started.elapsed());
            match step {
                Step::Again => activator.activate(),
                Step::Nothing => {
                    // Others may be ahead and waiting for this source, which has nothing to say.
                    if !probe.less_than(&epoch) {
                        held.downgrade(&(epoch + 1));
                    }
                    activator.activate_after(NAP);
                }
                Step::EpochDone => {
                    held.downgrade(&(epoch + 1));
                    activator.activate();
                }
                Step::End => capability = None,
            }
        }
    })
}

/// What a call of [`Reader::step`] came to.
enum Step {
    /// There is more to read.
    Again,
    /// No partition has anything to give now.
    Nothing,
    /// Every partition has given its share of the epoch.
    EpochDone,
    /// Every partition has ended.
    End,
}

struct Reader {
    partitions: Vec<Open>,
    /// The partition that is read now.
    current: usize,
    /// Whether the epoch has any rows.
    gave: bool,
    event_time: Option<EventTime>,
    schema: arrow_schema::SchemaRef,
    batch_rows: usize,
    epoch_rows: usize,
    counters: Arc<Node>,
    failures: Failures,
}

/// A partition that is being read.
struct Open {
    index: u32,
    partition: Box<dyn Partition>,
    stamper: Stamper,
    sequence: u64,
    /// Rows that it may still give in this epoch.
    left: usize,
    bytes: u64,
    ended: bool,
}

impl Open {
    fn new(source: &plan::Source, index: usize, options: &Options) -> Result<Self> {
        Ok(Self {
            index: index as u32,
            partition: source::open(&source.settings, &source.discovered, index, &source.columns)?,
            stamper: Stamper::new(source.event_time.as_ref().map_or(0, |t| t.out_of_order_us)),
            sequence: 0,
            left: options.epoch_rows,
            bytes: 0,
            ended: false,
        })
    }
}

impl Reader {
    /// Reads at most one batch.
    fn step(&mut self, give: &mut dyn FnMut(Batch)) -> Step {
        if self.failures.shared.is_ending() {
            self.partitions.iter_mut().filter(|p| !p.ended).for_each(|p| p.ended = true);
            for index in 0..self.partitions.len() {
                self.end(index, give);
            }
            return Step::End;
        }
        while self.current < self.partitions.len() {
            let open = &mut self.partitions[self.current];
            if open.ended || open.left == 0 {
                self.current += 1;
                continue;
            }
            match open.partition.next(self.batch_rows.min(open.left)) {
                Ok(Next::Rows(decoded)) => {
                    self.gave = true;
                    self.rows(self.current, decoded, give);
                    return Step::Again;
                }
                Ok(Next::Pending) => self.current += 1,
                Ok(Next::End) => {
                    open.ended = true;
                    self.gave = true;
                    self.end(self.current, give);
                    self.current += 1;
                }
                Err(error) => {
                    self.failures.shared.fail(error);
                    return Step::Again;
                }
            }
        }
        self.current = 0;
        let gave = std::mem::take(&mut self.gave);
        for open in &mut self.partitions {
            open.left = self.epoch_rows;
        }
        match (self.partitions.iter().all(|p| p.ended), gave) {
            (true, _) => Step::End,
            (false, true) => Step::EpochDone,
            (false, false) => Step::Nothing,
        }
    }

    fn rows(&mut self, index: usize, decoded: Decoded, give: &mut dyn FnMut(Batch)) {
        let Decoded { rows, positions, mut bad } = decoded;
        let open = &mut self.partitions[index];
        open.left = open.left.saturating_sub(rows.num_rows() + bad.len());
        let bytes = open.partition.bytes();
        self.counters.bytes.fetch_add(bytes - std::mem::replace(&mut open.bytes, bytes), Relaxed);
        Node::add(&self.counters.rows_in, rows.num_rows() + bad.len());

        let mut batch = Batch {
            partition: open.index,
            sequence: open.sequence,
            watermark: i64::MIN,
            target: 0,
            rows,
            marks: Marks { positions: Some(UInt64Array::from(positions)), ..Marks::default() },
        };
        open.sequence += 1;
        if let Some(EventTime { column, .. }) = &self.event_time {
            batch = with_times_only(batch, column, &mut bad);
            let times = batch.rows.column_by_name(column).expect("the event time is read");
            let (times, watermarks) = open.stamper.stamp(times);
            batch.marks.times = Some(times);
            batch.marks.watermarks = Some(watermarks);
            batch.watermark = open.stamper.watermark();
        }
        if !bad.is_empty() {
            self.failures.records(open.index, &bad);
        }
        let columns = self
            .schema
            .fields()
            .iter()
            .map(|f| Arc::clone(batch.rows.column_by_name(f.name()).expect("the plan reads the columns it needs")));
        batch.rows = record_batch(Arc::clone(&self.schema), columns.collect(), batch.rows.num_rows());
        Node::add(&self.counters.rows_out, batch.rows.num_rows());
        self.note_watermark();
        give(batch);
    }

    /// The least watermark of the partitions that have not ended, for the report.
    fn note_watermark(&self) {
        let open = self.partitions.iter().filter(|p| !p.ended);
        let watermark = open.map(|p| p.stamper.watermark()).min().unwrap_or(i64::MAX);
        self.counters.watermark.store(watermark, Relaxed);
    }

    /// Says that a partition has ended: nothing of it can be late any more.
    fn end(&mut self, index: usize, give: &mut dyn FnMut(Batch)) {
        self.note_watermark();
        let open = &mut self.partitions[index];
        let none = arrow_array::Int64Array::from(Vec::<i64>::new());
        let timed = self.event_time.is_some();
        give(Batch {
            partition: open.index,
            sequence: open.sequence,
            watermark: i64::MAX,
            target: 0,
            rows: arrow_array::RecordBatch::new_empty(Arc::clone(&self.schema)),
            marks: Marks {
                positions: Some(UInt64Array::from(Vec::<u64>::new())),
                times: timed.then(|| none.clone()),
                watermarks: timed.then_some(none),
                order: None,
            },
        });
        open.sequence += 1;
    }
}

/// Takes out the rows that have no event time: nobody could say which window they are in.
fn with_times_only(batch: Batch, column: &str, bad: &mut Vec<BadRecord>) -> Batch {
    let times = batch.rows.column_by_name(column).expect("the event time is read");
    let Some(nulls) = times.nulls().filter(|n| n.null_count() > 0) else { return batch };
    let nulls = nulls.clone();
    for row in (0..nulls.len()).filter(|row| nulls.is_null(*row)) {
        bad.push(BadRecord {
            position: batch.marks.positions.as_ref().map_or(0, |p| p.value(row)),
            line: 0,
            text: String::new(),
            reason: format!("column `{column}`: there is no event time"),
        });
    }
    let mask: BooleanArray = nulls.iter().map(Some).collect();
    batch.filter(mask.values())
}
