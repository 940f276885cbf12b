//! The functions that the benches run in the sandbox, each as small as a function can be, so that
//! what is measured is the way in and out. Their native twins stand in the benches.

/// Two columns in, two columns out.
#[weir::map]
fn scale(a: i64, b: f64) -> Scaled {
    Scaled { a: a.wrapping_add(1), b: b * 0.5 }
}

#[derive(weir::Row)]
struct Scaled {
    a: i64,
    b: f64,
}

/// The same over whole columns.
#[weir::map(columns, name = "scale_columns")]
fn scale_columns(a: &[i64], b: &[f64]) -> ScaledColumns {
    ScaledColumns { a: a.iter().map(|a| a.wrapping_add(1)).collect(), b: b.iter().map(|b| b * 0.5).collect() }
}

#[derive(weir::Columns)]
struct ScaledColumns {
    a: Vec<i64>,
    b: Vec<f64>,
}

/// A bid's price in euros, as in the Nexmark query 1, and one of so many slots for its auction.
#[weir::map]
fn euros(price: i64, auction: i64, #[param(default = 10_000)] slots: i64) -> Euros {
    Euros { euros: price as f64 * 0.908, slot: auction % slots }
}

#[derive(weir::Row)]
struct Euros {
    euros: f64,
    slot: i64,
}

/// Work that nothing but the processor limits: so many rounds of a hash (the finalizer of MurmurHash3).
#[weir::map]
fn grind(auction: i64, #[param(default = 1_000)] rounds: i64) -> Hashed {
    Hashed { ground: hash(auction, rounds) }
}

#[derive(weir::Row)]
struct Hashed {
    ground: i64,
}

fn hash(of: i64, rounds: i64) -> i64 {
    let mut hash = of as u64;
    for round in 0..rounds as u64 {
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd) ^ round;
    }
    hash as i64
}

/// Drops one bid in ten.
#[weir::filter]
fn serious(price: i64) -> bool {
    price % 10 != 0
}

/// A sum and a count, in two accumulator columns of fixed width.
#[derive(weir::Parameters)]
pub struct Mean;

/// What [`Mean`] keeps.
#[derive(weir::Accumulator, Clone)]
pub struct MeanState {
    sum: f64,
    count: i64,
}

#[weir::aggregate]
impl Mean {
    fn create(&self) -> MeanState {
        MeanState { sum: 0.0, count: 0 }
    }

    fn accumulate(&self, state: &mut MeanState, value: f64) {
        state.sum += value;
        state.count += 1;
    }

    fn merge(&self, state: &mut MeanState, other: MeanState) {
        state.sum += other.sum;
        state.count += other.count;
    }

    fn finish(&self, state: &MeanState) -> Option<f64> {
        (state.count > 0).then(|| state.sum / state.count as f64)
    }
}

/// The same work for each row of a group, as an aggregate: all hashes, in one.
#[derive(weir::Parameters)]
pub struct Ground {
    #[param(default = 1_000)]
    rounds: i64,
}

/// What [`Ground`] keeps.
#[derive(weir::Accumulator, Clone)]
pub struct GroundState {
    all: i64,
}

#[weir::aggregate]
impl Ground {
    fn create(&self) -> GroundState {
        GroundState { all: 0 }
    }

    fn accumulate(&self, state: &mut GroundState, auction: i64) {
        state.all ^= hash(auction, self.rounds);
    }

    fn merge(&self, state: &mut GroundState, other: GroundState) {
        state.all ^= other.all;
    }

    fn finish(&self, state: &GroundState) -> i64 {
        state.all
    }
}

/// ASCII upper case over the whole column.
#[weir::map(columns)]
fn upper(text: weir::Texts<'_>) -> weir::TextBuilder {
    text.to_ascii_uppercase()
}

/// A state of fixed width, and a row out for each row in.
#[weir::stateful_map]
fn running_sum(sum: &mut f64, value: f64) -> f64 {
    *sum += value;
    *sum
}

/// The sum of each whole group.
#[weir::group_map]
fn group_sum(value: &[f64]) -> f64 {
    value.iter().sum()
}

/// Traps on one row of those that the benches have.
#[weir::map]
fn stumbles(a: i64) -> i64 {
    assert!(a != 4711, "not this one");
    a
}

/// Never returns.
#[weir::map]
fn spins(a: i64) -> i64 {
    let mut turns = a;
    while std::hint::black_box(turns) != i64::MIN {
        turns = (turns + 1) & i64::MAX;
    }
    turns
}

/// Logs a line for each row.
#[weir::map]
fn logs(a: i64) -> i64 {
    weir::host::log(weir::host::Level::Info, "a line of some forty bytes, as they are wont");
    a
}

/// Draws a number for each row.
#[weir::map]
fn draws(a: i64) -> i64 {
    a ^ weir::host::random() as i64
}

weir::export!(
    logs,
    draws,
    stumbles,
    spins,
    scale,
    scale_columns,
    euros,
    grind,
    serious,
    Mean,
    Ground,
    upper,
    running_sum,
    group_sum
);
