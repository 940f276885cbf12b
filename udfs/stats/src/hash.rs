//! 64-bit hashes of values, for `distinct`. States that hold them are kept in checkpoints, so these
//! functions never change.

use xxhash_rust::xxh3::xxh3_64;

/// A value that can be counted once.
pub(crate) trait Hashed {
    fn hash(&self) -> u64;
}

impl Hashed for [u8] {
    #[inline]
    fn hash(&self) -> u64 {
        xxh3_64(self)
    }
}

impl Hashed for str {
    #[inline]
    fn hash(&self) -> u64 {
        self.as_bytes().hash()
    }
}

impl Hashed for i64 {
    /// The finaliser of SplitMix64: no two numbers have the same hash.
    #[inline]
    fn hash(&self) -> u64 {
        let mut z = (*self as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Hashed for f64 {
    /// Equal numbers are one value, so 0 and -0 are; so are all NaNs.
    #[inline]
    fn hash(&self) -> u64 {
        let one = if self.is_nan() { f64::NAN } else { *self + 0.0 };
        (one.to_bits() as i64).hash()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_never_change() {
        assert_eq!("".hash(), 0x2d06_8005_38d3_94c2);
        assert_eq!(0i64.hash(), 0xe220_a839_7b1d_cdaf);
        assert_eq!((-1i64).hash(), 0xe4d9_7177_1b65_2c20);
    }

    #[test]
    fn equal_floats_are_one_value() {
        assert_eq!(0.0.hash(), (-0.0).hash());
        assert_eq!(f64::NAN.hash(), (-f64::NAN).hash());
        assert_ne!(1.0.hash(), (-1.0).hash());
    }
}
