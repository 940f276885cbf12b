//! Keeps some of the rows.

use std::fmt::Display;

use crate::bindings::exports::weir::udf::filter::Kept;
use crate::bindings::weir::udf::types::RowError;
use crate::bits;
use crate::input::{Arguments, each};
use crate::output::message;

/// What a filter returns for a row.
#[diagnostic::on_unimplemented(
    message = "a filter returns bool or Result<bool, E>, not `{Self}`",
    label = "not a filter's answer",
    note = "E is any type that implements Display"
)]
pub trait Verdict {
    /// Whether a row may fail.
    const FALLIBLE: bool;
    /// Whether the row is kept, or why it failed.
    fn verdict(self) -> Result<bool, String>;
}

impl Verdict for bool {
    const FALLIBLE: bool = false;

    #[inline]
    fn verdict(self) -> Result<bool, String> {
        Ok(self)
    }
}

impl<E: Display> Verdict for Result<bool, E> {
    const FALLIBLE: bool = true;

    #[inline]
    fn verdict(self) -> Result<bool, String> {
        self.map_err(message)
    }
}

/// Asks for each row; one whose result is `Err` is a row error.
#[inline]
pub fn filter<A: Arguments, V: Verdict>(
    arguments: &A,
    rows: usize,
    mut f: impl FnMut(A::Row) -> V,
) -> Result<Kept, String> {
    let mut selection = vec![0; bits::bytes(rows)];
    let mut errors = Vec::new();
    each(arguments, rows, |row, values| match f(values).verdict() {
        Ok(keep) => bits::set(&mut selection, row, keep),
        Err(message) => errors.push(RowError { row: row as u32, message }),
    });
    Ok(Kept { selection, errors })
}

/// What a filter of whole columns returns.
#[diagnostic::on_unimplemented(
    message = "a filter of whole columns returns Vec<bool> or Result<Vec<bool>, E>, not `{Self}`",
    label = "not a filter's answer",
    note = "E is any type that implements Display"
)]
pub trait WholeVerdict {
    /// Whether each row is kept, or why the batch failed.
    fn verdicts(self) -> Result<Vec<bool>, String>;
}

impl WholeVerdict for Vec<bool> {
    fn verdicts(self) -> Result<Vec<bool>, String> {
        Ok(self)
    }
}

impl<E: Display> WholeVerdict for Result<Vec<bool>, E> {
    fn verdicts(self) -> Result<Vec<bool>, String> {
        self.map_err(message)
    }
}

/// Asks for whole columns.
#[inline]
pub fn verdict_columns<V: WholeVerdict>(rows: usize, f: impl FnOnce() -> V) -> Result<Kept, String> {
    let verdicts = f().verdicts()?;
    if verdicts.len() != rows {
        return Err(format!("{} values for {rows} rows", verdicts.len()));
    }
    let mut verdicts = verdicts.into_iter();
    filter(&(), rows, |()| verdicts.next() == Some(true))
}
