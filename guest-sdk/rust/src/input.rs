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
    /// The value of a row.
    ///
    /// # Safety
    /// `row` is below the `rows` that the column was opened with.
    unsafe fn get(column: &Self::Column, row: usize) -> Self;
    /// The same where [`Input::has_nulls`] is false.
    ///
    /// # Safety
    /// `row` is below the `rows` that the column was opened with.
    unsafe fn get_valid(column: &Self::Column, row: usize) -> Self;
}

#[diagnostic::do_not_recommend]
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
    unsafe fn get(column: &Self::Column, row: usize) -> Self {
        // SAFETY: the caller's promise is the same.
        unsafe { T::read(column, row) }
    }

    #[inline]
    unsafe fn get_valid(column: &Self::Column, row: usize) -> Self {
        // SAFETY: the caller's promise is the same.
        unsafe { T::read(column, row) }
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
    unsafe fn get((validity, column): &Self::Column, row: usize) -> Self {
        // SAFETY: the caller's promise is the same.
        (validity.is_empty() || bits::get(validity, row)).then(|| unsafe { T::read(column, row) })
    }

    #[inline]
    unsafe fn get_valid((_, column): &Self::Column, row: usize) -> Self {
        // SAFETY: the caller's promise is the same.
        Some(unsafe { T::read(column, row) })
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
pub fn open<'a, T: Input<'a>>(name: &str, column: &'a Column, rows: usize) -> Result<Opened<'a, T>, String> {
    match T::open(column, rows) {
        Ok(column) => Ok(Opened { column, rows }),
        Err(error) => Err(format!("column `{name}`: {error}")),
    }
}

/// A column that is known to have so many rows.
pub struct Opened<'a, T: Input<'a>> {
    column: T::Column,
    rows: usize,
}

impl<'a, T: Input<'a>> Opened<'a, T> {
    /// The value of a row.
    ///
    /// # Panics
    /// If there is no such row.
    #[inline]
    pub fn get(&self, row: usize) -> T {
        assert!(row < self.rows, "no such row");
        // SAFETY: just checked.
        unsafe { T::get(&self.column, row) }
    }
}

/// The opened columns of a function's arguments: `(first, (second, ()))`.
pub trait Arguments {
    /// A row of them.
    type Row;
    /// Whether each has so many rows.
    fn have(&self, rows: usize) -> bool;
    /// Whether any has nulls.
    fn has_nulls(&self) -> bool;
    /// The values of a row.
    ///
    /// # Safety
    /// Each column has more than `row` rows.
    unsafe fn get(&self, row: usize) -> Self::Row;
    /// The same where [`Arguments::has_nulls`] is false.
    ///
    /// # Safety
    /// Each column has more than `row` rows.
    unsafe fn get_valid(&self, row: usize) -> Self::Row;
}

impl Arguments for () {
    type Row = ();

    #[inline]
    fn have(&self, _rows: usize) -> bool {
        true
    }

    #[inline]
    fn has_nulls(&self) -> bool {
        false
    }

    #[inline]
    unsafe fn get(&self, _row: usize) {}

    #[inline]
    unsafe fn get_valid(&self, _row: usize) {}
}

#[diagnostic::do_not_recommend]
impl<'a, T: Input<'a>, R: Arguments> Arguments for (Opened<'a, T>, R) {
    type Row = (T, R::Row);

    #[inline]
    fn have(&self, rows: usize) -> bool {
        self.0.rows == rows && self.1.have(rows)
    }

    #[inline]
    fn has_nulls(&self) -> bool {
        T::has_nulls(&self.0.column) || self.1.has_nulls()
    }

    #[inline]
    unsafe fn get(&self, row: usize) -> Self::Row {
        // SAFETY: the caller's promise is the same.
        unsafe { (T::get(&self.0.column, row), self.1.get(row)) }
    }

    #[inline]
    unsafe fn get_valid(&self, row: usize) -> Self::Row {
        // SAFETY: the caller's promise is the same.
        unsafe { (T::get_valid(&self.0.column, row), self.1.get_valid(row)) }
    }
}

/// Calls `f` with each row, in order.
#[inline]
pub(crate) fn each<A: Arguments>(arguments: &A, rows: usize, mut f: impl FnMut(usize, A::Row)) {
    assert!(arguments.have(rows), "columns of other lengths");
    // SAFETY: just checked, and `unrolled` keeps below `rows`.
    if arguments.has_nulls() {
        unrolled(rows, |row| f(row, unsafe { arguments.get(row) }));
    } else {
        unrolled(rows, |row| f(row, unsafe { arguments.get_valid(row) }));
    }
}

/// Counts in steps of eight, which the compiler unrolls where `f` is short: each turn of a loop in the
/// sandbox costs a look at whether the function has run too long.
#[inline]
pub(crate) fn unrolled(rows: usize, mut f: impl FnMut(usize)) {
    let whole = rows - rows % 8;
    for start in (0..whole).step_by(8) {
        for row in start..start + 8 {
            f(row);
        }
    }
    for row in whole..rows {
        f(row);
    }
}
