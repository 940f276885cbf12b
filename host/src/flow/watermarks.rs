//! The watermark of a stream: the least of its partitions', those that are idle left out.
//!
//! Batches say where their partition's watermark stands behind them, and whether the partition is
//! idle. Operators that fire look at the stream's where an epoch is complete, so that it does not
//! depend on how fast rows came. It never goes back: a partition that comes back from idleness may
//! be behind it.

use serde::{Deserialize, Serialize};

use super::batch::Batch;

/// Where the partitions of a stream were at a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Saved {
    partitions: Vec<SavedPartition>,
    stream: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SavedPartition {
    name: String,
    watermark: i64,
    idle: bool,
}

/// Where the partitions of a stream are, and so the stream.
#[derive(Debug)]
pub(super) struct Watermarks {
    of: Vec<Position>,
    stream: i64,
}

/// Where a partition is.
#[derive(Clone, Copy, Debug)]
struct Position {
    /// `i64::MAX` where it has ended.
    watermark: i64,
    idle: bool,
}

impl Watermarks {
    /// A stream of so many partitions that has given nothing yet.
    pub(super) fn new(partitions: usize) -> Self {
        Self { of: vec![Position { watermark: i64::MIN, idle: false }; partitions], stream: i64::MIN }
    }

    /// Notes what a batch says of its partition. A partition's batches are to come in their order.
    pub(super) fn note(&mut self, batch: &Batch) {
        let position = &mut self.of[batch.partition as usize];
        position.watermark = batch.watermark.max(position.watermark);
        position.idle = batch.idle;
    }

    /// The stream's watermark, which never goes back and stays where it is while all that has not
    /// ended is idle.
    pub(super) fn stream(&mut self) -> i64 {
        let waited_for = self.alive().filter(|p| !p.idle).map(|p| p.watermark).min();
        let least = match waited_for {
            Some(watermark) => watermark,
            None if self.is_idle() => i64::MIN,
            None => i64::MAX,
        };
        self.stream = least.max(self.stream);
        self.stream
    }

    /// Whether some partitions have not ended, and all of those are idle.
    pub(super) fn is_idle(&self) -> bool {
        self.alive().next().is_some() && self.alive().all(|p| p.idle)
    }

    /// Where an operator of two streams is, by the same rules, and whether it is idle. While it is, it
    /// stays where it was, and this says `i64::MIN`.
    pub(super) fn of_both(streams: &mut [Self; 2]) -> (i64, bool) {
        let sides = streams.each_mut().map(|s| (s.stream(), s.is_idle()));
        let alive = || sides.iter().filter(|(watermark, _)| *watermark != i64::MAX);
        match alive().filter(|(_, idle)| !idle).map(|(watermark, _)| *watermark).min() {
            Some(watermark) => (watermark, false),
            None if alive().next().is_some() => (i64::MIN, true),
            None => (i64::MAX, false),
        }
    }

    /// Where they are, for a checkpoint; the partitions by their names, where they have some.
    pub(super) fn saved(&self, names: &[String]) -> Saved {
        let name = |at: usize| names.get(at).cloned().unwrap_or_default();
        let partition =
            |(at, p): (usize, &Position)| SavedPartition { name: name(at), watermark: p.watermark, idle: p.idle };
        Saved { partitions: self.of.iter().enumerate().map(partition).collect(), stream: self.stream }
    }

    /// Goes on where the partitions were at a checkpoint. Behind windows they are workers, of which there
    /// may be more or fewer now: these were all as far as each other.
    pub(super) fn resume(&mut self, saved: &Saved, names: &[String]) {
        let least = saved.partitions.iter().map(|p| p.watermark).min().unwrap_or(i64::MIN);
        let idle = saved.partitions.iter().all(|p| p.idle || p.watermark == i64::MAX);
        for (at, position) in self.of.iter_mut().enumerate() {
            let known = match names.get(at) {
                Some(name) => saved.partitions.iter().find(|p| p.name == *name),
                None => None,
            };
            *position = match (known, names.is_empty()) {
                (Some(known), _) => Position { watermark: known.watermark, idle: known.idle },
                (None, true) => Position { watermark: least, idle },
                // A partition that is new.
                (None, false) => *position,
            };
        }
        self.stream = saved.stream;
    }

    fn alive(&self) -> impl Iterator<Item = &Position> {
        self.of.iter().filter(|p| p.watermark != i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::RecordBatch;

    use super::*;
    use crate::flow::batch::Marks;

    fn batch((partition, watermark, idle): &(u32, i64, bool)) -> Batch {
        Batch {
            partition: *partition,
            sequence: 0,
            watermark: *watermark,
            idle: *idle,
            target: 0,
            folded: false,
            rows: RecordBatch::new_empty(Arc::new(arrow_schema::Schema::empty())),
            marks: Marks::default(),
        }
    }

    /// A stream after each of these: (partition, watermark, idle).
    fn stream(partitions: usize, batches: &[(u32, i64, bool)]) -> Vec<i64> {
        let mut watermarks = Watermarks::new(partitions);
        let after = |b: &_| {
            watermarks.note(&batch(b));
            watermarks.stream()
        };
        batches.iter().map(after).collect()
    }

    const NONE: i64 = i64::MIN;
    const END: i64 = i64::MAX;

    #[test]
    fn the_slowest_partition_counts() {
        assert_eq!(stream(2, &[(0, 5, false), (1, 3, false), (1, 9, false), (0, 7, false)]), [NONE, 3, 5, 7]);
        assert_eq!(stream(2, &[(0, 5, false), (1, END, false), (0, END, false)]), [NONE, 5, END]);
        assert_eq!(stream(0, &[]), [0; 0]);
    }

    #[test]
    fn an_idle_one_does_not_until_it_comes_back() {
        assert_eq!(stream(2, &[(0, 5, false), (1, NONE, true), (0, 8, false)]), [NONE, 5, 8]);
        // Back, and behind: the stream waits for it where it is.
        assert_eq!(stream(2, &[(1, 2, true), (0, 8, false), (1, 3, false), (0, 20, false)]), [NONE, 8, 8, 8]);
        assert_eq!(stream(2, &[(0, 8, true), (1, 6, false), (0, 8, false), (1, 9, false)]), [NONE, 6, 6, 8]);
    }

    #[test]
    fn an_operator_of_two_streams_does_not_wait_for_an_idle_one() {
        let at = |left: (u32, i64, bool), right: (u32, i64, bool)| {
            let mut streams = [Watermarks::new(1), Watermarks::new(1)];
            for (stream, said) in streams.iter_mut().zip([left, right]) {
                stream.note(&batch(&said));
            }
            Watermarks::of_both(&mut streams)
        };
        assert_eq!(at((0, 5, false), (0, 7, false)), (5, false));
        assert_eq!(at((0, 5, true), (0, 7, false)), (7, false));
        assert_eq!(at((0, 5, true), (0, 7, true)), (NONE, true));
        assert_eq!(at((0, 5, true), (0, END, false)), (NONE, true));
        assert_eq!(at((0, END, false), (0, 7, false)), (7, false));
        assert_eq!(at((0, END, false), (0, END, false)), (END, false));
    }

    #[test]
    fn nothing_moves_while_all_that_is_left_is_idle() {
        assert_eq!(stream(2, &[(0, 5, false), (1, 4, true), (0, 5, true)]), [NONE, 5, 5]);
        // One that has ended is at the end of time, and takes nobody with it.
        assert_eq!(stream(2, &[(0, 5, false), (1, 4, true), (0, END, false)]), [NONE, 5, 5]);
        assert_eq!(stream(2, &[(1, 4, true), (0, END, false), (1, 6, false), (1, END, false)]), [NONE, NONE, 6, END]);
    }
}
