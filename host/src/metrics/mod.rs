//! What a run counts, for Prometheus and whatever else reads its text format.
//!
//! In come the counters of [`crate::report`], read when somebody asks; out go series (`series.rs`), as lines of text
//! (`exposition.rs`) over HTTP ([`Server`]). Nothing is counted here, and nothing decides anything.

mod exposition;
pub(crate) mod series;
mod server;

pub use exposition::text;
pub use server::Server;
