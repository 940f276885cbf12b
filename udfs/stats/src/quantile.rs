//! `quantile` and `median`, by `ddsketch.rs`.

use std::str::FromStr;

use crate::ddsketch::DdSketch;
use crate::sketch::{Corrupt, sound};

/// A share of the values: 0 to 1.
#[derive(Clone, Copy, Debug)]
pub struct Share(f64);

impl FromStr for Share {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
        share.map(Self).ok_or("a share of the values is a number from 0 to 1")
    }
}

/// How far an estimate may be from the exact value, in relation to it: 0.0001 to 0.5.
#[derive(Clone, Copy, Debug)]
pub struct RelativeError(DdSketch);

impl FromStr for RelativeError {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let sketch = text.parse().ok().and_then(DdSketch::new);
        sketch.map(Self).ok_or("a relative error is a number from 0.0001 to 0.5")
    }
}

/// The number that a share `q` of the numbers is not above: of `n` in ascending order, number
/// `floor(q (n - 1))`, counted from 0; null if there are none. The result is at most 1 % (`error`)
/// of that number away from it (DDSketch). The order of the rows does not matter. NaN is above
/// every number. Takes 12 bytes for each of at most about 125 different sizes per factor of 10 in
/// the data.
#[derive(Debug, weir::Parameters)]
pub struct Quantile {
    /// The share: 0.5 is the median, 0.95 is what 19 of 20 numbers do not exceed.
    #[param(default = "0.5")]
    q: Share,
    /// The relative error, from 0.0001 to 0.5.
    #[param(default = "0.01")]
    error: RelativeError,
}

#[weir::aggregate]
impl Quantile {
    fn create(&self) -> Vec<u8> {
        Vec::new()
    }

    fn accumulate(&self, sketch: &mut Vec<u8>, value: f64) -> Result<(), Corrupt> {
        self.error.0.insert(sketch, value)
    }

    fn merge(&self, sketch: &mut Vec<u8>, other: Vec<u8>) {
        sound(self.error.0.merge(sketch, &other));
    }

    fn finish(&self, sketch: &[u8]) -> Option<f64> {
        sound(self.error.0.quantile(sketch, self.q.0))
    }
}

/// The number in the middle: `quantile` with `q = 0.5`. Of an even number, the lower of the two in
/// the middle.
#[derive(Debug, weir::Parameters)]
pub struct Median {
    /// The relative error, from 0.0001 to 0.5.
    #[param(default = "0.01")]
    error: RelativeError,
}

#[weir::aggregate]
impl Median {
    fn create(&self) -> Vec<u8> {
        Vec::new()
    }

    fn accumulate(&self, sketch: &mut Vec<u8>, value: f64) -> Result<(), Corrupt> {
        self.error.0.insert(sketch, value)
    }

    fn merge(&self, sketch: &mut Vec<u8>, other: Vec<u8>) {
        sound(self.error.0.merge(sketch, &other));
    }

    fn finish(&self, sketch: &[u8]) -> Option<f64> {
        sound(self.error.0.quantile(sketch, 0.5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_delays() {
        let quantile = Quantile { q: "0.95".parse().unwrap(), error: "0.01".parse().unwrap() };
        let median = Median { error: "0.001".parse().unwrap() };
        let (mut a, mut b) = (quantile.create(), median.create());
        assert_eq!((quantile.finish(&a), median.finish(&b)), (None, None));
        for delay in -20..=180 {
            quantile.accumulate(&mut a, f64::from(delay)).unwrap();
            median.accumulate(&mut b, f64::from(delay)).unwrap();
        }
        let (p95, middle) = (quantile.finish(&a).unwrap(), median.finish(&b).unwrap());
        assert!((p95 - 170.0).abs() <= 1.7, "{p95}");
        assert!((middle - 80.0).abs() <= 0.08, "{middle}");
    }

    #[test]
    fn parameters_are_checked() {
        assert!(["1.1", "-0.1", "NaN", "x"].iter().all(|text| text.parse::<Share>().is_err()));
        assert!(["0", "0.6", "NaN", "x"].iter().all(|text| text.parse::<RelativeError>().is_err()));
    }
}
