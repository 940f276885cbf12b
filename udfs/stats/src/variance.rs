//! `variance` and `stddev`: from the sums of the numbers and of their squares.
//!
//! In one precision that formula is notorious: it subtracts two large numbers. Both sums and the
//! subtraction have twice the precision here, so the result's relative error is about
//! `n (mean / stddev)² 2⁻¹⁰⁶` at most: 10⁻¹⁰ for a million numbers around 10⁹ that spread by 10. Unlike
//! the running updates of Welford or Chan it does not depend on the order of the rows either.

use std::str::FromStr;

use crate::double_double::DoubleDouble;

/// What the numbers are to their variance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Some of the numbers that the variance is about: divides by one less than their number.
    Sample,
    /// All of them: divides by their number.
    Population,
}

impl FromStr for Of {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "sample" => Ok(Self::Sample),
            "population" => Ok(Self::Population),
            _ => Err("either sample or population"),
        }
    }
}

/// What one row may add to the error of the sums, in relation to them: 16 times 2⁻¹⁰⁶.
const ROUNDING: f64 = 1.0 / (1u128 << 102) as f64;

/// How far a variance has come.
#[derive(Clone, Debug, Default, PartialEq, weir::Accumulator)]
pub struct VarianceState {
    sum: f64,
    sum_error: f64,
    squares: f64,
    squares_error: f64,
    values: i64,
}

impl VarianceState {
    fn sums(&self) -> (DoubleDouble, DoubleDouble) {
        let sum = DoubleDouble { sum: self.sum, error: self.sum_error };
        (sum, DoubleDouble { sum: self.squares, error: self.squares_error })
    }

    fn set(&mut self, sum: DoubleDouble, squares: DoubleDouble, values: i64) {
        let (squares, squares_error) = (squares.sum, squares.error);
        *self = Self { sum: sum.sum, sum_error: sum.error, squares, squares_error, values };
    }

    #[inline]
    fn add(&mut self, value: f64) {
        let (mut sum, mut squares) = self.sums();
        sum.add(value);
        squares.add_square(value);
        self.set(sum, squares, self.values + 1);
    }

    fn merge(&mut self, other: &Self) {
        let ((mut sum, mut squares), others) = (self.sums(), other.sums());
        sum.merge(others.0);
        squares.merge(others.1);
        self.set(sum, squares, self.values + other.values);
    }

    fn variance(&self, of: Of) -> Option<f64> {
        let divisor = match of {
            Of::Sample => self.values - 1,
            Of::Population => self.values,
        };
        let (sum, squares) = self.sums();
        let around_mean = squares.subtract(sum.divide(self.values as f64).multiply(sum)).value();
        // What may be rounding alone counts as nothing, so that equal numbers have no variance. NaN stays.
        let rounding = ROUNDING * self.values as f64 * squares.value();
        let around_mean = if around_mean <= rounding { 0.0 } else { around_mean };
        (divisor > 0).then(|| around_mean / divisor as f64)
    }
}

/// The variance of the numbers: of a sample (null if there are fewer than two) or of a population
/// (null if there are none). NaN if one of the numbers is infinite or NaN, or if their squares leave
/// the range of float64.
#[derive(Debug, weir::Parameters)]
pub struct Variance {
    /// `sample` or `population`.
    #[param(default = "sample")]
    of: Of,
}

#[weir::aggregate]
impl Variance {
    fn create(&self) -> VarianceState {
        VarianceState::default()
    }

    fn accumulate(&self, state: &mut VarianceState, value: f64) {
        state.add(value);
    }

    fn merge(&self, state: &mut VarianceState, other: VarianceState) {
        state.merge(&other);
    }

    fn finish(&self, state: &VarianceState) -> Option<f64> {
        state.variance(self.of)
    }
}

/// The standard deviation of the numbers: the square root of `variance`.
#[derive(Debug, weir::Parameters)]
pub struct Stddev {
    /// `sample` or `population`.
    #[param(default = "sample")]
    of: Of,
}

#[weir::aggregate]
impl Stddev {
    fn create(&self) -> VarianceState {
        VarianceState::default()
    }

    fn accumulate(&self, state: &mut VarianceState, value: f64) {
        state.add(value);
    }

    fn merge(&self, state: &mut VarianceState, other: VarianceState) {
        state.merge(&other);
    }

    fn finish(&self, state: &VarianceState) -> Option<f64> {
        state.variance(self.of).map(f64::sqrt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Random, folded_in_parts};

    const SAMPLE: Variance = Variance { of: Of::Sample };
    const POPULATION: Variance = Variance { of: Of::Population };

    fn state(numbers: &[f64]) -> VarianceState {
        let mut state = VarianceState::default();
        numbers.iter().for_each(|&x| state.add(x));
        state
    }

    #[test]
    fn samples_and_populations() {
        let numbers = state(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!(POPULATION.finish(&numbers), Some(4.0));
        assert_eq!(SAMPLE.finish(&numbers), Some(32.0 / 7.0));
        assert_eq!(Stddev { of: Of::Population }.finish(&numbers), Some(2.0));
        assert_eq!((POPULATION.finish(&state(&[])), POPULATION.finish(&state(&[3.0]))), (None, Some(0.0)));
        assert_eq!((SAMPLE.finish(&state(&[3.0])), SAMPLE.finish(&state(&[3.0, 3.0]))), (None, Some(0.0)));
        assert!(SAMPLE.finish(&state(&[f64::INFINITY, 1.0])).unwrap().is_nan());
        assert!("both".parse::<Of>().is_err());
    }

    #[test]
    fn a_small_spread_around_a_large_mean_is_not_lost() {
        let numbers: Vec<f64> = (0..10_000).map(|i| 1e9 + f64::from(i % 3) * 0.5).collect();
        let spread: Vec<f64> = numbers.iter().map(|x| x - 1e9).collect();
        let (shifted, variance) = (SAMPLE.finish(&state(&numbers)).unwrap(), SAMPLE.finish(&state(&spread)).unwrap());
        assert!((shifted / variance - 1.0).abs() < 1e-9, "{shifted} and {variance}");
        assert_eq!(SAMPLE.finish(&state(&[0.1; 1_000])), Some(0.0));
    }

    #[test]
    fn agrees_with_two_passes_and_with_itself_in_any_order() {
        for seed in 0..200 {
            let mut random = Random::new(seed);
            let offset = random.unit() * 1e4;
            let mut numbers: Vec<f64> = (0..2 + random.below(1_000)).map(|_| offset + random.unit()).collect();
            let once = SAMPLE.finish(&state(&numbers)).unwrap();
            let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
            let squares: f64 = numbers.iter().map(|x| (x - mean) * (x - mean)).sum();
            let two_passes = squares / (numbers.len() - 1) as f64;
            assert!((once / two_passes - 1.0).abs() < 1e-9, "seed {seed}: {once} and {two_passes}");
            random.shuffle(&mut numbers);
            let parts = folded_in_parts(&mut random, &numbers, || state(&[]), |s, &x| s.add(x), |a, b| a.merge(b));
            assert_eq!(SAMPLE.finish(&parts).unwrap().to_bits(), once.to_bits(), "seed {seed}");
        }
    }
}
