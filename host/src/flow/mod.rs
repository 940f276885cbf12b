//! A record's way: source, decode, stamp, transform, exchange, window, sink.

pub mod sink;
pub mod source;
