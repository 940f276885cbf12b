//! The loops over the rows of a batch, one file a kind. `f` is what the macro wrote: it reads the
//! arguments of a row and calls the user's function.

mod aggregate;
mod filter;
mod flat_map;
mod map;

pub use aggregate::{accumulator_fields, create, finish, fold, merge, outputs_of_finish};
pub use filter::{filter, verdict_columns};
pub use flat_map::{expand, expand_result, outputs_of_rows, outputs_of_rows_result};
pub use map::{map, map_columns, outputs};

/// Stands for an argument where only the types of a call matter; never called.
pub fn absent<T>() -> T {
    unreachable!("only for its type")
}
