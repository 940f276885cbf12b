//! Write functions for Weir in Rust.
//!
//! A function is a plain `fn` under [`map`], [`filter`] or [`flat_map`], or an `impl` under
//! [`aggregate`]; [`stateful_map`] and its siblings remember something of each key, [`group_map`] takes
//! whole groups of rows. [`export!`] puts the functions of a crate into a component. Rows come in as columns in
//! Arrow's layout and go out the same way; this crate turns them into arguments and back. It
//! remembers nothing between calls but the parsed parameters, and reaches nothing but [`host`].
//!
//! On `wasm32` the crate becomes a component. Elsewhere it is an ordinary crate whose functions are
//! tested with `cargo test`; [`testing`] calls them the way the host does.

extern crate self as weir;

#[cfg(target_endian = "big")]
compile_error!("the columns are little-endian and are read in place");

mod accumulator;
#[doc(hidden)]
pub mod bindings;
mod bits;
mod boolean;
mod columns;
mod dispatch;
mod fixed;
mod group;
pub mod host;
mod input;
mod output;
mod parameters;
mod run;
pub mod testing;
mod text;
mod timestamp;
mod value;

pub use accumulator::Accumulator;
pub use columns::{BlobBuilder, Blobs, Bools, Nullable, TextBuilder, Texts};
pub use dispatch::Function;
pub use group::GroupInput;
pub use input::Input;
pub use output::Output;
pub use parameters::{Parameter, Parameters};
pub use run::State;
pub use timestamp::Timestamp;
pub use weir_guest_macros::{
    Accumulator, Columns, Parameters, Row, aggregate, filter, flat_map, group_flat_map, group_map, map,
    stateful_filter, stateful_flat_map, stateful_map,
};

/// What the macros write calls to. Not for use by hand.
#[doc(hidden)]
pub mod export {
    pub use crate::accumulator::Accumulator;
    pub use crate::bindings::exports::weir::udf::aggregate::Folded;
    pub use crate::bindings::exports::weir::udf::filter::Kept;
    pub use crate::bindings::exports::weir::udf::flat_mapper::Expanded;
    pub use crate::bindings::exports::weir::udf::group_mapper::Grouped;
    pub use crate::bindings::exports::weir::udf::mapper::Mapped;
    pub use crate::bindings::exports::weir::udf::stateful_mapper::Stepped;
    pub use crate::bindings::weir::udf::types::{
        Batch, Column, Field, Kind, Parameter as ParameterSignature, Signature,
    };
    pub use crate::columns::{WholeOutput, hold, view, whole_input, whole_outputs};
    pub use crate::dispatch::{AggregateCalls, Calls, Component, Entry, FoldCall, Function, StatefulCalls};
    pub use crate::group::{GroupInput, group_input, hold_group, of_group};
    pub use crate::input::{columns, input, open};
    pub use crate::output::Output;
    pub use crate::parameters::{Parameters, parameter, parse, with_parameters};
    pub use crate::run::*;
}

/// Writes the component's exports and its catalog: the functions in the order given. Once per
/// crate, at its root.
#[macro_export]
macro_rules! export {
    ($($function:ty),+ $(,)?) => {
        /// The component: all functions of this crate.
        #[derive(Debug)]
        pub struct Component;

        impl $crate::export::Component for Component {
            const FUNCTIONS: &'static [$crate::export::Entry] = &[$(<$function as $crate::Function>::ENTRY),+];
        }

        #[cfg(target_arch = "wasm32")]
        $crate::bindings::export!(Component with_types_in $crate::bindings);
    };
}
