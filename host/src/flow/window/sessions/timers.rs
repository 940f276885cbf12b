//! When sessions are to be looked at: timers, in buckets of time.
//!
//! A session that goes on does not move its timer; who finds it early sets it again. So most rows touch no
//! timer, and one costs the same however many there are.

use std::collections::BTreeMap;

/// Buckets that a gap is cut into.
const BUCKETS_OF_A_GAP: i64 = 64;

/// A time, and the key and slot that it is of.
pub(super) type Timer = (i64, u32, u32);

/// Timers that have not run down.
#[derive(Debug)]
pub(super) struct Timers {
    width_us: i64,
    buckets: BTreeMap<i64, Vec<Timer>>,
}

impl Timers {
    pub(super) fn new(gap_us: i64) -> Self {
        Self { width_us: (gap_us / BUCKETS_OF_A_GAP).max(1), buckets: BTreeMap::new() }
    }

    pub(super) fn set(&mut self, timer: Timer) {
        self.buckets.entry(timer.0.div_euclid(self.width_us)).or_default().push(timer);
    }

    /// Takes out those that have run down at a watermark.
    pub(super) fn take(&mut self, watermark: i64) -> Vec<Timer> {
        let mut taken = Vec::new();
        while let Some(mut bucket) = self.buckets.first_entry()
            && *bucket.key() <= watermark.div_euclid(self.width_us)
        {
            taken.reserve(bucket.get().len());
            taken.extend(bucket.get_mut().extract_if(.., |(time, ..)| *time <= watermark));
            if !bucket.get().is_empty() {
                break;
            }
            bucket.remove();
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_run_down_at_their_time() {
        let mut timers = Timers::new(640);
        let times = [5, -3, 9, 10, 11, 19, 1000, i64::MAX, i64::MIN];
        times.iter().zip(0..).for_each(|(time, key)| timers.set((*time, key, 0)));
        let mut left = times.to_vec();
        for watermark in [-4, -3, 9, 10, 18, 999, i64::MAX - 1, i64::MAX] {
            let mut taken: Vec<i64> = timers.take(watermark).iter().map(|timer| timer.0).collect();
            let mut due: Vec<i64> = left.extract_if(.., |time| *time <= watermark).collect();
            taken.sort_unstable();
            due.sort_unstable();
            assert_eq!(taken, due, "{watermark}");
        }
        assert!(timers.buckets.is_empty());
    }
}
