//! Which window a time is in. Pure arithmetic, without a clock.

use crate::plan::WindowKind;

impl WindowKind {
    /// The start of the window that a time is in.
    pub(super) fn start(self, time: i64) -> i64 {
        let Self::Tumbling { size_us, offset_us } = self;
        time.saturating_sub(time.saturating_sub(offset_us).rem_euclid(size_us))
    }

    /// The end of the window that starts there.
    pub(super) fn end(self, start: i64) -> i64 {
        let Self::Tumbling { size_us, .. } = self;
        start.saturating_add(size_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_tile_time_on_both_sides_of_zero() {
        let windows = WindowKind::Tumbling { size_us: 10, offset_us: 3 };
        for (time, start) in [(3, 3), (12, 3), (13, 13), (2, -7), (-7, -7), (-8, -17), (0, -7)] {
            assert_eq!(windows.start(time), start, "time {time}");
        }
        for time in -100..100 {
            let start = windows.start(time);
            assert!(start <= time && time < windows.end(start));
            assert_eq!((start - 3).rem_euclid(10), 0);
        }
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let windows = WindowKind::Tumbling { size_us: i64::MAX, offset_us: 0 };
        assert_eq!(windows.end(windows.start(i64::MAX)), i64::MAX);
        assert!(windows.start(i64::MIN) <= 0);
    }
}
