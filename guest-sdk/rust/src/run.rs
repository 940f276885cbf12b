//! The loops over the rows of a batch, one file a kind. `f` is what the macro wrote: it reads the
//! arguments of a row and calls the user's function.

mod aggregate;
mod filter;
mod flat_map;
mod group_map;
mod map;
mod stateful;

pub use aggregate::{accumulator_fields, create, finish, fold, merge, outputs_of_finish};
pub use filter::{filter, verdict_columns};
pub use flat_map::{expand, expand_result, outputs_of_rows, outputs_of_rows_result};
pub use group_map::{map_groups, map_groups_to_rows, map_groups_to_rows_result};
pub use map::{map, map_columns, outputs};
pub use stateful::{
    State, create_states, state_fields, stateful_expand, stateful_expand_result, stateful_filter, stateful_map,
};

/// Stands for an argument where only the types of a call matter; never called.
pub fn absent<T>() -> T {
    unreachable!("only for its type")
}
