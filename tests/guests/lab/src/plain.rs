//! Maps, filters and flat-maps that behave; some fail rows, as a function may.

/// What `scale` gives.
#[derive(Debug, weir::Row)]
pub struct Scaled {
    a: i64,
    b: f64,
}

/// Three times the one, half the other.
#[weir::map]
pub fn scale(a: i64, b: f64) -> Scaled {
    Scaled { a: a.wrapping_mul(3), b: b * 0.5 }
}

/// What `scale_columns` gives.
#[derive(weir::Columns)]
pub struct ScaledColumns {
    a: Vec<i64>,
    b: Vec<f64>,
}

/// As `scale`, in whole columns.
#[weir::map(columns)]
pub fn scale_columns(a: &[i64], b: &[f64]) -> ScaledColumns {
    ScaledColumns { a: a.iter().map(|a| a.wrapping_mul(3)).collect(), b: b.iter().map(|b| b * 0.5).collect() }
}

/// Twice the number. Does not take nulls.
#[weir::map]
pub fn double(n: i64) -> i64 {
    n.wrapping_mul(2)
}

/// The sum. Does not take nulls in either.
#[weir::map]
pub fn add(a: i64, b: i64) -> i64 {
    a.wrapping_add(b)
}

/// Half the number; an integer comes as the float it is.
#[weir::map]
pub fn half(x: f64) -> f64 {
    x * 0.5
}

/// The number itself, as a whole one and as half.
#[derive(Debug, weir::Row)]
pub struct Halves {
    whole: i64,
    half: f64,
}

/// Two outputs.
#[weir::map]
pub fn halves(n: i64) -> Halves {
    Halves { whole: n, half: n as f64 * 0.5 }
}

/// No input at all.
#[weir::map]
pub fn seven() -> i64 {
    7
}

/// The text backwards.
#[weir::map]
pub fn flip(text: &str) -> String {
    text.chars().rev().collect()
}

/// The time a number of seconds later.
#[weir::map]
pub fn when(at: weir::Timestamp, #[param] seconds: i64) -> weir::Timestamp {
    weir::Timestamp(at.0.saturating_add(seconds.saturating_mul(1_000_000)))
}

/// Keeps the even numbers. Does not take nulls.
#[weir::filter]
pub fn even(n: i64) -> bool {
    n % 2 == 0
}

/// Keeps numbers below 100; a negative one fails its row.
#[weir::filter]
pub fn picky(n: i64) -> Result<bool, String> {
    match n {
        ..0 => Err(format!("{n} is negative")),
        _ => Ok(n < 100),
    }
}

/// One of several rows.
#[derive(Debug, weir::Row)]
pub struct Copied {
    copy: i64,
}

/// As many rows as the number says, counted from 0; none for a number below 1.
#[weir::flat_map]
pub fn repeat(n: i64) -> impl Iterator<Item = Copied> {
    (0..n.max(0)).map(|copy| Copied { copy })
}

/// As `repeat`, but a negative number fails its row.
#[weir::flat_map]
pub fn repeat_picky(n: i64) -> Result<Vec<Copied>, String> {
    match n {
        ..0 => Err(format!("{n} copies can't be made")),
        _ => Ok((0..n).map(|copy| Copied { copy }).collect()),
    }
}
