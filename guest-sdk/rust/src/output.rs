//! What a function returns: one value of one output column, or a row of several.
//!
//! Rows are put in order and each exactly once. A row that fails is skipped: it is null where the
//! column may be, and else 0, false or empty; the host takes neither.

use std::fmt::Display;

use crate::accumulator::encode;
use crate::bindings::weir::udf::types::{Column, Field};
use crate::bits;
use crate::value::{Buffers, Write};

/// A type that a function may return: a scalar, an `Option` of one, or a derived [`Row`](crate::Row).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a Weir type",
    label = "not a Weir type",
    note = "use bool, i32, i64, f32, f64, weir::Timestamp, &str, String, &[u8], Vec<u8>, an Option of one, or a struct with #[derive(weir::Row)]"
)]
pub trait Output: Sized {
    /// The columns being written.
    type Columns;
    /// The fields of the columns; a scalar's is called `name`.
    fn fields(name: &str, fields: &mut Vec<Field>);
    /// Columns with room for so many rows.
    fn columns(rows: usize) -> Self::Columns;
    /// Room for so many rows in all.
    fn grow(columns: &mut Self::Columns, rows: usize);
    /// Puts the row with that index.
    fn put(self, columns: &mut Self::Columns, row: usize);
    /// A row without a value.
    fn skip(columns: &mut Self::Columns, row: usize);
    /// Cuts to so many rows.
    fn finish(columns: Self::Columns, rows: usize, out: &mut Vec<Column>) -> Result<(), String>;

    /// A row for each value.
    #[inline]
    fn whole(values: Vec<Self>, out: &mut Vec<Column>) -> Result<(), String> {
        out.append(&mut encode(values.into_iter())?.columns);
        Ok(())
    }
}

#[diagnostic::do_not_recommend]
impl<T: Write> Output for T {
    type Columns = T::Buffers;

    fn fields(name: &str, fields: &mut Vec<Field>) {
        fields.push(Field { name: name.to_owned(), data_type: T::TYPE, nullable: false });
    }

    #[inline]
    fn columns(rows: usize) -> Self::Columns {
        T::Buffers::new(rows)
    }

    fn grow(columns: &mut Self::Columns, rows: usize) {
        columns.grow(rows);
    }

    #[inline]
    fn put(self, columns: &mut Self::Columns, row: usize) {
        self.write(columns, row);
    }

    #[inline]
    fn skip(columns: &mut Self::Columns, row: usize) {
        columns.skip(row);
    }

    #[inline]
    fn finish(columns: Self::Columns, rows: usize, out: &mut Vec<Column>) -> Result<(), String> {
        let (offsets, values) = columns.finish(rows)?;
        out.push(Column { validity: Vec::new(), offsets, values });
        Ok(())
    }

    #[inline]
    fn whole(values: Vec<Self>, out: &mut Vec<Column>) -> Result<(), String> {
        let rows = values.len();
        Self::finish(T::write_all(values), rows, out)
    }
}

/// Buffers with nulls. `validity` stays empty until the first null.
pub struct Optional<B> {
    rows: usize,
    validity: Vec<u8>,
    buffers: B,
}

impl<B: Buffers> Optional<B> {
    #[inline]
    fn skip(&mut self, row: usize) {
        if self.validity.is_empty() {
            self.validity = vec![0xff; bits::bytes(self.rows)];
        }
        bits::clear(&mut self.validity, row);
        self.buffers.skip(row);
    }
}

impl<T: Write> Output for Option<T> {
    type Columns = Optional<T::Buffers>;

    fn fields(name: &str, fields: &mut Vec<Field>) {
        fields.push(Field { name: name.to_owned(), data_type: T::TYPE, nullable: true });
    }

    #[inline]
    fn columns(rows: usize) -> Self::Columns {
        Optional { rows, validity: Vec::new(), buffers: T::Buffers::new(rows) }
    }

    fn grow(columns: &mut Self::Columns, rows: usize) {
        columns.rows = rows;
        if !columns.validity.is_empty() {
            columns.validity.resize(bits::bytes(rows), 0xff);
        }
        columns.buffers.grow(rows);
    }

    #[inline]
    fn put(self, columns: &mut Self::Columns, row: usize) {
        match self {
            Some(value) => value.write(&mut columns.buffers, row),
            None => columns.skip(row),
        }
    }

    #[inline]
    fn skip(columns: &mut Self::Columns, row: usize) {
        columns.skip(row);
    }

    #[inline]
    fn finish(mut columns: Self::Columns, rows: usize, out: &mut Vec<Column>) -> Result<(), String> {
        bits::truncate(&mut columns.validity, rows);
        let (offsets, values) = columns.buffers.finish(rows)?;
        out.push(Column { validity: columns.validity, offsets, values });
        Ok(())
    }
}

/// What a map returns for a row: an [`Output`], or a `Result` of one, whose `Err` fails the row.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a Weir type",
    label = "not a Weir type",
    note = "return bool, i32, i64, f32, f64, weir::Timestamp, &str, String, &[u8], Vec<u8>, an Option of one, a struct with #[derive(weir::Row)], or a Result of one of these"
)]
pub trait Outcome {
    /// What goes out.
    type Row: Output;
    /// Whether a row may fail.
    const FALLIBLE: bool;
    /// The row, or why it failed.
    fn outcome(self) -> Result<Self::Row, String>;
}

#[diagnostic::do_not_recommend]
impl<T: Output> Outcome for T {
    type Row = T;
    const FALLIBLE: bool = false;

    #[inline]
    fn outcome(self) -> Result<T, String> {
        Ok(self)
    }
}

impl<T: Output, E: Display> Outcome for Result<T, E> {
    type Row = T;
    const FALLIBLE: bool = true;

    #[inline]
    fn outcome(self) -> Result<T, String> {
        self.map_err(message)
    }
}

/// The error of a row, with its causes where `{:#}` shows them.
#[cold]
pub(crate) fn message(error: impl Display) -> String {
    format!("{error:#}")
}
