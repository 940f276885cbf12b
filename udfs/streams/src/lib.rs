//! Functions that remember something of each key, and functions of whole groups.
//!
//! What is remembered is a value or two, which the host keeps; `key-by` says of what. The order of rows
//! is that of the stream. Nothing here looks at the clock.

pub mod group;
pub mod last;
pub mod passing;
pub mod running;

weir::export!(
    running::running_count,
    running::running_sum_int64,
    running::running_sum_float64,
    passing::distinct,
    passing::changed_boolean,
    passing::changed_int64,
    passing::changed_float64,
    passing::changed_timestamp,
    passing::changed_text,
    last::previous_boolean,
    last::previous_int64,
    last::previous_float64,
    last::previous_timestamp,
    last::previous_text,
    last::last_value_boolean,
    last::last_value_int64,
    last::last_value_float64,
    last::last_value_timestamp,
    last::last_value_text,
    group::median,
);
