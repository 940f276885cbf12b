//! The ends of time, and that nothing is kept for longer than it is needed.

use arrow_array::cast::AsArray;
use arrow_array::{Int64Array, RecordBatch};

use super::*;
use crate::flow::batch::{Marks, record_batch};
use crate::plan::{Join, Node, OnError, Operator, Origin, PairColumn, Pairing};
use crate::types::{DataType, Field, arrow_schema};

fn number(name: &str) -> Field {
    Field::new(name, DataType::Int64, false)
}

/// An inner join by `k`, and the two nodes that it takes rows from.
fn join(before_us: i64, after_us: i64) -> (Join, Node) {
    let columns = [("left", Origin::Left("t".into())), ("right", Origin::Right("t".into()))];
    let column = |(name, origin): (&str, Origin)| PairColumn {
        name: name.into(),
        data_type: DataType::Int64,
        nullable: false,
        origin,
    };
    let join = Join {
        right: 0,
        left_key: vec![number("k")],
        right_key: vec![number("k")],
        kind: JoinKind::Inner,
        pairing: Pairing::Within { before_us, after_us },
        broadcast: false,
        columns: columns.map(column).to_vec(),
    };
    let node = Node {
        name: "side".into(),
        input: None,
        fields: vec![number("k"), number("t")],
        timed: true,
        windowed: false,
        on_error: OnError::Stop,
        operator: Operator::Join(join.clone()),
    };
    (join, node)
}

/// An operator, and what it has given: pairs of times.
struct Trial {
    intervals: Intervals,
    shape: Shape,
    pairs: Vec<(i64, i64)>,
}

impl Trial {
    fn new(before_us: i64, after_us: i64) -> Self {
        let (join, node) = join(before_us, after_us);
        let intakes = Intake::of(&join, [&node, &node]);
        let shape = Shape::new(&join, &intakes, 3, false);
        Self { intervals: Intervals::new([before_us, after_us], intakes, join.kind), shape, pairs: Vec::new() }
    }

    /// Rows of these keys and times.
    fn rows(&mut self, side: usize, rows: &[(i64, i64)]) {
        let [keys, times] = [0, 1].map(|i| Int64Array::from_iter_values(rows.iter().map(|(k, t)| [*k, *t][i])));
        let watermarks = Int64Array::from_iter_values(rows.iter().map(|_| i64::MIN));
        let columns: Vec<arrow_array::ArrayRef> = vec![std::sync::Arc::new(keys), std::sync::Arc::new(times.clone())];
        let rows = record_batch(arrow_schema(&[number("k"), number("t")]), columns, rows.len());
        let marks = Marks { times: Some(times), watermarks: Some(watermarks), ..Marks::default() };
        let batch =
            Batch { partition: 0, sequence: 0, watermark: 0, idle: false, target: 0, folded: false, rows, marks };
        assert_eq!(self.intervals.take_in(side, &batch).expect("memory"), 0, "none is late");
    }

    fn fire(&mut self, watermark: i64) -> i64 {
        let pairs = &mut self.pairs;
        let mut give = |rows: RecordBatch, _: Marks| {
            assert!(rows.num_rows() <= 3, "batches are as large as they may be, and no larger");
            let times = |i: usize| rows.column(i).as_primitive::<arrow_array::types::Int64Type>().values().to_vec();
            pairs.extend(times(0).into_iter().zip(times(1)));
        };
        self.intervals.fire(watermark, &self.shape, &mut give).expect("memory")
    }
}

#[test]
fn a_left_row_waits_for_the_end_of_its_interval() {
    let mut trial = Trial::new(2, 5);
    trial.rows(0, &[(1, 10), (1, 11)]);
    trial.rows(1, &[(1, 7), (1, 8), (2, 9), (1, 15), (1, 16), (1, 17)]);
    assert_eq!((trial.fire(15), trial.pairs.len()), (10, 0));
    assert_eq!((trial.fire(16), trial.pairs.as_slice()), (11, &[(10, 8), (10, 15)][..]));
    assert_eq!(trial.fire(i64::MAX), i64::MAX);
    assert_eq!(trial.pairs[2..], [(11, 15), (11, 16)]);
}

#[test]
fn the_ends_of_time_do_not_overflow() {
    let ends = [(1, i64::MIN), (1, 0), (1, i64::MAX)];
    for (before, after) in [(0, 0), (1, 1), (i64::MAX, i64::MAX), (-1, i64::MAX), (i64::MAX, -1)] {
        let mut trial = Trial::new(before, after);
        trial.rows(0, &ends);
        trial.rows(1, &ends);
        for watermark in [i64::MIN, 0, i64::MAX - 1, i64::MAX] {
            trial.fire(watermark);
        }
        let (before, after) = (i128::from(before), i128::from(after));
        let times = ends.map(|(_, time)| time);
        let near = |l: i64, r: i64| (-before..=after).contains(&(i128::from(r) - i128::from(l)));
        let all = times.into_iter().flat_map(|l| times.map(|r| (l, r)));
        assert_eq!(trial.pairs, all.filter(|(l, r)| near(*l, *r)).collect::<Vec<_>>(), "{before} {after}");
    }
}

#[test]
fn rows_that_nothing_can_reach_any_more_are_let_go() {
    let mut trial = Trial::new(100, 50);
    let (mut most, per_epoch) = ([0, 0], 10_000);
    for epoch in 0..40 {
        let times: Vec<(i64, i64)> = (0..per_epoch).map(|i| (i, epoch * per_epoch + i)).collect();
        trial.rows(0, &times);
        trial.rows(1, &times);
        trial.fire(epoch * per_epoch);
        let rows = trial.intervals.held.each_ref().map(Held::rows);
        most = [most[0].max(rows[0]), most[1].max(rows[1])];
    }
    assert!(most[0] < 60_000 && most[1] < 160_000, "{most:?} rows are held of 400,000");
    trial.fire(i64::MAX);
    assert!(trial.intervals.waiting.is_empty() && trial.intervals.partners.is_empty());
}
