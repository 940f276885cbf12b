//! A record's way: source, decode, stamp, transform, exchange, stateful map, window or join, sink.
//!
//! [`run`] lays a plan's nodes out as one Timely dataflow on every worker and drives it to its
//! end. Timely's timestamp is the epoch: a fixed number of rows of every source partition, however
//! they are batched. When the frontier passes an epoch, every operator has seen exactly the input
//! up to it, which is when windows fire and sinks write, so results do not depend on how rows were
//! batched or spread.

pub mod batch;
pub mod clock;
pub mod cluster;
mod cut;
mod dead_letters;
pub mod decode;
mod driver;
mod epochs;
pub mod exchange;
mod join;
mod partition;
mod read;
pub mod sink;
pub mod source;
mod stamp;
mod stateful;
mod stored;
mod stored_rows;
pub mod times;
mod transform;
mod watermarks;
mod window;
mod write;

pub use driver::{Options, run};

/// The number of a slice of the input.
pub type Epoch = u64;

/// A stream of batches in the dataflow.
pub type Stream<'scope> = timely::dataflow::Stream<'scope, Epoch, Vec<batch::Batch>>;
