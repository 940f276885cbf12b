//! Sums of `f64` to twice its precision, so that the order of the rows does not show in the result.
//!
//! What comes in: numbers, one at a time, or other such sums. What goes out: the sum as one `f64`,
//! or a pair for the arithmetic that follows (mean and variance). Every addition keeps its rounding
//! error, which an error-free transformation gives exactly (Dekker's FastTwoSum and TwoProduct),
//! and sums the errors on the side: algorithm Sum2 of Ogita, Rump and Oishi, *Accurate Sum and Dot
//! Product*, SIAM J. Sci. Comput. 26 (2005). The result is as good as one computed in 106 bits and
//! then rounded; its error before that rounding is at most about `n² 2⁻¹⁰⁶ Σ|x|`. So another order,
//! split or batch size gives the same last bit, unless the numbers cancel by some 13 digits.
//!
//! Infinity and NaN come out as IEEE 754 addition has them. A sum that leaves the range of `f64`
//! half way is infinite from then on.

/// A sum as two columns of an accumulator: `sum`, rounded, and `error`, what rounding lost so far.
///
/// There is no fast-path branch for infinities: once `sum` is not finite it never becomes finite
/// again, and `error`, by then NaN, is not looked at any more.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct DoubleDouble {
    pub(crate) sum: f64,
    pub(crate) error: f64,
}

impl DoubleDouble {
    #[inline]
    pub(crate) fn add(&mut self, x: f64) {
        let (sum, error) = two_sum(self.sum, x);
        self.sum = sum;
        self.error += error;
    }

    /// Adds `x * x`, with what rounding the product loses.
    #[inline]
    pub(crate) fn add_square(&mut self, x: f64) {
        let (square, error) = two_product(x, x);
        self.add(square);
        self.error += error;
    }

    #[inline]
    pub(crate) fn merge(&mut self, other: Self) {
        self.add(other.sum);
        self.error += other.error;
    }

    #[inline]
    pub(crate) fn value(self) -> f64 {
        if self.sum.is_finite() { self.sum + self.error } else { self.sum }
    }

    /// The same number with an error of at most half a last place of the sum.
    fn normal(self) -> Self {
        let sum = self.value();
        if !sum.is_finite() {
            return Self { sum, error: 0.0 };
        }
        let (sum, error) = two_sum(self.sum, self.error);
        Self { sum, error }
    }

    pub(crate) fn divide(self, divisor: f64) -> Self {
        let whole = self.normal();
        let quotient = whole.sum / divisor;
        let (product, lost) = two_product(quotient, divisor);
        let rest = (whole.sum - product) - lost + whole.error;
        Self { sum: quotient, error: rest / divisor }
    }

    pub(crate) fn multiply(self, other: Self) -> Self {
        let (a, b) = (self.normal(), other.normal());
        let (sum, error) = two_product(a.sum, b.sum);
        Self { sum, error: error + (a.sum * b.error + a.error * b.sum) }
    }

    pub(crate) fn subtract(mut self, other: Self) -> Self {
        self.merge(Self { sum: -other.sum, error: -other.error });
        self
    }
}

/// `a + b` rounded, and exactly what that lost. Dekker's FastTwoSum with the larger first: fewer
/// operations than Knuth's TwoSum, each of which costs twice where the host makes NaNs canonical.
#[inline]
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let (large, small) = if a.abs() >= b.abs() { (a, b) } else { (b, a) };
    (sum, (large - sum) + small)
}

/// `a * b` rounded, and exactly what that lost, unless that is too small for `f64`. WebAssembly has
/// no fused multiply-add, so the factors are split in halves.
#[inline]
fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    let ((a_high, a_low), (b_high, b_low)) = (halves(a), halves(b));
    let lost = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
    (product, lost)
}

/// Veltkamp's split into two numbers of at most 26 bits.
#[inline]
fn halves(x: f64) -> (f64, f64) {
    const SPLITTER: f64 = 134_217_729.0; // 2^27 + 1
    let scaled = SPLITTER * x;
    let high = scaled - (scaled - x);
    (high, x - high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Random, folded_in_parts};

    fn sum(numbers: &[f64]) -> DoubleDouble {
        let mut sum = DoubleDouble::default();
        numbers.iter().for_each(|&x| sum.add(x));
        sum
    }

    /// Numbers of very different sizes and both signs.
    fn numbers(random: &mut Random, count: usize) -> Vec<f64> {
        (0..count).map(|_| (random.unit() - 0.3) * 10f64.powi(random.below(12) as i32)).collect()
    }

    #[test]
    fn keeps_what_plain_addition_loses() {
        assert_eq!(sum(&[1e16, 1.0, -1e16]).value(), 1.0);
        assert_eq!(sum(&[0.1; 10]).value(), 1.0);
        assert_eq!(sum(&[1.0, 1e100, 1.0, -1e100]).value(), 2.0);
    }

    #[test]
    fn no_split_and_no_order_shows_in_the_last_bit() {
        for seed in 0..200 {
            let mut random = Random::new(seed);
            let mut numbers = numbers(&mut random, 1_000);
            let expected = sum(&numbers).value();
            random.shuffle(&mut numbers);
            let merged =
                folded_in_parts(&mut random, &numbers, DoubleDouble::default, |a, &x| a.add(x), |a, b| a.merge(*b));
            assert_eq!(merged.value().to_bits(), expected.to_bits(), "seed {seed}");
        }
    }

    #[test]
    fn products_are_exact() {
        for seed in 0..1_000 {
            let mut random = Random::new(seed);
            let (a, b) = (random.next() >> 11, random.next() >> 11);
            let (product, lost) = two_product(a as f64, b as f64);
            assert_eq!(product as i128 + lost as i128, a as i128 * b as i128, "seed {seed}");
        }
    }

    #[test]
    fn division_and_multiplication_are_each_other_undone() {
        let third = DoubleDouble { sum: 1.0, error: 0.0 }.divide(3.0);
        let nothing =
            third.multiply(DoubleDouble { sum: 3.0, error: 0.0 }).subtract(DoubleDouble { sum: 1.0, error: 0.0 });
        assert!(nothing.value().abs() < 1e-31, "{nothing:?}");
    }

    #[test]
    fn infinity_and_nan_flow_through() {
        assert_eq!(sum(&[1.0, f64::INFINITY, 2.0]).value(), f64::INFINITY);
        assert_eq!(sum(&[f64::NEG_INFINITY, 2.0]).divide(2.0).value(), f64::NEG_INFINITY);
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).value().is_nan());
        assert!(sum(&[1.0, f64::NAN]).value().is_nan());
        assert_eq!(sum(&[f64::MAX, f64::MAX]).value(), f64::INFINITY);
        let mut merged = sum(&[1.0]);
        merged.merge(sum(&[f64::INFINITY]));
        assert_eq!(merged.value(), f64::INFINITY);
    }
}
