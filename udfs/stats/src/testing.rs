//! What the property tests share: a random sequence that a seed replays, and the fold of a list in
//! random parts. Every assertion names its seed.

/// SplitMix64 (Steele, Lea and Flood, *Fast Splittable Pseudorandom Number Generators*, 2014).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// At least 0, less than 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}

/// Cuts the rows into random parts (some empty), folds each, and merges the results pair by pair in
/// random order: all that panes, sessions and a rescaled stream may do to an accumulator.
pub(crate) fn folded_in_parts<R, A>(
    random: &mut Random,
    rows: &[R],
    create: impl Fn() -> A,
    accumulate: impl Fn(&mut A, &R),
    merge: impl Fn(&mut A, &A),
) -> A {
    let mut cuts: Vec<usize> = (0..random.below(8)).map(|_| random.below(rows.len() as u64 + 1) as usize).collect();
    cuts.extend([0, rows.len()]);
    cuts.sort_unstable();
    let fold = |part: &[R]| {
        let mut accumulator = create();
        part.iter().for_each(|row| accumulate(&mut accumulator, row));
        accumulator
    };
    let mut parts: Vec<A> = cuts.windows(2).map(|cut| fold(&rows[cut[0]..cut[1]])).collect();
    while parts.len() > 1 {
        random.shuffle(&mut parts);
        let other = parts.pop().expect("two are left at least");
        let into = parts.last_mut().expect("one is left at least");
        merge(into, &other);
    }
    parts.pop().expect("two cuts make one part at least")
}
