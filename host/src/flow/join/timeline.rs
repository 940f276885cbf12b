//! Rows in the order of (time, partition, arrival): the order of a stream that does not depend on
//! how its partitions took turns.
//!
//! Rows come nearly in order, so what is added is sorted in from the first place that it changes.

use std::collections::VecDeque;

use super::intake::Row;

/// Rows in order.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    rows: VecDeque<Row>,
}

impl Timeline {
    /// Adds rows in the order that they came.
    pub(super) fn extend(&mut self, rows: impl IntoIterator<Item = Row>) {
        let before = self.rows.len();
        self.rows.extend(rows);
        let Some(least) = self.rows.range(before..).map(Row::order).min() else { return };
        let all = self.rows.make_contiguous();
        let from = all[..before].partition_point(|row| row.order() <= least);
        // It keeps the order of equals, and is quick where there are runs in order.
        all[from..].sort_by_key(Row::order);
    }

    /// The rows of these times, both ends included.
    pub(super) fn between(&self, first: i64, last: i64) -> impl Iterator<Item = &Row> {
        let from = self.rows.partition_point(|row| row.time < first);
        let to = self.rows.partition_point(|row| row.time <= last);
        // An interval that ends before it starts, which the ends of time may make of one, has no rows.
        self.rows.range(from..to.max(from))
    }

    /// Takes out the rows from the start for which this holds; it holds for none behind them.
    pub(super) fn take_while(&mut self, done: impl Fn(i64) -> bool) -> Vec<Row> {
        let count = self.rows.partition_point(|row| done(row.time));
        self.rows.drain(..count).collect()
    }

    pub(super) fn rows_mut(&mut self) -> impl Iterator<Item = &mut Row> {
        self.rows.iter_mut()
    }

    /// All rows, in order.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter()
    }

    pub(super) fn into_rows(self) -> impl Iterator<Item = Row> {
        self.rows.into_iter()
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::super::held::Held;
    use super::*;
    use crate::types::{DataType, Field, arrow_schema};

    #[test]
    fn rows_stand_by_time_and_partition_and_arrival() {
        let mut held = Held::new(arrow_schema(&[Field::new("", DataType::Bytes, false)]));
        let keys = arrow_array::BinaryArray::from_iter_values((0..9).map(|_| b""));
        let rows = arrow_array::RecordBatch::try_new(held.schema(), vec![std::sync::Arc::new(keys)]);
        let mut places = held.push(rows.expect("a column"));
        let mut row =
            |time, partition| Row { time, partition, position: 0, place: places.next().expect("nine places") };
        let rows = [row(5, 0), row(7, 1), row(7, 0), row(3, 0), row(7, 0), row(5, 0), row(9, 0)];
        let mut timeline = Timeline::default();
        let sorted = |times: &mut Vec<Row>| times.sort_by_key(|r| (r.time, r.partition));
        let mut expected = Vec::new();
        for some in [&rows[..2], &rows[2..3], &rows[3..6], &rows[6..]] {
            timeline.extend(some.iter().copied());
            expected.extend_from_slice(some);
            sorted(&mut expected);
            let found: Vec<_> = timeline.rows.iter().map(|r| r.place).collect();
            assert_eq!(found, expected.iter().map(|r| r.place).collect::<Vec<_>>());
        }
        assert_eq!(timeline.between(5, 7).count(), 5);
        assert_eq!((timeline.between(8, 8).count(), timeline.between(7, 5).count()), (0, 0));
        assert_eq!(timeline.take_while(|time| time < 7).len(), 3);
        assert_eq!(timeline.rows_mut().count(), 4);
    }
}
