//! Event times from a column, whichever way it writes them.
//!
//! In come a column and a [`TimeFormat`] that the plan has found to fit its type; out go microseconds
//! for each row, and a reason for each row that has none. The column itself stays what it is.

mod text;

use std::fmt::Debug;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, Int64Array};

pub use text::{FormatError, TextFormat};

use crate::flow::decode::reason::quoted;

/// How a column writes the times of its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    /// The column is a timestamp.
    Timestamp,
    /// A number counts since 1970-01-01T00:00:00Z: in an `int32`, `int64` or `float64` column.
    Unix(Unit),
    /// A text says it.
    Text(TextFormat),
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Second,
    /// Milliseconds.
    Milli,
    /// Microseconds.
    Micro,
    /// Nanoseconds; what they say beyond microseconds is dropped.
    Nano,
}

/// The times of a column.
#[derive(Debug)]
pub(super) struct Times {
    /// Microseconds; without nulls, and 0 for the rows of `bad`.
    pub(super) us: Int64Array,
    /// Rows without a time, in their order, and why.
    pub(super) bad: Vec<(usize, String)>,
}

impl TimeFormat {
    /// The times of a column called `name`.
    pub(super) fn read(&self, name: &str, column: &ArrayRef) -> Times {
        match self {
            Self::Timestamp => {
                let times = column.as_primitive::<TimestampMicrosecondType>();
                let bad = (0..times.len()).filter(|row| times.is_null(*row)).map(|row| (row, no_time(name)));
                Times { bad: bad.collect(), us: Int64Array::new(times.values().clone(), None) }
            }
            Self::Unix(unit) => {
                let beyond = |value: &dyn Debug| {
                    format!("column `{name}`: {value:?} as `{}` is no time that there is", unit.name())
                };
                let whole = |n: i64| unit.us(n).ok_or_else(|| beyond(&n));
                if let Some(numbers) = column.as_primitive_opt::<Int64Type>() {
                    each(name, numbers.iter(), whole)
                } else if let Some(numbers) = column.as_primitive_opt::<Int32Type>() {
                    each(name, numbers.iter(), |n| whole(i64::from(n)))
                } else {
                    let numbers = column.as_primitive::<Float64Type>();
                    each(name, numbers.iter(), |n| unit.us_of_float(n).ok_or_else(|| beyond(&n)))
                }
            }
            Self::Text(format) => each(name, column.as_string::<i32>().iter(), |text| {
                let wrong = || format!("column `{name}`: {} is no time as `{}`", quoted(text), format.as_str());
                format.parse(text).ok_or_else(wrong)
            }),
        }
    }
}

fn each<V>(
    name: &str,
    values: impl ExactSizeIterator<Item = Option<V>>,
    mut read: impl FnMut(V) -> Result<i64, String>,
) -> Times {
    let mut bad = Vec::new();
    let time = |(row, value): (usize, Option<V>)| {
        value.ok_or_else(|| no_time(name)).and_then(&mut read).unwrap_or_else(|reason| {
            bad.push((row, reason));
            0
        })
    };
    let us = Int64Array::from_iter_values(values.enumerate().map(time));
    Times { us, bad }
}

fn no_time(column: &str) -> String {
    format!("column `{column}`: there is no event time")
}

impl Unit {
    /// All of them, with their names in pipeline files.
    pub const ALL: [(&'static str, Self); 4] =
        [("unix-s", Self::Second), ("unix-ms", Self::Milli), ("unix-us", Self::Micro), ("unix-ns", Self::Nano)];

    /// Its name in pipeline files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Second => "unix-s",
            Self::Milli => "unix-ms",
            Self::Micro => "unix-us",
            Self::Nano => "unix-ns",
        }
    }

    /// Microseconds of so many, if there is such a time.
    fn us(self, n: i64) -> Option<i64> {
        match self {
            Self::Second => n.checked_mul(1_000_000),
            Self::Milli => n.checked_mul(1000),
            Self::Micro => Some(n),
            // Downward also before 1970, so that times keep their order.
            Self::Nano => Some(n.div_euclid(1000)),
        }
    }

    /// The nearest microsecond, if there is such a time.
    fn us_of_float(self, n: f64) -> Option<i64> {
        let us = match self {
            Self::Second => n * 1e6,
            Self::Milli => n * 1e3,
            Self::Micro => n,
            Self::Nano => n / 1e3,
        };
        // 2^63 is a float, 2^63 - 1 is none.
        (us.is_finite() && us.abs() < 9_223_372_036_854_775_808.0).then(|| us.round() as i64)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Float64Array, Int32Array, StringArray, TimestampMicrosecondArray};

    use super::*;

    fn read(format: TimeFormat, column: impl Array + 'static) -> (Vec<i64>, Vec<(usize, String)>) {
        let times = format.read("t", &(Arc::new(column) as ArrayRef));
        assert_eq!(times.us.null_count(), 0);
        (times.us.values().to_vec(), times.bad)
    }

    fn unix(unit: Unit, column: impl Array + 'static) -> Vec<i64> {
        let (us, bad) = read(TimeFormat::Unix(unit), column);
        assert!(bad.is_empty(), "{bad:?}");
        us
    }

    #[test]
    fn numbers_count_from_1970_on() {
        let numbers = || Int64Array::from(vec![1_359_694_800, -1, 0]);
        assert_eq!(unix(Unit::Second, numbers()), [1_359_694_800_000_000, -1_000_000, 0]);
        assert_eq!(unix(Unit::Milli, numbers()), [1_359_694_800_000, -1000, 0]);
        assert_eq!(unix(Unit::Micro, numbers()), [1_359_694_800, -1, 0]);
        assert_eq!(unix(Unit::Nano, numbers()), [1_359_694, -1, 0]);
        assert_eq!(unix(Unit::Second, Int32Array::from(vec![-7])), [-7_000_000]);
        let floats = Float64Array::from(vec![1_359_694_800.25, -0.000_000_6, 0.1]);
        assert_eq!(unix(Unit::Second, floats), [1_359_694_800_250_000, -1, 100_000]);
        assert!(Unit::ALL.iter().all(|(name, unit)| unit.name() == *name));
    }

    #[test]
    fn what_is_no_time_says_why() {
        let numbers = Int64Array::from(vec![Some(i64::MAX), None, Some(1)]);
        let (us, bad) = read(TimeFormat::Unix(Unit::Milli), numbers);
        assert_eq!(us, [0, 0, 1000]);
        let beyond = "column `t`: 9223372036854775807 as `unix-ms` is no time that there is";
        let none = "column `t`: there is no event time";
        assert_eq!(bad, [(0, beyond.to_owned()), (1, none.to_owned())]);

        let floats = Float64Array::from(vec![f64::NAN, f64::INFINITY, 9.2e12, 9.3e12, -9.3e12]);
        let (_, bad) = read(TimeFormat::Unix(Unit::Second), floats);
        assert_eq!(bad.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [0, 1, 3, 4]);

        let (us, bad) = read(TimeFormat::Timestamp, TimestampMicrosecondArray::from(vec![Some(3), None]));
        assert_eq!((us, bad), (vec![3, 0], vec![(1, none.to_owned())]));

        let format = TextFormat::new("%d.%m.%Y", None).expect("a format");
        let texts = StringArray::from(vec![Some("02.01.1970"), Some("1970-01-02"), None]);
        let (us, bad) = read(TimeFormat::Text(format), texts);
        assert_eq!(us, [86_400_000_000, 0, 0]);
        let wrong = "column `t`: \"1970-01-02\" is no time as `%d.%m.%Y`";
        assert_eq!(bad, [(1, wrong.to_owned()), (2, none.to_owned())]);
    }
}
