//! From the component's exports to its functions: a table, and a look-up by index and kind.

use crate::bindings::exports::weir::udf::{
    aggregate, catalog, filter, flat_mapper, group_mapper, mapper, stateful_mapper,
};
use crate::bindings::weir::udf::types::{Batch, Signature};
use crate::host;
use aggregate::Folded;
use filter::Kept;
use flat_mapper::Expanded;
use group_mapper::Grouped;
use mapper::Mapped;
use stateful_mapper::Stepped;

/// A function of the catalog; `#[weir::map]` and its siblings implement it for a type of the
/// function's name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a Weir function",
    label = "not a Weir function",
    note = "put #[weir::map], #[weir::filter] or #[weir::flat_map], or one of their stateful_ and group_ siblings, on the fn; or #[weir::aggregate] on the impl"
)]
pub trait Function {
    /// Its row of the table.
    const ENTRY: Entry;
}

/// A row of a component's table of functions.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// What the catalog says.
    pub signature: fn() -> Signature,
    /// What the host calls.
    pub calls: Calls,
}

/// What the host calls, by kind.
#[derive(Clone, Copy, Debug)]
pub enum Calls {
    /// One row out for each row in.
    Map(fn(Batch) -> Result<Mapped, String>),
    /// Keeps some of the rows.
    Filter(fn(Batch) -> Result<Kept, String>),
    /// Any number of rows out for each row in.
    FlatMap(fn(Batch) -> Result<Expanded, String>),
    /// Folds rows.
    Aggregate(AggregateCalls),
    /// Any number of rows out for each row in, and a state for each key.
    StatefulMap(StatefulCalls),
    /// Any number of rows out for each of so many groups; the group of each row.
    GroupMap(fn(u32, Vec<u8>, Batch) -> Result<Grouped, String>),
}

/// Accumulators, group of each row, rows.
pub type FoldCall = fn(Batch, Vec<u8>, Batch) -> Result<Folded, String>;

/// The calls of an aggregate.
#[derive(Clone, Copy, Debug)]
pub struct AggregateCalls {
    /// So many accumulators that have seen nothing.
    pub create: fn(u32) -> Result<Batch, String>,
    /// Accumulators, group of each row, rows.
    pub accumulate: FoldCall,
    /// Undoes `accumulate`.
    pub retract: Option<FoldCall>,
    /// Accumulators, group of each other, others.
    pub merge: fn(Batch, Vec<u8>, Batch) -> Result<Batch, String>,
    /// The outputs.
    pub finish: fn(Batch) -> Result<Batch, String>,
}

/// The calls of a stateful map.
#[derive(Clone, Copy, Debug)]
pub struct StatefulCalls {
    /// So many states that have seen nothing.
    pub create: fn(u32) -> Result<Batch, String>,
    /// States, state of each row, rows.
    pub step: fn(Batch, Vec<u8>, Batch) -> Result<Stepped, String>,
}

/// A component: what [`crate::export!`] implements.
pub trait Component {
    /// Its functions, in the catalog's order.
    const FUNCTIONS: &'static [Entry];
}

fn calls(functions: &[Entry], function: u32) -> Result<Calls, String> {
    host::log_panics();
    match functions.get(function as usize) {
        Some(entry) => Ok(entry.calls),
        None => Err(format!("no function {function}: the component has {}", functions.len())),
    }
}

fn not_a<T>(kind: &str, function: u32) -> Result<T, String> {
    Err(format!("function {function} is not {kind}"))
}

pub(crate) fn map(functions: &[Entry], function: u32, input: Batch) -> Result<Mapped, String> {
    match calls(functions, function)? {
        Calls::Map(call) => call(input),
        _ => not_a("a mapper", function),
    }
}

pub(crate) fn filter(functions: &[Entry], function: u32, input: Batch) -> Result<Kept, String> {
    match calls(functions, function)? {
        Calls::Filter(call) => call(input),
        _ => not_a("a filter", function),
    }
}

pub(crate) fn flat_map(functions: &[Entry], function: u32, input: Batch) -> Result<Expanded, String> {
    match calls(functions, function)? {
        Calls::FlatMap(call) => call(input),
        _ => not_a("a flat-mapper", function),
    }
}

fn aggregate(functions: &[Entry], function: u32) -> Result<AggregateCalls, String> {
    match calls(functions, function)? {
        Calls::Aggregate(calls) => Ok(calls),
        _ => not_a("an aggregate", function),
    }
}

pub(crate) fn stateful_map(functions: &[Entry], function: u32) -> Result<StatefulCalls, String> {
    match calls(functions, function)? {
        Calls::StatefulMap(calls) => Ok(calls),
        _ => not_a("a stateful mapper", function),
    }
}

pub(crate) fn group_map(
    functions: &[Entry],
    function: u32,
    count: u32,
    groups: Vec<u8>,
    input: Batch,
) -> Result<Grouped, String> {
    match calls(functions, function)? {
        Calls::GroupMap(call) => call(count, groups, input),
        _ => not_a("a group mapper", function),
    }
}

impl<C: Component> catalog::Guest for C {
    fn functions() -> Vec<Signature> {
        host::log_panics();
        C::FUNCTIONS.iter().map(|entry| (entry.signature)()).collect()
    }
}

impl<C: Component> mapper::Guest for C {
    fn map_batch(function: u32, input: Batch) -> Result<Mapped, String> {
        map(C::FUNCTIONS, function, input)
    }
}

impl<C: Component> filter::Guest for C {
    fn filter_batch(function: u32, input: Batch) -> Result<Kept, String> {
        filter(C::FUNCTIONS, function, input)
    }
}

impl<C: Component> flat_mapper::Guest for C {
    fn flat_map_batch(function: u32, input: Batch) -> Result<Expanded, String> {
        flat_map(C::FUNCTIONS, function, input)
    }
}

impl<C: Component> aggregate::Guest for C {
    fn create(function: u32, count: u32) -> Result<Batch, String> {
        (aggregate(C::FUNCTIONS, function)?.create)(count)
    }

    fn accumulate(function: u32, accumulators: Batch, groups: Vec<u8>, input: Batch) -> Result<Folded, String> {
        (aggregate(C::FUNCTIONS, function)?.accumulate)(accumulators, groups, input)
    }

    fn retract(function: u32, accumulators: Batch, groups: Vec<u8>, input: Batch) -> Result<Folded, String> {
        match aggregate(C::FUNCTIONS, function)?.retract {
            Some(retract) => retract(accumulators, groups, input),
            None => not_a("retractable", function),
        }
    }

    fn merge(function: u32, accumulators: Batch, groups: Vec<u8>, others: Batch) -> Result<Batch, String> {
        (aggregate(C::FUNCTIONS, function)?.merge)(accumulators, groups, others)
    }

    fn finish(function: u32, accumulators: Batch) -> Result<Batch, String> {
        (aggregate(C::FUNCTIONS, function)?.finish)(accumulators)
    }
}

impl<C: Component> stateful_mapper::Guest for C {
    fn create(function: u32, count: u32) -> Result<Batch, String> {
        (stateful_map(C::FUNCTIONS, function)?.create)(count)
    }

    fn stateful_map_batch(function: u32, states: Batch, groups: Vec<u8>, input: Batch) -> Result<Stepped, String> {
        (stateful_map(C::FUNCTIONS, function)?.step)(states, groups, input)
    }
}

impl<C: Component> group_mapper::Guest for C {
    fn group_map_batch(function: u32, count: u32, groups: Vec<u8>, input: Batch) -> Result<Grouped, String> {
        group_map(C::FUNCTIONS, function, count, groups, input)
    }
}
