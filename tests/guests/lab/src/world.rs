//! What a function can see of the world, and what it might keep of it.

use std::hint::black_box;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// What the host shows.
#[derive(Debug, weir::Row)]
pub struct View {
    now: weir::Timestamp,
    /// The bits of a random number.
    random: i64,
}

/// The host's clock, and the next random number.
#[weir::map]
pub fn looks_around(n: i64) -> View {
    let _ = n;
    View { now: weir::host::now(), random: weir::host::random() as i64 }
}

/// Says the text at every level, and panics.
#[weir::map]
pub fn talks(text: &str) -> i64 {
    weir::host::debug(text);
    weir::host::info(text);
    weir::host::warn(text);
    weir::host::error(text);
    panic!("enough talk")
}

/// How many rows this instance has seen before: what no function may build on.
#[weir::map]
pub fn remembers(n: i64) -> i64 {
    static SEEN: AtomicI64 = AtomicI64::new(0);
    let _ = n;
    SEEN.fetch_add(1, Relaxed)
}

/// The number, at the price of a MiB that is never given back.
#[weir::map]
pub fn leaks(n: i64) -> i64 {
    Box::leak(black_box(vec![1_u8; 1 << 20]).into_boxed_slice());
    n
}
