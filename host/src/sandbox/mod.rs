//! Where other people's code runs: WebAssembly components behind limits.
//!
//! Three lifetimes, three nouns: the [`Runtime`] of the process, an [`Artifact`] for each
//! component, an [`Instance`] for each step and worker. Columns go in and come out; all that
//! comes out is checked. Only this module knows wasmtime, and nothing here knows steps, streams
//! or state.

mod artifact;
mod bindings;
mod instance;
mod lift;
mod limits;
mod lower;
mod runtime;
mod state;
mod wasi;

pub use artifact::Artifact;
pub use instance::{Instance, Reuse};
pub use limits::Limits;
pub use runtime::Runtime;
pub use state::Parameters;
