//! Partitions that give what a test says when it says it, under a clock that the test moves.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use arrow_array::{Array, ArrayRef, Int64Array};

use super::partition::Open;
use super::reader::{Reader, Step};
use crate::checkpoint::Files;
use crate::error::Result;
use crate::flow::batch::{Batch, record_batch};
use crate::flow::clock::Clock;
use crate::flow::dead_letters::{Behind, Failures, Shared};
use crate::flow::source::{self, Decoded, Format, Input, NexmarkSettings, NexmarkStream, Next, Partition, Settings};
use crate::flow::times::{TimeFormat, Unit};
use crate::flow::{Options, sink};
use crate::plan::{self, EventTime, OnError, Operator, Plan, TimeOf};
use crate::types::{DataType, Field, arrow_schema};

const SECOND: i64 = 1_000_000;

/// What a partition has to give; nothing for now where it is empty.
type Script = Arc<Mutex<VecDeque<Next>>>;

struct Scripted(Script);

impl Partition for Scripted {
    fn next(&mut self, _: usize) -> Result<Next> {
        Ok(self.0.lock().expect("a script").pop_front().unwrap_or(Next::Pending))
    }

    fn skip_to(&mut self, _: u64) {}

    fn bytes(&self) -> u64 {
        0
    }
}

fn field() -> Field {
    Field::new("at", DataType::Int64, true)
}

/// A source of some partitions, and a hand on what they give and on the clock.
struct Source {
    reader: Reader,
    scripts: Vec<Script>,
    clock: Clock,
    metrics: Arc<crate::report::Node>,
}

impl Source {
    /// It starts at second 1000 by the clock.
    fn new(partitions: usize, event_time: EventTime) -> Self {
        let rows = NexmarkSettings { stream: NexmarkStream::Bid, rows: 0, seed: 0, partitions };
        let settings = Settings { input: Input::Nexmark(rows), format: Format::JsonLines, schema: None };
        let discovered = source::discover(&settings).expect("a source");
        let source = plan::Source { settings, discovered, columns: vec![field()], event_time: Some(event_time) };
        let sink = plan::Sink { output: sink::Output::Blackhole, format: Format::JsonLines };
        let node = |name: &str, input, operator| plan::Node {
            name: name.to_owned(),
            input,
            fields: vec![field()],
            timed: true,
            windowed: false,
            on_error: OnError::Skip,
            operator,
        };
        let nodes = vec![node("source", None, Operator::Source(source)), node("sink", Some(0), Operator::Sink(sink))];
        let plan = Plan {
            name: "test".to_owned(),
            nodes,
            dead_letters: None,
            state: crate::state::Settings::Memory,
            max_failed: None,
            checkpoint: None,
        };
        let Operator::Source(source) = &plan.nodes[0].operator else { panic!("the first is the source") };
        let options = Options { clock: Clock::by_hand(1000 * SECOND), epoch_rows: 100, ..Options::default() };
        let scripts: Vec<Script> = (0..partitions).map(|_| Script::default()).collect();
        let open = |(i, script)| Open::new(i, Box::new(Scripted(Arc::clone(script))), source, &options);
        let open = scripts.iter().enumerate().map(open).collect();
        let metrics = plan.metrics(1).node(0);
        let shared = Arc::new(
            Shared::new(&plan, Arc::default(), &Files::default(), Behind::default()).expect("nothing to open"),
        );
        let failures = Failures::new(&plan, 0, Arc::clone(&metrics), shared);
        let reader = Reader::new(open, &plan.nodes[0], &options, Arc::clone(&metrics), failures, Vec::new(), false);
        Self { reader, scripts, clock: options.clock.clone(), metrics }
    }

    /// Lets a partition have rows of these seconds.
    fn has(&self, partition: usize, seconds: &[i64]) {
        let column: ArrayRef = Arc::new(Int64Array::from(seconds.to_vec()));
        let rows = record_batch(arrow_schema(&[field()]), vec![column], seconds.len());
        let next = Next::Rows(Decoded { rows, positions: (0..seconds.len() as u64).collect(), bad: Vec::new() });
        self.push(partition, next);
    }

    fn push(&self, partition: usize, next: Next) {
        self.scripts[partition].lock().expect("a script").push_back(next);
    }

    /// Moves the clock to so many seconds behind its start.
    fn at(&self, seconds: f64) {
        self.clock.set(1000 * SECOND + (seconds * SECOND as f64) as i64);
    }

    /// Reads until there is nothing now.
    fn read(&mut self) -> Vec<Batch> {
        let mut batches = Vec::new();
        while !matches!(self.reader.step(&mut |batch| batches.push(batch)), Step::Nothing | Step::End) {}
        batches
    }

    /// The same, as (partition, rows, watermark in seconds, idle).
    fn said(&mut self) -> Vec<(u32, usize, i64, bool)> {
        let seconds = |us: i64| if us == i64::MIN || us == i64::MAX { us } else { us / SECOND };
        self.read().iter().map(|b| (b.partition, b.rows.num_rows(), seconds(b.watermark), b.idle)).collect()
    }

    fn watermark_in_report(&self) -> i64 {
        self.metrics.watermark.load(std::sync::atomic::Ordering::Relaxed) / SECOND
    }
}

fn idle_after(seconds: i64) -> EventTime {
    EventTime {
        of: TimeOf::Column { name: "at".to_owned(), format: TimeFormat::Unix(Unit::Second) },
        out_of_order_us: 0,
        idle_after_us: Some(seconds * SECOND),
    }
}

#[test]
fn a_partition_that_is_quiet_for_too_long_is_idle_until_it_gives_again() {
    let mut source = Source::new(2, idle_after(5));
    source.has(0, &[10]);
    source.has(1, &[7]);
    assert_eq!(source.said(), [(0, 1, 10, false), (1, 1, 7, false)]);
    assert_eq!(source.watermark_in_report(), 7);
    source.at(4.9);
    source.has(0, &[20]);
    assert_eq!(source.said(), [(0, 1, 20, false)]);
    source.at(5.0);
    assert_eq!(source.said(), [(1, 0, 7, true)], "the first gave a row in the meantime");
    assert_eq!(source.watermark_in_report(), 20);
    source.at(9.8);
    assert_eq!(source.said(), [], "it is said once");
    source.at(10.0);
    assert_eq!(source.said(), [(0, 0, 20, true)]);
    source.has(1, &[8, 9]);
    assert_eq!(source.said(), [(1, 2, 9, false)], "it is back, where it was");
    assert_eq!(source.watermark_in_report(), 20, "a stream never goes back");
    source.push(0, Next::End);
    source.push(1, Next::End);
    assert_eq!(source.said(), [(0, 0, i64::MAX, false), (1, 0, i64::MAX, false)]);
}

#[test]
fn time_in_which_nobody_asked_is_no_quiet() {
    let mut source = Source::new(1, idle_after(5));
    // Sinks were slow: the partition was not asked for a minute.
    source.at(60.0);
    assert_eq!(source.said(), []);
    source.at(64.9);
    assert_eq!(source.said(), []);
    source.at(65.0);
    assert_eq!(source.said(), [(0, 0, i64::MIN, true)], "it never gave anything");
}

#[test]
fn a_partition_that_waits_for_nobody_is_never_idle() {
    let mut source = Source::new(2, EventTime { idle_after_us: None, ..idle_after(5) });
    source.has(0, &[10]);
    assert_eq!(source.said(), [(0, 1, 10, false)]);
    source.at(1e9);
    assert_eq!(source.said(), []);
}

#[test]
fn the_clock_moves_the_watermark_while_nothing_comes() {
    let mut source = Source::new(2, EventTime { of: TimeOf::Clock, out_of_order_us: 0, idle_after_us: None });
    source.at(0.5);
    source.has(0, &[1, 2]);
    let batches = source.read();
    assert_eq!(batches[0].marks.times, Some(vec![1_000_500_000; 2].into()), "what the rows say makes no difference");
    assert_eq!(batches[0].marks.watermarks, Some(vec![i64::MIN, 1_000_500_000].into()));
    assert_eq!((batches[1].partition, batches[1].watermark), (1, 1_000_500_000), "the other has nothing, and the time");
    source.at(0.5499);
    assert!(source.read().is_empty(), "not at every moment");
    source.at(0.55);
    let said: Vec<_> = source.read().iter().map(|b| (b.partition, b.rows.num_rows(), b.watermark)).collect();
    assert_eq!(said, [(0, 0, 1_000_550_000), (1, 0, 1_000_550_000)]);
    // The machine's clock is set back: time stands still until it has caught up.
    source.at(0.2);
    source.has(1, &[3]);
    let batches = source.read();
    assert_eq!(batches[0].marks.times, Some(vec![1_000_550_000].into()));
    assert_eq!(batches.len(), 1);
    assert_eq!(source.watermark_in_report(), 1000);
}

#[test]
fn rows_without_a_time_are_left_out_with_their_marks() {
    let mut source = Source::new(1, idle_after(5));
    source.has(0, &[1, i64::MAX, 3]);
    let batches = source.read();
    assert_eq!(batches[0].marks.times, Some(vec![SECOND, 3 * SECOND].into()));
    assert_eq!(batches[0].marks.watermarks, Some(vec![i64::MIN, SECOND].into()));
    assert_eq!(batches[0].marks.positions, Some(vec![0, 2].into()));
    assert_eq!(batches[0].rows.column(0).len(), 2);
    assert_eq!(source.metrics.failed.load(std::sync::atomic::Ordering::Relaxed), 1);
}
