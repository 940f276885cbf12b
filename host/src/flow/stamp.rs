//! Gives rows the watermark that they are late or not late against.
//!
//! Each source partition has its own watermark: the highest event time seen, less the source's
//! bound for disorder. A row is stamped with the watermark just before it, so that lateness
//! depends on the order of the partition's rows and on nothing else: no clock, no batch edge.

use arrow_array::{Array, Int64Array};

/// The watermark of one source partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamper {
    out_of_order_us: i64,
    watermark: i64,
}

impl Stamper {
    /// A partition with this bound for disorder that has given no row yet.
    pub(super) fn new(out_of_order_us: i64) -> Self {
        Self { out_of_order_us, watermark: i64::MIN }
    }

    /// The watermark behind the last row.
    pub(super) fn watermark(&self) -> i64 {
        self.watermark
    }

    /// Each row's watermark. `times` has no nulls.
    pub(super) fn stamp(&mut self, times: &Int64Array) -> Int64Array {
        debug_assert_eq!(times.null_count(), 0, "rows without a time do not get here");
        let watermarks = times.values().iter().map(|time| {
            let before = self.watermark;
            self.watermark = before.max(time.saturating_sub(self.out_of_order_us));
            before
        });
        Int64Array::from_iter_values(watermarks)
    }

    /// Moves the watermark to a time that has come without a row.
    pub(super) fn pass(&mut self, time: i64) {
        self.watermark = self.watermark.max(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_stamped_with_the_watermark_before_it_however_rows_are_batched() {
        let times = [5, 3, 9, -4, 20];
        let whole = Int64Array::from(times.to_vec());
        let mut one = Stamper::new(2);
        let watermarks = one.stamp(&whole);
        assert_eq!(watermarks.values().as_ref(), [i64::MIN, 3, 3, 7, 7]);
        assert_eq!(one.watermark(), 18);

        let mut rowwise = Stamper::new(2);
        for (i, expected) in watermarks.values().iter().enumerate() {
            let watermark = rowwise.stamp(&whole.slice(i, 1));
            assert_eq!(watermark.value(0), *expected);
        }
        assert_eq!(rowwise, one);
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let mut stamper = Stamper::new(i64::MAX);
        stamper.stamp(&Int64Array::from(vec![i64::MIN, i64::MAX]));
        assert_eq!(stamper.watermark(), 0);
    }
}
