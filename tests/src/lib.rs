//! Tests of the whole: pipelines from their files to their output, the sandbox from outside, random
//! pipelines against a naive model, what the clock decides, and the command.
//!
//! The functions that they run are compiled by `build.rs` and found in [`guests`]; a Redis
//! server for those that need one is started by [`redis`]. Everything else
//! stands in test modules.

pub mod guests;
pub mod redis;

#[cfg(test)]
mod admission;
#[cfg(test)]
mod buckets;
#[cfg(test)]
mod bulk;
#[cfg(test)]
mod checkpoints;
#[cfg(test)]
mod clock;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod cluster_kills;
#[cfg(test)]
mod command;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod deterministic;
#[cfg(test)]
mod full;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod joins;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod letters;
#[cfg(test)]
mod model;
#[cfg(test)]
mod native;
#[cfg(test)]
mod operate;
#[cfg(test)]
mod otlp;
#[cfg(test)]
mod pipelines;
#[cfg(test)]
mod random;
#[cfg(test)]
mod s3;
#[cfg(test)]
mod sandbox;
#[cfg(test)]
mod sdks;
#[cfg(test)]
mod signing;
#[cfg(test)]
mod state;
