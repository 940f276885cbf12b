//! One row out for each row in.

use crate::accumulator::finish;
use crate::bindings::exports::weir::udf::mapper::Mapped;
use crate::bindings::weir::udf::types::{Batch, Field, RowError};
use crate::columns::WholeOutcome;
use crate::input::{Arguments, each};
use crate::output::{Outcome, Output};

/// Maps each row; a row whose result is `Err` is a row error.
#[inline]
pub fn map<A: Arguments, O: Outcome>(
    arguments: &A,
    rows: usize,
    mut f: impl FnMut(A::Row) -> O,
) -> Result<Mapped, String> {
    let mut columns = O::Row::columns(rows);
    let mut errors = Vec::new();
    each(arguments, rows, |row, values| match f(values).outcome() {
        Ok(value) => value.put(&mut columns, row),
        Err(message) => {
            O::Row::skip(&mut columns, row);
            errors.push(RowError { row: row as u32, message });
        }
    });
    Ok(Mapped { output: finish::<O::Row>(columns, rows)?, errors })
}

/// The fields of what the (never called) function returns.
pub fn outputs<O: Outcome>(name: &str, _: impl FnOnce() -> O) -> Vec<Field> {
    let mut fields = Vec::new();
    O::Row::fields(name, &mut fields);
    fields
}

/// Whole columns out for whole columns in.
#[inline]
pub fn map_columns<O: WholeOutcome>(rows: usize, f: impl FnOnce() -> O) -> Result<Mapped, String> {
    let mut columns = Vec::new();
    f().whole(rows, &mut columns)?;
    Ok(Mapped { output: Batch { rows: rows as u32, columns }, errors: Vec::new() })
}
