//! The sandbox from outside: what a function may use, what it may return, what it can see, and what
//! is left of it afterwards.

mod contract;
mod instances;
mod limits;
mod world;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int64Array};
use weir::function::{Calls, Fault, Input, Kind};
use weir::sandbox::{Instance, Limits, Reuse};

use crate::guests;

/// An instance of a guest's function.
fn instance(guest: &str, function: &str, parameters: &[(&str, &str)], limits: Limits, reuse: Reuse) -> Instance {
    let artifact = guests::artifact(guest);
    let index = artifact.functions().iter().position(|f| f.name == function);
    let index = index.unwrap_or_else(|| panic!("`{guest}` has no `{function}`"));
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Instance::new(&artifact, index, Arc::new(parameters), limits, reuse)
}

/// As [`instance`], with the usual limits.
fn plain(guest: &str, function: &str, parameters: &[(&str, &str)]) -> Instance {
    instance(guest, function, parameters, Limits::default(), Reuse::UntilFault)
}

pub(crate) fn numbers(numbers: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(numbers.to_vec()))
}

/// Calls a function of one column, whatever its kind, for whether it succeeds.
pub(crate) fn call(instance: &mut Instance, column: ArrayRef) -> Result<(), Fault> {
    let columns = [column];
    let input = Input { rows: columns[0].len(), columns: &columns, now: 0, seed: 0 };
    match instance.signature().kind {
        Kind::Mapper => instance.map(input).map(drop),
        Kind::Filter => instance.filter(input).map(drop),
        Kind::FlatMapper => instance.flat_map(input).map(drop),
        Kind::Aggregate => {
            let created = instance.create(1)?;
            let accumulators = Input { rows: 1, columns: &created, now: 0, seed: 0 };
            let folded = instance.accumulate(accumulators, &vec![0; input.rows], input)?;
            let folded = Input { columns: &folded.accumulators, ..accumulators };
            let merged = instance.merge(folded, &[0], accumulators)?;
            instance.finish(Input { columns: &merged, ..accumulators }).map(drop)
        }
        Kind::StatefulMapper => {
            let created = instance.create(1)?;
            let states = Input { rows: 1, columns: &created, now: 0, seed: 0 };
            instance.stateful_map(states, &vec![0; input.rows], input).map(drop)
        }
        // The first row is one group, the others are another.
        Kind::GroupMapper => {
            let groups: Vec<u32> = (0..input.rows).map(|row| u32::from(row > 0)).collect();
            instance.map_groups(2, &groups, input).map(drop)
        }
    }
}

/// Calls a map from numbers to numbers.
fn map(instance: &mut Instance, rows: &[i64]) -> Result<Vec<i64>, Fault> {
    let columns = [numbers(rows)];
    let input = Input { rows: rows.len(), columns: &columns, now: 0, seed: 0 };
    Ok(instance.map(input)?.outputs[0].as_primitive::<Int64Type>().values().to_vec())
}
