//! An argument of a function of whole groups: the values that a column has in one group, as a slice.
//!
//! A column is read once for all groups of a call; each group then sees its part of it.

use std::ops::Range;

use crate::bindings::weir::udf::types::{Column, DataType, Field};
use crate::input::{self, Input};

/// A type that an argument of a function of whole groups may have: a slice of what a column is read
/// as.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the column of a group",
    label = "not the column of a group",
    note = "use a slice: &[f64], &[i64], &[&str], &[weir::Timestamp], &[Option<f64>] and so on"
)]
pub trait GroupInput<'a>: Sized {
    /// The column's type.
    const TYPE: DataType;
    /// Whether it takes nulls.
    const NULLABLE: bool;
    /// The values of all groups.
    type Held;
    /// Reads the column.
    fn hold(name: &str, column: &'a Column, rows: usize) -> Result<Self::Held, String>;
    /// What the function gets.
    fn of(held: &'a Self::Held, rows: Range<usize>) -> Self;
}

impl<'a, T: Input<'a> + 'a> GroupInput<'a> for &'a [T] {
    const TYPE: DataType = T::TYPE;
    const NULLABLE: bool = T::NULLABLE;
    type Held = Vec<T>;

    #[inline]
    fn hold(name: &str, column: &'a Column, rows: usize) -> Result<Vec<T>, String> {
        let column = input::open::<T>(name, column, rows)?;
        Ok((0..rows).map(|row| column.get(row)).collect())
    }

    #[inline]
    fn of(held: &'a Vec<T>, rows: Range<usize>) -> Self {
        &held[rows]
    }
}

/// The field of a group's column.
pub fn group_input<'a, C: GroupInput<'a>>(name: &str) -> Field {
    Field { name: name.to_owned(), data_type: C::TYPE, nullable: C::NULLABLE }
}

/// [`GroupInput::hold`].
#[inline]
pub fn hold_group<'a, C: GroupInput<'a>>(name: &str, column: &'a Column, rows: usize) -> Result<C::Held, String> {
    C::hold(name, column, rows)
}

/// [`GroupInput::of`].
#[inline]
pub fn of_group<'a, C: GroupInput<'a>>(held: &'a C::Held, rows: Range<usize>) -> C {
    C::of(held, rows)
}
