//! How one Rust type is read from the buffers of a column and written to them, nulls aside.
//!
//! `open` checks the buffers once for all rows; `read` then trusts what was checked. Rows are
//! written in order and each exactly once: by `write`, or by `skip` where there is no value.

use crate::bindings::weir::udf::types::{Column, DataType};
use crate::input::unrolled;

/// A type that a column without nulls is read as.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a Weir type",
    label = "not a Weir type",
    note = "use bool, i32, i64, f32, f64, weir::Timestamp, &str, String, &[u8], Vec<u8> or an Option of one"
)]
pub trait Read<'a>: Sized {
    /// The column's type.
    const TYPE: DataType;
    /// The checked buffers.
    type Column;
    /// Checks the buffers.
    fn open(column: &'a Column, rows: usize) -> Result<Self::Column, String>;
    /// The value of a row.
    ///
    /// # Safety
    /// `row` is below the `rows` that the column was opened with.
    unsafe fn read(column: &Self::Column, row: usize) -> Self;
}

/// A type that a column without nulls is written from.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a Weir type",
    label = "not a Weir type",
    note = "use bool, i32, i64, f32, f64, weir::Timestamp, &str, String, &[u8], Vec<u8>, an Option of one, or a struct with #[derive(weir::Row)]"
)]
pub trait Write: Sized {
    /// The column's type.
    const TYPE: DataType;
    /// The buffers being written.
    type Buffers: Buffers;
    /// Writes the value of a row.
    fn write(self, buffers: &mut Self::Buffers, row: usize);

    /// Writes a whole column.
    #[inline]
    fn write_all(values: Vec<Self>) -> Self::Buffers {
        let mut buffers = Self::Buffers::new(values.len());
        let mut values = values.into_iter();
        unrolled(values.len(), |row| match values.next() {
            Some(value) => value.write(&mut buffers, row),
            None => buffers.skip(row),
        });
        buffers
    }
}

/// Buffers being written.
pub trait Buffers {
    /// Room for so many rows.
    fn new(rows: usize) -> Self;
    /// Room for so many rows in all.
    fn grow(&mut self, rows: usize);
    /// A row without a value.
    fn skip(&mut self, row: usize);
    /// Cuts to so many rows: offsets and values.
    fn finish(self, rows: usize) -> Result<(Vec<u8>, Vec<u8>), String>;
}
