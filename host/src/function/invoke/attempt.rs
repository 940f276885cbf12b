//! The call that a row failed in: what it was made with for that row, so that it can be made again.

use arrow_array::ArrayRef;
use serde::{Deserialize, Serialize};

use super::Moment;
use crate::function::Kind;

/// What was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// A mapper.
    Map,
    /// A filter.
    Filter,
    /// A flat-mapper.
    FlatMap,
    /// A group-mapper.
    GroupMap,
    /// A stateful mapper.
    StatefulMap,
    /// An aggregate, to take in rows.
    Accumulate,
    /// An aggregate, to take in another accumulator.
    Merge,
    /// An aggregate, for its result.
    Finish,
}

impl Method {
    /// The kind of function that has it.
    pub fn kind(self) -> Kind {
        match self {
            Self::Map => Kind::Mapper,
            Self::Filter => Kind::Filter,
            Self::FlatMap => Kind::FlatMapper,
            Self::GroupMap => Kind::GroupMapper,
            Self::StatefulMap => Kind::StatefulMapper,
            Self::Accumulate | Self::Merge | Self::Finish => Kind::Aggregate,
        }
    }
}

/// A call, as far as it was for one row, group or accumulator.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// What was called.
    pub method: Method,
    /// What the function saw of the world.
    pub moment: Moment,
    /// The row, the group's rows, or the accumulator.
    pub columns: Vec<ArrayRef>,
    /// Its accumulator or state before the call, of one row; none where the function has no such thing.
    pub held: Vec<ArrayRef>,
    /// Rows that were in the call. With one, the call can be made again exactly.
    pub rows: usize,
    /// Whether it was made at all: a function that has run out of time on many rows of a batch is not
    /// tried on the others.
    pub tried: bool,
}
