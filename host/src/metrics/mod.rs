//! What a run counts, for Prometheus and whatever else reads its text format.
//!
//! In come the counters of [`crate::report`], read when somebody asks; out go lines of text
//! (`exposition.rs`) over HTTP ([`Server`]). Nothing is counted here, and nothing decides anything.

mod exposition;
mod server;

pub use exposition::text;
pub use server::Server;
