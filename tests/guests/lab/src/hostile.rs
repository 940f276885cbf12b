//! Functions that misbehave on one value and behave on all others.

use std::hint::black_box;

/// The number; panics where it is `at`.
#[weir::map]
pub fn panics_on(n: i64, #[param] at: i64) -> i64 {
    assert!(n != at, "{n} is the one");
    n
}

/// The number; never returns where it is `at`.
#[weir::map]
pub fn spins_on(n: i64, #[param] at: i64) -> i64 {
    if n == at {
        let mut turns = 0_u64;
        loop {
            turns = black_box(turns.wrapping_add(1));
        }
    }
    n
}

/// The number; takes memory until there is none where it is `at`.
#[weir::map]
pub fn eats_on(n: i64, #[param] at: i64) -> i64 {
    if n == at {
        let mut held = Vec::new();
        loop {
            held.push(black_box(vec![1_u8; 1 << 20]));
        }
    }
    n
}

/// The number; calls itself without end where it is `at`.
#[weir::map]
pub fn recurses_on(n: i64, #[param] at: i64) -> i64 {
    fn deeper(depth: i64) -> i64 {
        match black_box(depth) {
            i64::MIN => 0, // far beyond any stack
            depth => depth.wrapping_add(deeper(depth + 1)),
        }
    }
    if n == at { deeper(0) } else { n }
}

/// Keeps the odd numbers; panics on `at`.
#[weir::filter]
pub fn stumbles_on(n: i64, #[param] at: i64) -> bool {
    assert!(n != at, "{n} is the one");
    n % 2 != 0
}

/// A digit of a number.
#[derive(Debug, weir::Row)]
pub struct Digit {
    digit: i64,
}

/// A row for each decimal digit; panics on `at`.
#[weir::flat_map]
pub fn picks_apart(n: i64, #[param] at: i64) -> Vec<Digit> {
    assert!(n != at, "{n} is the one");
    n.unsigned_abs().to_string().bytes().map(|digit| Digit { digit: i64::from(digit - b'0') }).collect()
}
