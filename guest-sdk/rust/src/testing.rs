//! Calls functions the way the host does, for native tests: batches in, batches out.
//!
//! ```
//! # extern crate weir_guest as weir;
//! #[weir::map]
//! fn twice(a: i64) -> i64 { a * 2 }
//!
//! let input = weir::testing::batch([1_i64, 2]);
//! let mapped = weir::testing::map::<twice>(input).unwrap();
//! assert_eq!(weir::testing::rows::<i64>(&mapped.output).unwrap(), [2, 4]);
//! ```

use std::cell::RefCell;

pub use crate::bindings::exports::weir::udf::aggregate::Folded;
pub use crate::bindings::exports::weir::udf::filter::Kept;
pub use crate::bindings::exports::weir::udf::flat_mapper::Expanded;
pub use crate::bindings::exports::weir::udf::group_mapper::Grouped;
pub use crate::bindings::exports::weir::udf::mapper::Mapped;
pub use crate::bindings::exports::weir::udf::stateful_mapper::Stepped;
pub use crate::bindings::weir::udf::types::{Batch, Column, DataType, Field, Kind, RowError, Signature};
use crate::dispatch::{self, AggregateCalls, Calls, StatefulCalls};
use crate::{Accumulator, Function, Output, accumulator};

thread_local! { static GIVEN: RefCell<Vec<(String, String)>> = const { RefCell::new(Vec::new()) }; }

/// A parameter that the test has set.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn given(name: &str) -> Option<String> {
    GIVEN.with_borrow(|given| given.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()))
}

/// Runs `f` with parameters set, as a pipeline's `with` does.
pub fn with_parameters<R>(parameters: &[(&str, &str)], f: impl FnOnce() -> R) -> R {
    let owned = parameters.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
    let before = GIVEN.replace(owned);
    let result = f();
    GIVEN.set(before);
    result
}

/// Rows (scalars, or derived rows for several columns) as a batch.
///
/// # Panics
/// If a column is larger than 2 GiB.
pub fn batch<O: Output>(rows: impl IntoIterator<Item = O>) -> Batch {
    let rows = rows.into_iter().collect::<Vec<_>>();
    accumulator::encode(rows.into_iter()).expect("the rows fit into a batch")
}

/// The rows of a batch.
pub fn rows<A: Accumulator>(batch: &Batch) -> Result<Vec<A>, String> {
    accumulator::decode(batch)
}

/// What the catalog says of a function.
pub fn signature<F: Function>() -> Signature {
    (F::ENTRY.signature)()
}

/// Calls a map.
pub fn map<F: Function>(input: Batch) -> Result<Mapped, String> {
    dispatch::map(&[F::ENTRY], 0, input)
}

/// Calls a filter.
pub fn filter<F: Function>(input: Batch) -> Result<Kept, String> {
    dispatch::filter(&[F::ENTRY], 0, input)
}

/// Calls a flat-map.
pub fn flat_map<F: Function>(input: Batch) -> Result<Expanded, String> {
    dispatch::flat_map(&[F::ENTRY], 0, input)
}

/// The calls of an aggregate: `create`, `accumulate`, `retract`, `merge` and `finish`.
///
/// # Panics
/// If it is something else.
pub fn aggregate<F: Function>() -> AggregateCalls {
    match F::ENTRY.calls {
        Calls::Aggregate(calls) => calls,
        _ => panic!("not an aggregate"),
    }
}

/// The calls of a stateful map: `create` and `step`.
///
/// # Errors
/// If it is something else.
pub fn stateful<F: Function>() -> Result<StatefulCalls, String> {
    dispatch::stateful_map(&[F::ENTRY], 0)
}

/// Calls a stateful map on rows of one key that has seen nothing.
pub fn stateful_map<F: Function>(input: Batch) -> Result<Stepped, String> {
    let calls = stateful::<F>()?;
    (calls.step)((calls.create)(1)?, groups(&vec![0; input.rows as usize]), input)
}

/// Calls a group map. `of` has each row's group, never decreasing and below `count`.
pub fn group_map<F: Function>(count: u32, of: &[u32], input: Batch) -> Result<Grouped, String> {
    dispatch::group_map(&[F::ENTRY], 0, count, groups(of), input)
}

/// The rows that rows came from, or the groups, as numbers.
pub fn parents(bytes: &[u8]) -> Vec<u32> {
    bytes.as_chunks().0.iter().map(|parent| u32::from_le_bytes(*parent)).collect()
}

/// Group indices as the bytes that cross.
pub fn groups(groups: &[u32]) -> Vec<u8> {
    groups.iter().flat_map(|group| group.to_le_bytes()).collect()
}
