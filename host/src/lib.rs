//! Weir runs other people's functions on streams: WebAssembly components, in sandboxes, over
//! columnar batches, with time, windows, state and partitions kept by the host.

pub mod admission;
pub mod build;
pub mod cases;
pub mod checkpoint;
pub mod error;
pub mod flow;
pub mod function;
pub mod letter;
mod lock;
pub mod metrics;
#[cfg(feature = "otlp")]
pub mod otlp;
pub mod plan;
pub mod report;
pub mod sandbox;
pub mod signing;
pub mod state;
#[cfg(any(feature = "s3", feature = "otlp"))]
mod tls;
pub mod types;

pub use error::{Error, Result};
