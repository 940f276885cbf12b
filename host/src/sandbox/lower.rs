//! From Arrow columns to the contract's: borrowed where the buffers already stand as the contract
//! wants them, copied where a slice of a larger column has to be moved to a byte or to offset 0.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    BinaryType, ByteArrayType, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType, Utf8Type,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType};
use arrow_buffer::{BooleanBuffer, ToByteSlice};
use smallvec::SmallVec;

use super::bindings::weir::udf::types::ColumnParam;
use crate::types::DataType;

/// A column as the contract has it.
pub(super) struct Buffers<'a> {
    validity: Cow<'a, [u8]>,
    offsets: Cow<'a, [u8]>,
    values: Cow<'a, [u8]>,
}

/// Columns of a call that need no allocation to be lowered: few functions take more.
const COLUMNS: usize = 4;

const NOTHING: Cow<'static, [u8]> = Cow::Borrowed(&[]);

/// The buffers of each column. A column of a type that is none of the contract's has none: the
/// plan lets no such column get here.
pub(super) fn lower(columns: &[ArrayRef]) -> SmallVec<[Buffers<'_>; COLUMNS]> {
    columns.iter().map(Buffers::new).collect()
}

/// The arguments that borrow the buffers.
pub(super) fn params<'a>(columns: &'a [Buffers<'_>]) -> SmallVec<[ColumnParam<'a>; COLUMNS]> {
    columns.iter().map(|b| ColumnParam { validity: &b.validity, offsets: &b.offsets, values: &b.values }).collect()
}

/// A column's validity, offsets and values, as a guest gets them.
pub(crate) fn column_bytes(column: &ArrayRef) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let Buffers { validity, offsets, values } = Buffers::new(column);
    (validity.into_owned(), offsets.into_owned(), values.into_owned())
}

impl<'a> Buffers<'a> {
    fn new(array: &'a ArrayRef) -> Self {
        let validity = match array.nulls() {
            Some(nulls) if nulls.null_count() > 0 => bits(nulls.inner()),
            _ => NOTHING,
        };
        let (offsets, values) = match DataType::of(array.data_type()) {
            Some(DataType::Boolean) => (NOTHING, bits(array.as_boolean().values())),
            Some(DataType::Int32) => (NOTHING, numbers::<Int32Type>(array)),
            Some(DataType::Int64) => (NOTHING, numbers::<Int64Type>(array)),
            Some(DataType::Float32) => (NOTHING, numbers::<Float32Type>(array)),
            Some(DataType::Float64) => (NOTHING, numbers::<Float64Type>(array)),
            Some(DataType::Timestamp) => (NOTHING, numbers::<TimestampMicrosecondType>(array)),
            Some(DataType::Text) => texts::<Utf8Type>(array),
            Some(DataType::Bytes) => texts::<BinaryType>(array),
            None => (NOTHING, NOTHING),
        };
        Self { validity, offsets, values }
    }
}

fn numbers<T: ArrowPrimitiveType>(array: &ArrayRef) -> Cow<'_, [u8]> {
    Cow::Borrowed(array.as_primitive::<T>().values().inner().as_slice())
}

/// The offsets, moved to start at 0, and the bytes between the first and the last of them.
fn texts<T: ByteArrayType<Offset = i32>>(array: &ArrayRef) -> (Cow<'_, [u8]>, Cow<'_, [u8]>) {
    let array = array.as_bytes::<T>();
    let offsets = array.value_offsets();
    let (first, last) = (offsets[0], offsets[offsets.len() - 1]);
    let values = Cow::Borrowed(&array.value_data()[first as usize..last as usize]);
    if first == 0 {
        return (Cow::Borrowed(offsets.to_byte_slice()), values);
    }
    let moved: Vec<u8> = offsets.iter().flat_map(|o| (o - first).to_le_bytes()).collect();
    (Cow::Owned(moved), values)
}

/// The bits from a byte's first on. What stands behind the last row is zero, so that a guest sees
/// the same bytes however the column was cut.
fn bits(bits: &BooleanBuffer) -> Cow<'_, [u8]> {
    let bytes = bits.len().div_ceil(8);
    if bits.offset().is_multiple_of(8) && bits.len().is_multiple_of(8) {
        let start = bits.offset() / 8;
        return Cow::Borrowed(&bits.values()[start..start + bytes]);
    }
    let mut moved = bits.sliced().as_slice()[..bytes].to_vec();
    if let (Some(last), rest @ 1..) = (moved.last_mut(), bits.len() % 8) {
        *last &= (1 << rest) - 1;
    }
    Cow::Owned(moved)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{BooleanArray, Int64Array, StringArray};

    use super::*;

    fn buffers(array: &ArrayRef) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
        let b = Buffers::new(array);
        (b.validity.into_owned(), b.offsets.into_owned(), b.values.into_owned())
    }

    #[test]
    fn a_whole_column_is_borrowed() {
        let array: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let b = Buffers::new(&array);
        assert!(matches!(b.values, Cow::Borrowed(_)));
        assert_eq!(b.values.as_ref(), [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
        assert!(b.validity.is_empty() && b.offsets.is_empty());
    }

    #[test]
    fn a_slice_starts_anew() {
        let array: ArrayRef = Arc::new(StringArray::from(vec![Some("ab"), None, Some("cde"), Some("f")]));
        let (validity, offsets, values) = buffers(&array.slice(1, 2));
        assert_eq!(validity, [0b10]);
        assert_eq!(offsets, [0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0]);
        assert_eq!(values, b"cde");
    }

    #[test]
    fn bits_behind_the_last_row_are_zero() {
        let array: ArrayRef = Arc::new(BooleanArray::from(vec![true; 16]));
        assert_eq!(buffers(&array.slice(3, 10)).2, [0xff, 0b11]);
        assert_eq!(buffers(&array.slice(8, 8)).2, [0xff]);
        assert_eq!(buffers(&array.slice(8, 0)).2, [0u8; 0]);
    }
}
