//! Aggregates for streams: counts, sums, extremes, means, spreads, and sketches of what is too large
//! to keep.
//!
//! What comes in are the rows of a group, in any order and in any split; what goes out is one row.
//! Nothing here looks at the clock, at other groups, or at anything that was kept between two calls:
//! an accumulator is a few columns that the host keeps. However the stream is batched, partitioned
//! and merged, the results are the same: bit for bit, or, where a float sum cancels or `top_k` runs
//! out of counters, within the error that the function's documentation states.
//!
//! A null input is skipped by the host. Most functions give null where no value came; `count` and
//! its like give 0.

pub mod count;
pub mod distinct;
pub mod ends;
pub mod extremes;
pub mod logic;
pub mod mean;
pub mod quantile;
pub mod sum;
pub mod top_k;
pub mod variance;

mod ddsketch;
mod double_double;
mod hash;
mod hyperloglog;
mod misra_gries;
mod order;
mod sketch;

#[cfg(test)]
mod testing;

weir::export!(
    count::Count,
    count::boolean::Count,
    count::int32::Count,
    count::int64::Count,
    count::float32::Count,
    count::float64::Count,
    count::timestamp::Count,
    count::text::Count,
    count::bytes::Count,
    count::CountIf,
    logic::Any,
    logic::All,
    extremes::int64::Min,
    extremes::float64::Min,
    extremes::timestamp::Min,
    extremes::text::Min,
    extremes::int64::Max,
    extremes::float64::Max,
    extremes::timestamp::Max,
    extremes::text::Max,
    ends::boolean::First,
    ends::int64::First,
    ends::float64::First,
    ends::timestamp::First,
    ends::text::First,
    ends::boolean::Last,
    ends::int64::Last,
    ends::float64::Last,
    ends::timestamp::Last,
    ends::text::Last,
    sum::SumInt64,
    sum::SumFloat64,
    mean::Mean,
    variance::Variance,
    variance::Stddev,
    distinct::int64::Distinct,
    distinct::float64::Distinct,
    distinct::timestamp::Distinct,
    distinct::text::Distinct,
    distinct::bytes::Distinct,
    quantile::Quantile,
    quantile::Median,
    top_k::TopK,
);
