//! Any number of rows out for each row in.

use std::fmt::Display;

use crate::accumulator::finish;
use crate::bindings::exports::weir::udf::flat_mapper::Expanded;
use crate::bindings::weir::udf::types::{Field, RowError};
use crate::input::{Arguments, each};
use crate::output::{Output, message};

/// Expands each row; the rows out are counted only when they come, so the columns grow by doubling.
#[inline]
pub fn expand<A, I>(arguments: &A, rows: usize, mut f: impl FnMut(A::Row) -> I) -> Result<Expanded, String>
where
    A: Arguments,
    I: IntoIterator<Item: Output>,
{
    expand_result(arguments, rows, |values| Ok::<_, String>(f(values)))
}

/// The same where a row may fail.
#[inline]
pub fn expand_result<A, I, E>(
    arguments: &A,
    rows: usize,
    mut f: impl FnMut(A::Row) -> Result<I, E>,
) -> Result<Expanded, String>
where
    A: Arguments,
    I: IntoIterator<Item: Output>,
    E: Display,
{
    let mut capacity = rows;
    let mut columns = I::Item::columns(capacity);
    let mut parents = Vec::with_capacity(rows);
    let mut errors = Vec::new();
    each(arguments, rows, |row, values| {
        let values = match f(values) {
            Ok(values) => values,
            Err(error) => {
                errors.push(RowError { row: row as u32, message: message(error) });
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
    let output = finish::<I::Item>(columns, parents.len())?;
    Ok(Expanded { output, parents: parents.into_flattened(), errors })
}

/// The fields of the rows that the (never called) function returns.
pub fn outputs_of_rows<I: IntoIterator<Item: Output>>(name: &str, _: impl FnOnce() -> I) -> Vec<Field> {
    let mut fields = Vec::new();
    I::Item::fields(name, &mut fields);
    fields
}

/// The same where a row may fail.
pub fn outputs_of_rows_result<I, E>(name: &str, _: impl FnOnce() -> Result<I, E>) -> Vec<Field>
where
    I: IntoIterator<Item: Output>,
    E: Display,
{
    let mut fields = Vec::new();
    I::Item::fields(name, &mut fields);
    fields
}
