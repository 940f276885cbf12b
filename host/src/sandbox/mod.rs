//! Where other people's code runs: WebAssembly components behind limits.
//!
//! Three lifetimes, three nouns: the [`Runtime`] of the process, an [`Artifact`] for each
//! component, an [`Instance`] for each step and worker. Columns go in and come out; all that
//! comes out is checked. Only this module knows wasmtime, and nothing here knows steps, streams
//! or state.

mod limits;
pub mod settings;

mod runtime;

mod artifact;
mod bindings;
mod cache;
mod catalog;
mod compile;
pub(crate) mod language;
mod shape;

mod arithmetic;
mod evaluate;
mod fault;
mod instance;
mod lift;
mod lower;
mod meter;
mod state;
mod wasi;

pub use artifact::Artifact;
pub use cache::{Cache, Entry};
pub use compile::{Compiler, compile_as_child};
pub use instance::{Instance, Reuse, Usage};
pub use limits::{Ceiling, Limits, Over, STACKS};
pub(crate) use lower::column_bytes;
pub use runtime::Runtime;
pub use state::Parameters;
