//! Folds rows into accumulators: decoded once a call, folded, encoded.

use std::fmt::Display;

use crate::Accumulator;
use crate::accumulator::{decode, encode, open};
use crate::bindings::exports::weir::udf::aggregate::Folded;
use crate::bindings::weir::udf::types::{Batch, Field, RowError};
use crate::fixed::numbers;
use crate::input::{Arguments, each};
use crate::output::{Output, message};

/// What `accumulate` and `retract` return for a row.
#[diagnostic::on_unimplemented(
    message = "`accumulate` and `retract` return nothing or Result<(), E>, not `{Self}`",
    label = "not allowed here",
    note = "E is any type that implements Display"
)]
pub trait Fold {
    /// Why the row failed.
    fn fold(self) -> Result<(), String>;
}

impl Fold for () {
    #[inline]
    fn fold(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: Display> Fold for Result<(), E> {
    #[inline]
    fn fold(self) -> Result<(), String> {
        self.map_err(message)
    }
}

/// So many fresh accumulators.
pub fn create<A: Accumulator>(count: u32, f: impl Fn() -> A) -> Result<Batch, String> {
    encode((0..count as usize).map(|_| f()))
}

/// Folds each row into the accumulator of its group.
#[inline]
pub fn fold<I: Arguments, A: Accumulator, R: Fold>(
    accumulators: &Batch,
    groups: &[u8],
    arguments: &I,
    rows: usize,
    mut f: impl FnMut(&mut A, I::Row) -> R,
) -> Result<Folded, String> {
    let mut states = decode::<A>(accumulators)?;
    let groups = groups_of_rows(groups, rows)?;
    let mut errors = Vec::new();
    let mut stray = None;
    each(arguments, rows, |row, values| {
        let group = u32::from_le_bytes(groups[row]) as usize;
        let Some(state) = states.get_mut(group) else {
            stray = Some((row, group));
            return;
        };
        if let Err(message) = f(state, values).fold() {
            errors.push(RowError { row: row as u32, message });
        }
    });
    if let Some((row, group)) = stray {
        return Err(no_group(row, group, accumulators.rows));
    }
    Ok(Folded { accumulators: encode(states.into_iter())?, errors })
}

/// Merges each of `others` into the accumulator of its group.
#[inline]
pub fn merge<A: Accumulator>(
    accumulators: &Batch,
    groups: &[u8],
    others: &Batch,
    f: impl Fn(&mut A, A),
) -> Result<Batch, String> {
    let mut states = decode::<A>(accumulators)?;
    let groups = groups_of_rows(groups, others.rows as usize)?;
    let others = open::<A>(others)?;
    for (row, &group) in groups.iter().enumerate() {
        let group = u32::from_le_bytes(group) as usize;
        let Some(state) = states.get_mut(group) else { return Err(no_group(row, group, accumulators.rows)) };
        f(state, A::read(&others, row));
    }
    encode(states.into_iter())
}

/// The outputs, one row for each accumulator.
#[inline]
pub fn finish<A: Accumulator, O: Output>(accumulators: &Batch, f: impl Fn(&A) -> O) -> Result<Batch, String> {
    let columns = open::<A>(accumulators)?;
    encode((0..accumulators.rows as usize).map(|row| f(&A::read(&columns, row))))
}

/// The group of each row.
#[inline]
pub(crate) fn groups_of_rows(groups: &[u8], rows: usize) -> Result<&[[u8; 4]], String> {
    numbers(groups, rows).map_err(|error| format!("groups: {error}"))
}

#[cold]
pub(crate) fn no_group(row: usize, group: usize, count: u32) -> String {
    format!("groups: row {row} is of group {group}; there are {count}")
}

/// The fields of an accumulator; a bare scalar's is called `value`.
pub fn accumulator_fields<A: Accumulator>() -> Vec<Field> {
    let mut fields = Vec::new();
    A::fields("value", &mut fields);
    fields
}

/// The fields of what the (never called) `finish` returns.
pub fn outputs_of_finish<O: Output>(name: &str, _: impl FnOnce() -> O) -> Vec<Field> {
    let mut fields = Vec::new();
    O::fields(name, &mut fields);
    fields
}
