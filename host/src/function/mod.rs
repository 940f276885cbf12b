//! What a function is to the rest of the host: a signature, and calls over columns.
//!
//! [`Signature`] is what a component says it offers, checked. [`Calls`] is one function that can
//! be called with columns; a sandboxed instance is one, and so is a native function. A call takes
//! all rows of a batch and gives all results, the rows that failed, or a [`Fault`] for the whole
//! batch. Nothing here knows steps, policies or WebAssembly.

pub mod invoke;
mod native;
pub mod signature;

use std::fmt;

use arrow_array::{ArrayRef, UInt32Array};
use arrow_buffer::BooleanBuffer;

pub use native::Native;
pub use signature::{Kind, Parameter, Signature};

/// The rows of a call.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// How many rows; a function may have no columns.
    pub rows: usize,
    /// The columns in the order of the signature's inputs, without nulls where the signature has
    /// none.
    pub columns: &'a [ArrayRef],
    /// What the function's `now` answers, in microseconds since 1970-01-01T00:00:00Z.
    pub now: i64,
    /// Where the function's `random` starts.
    pub seed: u64,
}

/// A row that failed while the others of its batch stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// Its index in the batch.
    pub row: u32,
    /// Why, in the function's words.
    pub message: String,
}

/// What a mapper gives: a row for each row of the input, those that failed included.
#[derive(Debug)]
pub struct Mapped {
    /// The columns of the signature's outputs.
    pub outputs: Vec<ArrayRef>,
    /// Rows whose outputs mean nothing.
    pub errors: Vec<RowError>,
}

/// What a filter gives.
#[derive(Debug)]
pub struct Kept {
    /// Set for each row that is kept.
    pub selection: BooleanBuffer,
    /// Rows that failed; they are not kept.
    pub errors: Vec<RowError>,
}

/// What a flat-mapper gives.
#[derive(Debug)]
pub struct Expanded {
    /// The columns of the signature's outputs.
    pub outputs: Vec<ArrayRef>,
    /// For each row of the outputs the row of the input it came from; never decreasing.
    pub parents: UInt32Array,
    /// Rows that failed.
    pub errors: Vec<RowError>,
}

/// What accumulating gives.
#[derive(Debug)]
pub struct Folded {
    /// The accumulators, as many as went in.
    pub accumulators: Vec<ArrayRef>,
    /// Rows that are in no accumulator.
    pub errors: Vec<RowError>,
}

/// What a stateful mapper gives.
#[derive(Debug)]
pub struct Stepped {
    /// The states, as many as went in.
    pub states: Vec<ArrayRef>,
    /// The columns of the signature's outputs; there may be none.
    pub outputs: Vec<ArrayRef>,
    /// For each row of the outputs the row of the input it came from; never decreasing.
    pub parents: UInt32Array,
    /// Rows that failed. They have left their states as they were.
    pub errors: Vec<RowError>,
}

/// A function that can be called. Each method goes with one kind; the others answer with a fault.
///
/// A call may be the last one of whatever stands behind it: nothing is remembered between calls
/// that a fresh instance would not know.
pub trait Calls {
    /// Calls a mapper.
    fn map(&mut self, input: Input<'_>) -> Result<Mapped, Fault>;
    /// Calls a filter.
    fn filter(&mut self, input: Input<'_>) -> Result<Kept, Fault>;
    /// Calls a flat-mapper.
    fn flat_map(&mut self, input: Input<'_>) -> Result<Expanded, Fault>;
    /// `count` accumulators or states that have seen nothing.
    fn create(&mut self, count: usize) -> Result<Vec<ArrayRef>, Fault>;
    /// Folds rows into accumulators; `groups` has each row's accumulator.
    fn accumulate(&mut self, accumulators: Input<'_>, groups: &[u32], input: Input<'_>) -> Result<Folded, Fault>;
    /// Folds `others` into accumulators; `groups` has the accumulator that each goes into.
    fn merge(&mut self, accumulators: Input<'_>, groups: &[u32], others: Input<'_>) -> Result<Vec<ArrayRef>, Fault>;
    /// The outputs, a row for each accumulator.
    fn finish(&mut self, accumulators: Input<'_>) -> Result<Vec<ArrayRef>, Fault>;
    /// Calls a stateful mapper; `groups` has each row's state.
    fn stateful_map(&mut self, states: Input<'_>, groups: &[u32], input: Input<'_>) -> Result<Stepped, Fault> {
        let _ = (states, groups, input);
        Err(Fault::new(FaultKind::Host, "it was called as a stateful mapper"))
    }
    /// Calls a group-mapper; `groups` has each row's group, never decreasing and below `count`. What
    /// it gives has the groups as parents, and groups as the rows of errors.
    fn map_groups(&mut self, count: usize, groups: &[u32], input: Input<'_>) -> Result<Expanded, Fault> {
        let _ = (count, groups, input);
        Err(Fault::new(FaultKind::Host, "it was called as a group mapper"))
    }
    /// Instances made so far; each fault costs one.
    fn instances(&self) -> u64;
    /// How many of them were replaced because their memory had grown too large.
    fn recycled(&self) -> u64 {
        0
    }
}

/// Why a whole call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What happened.
    pub kind: FaultKind,
    /// In one line; for a trap the function's own last error line where it wrote one.
    pub message: String,
    /// The last lines of the function's log.
    pub log: Vec<String>,
    /// WebAssembly frames, the innermost first.
    pub backtrace: Vec<String>,
}

/// What happened in a call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The function said so for the whole batch.
    Refused,
    /// It trapped: a panic, an unreachable instruction, a bad memory access.
    Trap,
    /// It took longer than its time limit.
    Time,
    /// It asked for more memory than its limit.
    Memory,
    /// It took more instructions than its limit.
    Fuel,
    /// It used up its stack.
    Stack,
    /// It returned more than its limit.
    Output,
    /// It called the host more often than its limit.
    HostCalls,
    /// What it returned breaks the contract.
    Contract,
    /// The host could not make an instance.
    Host,
}

impl FaultKind {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused the batch",
            Self::Trap => "trapped",
            Self::Time => "ran out of time",
            Self::Memory => "ran out of memory",
            Self::Fuel => "ran out of fuel",
            Self::Stack => "ran out of stack",
            Self::Output => "returned too much",
            Self::HostCalls => "called the host too often",
            Self::Contract => "broke the contract",
            Self::Host => "could not be started",
        }
    }
}

impl Fault {
    /// A fault with nothing but a message.
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), log: Vec::new(), backtrace: Vec::new() }
    }

    /// A fault for a result that breaks the contract.
    pub fn contract(message: impl Into<String>) -> Self {
        Self::new(FaultKind::Contract, message)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.message)
    }
}

impl std::error::Error for Fault {}
