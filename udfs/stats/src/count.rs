//! `count` and `count_if`: how many rows, how many values, how many rows of a kind.
//!
//! All of them can take a row back, so that a sliding window need not start over.

/// How many rows there are.
#[derive(Debug, weir::Parameters)]
pub struct Count;

#[weir::aggregate]
impl Count {
    fn create(&self) -> i64 {
        0
    }

    fn accumulate(&self, count: &mut i64) {
        *count += 1;
    }

    fn retract(&self, count: &mut i64) {
        *count -= 1;
    }

    fn merge(&self, count: &mut i64, other: i64) {
        *count += other;
    }

    fn finish(&self, count: &i64) -> i64 {
        *count
    }
}

/// `count` of the values of one type, each in a module of the type's name. The host skips the nulls.
macro_rules! count_values {
    ($($module:ident: $value:ty),+ $(,)?) => {
        $(
            /// `count` of this type.
            pub mod $module {
                type Value<'a> = $value;

                /// How many rows have a value: nulls are not counted.
                #[derive(Debug, weir::Parameters)]
                pub struct Count;

                #[weir::aggregate]
                impl Count {
                    fn create(&self) -> i64 {
                        0
                    }

                    fn accumulate(&self, count: &mut i64, value: Value<'_>) {
                        let _ = value;
                        *count += 1;
                    }

                    fn retract(&self, count: &mut i64, value: Value<'_>) {
                        let _ = value;
                        *count -= 1;
                    }

                    fn merge(&self, count: &mut i64, other: i64) {
                        *count += other;
                    }

                    fn finish(&self, count: &i64) -> i64 {
                        *count
                    }
                }
            }
        )+
    };
}

count_values! {
    boolean: bool,
    int32: i32,
    int64: i64,
    float32: f32,
    float64: f64,
    timestamp: weir::Timestamp,
    text: &'a str,
    bytes: &'a [u8],
}

/// How many rows a condition holds for. A null condition does not hold.
#[derive(Debug, weir::Parameters)]
pub struct CountIf;

#[weir::aggregate]
impl CountIf {
    fn create(&self) -> i64 {
        0
    }

    fn accumulate(&self, count: &mut i64, condition: bool) {
        *count += i64::from(condition);
    }

    fn retract(&self, count: &mut i64, condition: bool) {
        *count -= i64::from(condition);
    }

    fn merge(&self, count: &mut i64, other: i64) {
        *count += other;
    }

    fn finish(&self, count: &i64) -> i64 {
        *count
    }
}

#[cfg(test)]
mod tests {
    use weir::testing::{aggregate, batch, groups, rows};

    use super::*;

    /// As the host calls it, which has taken the nulls out; with a row taken back.
    #[test]
    fn counts_values() {
        let calls = aggregate::<text::Count>();
        let input = batch(["a", "", "b"]);
        let folded = (calls.accumulate)((calls.create)(2).unwrap(), groups(&[1, 1, 1]), input).unwrap();
        let other = batch([5_i64]);
        let merged = (calls.merge)(folded.accumulators, groups(&[0]), other).unwrap();
        let retract = calls.retract.unwrap();
        let less = retract(merged, groups(&[0]), batch(["a"])).unwrap();
        assert_eq!(rows::<i64>(&(calls.finish)(less.accumulators).unwrap()).unwrap(), [4, 3]);
    }

    #[test]
    fn counts_rows_and_conditions() {
        let (mut rows, mut late) = (Count.create(), CountIf.create());
        for condition in [true, false, true] {
            Count.accumulate(&mut rows);
            CountIf.accumulate(&mut late, condition);
        }
        Count.merge(&mut rows, 4);
        CountIf.retract(&mut late, true);
        assert_eq!((Count.finish(&rows), CountIf.finish(&late)), (7, 1));
    }
}
