//! Whole columns as arguments.

use std::borrow::Cow;

use crate::Timestamp;
use crate::bindings::weir::udf::types::{Column, DataType, Field};
use crate::bits;
use crate::columns::{Blobs, Texts};
use crate::fixed::numbers;
use crate::text::{BlobColumn, TextColumn};
use crate::value::Read;

/// A type that an argument of a function in column style may have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a whole column",
    label = "not a whole column",
    note = "use &[i32], &[i64], &[f32], &[f64], &[weir::Timestamp], weir::Bools, weir::Texts, weir::Blobs or weir::Nullable of one"
)]
pub trait WholeInput<'a>: Sized {
    /// The column's type.
    const TYPE: DataType;
    /// Whether it takes nulls.
    const NULLABLE: bool = false;
    /// The checked buffers.
    type Held;
    /// Checks the buffers.
    fn hold(column: &'a Column, rows: usize) -> Result<Self::Held, String>;
    /// What the function gets.
    fn view(held: &'a Self::Held) -> Self;
}

/// A number whose column can be seen as a slice.
trait Number: Clone {
    /// The bytes as so many numbers: in place where they are aligned, else copied.
    fn cast(bytes: &[u8], rows: usize) -> Result<Cow<'_, [Self]>, String>;
}

macro_rules! slice {
    ($($type:ty: $from:expr;)*) => {$(
        impl Number for $type {
            fn cast(bytes: &[u8], rows: usize) -> Result<Cow<'_, [Self]>, String> {
                let numbers = numbers(bytes, rows)?;
                // SAFETY: every pattern of bits is a value of this type, and `align_to` keeps to the
                // memory and alignment.
                match unsafe { bytes.align_to() } {
                    ([], aligned, []) => Ok(Cow::Borrowed(aligned)),
                    _ => Ok(numbers.iter().map(|&number| $from(number)).collect()),
                }
            }
        }

        impl<'a> WholeInput<'a> for &'a [$type] {
            const TYPE: DataType = <$type as Read<'static>>::TYPE;
            type Held = Cow<'a, [$type]>;

            #[inline]
            fn hold(column: &'a Column, rows: usize) -> Result<Self::Held, String> {
                Number::cast(&column.values, rows)
            }

            #[inline]
            fn view(held: &'a Self::Held) -> Self {
                held
            }
        }
    )*};
}

slice! {
    i32: i32::from_le_bytes;
    i64: i64::from_le_bytes;
    f32: f32::from_le_bytes;
    f64: f64::from_le_bytes;
    Timestamp: |bytes| Timestamp(i64::from_le_bytes(bytes));
}

/// A column of booleans.
#[derive(Clone, Copy, Debug)]
pub struct Bools<'a> {
    rows: usize,
    bits: &'a [u8],
}

impl<'a> Bools<'a> {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The value of a row.
    ///
    /// # Panics
    /// If there is no such row.
    #[inline]
    pub fn get(&self, row: usize) -> bool {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        bits::get(self.bits, row)
    }

    /// All values.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = bool> + use<'a> {
        let bits = self.bits;
        (0..self.rows).map(move |row| bits::get(bits, row))
    }

    /// The bits, least significant first.
    pub fn bits(&self) -> &'a [u8] {
        self.bits
    }
}

impl<'a> WholeInput<'a> for Bools<'a> {
    const TYPE: DataType = DataType::Boolean;
    type Held = Self;

    fn hold(column: &'a Column, rows: usize) -> Result<Self, String> {
        bool::open(column, rows).map(|bits| Self { rows, bits })
    }

    fn view(held: &'a Self) -> Self {
        *held
    }
}

impl<'a> WholeInput<'a> for Texts<'a> {
    const TYPE: DataType = DataType::Text;
    type Held = Self;

    fn hold(column: &'a Column, rows: usize) -> Result<Self, String> {
        TextColumn::open(column, rows).map(Self)
    }

    fn view(held: &'a Self) -> Self {
        *held
    }
}

impl<'a> WholeInput<'a> for Blobs<'a> {
    const TYPE: DataType = DataType::Bytes;
    type Held = Self;

    fn hold(column: &'a Column, rows: usize) -> Result<Self, String> {
        BlobColumn::open(column, rows).map(Self)
    }

    fn view(held: &'a Self) -> Self {
        *held
    }
}

/// A column that may have nulls.
#[derive(Clone, Copy, Debug)]
pub struct Nullable<'a, C> {
    /// The values; what stands at a null has no meaning.
    pub values: C,
    validity: &'a [u8],
}

impl<C> Nullable<'_, C> {
    /// Whether any row may be null.
    pub fn has_nulls(&self) -> bool {
        !self.validity.is_empty()
    }

    /// Whether a row has a value.
    ///
    /// # Panics
    /// If there is no such row.
    #[inline]
    pub fn is_valid(&self, row: usize) -> bool {
        self.validity.is_empty() || bits::get(self.validity, row)
    }
}

impl<'a, C: WholeInput<'a>> WholeInput<'a> for Nullable<'a, C> {
    const TYPE: DataType = C::TYPE;
    const NULLABLE: bool = true;
    type Held = (C::Held, &'a [u8]);

    fn hold(column: &'a Column, rows: usize) -> Result<Self::Held, String> {
        if !column.validity.is_empty() {
            bits::check(&column.validity, rows, "validity")?;
        }
        Ok((C::hold(column, rows)?, &column.validity))
    }

    fn view((held, validity): &'a Self::Held) -> Self {
        Self { values: C::view(held), validity }
    }
}

/// The field of a whole column.
pub fn whole_input<'a, C: WholeInput<'a>>(name: &str) -> Field {
    Field { name: name.to_owned(), data_type: C::TYPE, nullable: C::NULLABLE }
}

/// `WholeInput::hold`, with the column's name in the error.
#[inline]
pub fn hold<'a, C: WholeInput<'a>>(name: &str, column: &'a Column, rows: usize) -> Result<C::Held, String> {
    if !C::NULLABLE && !column.validity.is_empty() {
        return Err(format!("column `{name}`: nulls where the catalog says that there are none"));
    }
    C::hold(column, rows).map_err(|error| format!("column `{name}`: {error}"))
}

/// `WholeInput::view`.
#[inline]
pub fn view<'a, C: WholeInput<'a>>(held: &'a C::Held) -> C {
    C::view(held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_may_stand_anywhere() {
        let expected = [1_i64, -2, i64::MAX];
        for shift in 0..8 {
            let mut bytes = vec![0; shift];
            bytes.extend(expected.iter().flat_map(|number| number.to_le_bytes()));
            assert_eq!(i64::cast(&bytes[shift..], 3).unwrap().as_ref(), expected);
        }
        assert!(i64::cast(&[0; 7], 1).is_err());
    }
}
