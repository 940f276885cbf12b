//! DDSketch: quantiles to within a relative error, for any range of values.
//!
//! What comes in: numbers, or another sketch. What goes out: an estimate of the number at a rank,
//! at most `relative_error` away from it: 1 % of 250 is 2.5. Every number falls into one of a fixed
//! sequence of buckets whose bounds grow by a constant factor, and the sketch counts how many fell
//! into each; so merging adds counts and loses nothing, and the state depends neither on the order
//! of the numbers nor on how the stream was split. It never collapses buckets, so the error always
//! holds: at 1 % a state has 12 bytes for each of at most about 125 buckets that it uses per factor
//! of 10 in the data (some 155,000 if the numbers cover all that `f64` can hold).
//!
//! Negative numbers have buckets of their own, and zero has one. Numbers nearer to zero than
//! 2.2e-308 count as zero. NaN is above every number, and infinities are what they are.
//!
//! Sources: Masson, Rim and Lee, *DDSketch: a fast and fully-mergeable quantile sketch with
//! relative-error guarantees*, VLDB 2019. The logarithm is replaced by a quadratic in the mantissa
//! on each power of two (as in that paper's implementations: 8 % more buckets at the same error),
//! which needs no mathematical library, so that every machine puts a number into the same bucket.
//!
//! The bytes of a state, all numbers little-endian: none while nothing was seen; otherwise 1 (the
//! form), the relative error (`f64`), then for each bucket in use, ascending by key and so by
//! value, its key (`i32`) and its count (`u64`, not 0). Changes: form 1 came with 0.1.0.

use crate::sketch::{Corrupt, insert_bytes};

const FORM: u8 = 1;
const HEADER: usize = 9;
const BUCKET: usize = 12;

const KEY_NAN: i32 = i32::MAX;
const KEY_INFINITY: i32 = i32::MAX - 1;

/// A sketch's resolution. The state itself is with the host, and every call is handed it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DdSketch {
    relative_error: f64,
    /// Buckets for each power of two.
    density: f64,
}

impl DdSketch {
    /// `None` unless the relative error is 0.0001 to 0.5.
    pub(crate) fn new(relative_error: f64) -> Option<Self> {
        // A bucket may span a factor of (1 + e) / (1 - e), whose logarithm is at least 2e. The
        // quadratic's slope against the logarithm is 4/3 where it is least, at powers of two.
        let density = 3.0 / 4.0 / (2.0 * relative_error);
        (0.0001..=0.5).contains(&relative_error).then_some(Self { relative_error, density })
    }

    #[inline]
    pub(crate) fn insert(self, state: &mut Vec<u8>, x: f64) -> Result<(), Corrupt> {
        self.count(state, self.key(x), 1)
    }

    pub(crate) fn merge(self, state: &mut Vec<u8>, other: &[u8]) -> Result<(), Corrupt> {
        if state.is_empty() {
            self.buckets(other)?;
            state.extend_from_slice(other);
            return Ok(());
        }
        for bucket in self.buckets(other)? {
            let (key, count) = read(bucket);
            self.count(state, key, count)?;
        }
        Ok(())
    }

    /// An estimate of the number that has `floor(q * (n - 1))` of the `n` numbers before it in
    /// their order; `None` if there was none.
    pub(crate) fn quantile(self, state: &[u8], q: f64) -> Result<Option<f64>, Corrupt> {
        let buckets = self.buckets(state)?;
        let total = buckets.iter().try_fold(0u64, |sum, bucket| sum.checked_add(read(bucket).1));
        let total = total.ok_or(Corrupt("DDSketch counts that no stream can reach"))?;
        let rank = (q * total.saturating_sub(1) as f64) as u64;
        let mut before = 0;
        for (key, count) in buckets.iter().map(read) {
            before += count;
            if before > rank {
                return Ok(Some(self.value(key)));
            }
        }
        Ok(None)
    }

    /// Adds to a bucket, where it is.
    #[inline]
    fn count(self, state: &mut Vec<u8>, key: i32, by: u64) -> Result<(), Corrupt> {
        if state.is_empty() {
            state.push(FORM);
            state.extend(self.relative_error.to_le_bytes());
        }
        let at = match self.buckets(state)?.binary_search_by_key(&key, |bucket| read(bucket).0) {
            Ok(at) => at,
            Err(at) => {
                let mut bucket = [0; BUCKET];
                bucket[..4].copy_from_slice(&key.to_le_bytes());
                insert_bytes(state, HEADER + BUCKET * at, &bucket);
                at
            }
        };
        let bucket = &mut state[HEADER + BUCKET * at..][..BUCKET];
        let (_, count) = read(bucket.first_chunk().ok_or(Corrupt("a DDSketch bucket cut short"))?);
        let count = count.checked_add(by).ok_or(Corrupt("DDSketch counts that no stream can reach"))?;
        bucket[4..].copy_from_slice(&count.to_le_bytes());
        Ok(())
    }

    #[inline]
    fn buckets(self, state: &[u8]) -> Result<&[[u8; BUCKET]], Corrupt> {
        if state.is_empty() {
            return Ok(&[]);
        }
        let Some((header, body)) = state.split_first_chunk::<HEADER>() else {
            return Err(Corrupt("a DDSketch has nine bytes at least"));
        };
        if header[0] != FORM {
            return Err(Corrupt("a DDSketch of an unknown form"));
        }
        if header[1..] != self.relative_error.to_le_bytes() {
            return Err(Corrupt("a DDSketch of another relative error"));
        }
        match body.as_chunks() {
            (buckets, []) => Ok(buckets),
            _ => Err(Corrupt("a DDSketch bucket cut short")),
        }
    }

    /// The bucket of a number; keys are in the order of the numbers.
    #[inline]
    fn key(self, x: f64) -> i32 {
        let size = x.abs();
        let key = if size.is_nan() {
            return KEY_NAN;
        } else if size < f64::MIN_POSITIVE {
            return 0;
        } else if size == f64::INFINITY {
            KEY_INFINITY
        } else {
            let bits = size.to_bits();
            let exponent = (bits >> 52) as f64 - 1.0; // from 0: normal numbers have 1 to 2046 here
            let mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52)) - 1.0;
            1 + ((exponent + mantissa * (4.0 - mantissa) / 3.0) * self.density) as i32
        };
        if x < 0.0 { -key } else { key }
    }

    /// The number that is equally far, relatively, from both ends of a bucket.
    fn value(self, key: i32) -> f64 {
        let size = match key.saturating_abs() {
            0 => 0.0,
            KEY_NAN => return f64::NAN,
            KEY_INFINITY => f64::INFINITY,
            key => {
                let (low, high) = (self.bound(key - 1), self.bound(key));
                low * (2.0 / (1.0 + low / high))
            }
        };
        if key < 0 { -size } else { size }
    }

    /// The inverse of what `key` computes.
    fn bound(self, index: i32) -> f64 {
        let t = f64::from(index) / self.density;
        let exponent = t.floor();
        if exponent >= 2046.0 {
            return f64::MAX;
        }
        let mantissa = 2.0 - (4.0 - 3.0 * (t - exponent)).sqrt();
        f64::from_bits((exponent as u64 + 1) << 52) * (1.0 + mantissa)
    }
}

#[inline]
fn read(bucket: &[u8; BUCKET]) -> (i32, u64) {
    let [a, b, c, d, count @ ..] = *bucket;
    (i32::from_le_bytes([a, b, c, d]), u64::from_le_bytes(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::Ordered;
    use crate::testing::{Random, folded_in_parts};

    const QS: [f64; 9] = [0.0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0];

    fn filled(sketch: DdSketch, numbers: &[f64]) -> Vec<u8> {
        let mut state = Vec::new();
        numbers.iter().for_each(|&x| sketch.insert(&mut state, x).unwrap());
        state
    }

    /// Of both signs, with zeros and repeated values, over a range that the seed chooses.
    fn numbers(random: &mut Random) -> Vec<f64> {
        let decades = random.below(12) as i32;
        let count = 1 + random.below(2_000);
        let below = random.unit();
        let one = |random: &mut Random| match random.below(20) {
            0 => 0.0,
            1 => random.below(10) as f64,
            _ => (random.unit() - below) * 10f64.powi(random.below(decades as u64 + 1) as i32 - decades / 2),
        };
        (0..count).map(|_| one(random)).collect()
    }

    #[test]
    fn quantiles_are_within_the_error() {
        for seed in 0..300 {
            let mut random = Random::new(seed);
            let error = [0.001, 0.01, 0.05, 0.3][random.below(4) as usize];
            let sketch = DdSketch::new(error).unwrap();
            let mut numbers = numbers(&mut random);
            let state = filled(sketch, &numbers);
            numbers.sort_by(f64::total_cmp);
            for q in QS {
                let exact = numbers[(q * (numbers.len() - 1) as f64) as usize];
                let estimate = sketch.quantile(&state, q).unwrap().unwrap();
                let allowed = error * exact.abs() * (1.0 + 1e-9);
                assert!((estimate - exact).abs() <= allowed, "seed {seed}, q {q}: {estimate} for {exact}");
            }
        }
    }

    #[test]
    fn the_error_holds_from_end_to_end_of_the_range() {
        for error in [0.0001, 0.01, 0.5] {
            let sketch = DdSketch::new(error).unwrap();
            for seed in 0..20_000 {
                let x = f64::from_bits(Random::new(seed).next());
                let estimate = sketch.value(sketch.key(x));
                if x.is_subnormal() {
                    assert_eq!(estimate, 0.0, "seed {seed}");
                } else if !x.is_nan() {
                    assert!((estimate - x).abs() <= error * x.abs() * (1.0 + 1e-9), "seed {seed}: {estimate} for {x}");
                }
            }
            for x in [0.0, f64::INFINITY, f64::NEG_INFINITY] {
                assert_eq!(sketch.value(sketch.key(x)), x);
            }
            for x in [f64::MIN_POSITIVE, f64::MAX, f64::MIN, 1.0, 2.0, 1.0f64.next_down(), -1.0] {
                let estimate = sketch.value(sketch.key(x));
                assert!((estimate - x).abs() <= error * x.abs() * (1.0 + 1e-9), "{estimate} for {x}");
            }
            assert!(sketch.value(sketch.key(f64::NAN)).is_nan());
        }
    }

    #[test]
    fn keys_are_in_the_order_of_the_numbers() {
        let sketch = DdSketch::new(0.01).unwrap();
        for seed in 0..20_000 {
            let mut random = Random::new(seed);
            let (a, b) = (f64::from_bits(random.next()), f64::from_bits(random.next()));
            let (keys, order) = (sketch.key(a).cmp(&sketch.key(b)), a.order(&b));
            assert!(keys.is_eq() || keys == order, "seed {seed}: {a} and {b}");
        }
    }

    #[test]
    fn the_state_depends_on_the_numbers_alone() {
        let sketch = DdSketch::new(0.02).unwrap();
        for seed in 0..200 {
            let mut random = Random::new(seed);
            let mut numbers = numbers(&mut random);
            let expected = filled(sketch, &numbers);
            random.shuffle(&mut numbers);
            let merged = folded_in_parts(
                &mut random,
                &numbers,
                Vec::new,
                |state, &x| sketch.insert(state, x).unwrap(),
                |state, other| sketch.merge(state, other).unwrap(),
            );
            assert_eq!(merged, expected, "seed {seed}");
        }
    }

    #[test]
    fn a_state_is_as_small_as_documented() {
        let sketch = DdSketch::new(0.01).unwrap();
        assert_eq!(filled(sketch, &[7.0; 1_000]).len(), HEADER + BUCKET);
        let per_decade = sketch.key(1e10) - sketch.key(1e9);
        assert!((110..=130).contains(&per_decade), "{per_decade}");
        assert_eq!(sketch.quantile(&[], 0.5).unwrap(), None);
    }

    #[test]
    fn damage_is_an_error() {
        let sketch = DdSketch::new(0.01).unwrap();
        let good = filled(sketch, &[1.0, 2.0, -3.0]);
        for (state, reason) in [
            (good[..5].to_vec(), "nine bytes"),
            (good[..good.len() - 1].to_vec(), "cut short"),
            ([&[9], &good[1..]].concat(), "unknown form"),
            (filled(DdSketch::new(0.02).unwrap(), &[1.0]), "another relative error"),
            (
                [good[..HEADER].to_vec(), [[0; 4], [255; 4], [255; 4]].concat(), good[HEADER..].to_vec()].concat(),
                "no stream",
            ),
        ] {
            let error = sketch.quantile(&state, 0.5).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
        }
        for seed in 0..20_000 {
            let mut random = Random::new(seed);
            let (mut a, mut b) = (good.clone(), good.clone());
            for state in [&mut a, &mut b] {
                let at = random.below(state.len() as u64) as usize;
                state[at] = random.next() as u8;
            }
            sketch.insert(&mut a, random.unit()).err();
            sketch.merge(&mut a, &b).err();
            sketch.quantile(&a, random.unit()).err();
        }
    }
}
