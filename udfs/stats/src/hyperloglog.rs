//! HyperLogLog: how many different values there were, in a few kilobytes.
//!
//! What comes in: 64-bit hashes of the values, or another sketch. What goes out: an estimate. Up to
//! `2^precision / 8` different values the sketch keeps their hashes and is exact; from there on it
//! keeps `2^precision` registers, each the longest run of leading zeros seen, and the estimate has a
//! standard error of `1.04 / sqrt(2^precision)`. The state depends on the set of values alone, bit
//! for bit: neither on their order nor on how the stream was split and merged.
//!
//! Sources: Flajolet, Fusy, Gandouet and Meunier, *HyperLogLog: the analysis of a near-optimal
//! cardinality estimation algorithm*, AofA 2007 (registers, standard error); Heule, Nunkesser and
//! Hall, *HyperLogLog in Practice*, EDBT 2013 (a sparse form for small sets); Ertl, *New cardinality
//! estimation algorithms for HyperLogLog sketches*, arXiv:1702.01284 (the estimator, which needs no
//! tables and has no bias between the ranges).
//!
//! The bytes of a state, all numbers little-endian:
//!
//! | form | bytes |
//! | --- | --- |
//! | nothing seen | none |
//! | sparse | 1, precision, then the hashes, 8 bytes each, ascending, no two alike |
//! | dense | 2, precision, then `2^precision` registers of one byte |
//!
//! Changes: forms 1 and 2 came with 0.1.0.

use crate::sketch::{Corrupt, insert_bytes};

const SPARSE: u8 = 1;
const DENSE: u8 = 2;
const HEADER: usize = 2;

/// A sketch's size. The state itself is with the host, and every call is handed it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HyperLogLog {
    precision: u8,
}

enum Form<'a> {
    Sparse(&'a [[u8; 8]]),
    Dense(&'a [u8]),
}

impl HyperLogLog {
    /// `None` unless the precision is 4 to 18: sketches of at most 16 bytes to 256 kB.
    pub(crate) fn new(precision: u8) -> Option<Self> {
        (4..=18).contains(&precision).then_some(Self { precision })
    }

    fn registers(self) -> usize {
        1 << self.precision
    }

    /// How many hashes fill as many bytes as the registers would.
    fn sparse_max(self) -> usize {
        self.registers() / 8
    }

    #[inline]
    pub(crate) fn insert(self, state: &mut Vec<u8>, hash: u64) -> Result<(), Corrupt> {
        if state.is_empty() {
            state.extend([SPARSE, self.precision]);
        }
        match self.form(state)? {
            Form::Dense(_) => self.raise(&mut state[HEADER..], hash),
            Form::Sparse(hashes) => {
                let Err(at) = hashes.binary_search_by_key(&hash, |bytes| u64::from_le_bytes(*bytes)) else {
                    return Ok(());
                };
                let full = hashes.len() == self.sparse_max();
                if full {
                    *state = self.dense(hashes);
                    self.raise(&mut state[HEADER..], hash);
                } else {
                    insert_bytes(state, HEADER + 8 * at, &hash.to_le_bytes());
                }
            }
        }
        Ok(())
    }

    pub(crate) fn merge(self, state: &mut Vec<u8>, other: &[u8]) -> Result<(), Corrupt> {
        if other.is_empty() {
            return Ok(());
        }
        match self.form(other)? {
            Form::Sparse(hashes) => hashes.iter().try_for_each(|bytes| self.insert(state, u64::from_le_bytes(*bytes))),
            Form::Dense(others) => {
                if state.is_empty() {
                    state.extend_from_slice(other);
                    return Ok(());
                }
                if let Form::Sparse(hashes) = self.form(state)? {
                    *state = self.dense(hashes);
                }
                for (register, &other) in state[HEADER..].iter_mut().zip(others) {
                    *register = other.max(*register);
                }
                Ok(())
            }
        }
    }

    pub(crate) fn estimate(self, state: &[u8]) -> Result<f64, Corrupt> {
        if state.is_empty() {
            return Ok(0.0);
        }
        match self.form(state)? {
            Form::Sparse(hashes) => Ok(hashes.len() as f64),
            Form::Dense(registers) => self.estimate_dense(registers),
        }
    }

    #[inline]
    fn form(self, state: &[u8]) -> Result<Form<'_>, Corrupt> {
        let Some((&[form, precision], body)) = state.split_first_chunk() else {
            return Err(Corrupt("a HyperLogLog sketch has two bytes at least"));
        };
        if precision != self.precision {
            return Err(Corrupt("a HyperLogLog sketch of another precision"));
        }
        match (form, body.as_chunks()) {
            (SPARSE, (hashes, [])) if hashes.len() <= self.sparse_max() => Ok(Form::Sparse(hashes)),
            (DENSE, _) if body.len() == self.registers() => Ok(Form::Dense(body)),
            (SPARSE | DENSE, _) => Err(Corrupt("a HyperLogLog sketch of the wrong length")),
            _ => Err(Corrupt("a HyperLogLog sketch of an unknown form")),
        }
    }

    fn dense(self, hashes: &[[u8; 8]]) -> Vec<u8> {
        let mut state = vec![0; HEADER + self.registers()];
        state[..HEADER].copy_from_slice(&[DENSE, self.precision]);
        for bytes in hashes {
            self.raise(&mut state[HEADER..], u64::from_le_bytes(*bytes));
        }
        state
    }

    /// The first `precision` bits choose a register, which keeps the longest run of zeros that
    /// follows them, plus one.
    #[inline]
    fn raise(self, registers: &mut [u8], hash: u64) {
        let register = &mut registers[(hash >> (64 - self.precision)) as usize];
        let rank = (hash << self.precision).leading_zeros().min(64 - u32::from(self.precision)) + 1;
        *register = (*register).max(rank as u8);
    }

    /// Ertl's improved raw estimator (algorithm 6).
    fn estimate_dense(self, registers: &[u8]) -> Result<f64, Corrupt> {
        let rank_max = 65 - usize::from(self.precision);
        let mut histogram = [0u32; 66];
        for &register in registers {
            let Some(count) = histogram[..=rank_max].get_mut(usize::from(register)) else {
                return Err(Corrupt("a HyperLogLog register above its maximum"));
            };
            *count += 1;
        }
        let m = self.registers() as f64;
        let mut z = m * tau(1.0 - f64::from(histogram[rank_max]) / m);
        for &count in histogram[1..rank_max].iter().rev() {
            z = 0.5 * (z + f64::from(count));
        }
        z += m * sigma(f64::from(histogram[0]) / m);
        Ok(m * m / (2.0 * std::f64::consts::LN_2 * z))
    }
}

/// Corrects for the registers that nothing has reached.
fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z == before {
            return z;
        }
    }
}

/// Corrects for the registers that are at their maximum.
fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z == before {
            return z / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Random, folded_in_parts};

    fn sketch(precision: u8) -> HyperLogLog {
        HyperLogLog::new(precision).unwrap()
    }

    fn filled(sketch: HyperLogLog, hashes: impl IntoIterator<Item = u64>) -> Vec<u8> {
        let mut state = Vec::new();
        hashes.into_iter().for_each(|hash| sketch.insert(&mut state, hash).unwrap());
        state
    }

    #[test]
    fn small_sets_are_exact_and_small() {
        let sketch = sketch(12);
        for count in [0, 1, 2, 100, 512] {
            let mut random = Random::new(count);
            let hashes: Vec<u64> = (0..count).map(|_| random.next()).collect();
            let state = filled(sketch, hashes.iter().chain(&hashes).copied());
            assert_eq!(sketch.estimate(&state).unwrap(), count as f64);
            assert!(state.len() <= 2 + 8 * count as usize);
        }
    }

    /// The root mean square of the relative errors of 100 sketches is the standard error that is
    /// promised, give or take what chance does to 100 of them.
    #[test]
    fn the_standard_error_is_as_promised() {
        for (precision, count) in [(8, 1_000), (10, 10_000), (12, 1_000), (12, 8_000), (12, 50_000), (14, 30_000)] {
            let sketch = sketch(precision);
            let promised = 1.04 / f64::from(1u32 << precision).sqrt();
            let errors = (0..100).map(|seed| {
                let mut random = Random::new(seed);
                let state = filled(sketch, (0..count).map(|_| random.next()));
                sketch.estimate(&state).unwrap() / count as f64 - 1.0
            });
            let (sum, squares) = errors.fold((0.0, 0.0), |(sum, squares), e| (sum + e, squares + e * e));
            let (bias, error) = (sum / 100.0, (squares / 100.0f64).sqrt());
            assert!(error < 1.25 * promised, "precision {precision}, {count} values: {error} against {promised}");
            assert!(bias.abs() < 0.4 * promised, "precision {precision}, {count} values: bias {bias}");
        }
    }

    #[test]
    fn the_state_depends_on_the_set_alone() {
        let sketch = sketch(8);
        for seed in 0..300 {
            let mut random = Random::new(seed);
            let values = 1 + random.below(80);
            let mut hashes: Vec<u64> = (0..100).map(|_| Random::new(random.below(values)).next()).collect();
            let expected = filled(sketch, hashes.iter().copied());
            random.shuffle(&mut hashes);
            let merged = folded_in_parts(
                &mut random,
                &hashes,
                Vec::new,
                |state, &hash| sketch.insert(state, hash).unwrap(),
                |state, other| sketch.merge(state, other).unwrap(),
            );
            assert_eq!(merged, expected, "seed {seed}");
        }
    }

    #[test]
    fn extreme_hashes_have_a_register() {
        for precision in 4..=18 {
            let sketch = sketch(precision);
            let mut random = Random::new(7);
            let many = (0..sketch.sparse_max() as u64 + 1).map(|_| random.next());
            let mut state = filled(sketch, many);
            sketch.insert(&mut state, 0).unwrap();
            sketch.insert(&mut state, u64::MAX).unwrap();
            assert_eq!((state[2], state[state.len() - 1]), (65 - precision, state[state.len() - 1].max(1)));
            assert!(sketch.estimate(&state).unwrap().is_finite());
        }
        assert!(HyperLogLog::new(3).is_none() && HyperLogLog::new(19).is_none());
    }

    #[test]
    fn damage_is_an_error() {
        let sketch = sketch(4);
        for (state, reason) in [
            (vec![1], "two bytes"),
            (vec![1, 5], "another precision"),
            (vec![3, 4], "unknown form"),
            (vec![1, 4, 0], "wrong length"),
            (vec![2; 17], "another precision"),
            ([vec![2, 4], vec![0; 15]].concat(), "wrong length"),
            ([vec![2, 4], vec![200; 16]].concat(), "above its maximum"),
        ] {
            let error = sketch.estimate(&state).unwrap_err();
            assert!(error.to_string().contains(reason), "{state:?}: {error}");
            sketch.insert(&mut state.clone(), 1).err();
            sketch.merge(&mut vec![], &state).err();
        }
        for seed in 0..20_000 {
            let mut random = Random::new(seed);
            let mut state: Vec<u8> = (0..random.below(40)).map(|_| random.next() as u8 % 6).collect();
            sketch.estimate(&state).err();
            sketch.insert(&mut state, random.next()).err();
            let other: Vec<u8> = (0..random.below(40)).map(|_| random.next() as u8 % 6).collect();
            sketch.merge(&mut state, &other).err();
        }
    }
}
