//! Whole columns as results.

use std::fmt::Display;

use crate::Output;
use crate::bindings::weir::udf::types::{Column, DataType, Field};
use crate::columns::{BlobBuilder, TextBuilder};
use crate::output::message;
use crate::text::check_size;

/// A type that a function in column style may return: one or several whole columns.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a whole column",
    label = "not a whole column",
    note = "return a Vec of a Weir type or of an Option of one, weir::TextBuilder, weir::BlobBuilder, a struct of these with #[derive(weir::Columns)], or a Result of one of these"
)]
pub trait WholeOutput: Sized {
    /// The fields of the columns; a single one's is called `name`.
    fn fields(name: &str, fields: &mut Vec<Field>);
    /// The columns, checked to have so many rows.
    fn finish(self, rows: usize, out: &mut Vec<Column>) -> Result<(), String>;
}

impl<T: Output> WholeOutput for Vec<T> {
    fn fields(name: &str, fields: &mut Vec<Field>) {
        T::fields(name, fields);
    }

    #[inline]
    fn finish(self, rows: usize, out: &mut Vec<Column>) -> Result<(), String> {
        check_rows(self.len(), rows)?;
        T::whole(self, out)
    }
}

impl WholeOutput for TextBuilder {
    fn fields(name: &str, fields: &mut Vec<Field>) {
        fields.push(Field { name: name.to_owned(), data_type: DataType::Text, nullable: false });
    }

    fn finish(self, rows: usize, out: &mut Vec<Column>) -> Result<(), String> {
        self.0.finish(rows, out)
    }
}

impl WholeOutput for BlobBuilder {
    fn fields(name: &str, fields: &mut Vec<Field>) {
        fields.push(Field { name: name.to_owned(), data_type: DataType::Bytes, nullable: false });
    }

    fn finish(self, rows: usize, out: &mut Vec<Column>) -> Result<(), String> {
        check_rows(self.len(), rows)?;
        check_size(self.bytes.len())?;
        out.push(Column { validity: Vec::new(), offsets: self.offsets.into_flattened(), values: self.bytes });
        Ok(())
    }
}

fn check_rows(found: usize, expected: usize) -> Result<(), String> {
    if found != expected {
        return Err(format!("the function returned {found} rows for {expected}"));
    }
    Ok(())
}

/// What a function in column style returns: columns, or a `Result`, whose `Err` fails the batch.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a whole column",
    label = "not a whole column",
    note = "return a Vec of a Weir type or of an Option of one, weir::TextBuilder, weir::BlobBuilder, a struct of these with #[derive(weir::Columns)], or a Result of one of these"
)]
pub trait WholeOutcome {
    /// What goes out.
    type Output: WholeOutput;
    /// The columns, or why the batch failed.
    fn whole(self, rows: usize, out: &mut Vec<Column>) -> Result<(), String>;
}

#[diagnostic::do_not_recommend]
impl<T: WholeOutput> WholeOutcome for T {
    type Output = T;

    #[inline]
    fn whole(self, rows: usize, out: &mut Vec<Column>) -> Result<(), String> {
        self.finish(rows, out)
    }
}

impl<T: WholeOutput, E: Display> WholeOutcome for Result<T, E> {
    type Output = T;

    #[inline]
    fn whole(self, rows: usize, out: &mut Vec<Column>) -> Result<(), String> {
        self.map_err(message)?.finish(rows, out)
    }
}

/// The fields of what the (never called) function returns.
pub fn whole_outputs<O: WholeOutcome>(name: &str, _: impl FnOnce() -> O) -> Vec<Field> {
    let mut fields = Vec::new();
    O::Output::fields(name, &mut fields);
    fields
}
