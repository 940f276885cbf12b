//! `sum`: exact for integers, to twice the precision for floats.

use std::fmt;

use crate::double_double::DoubleDouble;
use crate::sketch::sound;

/// The sum of the integers; null if there are none. A number that would take the sum past the range
/// of 64 bits fails its row and is left out.
#[derive(Debug, weir::Parameters)]
pub struct SumInt64;

/// How far the sum of integers has come.
#[derive(Clone, Debug, PartialEq, weir::Accumulator)]
pub struct SumInt64State {
    sum: i64,
    values: i64,
}

#[weir::aggregate(name = "sum")]
impl SumInt64 {
    fn create(&self) -> SumInt64State {
        SumInt64State { sum: 0, values: 0 }
    }

    fn accumulate(&self, state: &mut SumInt64State, value: i64) -> Result<(), Overflow> {
        state.sum = state.sum.checked_add(value).ok_or(Overflow { sum: state.sum, value })?;
        state.values += 1;
        Ok(())
    }

    fn retract(&self, state: &mut SumInt64State, value: i64) -> Result<(), Overflow> {
        state.sum = state.sum.checked_sub(value).ok_or(Overflow { sum: state.sum, value })?;
        state.values -= 1;
        Ok(())
    }

    fn merge(&self, state: &mut SumInt64State, other: SumInt64State) {
        sound(self.accumulate(state, other.sum));
        state.values += other.values - 1;
    }

    fn finish(&self, state: &SumInt64State) -> Option<i64> {
        (state.values > 0).then_some(state.sum)
    }
}

/// A number that the sum so far has no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow {
    sum: i64,
    value: i64,
}

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "adding {} to {} leaves the range of 64-bit integers", self.value, self.sum)
    }
}

/// The sum of the numbers; null if there are none. It is computed to twice the precision of a
/// float64 and then rounded, so the order of the rows does not show, unless numbers cancel by some
/// 13 digits. Infinities and NaN add up as in IEEE 754.
#[derive(Debug, weir::Parameters)]
pub struct SumFloat64;

/// How far the sum of floats has come.
#[derive(Clone, Debug, PartialEq, weir::Accumulator)]
pub struct SumFloat64State {
    sum: f64,
    error: f64,
    values: i64,
}

impl SumFloat64State {
    fn exact(&self) -> DoubleDouble {
        DoubleDouble { sum: self.sum, error: self.error }
    }
}

#[weir::aggregate(name = "sum")]
impl SumFloat64 {
    fn create(&self) -> SumFloat64State {
        SumFloat64State { sum: 0.0, error: 0.0, values: 0 }
    }

    fn accumulate(&self, state: &mut SumFloat64State, value: f64) {
        let mut sum = state.exact();
        sum.add(value);
        *state = SumFloat64State { sum: sum.sum, error: sum.error, values: state.values + 1 };
    }

    fn merge(&self, state: &mut SumFloat64State, other: SumFloat64State) {
        let mut sum = state.exact();
        sum.merge(other.exact());
        *state = SumFloat64State { sum: sum.sum, error: sum.error, values: state.values + other.values };
    }

    fn finish(&self, state: &SumFloat64State) -> Option<f64> {
        (state.values > 0).then(|| state.exact().value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_checked() {
        let mut state = SumInt64.create();
        assert_eq!(SumInt64.finish(&state), None);
        SumInt64.accumulate(&mut state, i64::MAX).unwrap();
        let error = SumInt64.accumulate(&mut state, 2).unwrap_err();
        assert_eq!(error.to_string(), "adding 2 to 9223372036854775807 leaves the range of 64-bit integers");
        SumInt64.accumulate(&mut state, -7).unwrap();
        assert_eq!(SumInt64.finish(&state), Some(i64::MAX - 7));
        SumInt64.retract(&mut state, i64::MAX).unwrap();
        let other = SumInt64State { sum: 10, values: 3 };
        SumInt64.merge(&mut state, other);
        assert_eq!(state, SumInt64State { sum: 3, values: 4 });
    }

    #[test]
    fn floats_keep_what_rounding_loses() {
        let mut state = SumFloat64.create();
        assert_eq!(SumFloat64.finish(&state), None);
        (0..10).for_each(|_| SumFloat64.accumulate(&mut state, 0.1));
        let other = state.clone();
        SumFloat64.merge(&mut state, other);
        assert_eq!(SumFloat64.finish(&state), Some(2.0));
    }
}
