//! Texts and bytes: `rows + 1` offsets into one run of bytes.
//!
//! Offsets are checked once when the column is opened: never decreasing, within the bytes and, for
//! text, on the edges of characters of valid UTF-8. A look-up then neither checks nor copies.

use std::borrow::Cow;

use crate::bindings::weir::udf::types::{Column, DataType};
use crate::fixed::numbers;
use crate::value::{Buffers, Read, Write};

/// Checked bytes of each row.
#[derive(Clone, Copy)]
pub struct BlobColumn<'a> {
    pub(crate) offsets: &'a [[u8; 4]],
    pub(crate) bytes: &'a [u8],
}

impl<'a> BlobColumn<'a> {
    pub(crate) fn open(column: &'a Column, rows: usize) -> Result<Self, String> {
        let offsets = numbers(&column.offsets, rows + 1).map_err(|_| {
            format!("{} bytes of offsets for {rows} rows; expected {}", column.offsets.len(), (rows + 1) * 4)
        })?;
        let (mut last, mut ordered) = (0, true);
        for &offset in offsets {
            let offset = u32::from_le_bytes(offset);
            ordered &= last <= offset;
            last = offset;
        }
        if !ordered || last as usize > column.values.len() {
            return Err(format!("offsets that decrease or pass the {} bytes of values", column.values.len()));
        }
        Ok(Self { offsets, bytes: &column.values })
    }

    #[inline]
    pub(crate) fn range(&self, row: usize) -> (usize, usize) {
        let at = |row: usize| u32::from_le_bytes(self.offsets[row]) as usize;
        (at(row), at(row + 1))
    }

    #[inline]
    pub(crate) fn get(&self, row: usize) -> &'a [u8] {
        let (start, end) = self.range(row);
        // SAFETY: `open`, the only maker, checked that offsets never decrease and end within `bytes`.
        unsafe { self.bytes.get_unchecked(start..end) }
    }
}

/// Checked text of each row.
#[derive(Clone, Copy)]
pub struct TextColumn<'a>(BlobColumn<'a>);

impl<'a> TextColumn<'a> {
    pub(crate) fn open(column: &'a Column, rows: usize) -> Result<Self, String> {
        let blobs = BlobColumn::open(column, rows)?;
        if !is_ascii(blobs.bytes) {
            let text = str::from_utf8(blobs.bytes).map_err(|error| format!("text that is not UTF-8: {error}"))?;
            if !blobs.offsets.iter().all(|&offset| text.is_char_boundary(u32::from_le_bytes(offset) as usize)) {
                return Err("offsets within a character".to_owned());
            }
        }
        Ok(Self(blobs))
    }

    #[inline]
    pub(crate) fn get(&self, row: usize) -> &'a str {
        // SAFETY: `open`, the only maker, checked that the bytes are UTF-8 and that offsets stand on
        // the edges of characters.
        unsafe { str::from_utf8_unchecked(self.0.get(row)) }
    }

    /// All bytes, and the offsets into them.
    pub(crate) fn parts(&self) -> (&'a [[u8; 4]], &'a str) {
        // SAFETY: `open`, the only maker, checked that all bytes are UTF-8.
        (self.0.offsets, unsafe { str::from_utf8_unchecked(self.0.bytes) })
    }
}

/// Whether no byte has its highest bit set; 64 at a time, which needs no SIMD.
pub(crate) fn is_ascii(bytes: &[u8]) -> bool {
    let (blocks, rest) = bytes.as_chunks::<64>();
    let ascii = |block: &[u8; 64]| {
        let (words, _) = block.as_chunks::<8>();
        words.iter().fold(0, |all, &word| all | u64::from_le_bytes(word)) & 0x8080_8080_8080_8080 == 0
    };
    blocks.iter().all(ascii) && rest.is_ascii()
}

/// Texts or bytes being written. A row that is skipped is empty.
pub struct Blob {
    offsets: Vec<[u8; 4]>,
    bytes: Vec<u8>,
}

impl Blob {
    #[inline]
    fn write(&mut self, bytes: &[u8], row: usize) {
        self.bytes.extend_from_slice(bytes);
        self.skip(row);
    }
}

impl Buffers for Blob {
    #[inline]
    fn new(rows: usize) -> Self {
        Self { offsets: vec![[0; 4]; rows + 1], bytes: Vec::new() }
    }

    fn grow(&mut self, rows: usize) {
        self.offsets.resize(rows + 1, [0; 4]);
    }

    #[inline]
    fn skip(&mut self, row: usize) {
        // Wraps only where there are more bytes than `finish` lets pass.
        self.offsets[row + 1] = (self.bytes.len() as u32).to_le_bytes();
    }

    fn finish(mut self, rows: usize) -> Result<(Vec<u8>, Vec<u8>), String> {
        check_size(self.bytes.len())?;
        self.offsets.truncate(rows + 1);
        Ok((self.offsets.into_flattened(), self.bytes))
    }
}

/// Offsets are 32 bits, and Arrow's are signed.
pub(crate) fn check_size(bytes: usize) -> Result<(), String> {
    if i32::try_from(bytes).is_err() {
        return Err(format!("{bytes} bytes in one column of a batch; at most {} fit", i32::MAX));
    }
    Ok(())
}

trait AsBytes {
    fn as_bytes(&self) -> &[u8];
}
impl<T: std::ops::Deref<Target: AsBytes>> AsBytes for T {
    #[inline]
    fn as_bytes(&self) -> &[u8] {
        (**self).as_bytes()
    }
}
impl AsBytes for str {
    #[inline]
    fn as_bytes(&self) -> &[u8] {
        str::as_bytes(self)
    }
}
impl AsBytes for [u8] {
    #[inline]
    fn as_bytes(&self) -> &[u8] {
        self
    }
}

macro_rules! blob {
    ($data_type:ident, $column:ident, $($type:ty [$($lifetime:lifetime)?]: $from:expr;)*) => {$(
        impl<'a> Read<'a> for $type {
            const TYPE: DataType = DataType::$data_type;
            type Column = $column<'a>;

            #[inline]
            fn open(column: &'a Column, rows: usize) -> Result<Self::Column, String> {
                $column::open(column, rows)
            }

            #[inline]
            unsafe fn read(column: &Self::Column, row: usize) -> Self {
                $from(column.get(row))
            }
        }

        impl $(<$lifetime>)? Write for $type {
            const TYPE: DataType = DataType::$data_type;
            type Buffers = Blob;

            #[inline]
            fn write(self, buffers: &mut Blob, row: usize) {
                buffers.write(AsBytes::as_bytes(&self), row);
            }
        }
    )*};
}

blob! { Text, TextColumn,
    &'a str ['a]: |text| text;
    String []: str::to_owned;
    Cow<'a, str> ['a]: Cow::Borrowed;
}
blob! { Bytes, BlobColumn,
    &'a [u8] ['a]: |bytes| bytes;
    Vec<u8> []: <[u8]>::to_vec;
    Cow<'a, [u8]> ['a]: Cow::Borrowed;
}
