//! An argument of a function: one value of an input column, perhaps null.

use crate::bindings::weir::udf::types::{Batch, Column, DataType, Field};
use crate::bits;
use crate::value::Read;

/// A type that an argument of a function may have: what a column is read as.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a Weir type",
    label = "not a Weir type",
    note = "use bool, i32, i64, f32, f64, weir::Timestamp, &str, String, &[u8], Vec<u8> or an Option of one"
)]
pub trait Input<'a>: Sized {
    /// The column's type.
    const TYPE: DataType;
    /// Whether it takes nulls.
    const NULLABLE: bool;
    /// The checked buffers.
    type Column;
    /// Checks the buffers.
    fn open(column: &'a Column, rows: usize) -> Result<Self::Column, String>;
    /// Whether any row may be null.
    fn has_nulls(column: &Self::Column) -> bool;
    /// The value of a row below `rows`.
    fn get(column: &Self::Column, row: usize) -> Self;
    /// The same where [`Input::has_nulls`] is false.
    fn get_valid(column: &Self::Column, row: usize) -> Self;
}

impl<'a, T: Read<'a>> Input<'a> for T {
    const TYPE: DataType = T::TYPE;
    const NULLABLE: bool = false;
    type Column = T::Column;

    #[inline]
    fn open(column: &'a Column, rows: usize) -> Result<Self::Column, String> {
        if !column.validity.is_empty() {
            return Err("nulls where the catalog says that there are none".to_owned());
        }
        T::open(column, rows)
    }

    #[inline]
    fn has_nulls(_column: &Self::Column) -> bool {
        false
    }

    #[inline]
    fn get(column: &Self::Column, row: usize) -> Self {
        T::read(column, row)
    }

    #[inline]
    fn get_valid(column: &Self::Column, row: usize) -> Self {
        T::read(column, row)
    }
}

impl<'a, T: Read<'a>> Input<'a> for Option<T> {
    const TYPE: DataType = T::TYPE;
    const NULLABLE: bool = true;
    type Column = (&'a [u8], T::Column);

    #[inline]
    fn open(column: &'a Column, rows: usize) -> Result<Self::Column, String> {
        if !column.validity.is_empty() {
            bits::check(&column.validity, rows, "validity")?;
        }
        Ok((&column.validity, T::open(column, rows)?))
    }

    #[inline]
    fn has_nulls((validity, _): &Self::Column) -> bool {
        !validity.is_empty()
    }

    #[inline]
    fn get((validity, column): &Self::Column, row: usize) -> Self {
        (validity.is_empty() || bits::get(validity, row)).then(|| T::read(column, row))
    }

    #[inline]
    fn get_valid((_, column): &Self::Column, row: usize) -> Self {
        Some(T::read(column, row))
    }
}

/// The columns of a batch, where there are as many as expected.
#[inline]
pub fn columns<const N: usize>(batch: &Batch) -> Result<&[Column; N], String> {
    batch.columns.as_slice().try_into().map_err(|_| format!("{} columns; expected {N}", batch.columns.len()))
}

/// The field of an input.
pub fn input<'a, T: Input<'a>>(name: &str) -> Field {
    Field { name: name.to_owned(), data_type: T::TYPE, nullable: T::NULLABLE }
}

/// [`Input::open`], with the column's name in the error.
#[inline]
pub fn open<'a, T: Input<'a>>(name: &str, column: &'a Column, rows: usize) -> Result<T::Column, String> {
    T::open(column, rows).map_err(|error| format!("column `{name}`: {error}"))
}

/// [`Input::has_nulls`].
#[inline]
pub fn has_nulls<'a, T: Input<'a>>(column: &T::Column) -> bool {
    T::has_nulls(column)
}

/// [`Input::get`].
#[inline]
pub fn get<'a, T: Input<'a>>(column: &T::Column, row: usize) -> T {
    T::get(column, row)
}

/// [`Input::get_valid`].
#[inline]
pub fn get_valid<'a, T: Input<'a>>(column: &T::Column, row: usize) -> T {
    T::get_valid(column, row)
}
