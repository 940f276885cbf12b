//! `first` and `last`: the value at the earliest and at the latest time.
//!
//! The time is an input like any other; give it the stream's event time. Where several values share
//! the time, `first` takes the least of them and `last` the greatest, by the order of
//! `order.rs`, so that the result does not depend on the order of the rows.

use std::cmp::Ordering;

use weir::Timestamp;

use crate::order::Ordered;

/// Whether a value at a time takes the place of the one that was kept so far.
fn replaces<T: Ordered + ?Sized>(new: (Timestamp, &T), kept: (Option<Timestamp>, Option<&T>), order: Ordering) -> bool {
    let ((at, value), (Some(kept_at), Some(kept))) = (new, kept) else {
        return true;
    };
    at.cmp(&kept_at).then_with(|| value.order(kept)) == order
}

/// `first` and `last` of one type, in a module of the type's name: the argument, what is kept of it,
/// and what both are compared as.
macro_rules! ends {
    ($($module:ident: $value:ty, $owned:ty, $compared:ty;)+) => {
        $(
            /// `first` and `last` of this type.
            pub mod $module {
                use std::borrow::Borrow;
                use std::cmp::Ordering;

                use super::{Timestamp, replaces};

                type Value<'a> = $value;
                type Owned = $owned;
                type Compared = $compared;

                /// The value that was kept so far, and its time.
                #[derive(Clone, Debug, Default, PartialEq, weir::Accumulator)]
                pub struct Kept {
                    value: Option<Owned>,
                    at: Option<Timestamp>,
                }

                /// The value at the earliest time; null if there are no values. Of several at that time, the least.
                #[derive(Debug, weir::Parameters)]
                pub struct First;

                #[weir::aggregate]
                impl First {
                    pub(super) fn create(&self) -> Kept {
                        Kept::default()
                    }

                    pub(super) fn accumulate(&self, kept: &mut Kept, value: Value<'_>, at: Timestamp) {
                        let before: Option<&Compared> = kept.value.as_ref().map(Borrow::borrow);
                        if replaces((at, value.borrow()), (kept.at, before), Ordering::Less) {
                            *kept = Kept { value: Some(value.into()), at: Some(at) };
                        }
                    }

                    pub(super) fn merge(&self, kept: &mut Kept, other: Kept) {
                        if let (Some(value), Some(at)) = (&other.value, other.at)
                            && replaces((at, value), (kept.at, kept.value.as_ref()), Ordering::Less)
                        {
                            *kept = other;
                        }
                    }

                    pub(super) fn finish(&self, kept: &Kept) -> Option<Owned> {
                        kept.value.clone()
                    }
                }

                /// The value at the latest time; null if there are no values. Of several at that time, the
                /// greatest.
                #[derive(Debug, weir::Parameters)]
                pub struct Last;

                #[weir::aggregate]
                impl Last {
                    pub(super) fn create(&self) -> Kept {
                        Kept::default()
                    }

                    pub(super) fn accumulate(&self, kept: &mut Kept, value: Value<'_>, at: Timestamp) {
                        let before: Option<&Compared> = kept.value.as_ref().map(Borrow::borrow);
                        if replaces((at, value.borrow()), (kept.at, before), Ordering::Greater) {
                            *kept = Kept { value: Some(value.into()), at: Some(at) };
                        }
                    }

                    pub(super) fn merge(&self, kept: &mut Kept, other: Kept) {
                        if let (Some(value), Some(at)) = (&other.value, other.at)
                            && replaces((at, value), (kept.at, kept.value.as_ref()), Ordering::Greater)
                        {
                            *kept = other;
                        }
                    }

                    pub(super) fn finish(&self, kept: &Kept) -> Option<Owned> {
                        kept.value.clone()
                    }
                }
            }
        )+
    };
}

ends! {
    boolean: bool, bool, bool;
    int64: i64, i64, i64;
    float64: f64, f64, f64;
    timestamp: Timestamp, Timestamp, Timestamp;
    text: &'a str, String, str;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Random, folded_in_parts};

    #[test]
    fn the_earliest_and_the_latest() {
        let (mut first, mut last) = (text::First.create(), text::Last.create());
        assert_eq!(text::First.finish(&first), None);
        for (value, at) in [("b", 5), ("d", 1), ("c", 1), ("a", 9), ("z", 3)] {
            text::First.accumulate(&mut first, value, Timestamp(at));
            text::Last.accumulate(&mut last, value, Timestamp(at));
        }
        assert_eq!(text::First.finish(&first).as_deref(), Some("c"));
        assert_eq!(text::Last.finish(&last).as_deref(), Some("a"));
    }

    #[test]
    fn any_split_and_any_order_give_the_same() {
        for seed in 0..200 {
            let mut random = Random::new(seed);
            let mut rows: Vec<(i64, f64)> = (0..60).map(|_| (random.below(30) as i64 - 15, random.unit())).collect();
            let expected = rows.iter().copied().max_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
            random.shuffle(&mut rows);
            let merged = folded_in_parts(
                &mut random,
                &rows,
                || float64::Last.create(),
                |kept, &(at, value)| float64::Last.accumulate(kept, value, Timestamp(at)),
                |kept, other| float64::Last.merge(kept, other.clone()),
            );
            assert_eq!(float64::Last.finish(&merged), expected.map(|(_, value)| value), "seed {seed}");
        }
    }
}
