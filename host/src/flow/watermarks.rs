//! The watermark of a stream: the least of its partitions'.
//!
//! Batches say where their partition's watermark stands behind them. Operators that fire look at the
//! stream's where an epoch is complete, so that it does not depend on how fast rows came.

use super::batch::Batch;

/// Where the partitions of a stream are, and so the stream.
#[derive(Debug)]
pub(super) struct Watermarks {
    of: Vec<i64>,
    stream: i64,
}

impl Watermarks {
    /// A stream of so many partitions that has given nothing yet.
    pub(super) fn new(partitions: usize) -> Self {
        Self { of: vec![i64::MIN; partitions], stream: i64::MIN }
    }

    /// Notes where a partition's watermark stands behind a batch.
    pub(super) fn note(&mut self, batch: &Batch) {
        let watermark = &mut self.of[batch.partition as usize];
        *watermark = batch.watermark.max(*watermark);
    }

    /// The stream's watermark, which never goes back.
    pub(super) fn stream(&mut self) -> i64 {
        let least = self.of.iter().copied().min().unwrap_or(i64::MAX);
        self.stream = least.max(self.stream);
        self.stream
    }
}
