//! Booleans: one bit a row.

use crate::bindings::weir::udf::types::{Column, DataType};
use crate::bits;
use crate::value::{Buffers, Read, Write};

impl<'a> Read<'a> for bool {
    const TYPE: DataType = DataType::Boolean;
    type Column = &'a [u8];

    #[inline]
    fn open(column: &'a Column, rows: usize) -> Result<Self::Column, String> {
        bits::check(&column.values, rows, "values")?;
        Ok(&column.values)
    }

    #[inline]
    unsafe fn read(column: &Self::Column, row: usize) -> Self {
        bits::get(column, row)
    }
}

/// Bits being written. A row that is skipped is false.
pub struct Bits(Vec<u8>);

impl Buffers for Bits {
    #[inline]
    fn new(rows: usize) -> Self {
        Self(vec![0; bits::bytes(rows)])
    }

    fn grow(&mut self, rows: usize) {
        self.0.resize(bits::bytes(rows), 0);
    }

    #[inline]
    fn skip(&mut self, _row: usize) {}

    #[inline]
    fn finish(mut self, rows: usize) -> Result<(Vec<u8>, Vec<u8>), String> {
        bits::truncate(&mut self.0, rows);
        Ok((Vec::new(), self.0))
    }
}

impl Write for bool {
    const TYPE: DataType = DataType::Boolean;
    type Buffers = Bits;

    #[inline]
    fn write(self, buffers: &mut Bits, row: usize) {
        bits::set(&mut buffers.0, row, self);
    }
}
