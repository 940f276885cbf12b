//! The numbers: one little-endian value a row, read as bytes so that alignment never matters.

use crate::Timestamp;
use crate::bindings::weir::udf::types::{Column, DataType};
use crate::value::{Buffers, Read, Write};

/// Checks that `values` holds exactly `rows` numbers of `W` bytes.
#[inline]
pub(crate) fn numbers<const W: usize>(values: &[u8], rows: usize) -> Result<&[[u8; W]], String> {
    match values.as_chunks() {
        // Cut to what it is: the compiler then knows the length, and loops check no index.
        (numbers, []) if numbers.len() == rows => Ok(&numbers[..rows]),
        _ => Err(format!("{} bytes of values for {rows} rows; expected {}", values.len(), rows * W)),
    }
}

/// Numbers being written. A row that is skipped holds 0.
pub struct Fixed<const W: usize>(Vec<[u8; W]>);

impl<const W: usize> Buffers for Fixed<W> {
    #[inline]
    fn new(rows: usize) -> Self {
        Self(vec![[0; W]; rows])
    }

    fn grow(&mut self, rows: usize) {
        self.0.resize(rows, [0; W]);
    }

    #[inline]
    fn skip(&mut self, _row: usize) {}

    #[inline]
    fn finish(mut self, rows: usize) -> Result<(Vec<u8>, Vec<u8>), String> {
        self.0.truncate(rows);
        Ok((Vec::new(), self.0.into_flattened()))
    }
}

macro_rules! number {
    ($type:ty, $data_type:ident, $from:expr, $to:expr) => {
        impl<'a> Read<'a> for $type {
            const TYPE: DataType = DataType::$data_type;
            type Column = &'a [[u8; size_of::<$type>()]];

            #[inline]
            fn open(column: &'a Column, rows: usize) -> Result<Self::Column, String> {
                numbers(&column.values, rows)
            }

            #[inline]
            unsafe fn read(column: &Self::Column, row: usize) -> Self {
                // SAFETY: `open` made as many numbers as rows, and the caller keeps below them.
                $from(unsafe { *column.get_unchecked(row) })
            }
        }

        impl Write for $type {
            const TYPE: DataType = DataType::$data_type;
            type Buffers = Fixed<{ size_of::<$type>() }>;

            #[inline]
            fn write(self, buffers: &mut Self::Buffers, row: usize) {
                buffers.0[row] = $to(self);
            }
        }
    };
}

number!(i32, Int32, i32::from_le_bytes, i32::to_le_bytes);
number!(i64, Int64, i64::from_le_bytes, i64::to_le_bytes);
number!(f32, Float32, f32::from_le_bytes, f32::to_le_bytes);
number!(f64, Float64, f64::from_le_bytes, f64::to_le_bytes);
number!(Timestamp, Timestamp, |bytes| Timestamp(i64::from_le_bytes(bytes)), |time: Timestamp| time.0.to_le_bytes());
