//! Rows out for each row in, with a state for each key: decoded once a call, stepped, encoded.

use std::fmt::Display;

use super::aggregate::{accumulator_fields, create, groups_of_rows, no_group};
use super::filter::Verdict;
use crate::Accumulator;
use crate::accumulator::{decode, encode, finish};
use crate::bindings::exports::weir::udf::stateful_mapper::Stepped;
use crate::bindings::weir::udf::types::{Batch, Column, Field, RowError};
use crate::input::{Arguments, each};
use crate::output::{Outcome, Output, message};

/// What a function may remember of a key: an [`Accumulator`] whose default has seen nothing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a state",
    label = "not a state",
    note = "use bool, i32, i64, f32, f64, weir::Timestamp, String, Vec<u8>, an Option of one, or a struct of them with #[derive(weir::Accumulator, Clone, Default)]"
)]
pub trait State: Accumulator + Clone + Default {}

#[diagnostic::do_not_recommend]
impl<T: Accumulator + Clone + Default> State for T {}

/// The fields of a state; a bare scalar's is called `value`.
pub fn state_fields<S: State>() -> Vec<Field> {
    accumulator_fields::<S>()
}

/// So many states that have seen nothing.
pub fn create_states<S: State>(count: u32) -> Result<Batch, String> {
    create(count, S::default)
}

/// One row out for each row in.
#[inline]
pub fn stateful_map<S: State, A: Arguments, O: Outcome>(
    states: &Batch,
    groups: &[u8],
    arguments: &A,
    rows: usize,
    mut f: impl FnMut(&mut S, A::Row) -> O,
) -> Result<Stepped, String> {
    step(states, groups, arguments, rows, O::FALLIBLE, |state, row| f(state, row).outcome().map(Some))
}

/// Some of the rows pass.
#[inline]
pub fn stateful_filter<S: State, A: Arguments, V: Verdict>(
    states: &Batch,
    groups: &[u8],
    arguments: &A,
    rows: usize,
    mut f: impl FnMut(&mut S, A::Row) -> V,
) -> Result<Stepped, String> {
    step(states, groups, arguments, rows, V::FALLIBLE, |state, row| {
        f(state, row).verdict().map(|passes| passes.then_some(Passes))
    })
}

/// Any number of rows out for each row in.
#[inline]
pub fn stateful_expand<S: State, A: Arguments, I: IntoIterator<Item: Output>>(
    states: &Batch,
    groups: &[u8],
    arguments: &A,
    rows: usize,
    mut f: impl FnMut(&mut S, A::Row) -> I,
) -> Result<Stepped, String> {
    step(states, groups, arguments, rows, false, |state, row| Ok(f(state, row)))
}

/// The same where a row may fail.
#[inline]
pub fn stateful_expand_result<S: State, A: Arguments, I: IntoIterator<Item: Output>, E: Display>(
    states: &Batch,
    groups: &[u8],
    arguments: &A,
    rows: usize,
    mut f: impl FnMut(&mut S, A::Row) -> Result<I, E>,
) -> Result<Stepped, String> {
    step(states, groups, arguments, rows, true, |state, row| f(state, row).map_err(message))
}

/// Calls `f` with each row and the state of its group. Where a row may fail its state is kept first, so
/// that the rows behind it find the state as it was, whatever the function had done to it.
#[inline]
fn step<S: State, A: Arguments, I: IntoIterator<Item: Output>>(
    batch: &Batch,
    groups: &[u8],
    arguments: &A,
    rows: usize,
    fallible: bool,
    mut f: impl FnMut(&mut S, A::Row) -> Result<I, String>,
) -> Result<Stepped, String> {
    let mut states = decode::<S>(batch)?;
    let groups = groups_of_rows(groups, rows)?;
    let mut capacity = rows;
    let mut columns = I::Item::columns(capacity);
    let mut parents = Vec::with_capacity(rows);
    let mut errors = Vec::new();
    let mut stray = None;
    each(arguments, rows, |row, values| {
        let group = u32::from_le_bytes(groups[row]) as usize;
        let Some(state) = states.get_mut(group) else {
            stray = Some((row, group));
            return;
        };
        let before = fallible.then(|| state.clone());
        let values = match f(state, values) {
            Ok(values) => values,
            Err(message) => {
                if let Some(before) = before {
                    *state = before;
                }
                errors.push(RowError { row: row as u32, message });
                return;
            }
        };
        for value in values {
            if parents.len() == capacity {
                capacity = (capacity * 2).max(64);
                I::Item::grow(&mut columns, capacity);
            }
            value.put(&mut columns, parents.len());
            parents.push((row as u32).to_le_bytes());
        }
    });
    if let Some((row, group)) = stray {
        return Err(no_group(row, group, batch.rows));
    }
    let output = finish::<I::Item>(columns, parents.len())?;
    Ok(Stepped { states: encode(states.into_iter())?, output, parents: parents.into_flattened(), errors })
}

/// That a row passes: a row of no columns.
struct Passes;

impl Output for Passes {
    type Columns = ();

    fn fields(_: &str, _: &mut Vec<Field>) {}

    fn columns(_: usize) {}

    fn grow((): &mut (), _: usize) {}

    fn put(self, (): &mut (), _: usize) {}

    fn skip((): &mut (), _: usize) {}

    fn finish((): (), _: usize, _: &mut Vec<Column>) -> Result<(), String> {
        Ok(())
    }
}
