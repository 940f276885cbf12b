//! `mean`: the sum, to twice the precision, by the number of values.

use crate::double_double::DoubleDouble;

/// The mean of the numbers; null if there are none. Like `sum`, it does not depend on the order of
/// the rows; infinities and NaN come out as in IEEE 754.
#[derive(Debug, weir::Parameters)]
pub struct Mean;

/// How far a mean has come.
#[derive(Clone, Debug, PartialEq, weir::Accumulator)]
pub struct MeanState {
    sum: f64,
    error: f64,
    values: i64,
}

impl MeanState {
    fn exact(&self) -> DoubleDouble {
        DoubleDouble { sum: self.sum, error: self.error }
    }
}

#[weir::aggregate]
impl Mean {
    fn create(&self) -> MeanState {
        MeanState { sum: 0.0, error: 0.0, values: 0 }
    }

    fn accumulate(&self, state: &mut MeanState, value: f64) {
        let mut sum = state.exact();
        sum.add(value);
        *state = MeanState { sum: sum.sum, error: sum.error, values: state.values + 1 };
    }

    fn merge(&self, state: &mut MeanState, other: MeanState) {
        let mut sum = state.exact();
        sum.merge(other.exact());
        *state = MeanState { sum: sum.sum, error: sum.error, values: state.values + other.values };
    }

    fn finish(&self, state: &MeanState) -> Option<f64> {
        (state.values > 0).then(|| state.exact().divide(state.values as f64).value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Random, folded_in_parts};

    fn mean(numbers: &[f64]) -> Option<f64> {
        let mut state = Mean.create();
        numbers.iter().for_each(|&x| Mean.accumulate(&mut state, x));
        Mean.finish(&state)
    }

    #[test]
    fn means() {
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[1.0, 2.0, 4.5]), Some(2.5));
        assert_eq!(mean(&[0.1; 10]), Some(0.1));
        assert_eq!(mean(&[1.0, f64::INFINITY]), Some(f64::INFINITY));
        assert!(mean(&[1.0, f64::NAN]).unwrap().is_nan());
    }

    #[test]
    fn no_split_and_no_order_shows_in_the_last_bit() {
        for seed in 0..200 {
            let mut random = Random::new(seed);
            let mut numbers: Vec<f64> = (0..1 + random.below(2_000)).map(|_| random.unit() * 1e6 - 3e5).collect();
            let expected = mean(&numbers).unwrap();
            random.shuffle(&mut numbers);
            let merged = folded_in_parts(
                &mut random,
                &numbers,
                || Mean.create(),
                |state, &x| Mean.accumulate(state, x),
                |state, other| Mean.merge(state, other.clone()),
            );
            assert_eq!(Mean.finish(&merged).unwrap().to_bits(), expected.to_bits(), "seed {seed}");
        }
    }
}
