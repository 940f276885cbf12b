//! Chance that depends on nothing but the seed, the event and the column.
//!
//! In come an event's number and a number for what is drawn; out come 64 bits, and from them
//! numbers, prices and texts. There is no state, so any value can be made without the ones before
//! it. The mixing is the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable
//! pseudorandom number generators", OOPSLA 2014).

/// What chance is for: one for each value that must not follow another.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(super) enum For {
    Auction = 1,
    Bidder,
    Price,
    HotChannel,
    Channel,
    Url,
    Seller,
    Category,
    Reserve,
    Expires,
    ItemName,
    Description,
    FirstName,
    LastName,
    Mailbox,
    MailHost,
    CreditCard,
    City,
    State,
    Extra,
}

/// Chance, seeded.
#[derive(Debug)]
pub(super) struct Draw {
    seed: u64,
    /// Prices at equal steps of their logarithm, in 1/256 cents.
    prices: Vec<u64>,
}

const PRICE_STEPS: usize = 4096;

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        let price = |step| (10_f64.powf(step as f64 / PRICE_STEPS as f64 * 6.0) * 100.0 * 256.0).round() as u64;
        Self { seed: mix(seed), prices: (0..=PRICE_STEPS).map(price).collect() }
    }

    /// 64 bits.
    #[inline]
    pub(super) fn bits(&self, number: u64, what: For) -> u64 {
        let what = (what as u64).wrapping_mul(0xd1b5_4a32_d192_ed03);
        mix(self.seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)) ^ what)
    }

    /// A number below `end`.
    #[inline]
    pub(super) fn below(&self, number: u64, what: For, end: u64) -> u64 {
        below(self.bits(number, what), end)
    }

    /// A price in cents from 1 to 1,000,000 dollars, each magnitude as likely as the next: `round(10^(6u) *
    /// 100)`, as in the other generators, from a table with straight lines between its entries.
    #[inline]
    pub(super) fn price(&self, number: u64, what: For) -> i64 {
        let bits = self.bits(number, what);
        let step = (bits >> 52) as usize;
        let (low, high) = (self.prices[step], self.prices[step + 1]);
        let within = ((high - low) * (bits >> 20 & 0xffff_ffff)) >> 32;
        ((low + within + 128) >> 8) as i64
    }

    /// Three to `max` letters and now and then `special`, as the other generators' `nextString`.
    pub(super) fn text(&self, number: u64, what: For, max: u64, special: char, out: &mut String) {
        let mut bits = self.bits(number, what);
        let length = 3 + below(bits, max - 3);
        self.letters(&mut bits, length, special, out);
    }

    /// So many letters that a row of `size` bytes has `average` of them, a fifth more or less.
    pub(super) fn extra(&self, number: u64, size: u64, average: u64, out: &mut String) {
        let mut bits = self.bits(number, For::Extra);
        let missing = average.saturating_sub(size);
        let length = missing - missing / 5 + below(bits, missing / 5 * 2 + 1);
        self.letters(&mut bits, length, ' ', out);
    }

    fn letters(&self, bits: &mut u64, length: u64, special: char, out: &mut String) {
        for i in 0..length {
            if i % 8 == 0 {
                *bits = mix(bits.wrapping_add(0x9e37_79b9_7f4a_7c15));
            }
            let byte = (*bits >> (i % 8 * 8)) as u8;
            // One in thirteen is special.
            out.push(match byte {
                0..20 => special,
                _ => char::from(b'a' + (u16::from(byte - 20) * 26 / 236) as u8),
            });
        }
    }
}

/// A number below `end`, by the upper bits.
#[inline]
pub(super) fn below(bits: u64, end: u64) -> u64 {
    ((u128::from(bits) * u128::from(end)) >> 64) as u64
}

#[inline]
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
