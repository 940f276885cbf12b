//! The order of values: what `min`, `max`, `first`, `last` and `quantile` mean by less.
//!
//! Integers, times and booleans have theirs, text goes by its UTF-8 bytes, which is the order of
//! its characters. Floats get a total one: -0 below 0, and NaN above everything (as in PostgreSQL
//! and Flink), so that no result depends on where in the stream a NaN stood.

use std::cmp::Ordering;

/// A value with a total order.
pub(crate) trait Ordered {
    fn order(&self, other: &Self) -> Ordering;
}

impl Ordered for f64 {
    #[inline]
    fn order(&self, other: &Self) -> Ordering {
        match (self.is_nan(), other.is_nan()) {
            (false, false) => self.total_cmp(other),
            (left, right) => left.cmp(&right),
        }
    }
}

/// Types whose `Ord` is the one wanted.
macro_rules! ordered {
    ($($value:ty),+) => {
        $(impl Ordered for $value {
            #[inline]
            fn order(&self, other: &Self) -> Ordering {
                self.cmp(other)
            }
        })+
    };
}

ordered!(bool, i64, weir::Timestamp, str, String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_have_one_order() {
        let sorted = [f64::NEG_INFINITY, -1.0, -0.0, 0.0, 1e-320, 1.0, f64::INFINITY, f64::NAN];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                assert_eq!(a.order(b), i.cmp(&j), "{a} and {b}");
            }
        }
        assert_eq!(f64::NAN.order(&-f64::NAN), Ordering::Equal);
    }
}
