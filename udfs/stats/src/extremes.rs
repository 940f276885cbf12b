//! `min` and `max`, by the order of `order.rs`.

use std::cmp::Ordering;

use crate::order::Ordered;

/// Whether a value takes the place of the one that was kept so far.
fn replaces<T: Ordered + ?Sized>(value: &T, kept: Option<&T>, order: Ordering) -> bool {
    kept.is_none_or(|kept| value.order(kept) == order)
}

/// `min` and `max` of one type, in a module of the type's name: the argument, what is kept of it,
/// what both are compared as, and what the catalog says.
macro_rules! extremes {
    ($module:ident: $value:ty, $kept:ty, $compared:ty, $least:tt, $greatest:tt) => {
        /// `min` and `max` of this type.
        pub mod $module {
            use std::borrow::Borrow;
            use std::cmp::Ordering;

            use super::replaces;

            type Value<'a> = $value;
            type Kept = $kept;
            type Compared = $compared;

            #[doc = $least]
            #[derive(Debug, weir::Parameters)]
            pub struct Min;

            #[weir::aggregate]
            impl Min {
                pub(super) fn create(&self) -> Option<Kept> {
                    None
                }

                pub(super) fn accumulate(&self, kept: &mut Option<Kept>, value: Value<'_>) {
                    let before: Option<&Compared> = kept.as_ref().map(Borrow::borrow);
                    if replaces(value.borrow(), before, Ordering::Less) {
                        *kept = Some(value.into());
                    }
                }

                pub(super) fn merge(&self, kept: &mut Option<Kept>, other: Option<Kept>) {
                    if let Some(value) = &other
                        && replaces(value, kept.as_ref(), Ordering::Less)
                    {
                        *kept = other;
                    }
                }

                pub(super) fn finish(&self, kept: &Option<Kept>) -> Option<Kept> {
                    kept.clone()
                }
            }

            #[doc = $greatest]
            #[derive(Debug, weir::Parameters)]
            pub struct Max;

            #[weir::aggregate]
            impl Max {
                pub(super) fn create(&self) -> Option<Kept> {
                    None
                }

                pub(super) fn accumulate(&self, kept: &mut Option<Kept>, value: Value<'_>) {
                    let before: Option<&Compared> = kept.as_ref().map(Borrow::borrow);
                    if replaces(value.borrow(), before, Ordering::Greater) {
                        *kept = Some(value.into());
                    }
                }

                pub(super) fn merge(&self, kept: &mut Option<Kept>, other: Option<Kept>) {
                    if let Some(value) = &other
                        && replaces(value, kept.as_ref(), Ordering::Greater)
                    {
                        *kept = other;
                    }
                }

                pub(super) fn finish(&self, kept: &Option<Kept>) -> Option<Kept> {
                    kept.clone()
                }
            }
        }
    };
}

extremes! {
    int64: i64, i64, i64,
    "The least of the integers; null if there are none.",
    "The greatest of the integers; null if there are none."
}
extremes! {
    float64: f64, f64, f64,
    "The least of the numbers; null if there are none. NaN is above every number, so the result is NaN only where all of them are; -0 is below 0.",
    "The greatest of the numbers; null if there are none. NaN is above every number, so one NaN makes the result NaN; -0 is below 0."
}
extremes! {
    timestamp: weir::Timestamp, weir::Timestamp, weir::Timestamp,
    "The earliest of the times; null if there are none.",
    "The latest of the times; null if there are none."
}
extremes! {
    text: &'a str, String, str,
    "The first of the texts in the order of their characters' code points; null if there are none.",
    "The last of the texts in the order of their characters' code points; null if there are none."
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Random, folded_in_parts};

    fn least_and_greatest(numbers: &[f64]) -> (Option<f64>, Option<f64>) {
        let (mut least, mut greatest) = (float64::Min.create(), float64::Max.create());
        for &x in numbers {
            float64::Min.accumulate(&mut least, x);
            float64::Max.accumulate(&mut greatest, x);
        }
        (float64::Min.finish(&least), float64::Max.finish(&greatest))
    }

    #[test]
    fn numbers() {
        assert_eq!(least_and_greatest(&[]), (None, None));
        assert_eq!(least_and_greatest(&[3.0, -1.0, 2.0]), (Some(-1.0), Some(3.0)));
        let (least, greatest) = least_and_greatest(&[f64::NAN, 1.0]);
        assert_eq!(least, Some(1.0));
        assert!(greatest.is_some_and(f64::is_nan));
        let (least, greatest) = least_and_greatest(&[0.0, -0.0, 0.0]);
        assert!(least.is_some_and(f64::is_sign_negative) && greatest.is_some_and(f64::is_sign_positive));
    }

    #[test]
    fn texts() {
        let (mut least, mut greatest) = (text::Min.create(), text::Max.create());
        for text in ["b", "", "é", "z"] {
            text::Min.accumulate(&mut least, text);
            text::Max.accumulate(&mut greatest, text);
        }
        text::Min.merge(&mut least, None);
        text::Max.merge(&mut greatest, Some("y".to_owned()));
        assert_eq!(
            (text::Min.finish(&least).as_deref(), text::Max.finish(&greatest).as_deref()),
            (Some(""), Some("é"))
        );
    }

    #[test]
    fn any_split_and_any_order_give_the_same() {
        for seed in 0..200 {
            let mut random = Random::new(seed);
            let mut rows: Vec<i64> = (0..random.below(100)).map(|_| random.next() as i64).collect();
            let expected = rows.iter().copied().max();
            random.shuffle(&mut rows);
            let create = || int64::Max.create();
            let accumulate = |kept: &mut _, &row: &i64| int64::Max.accumulate(kept, row);
            let merge = |kept: &mut _, other: &_| int64::Max.merge(kept, *other);
            assert_eq!(folded_in_parts(&mut random, &rows, create, accumulate, merge), expected, "seed {seed}");
        }
    }
}
