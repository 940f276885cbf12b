//! A record's way: source, decode, stamp, transform, exchange, window, sink.

pub mod decode;
pub mod sink;
pub mod source;
