//! Columns of texts and of bytes: in as borrowed runs, out through builders.

use std::fmt;

use crate::text::{BlobColumn, TextColumn, is_ascii};

/// A column of texts: `rows + 1` offsets into one text.
#[derive(Clone, Copy)]
pub struct Texts<'a>(pub(crate) TextColumn<'a>);

/// A column of bytes: `rows + 1` offsets into one run of bytes.
#[derive(Clone, Copy)]
pub struct Blobs<'a>(pub(crate) BlobColumn<'a>);

macro_rules! column {
    ($column:ident, $item:ty) => {
        impl<'a> $column<'a> {
            /// The number of rows.
            pub fn len(&self) -> usize {
                self.raw_offsets().len() - 1
            }

            /// Whether there is no row.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// The value of a row.
            ///
            /// # Panics
            /// If there is no such row.
            #[inline]
            pub fn get(&self, row: usize) -> &'a $item {
                self.0.get(row)
            }

            /// All values.
            pub fn iter(&self) -> impl ExactSizeIterator<Item = &'a $item> + use<'a> {
                let column = self.0;
                (0..self.len()).map(move |row| column.get(row))
            }

            /// Where each value starts in the whole; one more than there are rows.
            pub fn offsets(&self) -> impl ExactSizeIterator<Item = u32> + use<'a> {
                self.raw_offsets().iter().map(|&offset| u32::from_le_bytes(offset))
            }
        }

        impl fmt::Debug for $column<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_list().entries(self.iter()).finish()
            }
        }
    };
}

column!(Texts, str);
column!(Blobs, [u8]);

impl<'a> Texts<'a> {
    fn raw_offsets(&self) -> &'a [[u8; 4]] {
        self.0.parts().0
    }

    /// The texts of all rows, one after the other.
    pub fn text(&self) -> &'a str {
        self.0.parts().1
    }

    /// Whether all of it is ASCII.
    pub fn is_ascii(&self) -> bool {
        is_ascii(self.text().as_bytes())
    }

    /// All rows with `a` to `z` in upper case, other characters as they are. Many times as fast as
    /// [`str::to_ascii_uppercase`], which goes byte by byte where there is no SIMD.
    pub fn to_ascii_uppercase(&self) -> TextBuilder {
        self.with_bytes(change_case::<b'a'>(self.text().as_bytes()))
    }

    /// All rows with `A` to `Z` in lower case, other characters as they are; as fast.
    pub fn to_ascii_lowercase(&self) -> TextBuilder {
        self.with_bytes(change_case::<b'A'>(self.text().as_bytes()))
    }

    fn with_bytes(&self, bytes: Vec<u8>) -> TextBuilder {
        TextBuilder(BlobBuilder { offsets: self.raw_offsets().to_vec(), bytes })
    }

    /// Another text cut at the same offsets, such as `text()` in upper case.
    ///
    /// # Panics
    /// If it is not as long as [`Texts::text`], or an offset falls within a character.
    pub fn with_text(&self, text: String) -> TextBuilder {
        assert_eq!(text.len(), self.text().len(), "a text cut at the same offsets is as long");
        let aligned = is_ascii(text.as_bytes()) || self.offsets().all(|offset| text.is_char_boundary(offset as usize));
        assert!(aligned, "an offset falls within a character");
        self.with_bytes(text.into_bytes())
    }
}

impl<'a> Blobs<'a> {
    fn raw_offsets(&self) -> &'a [[u8; 4]] {
        self.0.offsets
    }

    /// The bytes of all rows, one after the other.
    pub fn bytes(&self) -> &'a [u8] {
        self.0.bytes
    }

    /// Other bytes cut at the same offsets.
    ///
    /// # Panics
    /// If they are not as many as [`Blobs::bytes`].
    pub fn with_bytes(&self, bytes: Vec<u8>) -> BlobBuilder {
        assert_eq!(bytes.len(), self.bytes().len(), "bytes cut at the same offsets are as many");
        BlobBuilder { offsets: self.raw_offsets().to_vec(), bytes }
    }
}

/// The bytes with the case of the 26 letters from `FIRST` on changed, eight at a time.
fn change_case<const FIRST: u8>(bytes: &[u8]) -> Vec<u8> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    let change = |word: u64| {
        // In each byte's highest bit: at or after the first letter, and after the last.
        let low = word & !HIGH;
        let from_first = low + u64::from(0x80 - FIRST) * ONES;
        let after_last = low + u64::from(0x80 - FIRST - 26) * ONES;
        word ^ ((from_first & !after_last & !word & HIGH) >> 2)
    };
    let block = |block: &[u8; 64]| {
        let mut changed = *block;
        for word in changed.as_chunks_mut::<8>().0 {
            *word = change(u64::from_le_bytes(*word)).to_le_bytes();
        }
        changed
    };
    let (blocks, rest) = bytes.as_chunks::<64>();
    let mut changed = blocks.iter().map(block).collect::<Vec<_>>().into_flattened();
    changed.extend(rest.iter().map(|&byte| change(u64::from(byte)) as u8));
    changed
}

/// A column of bytes being built, row after row.
#[derive(Clone, Debug)]
pub struct BlobBuilder {
    pub(crate) offsets: Vec<[u8; 4]>,
    pub(crate) bytes: Vec<u8>,
}

impl BlobBuilder {
    /// Room for so many rows, with so many bytes in all.
    pub fn with_capacity(rows: usize, bytes: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push([0; 4]);
        Self { offsets, bytes: Vec::with_capacity(bytes) }
    }

    /// The number of rows so far.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there is no row yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a row.
    #[inline]
    pub fn push(&mut self, value: &[u8]) {
        self.extend(value);
        self.end_row();
    }

    /// Adds to the row that [`BlobBuilder::end_row`] ends.
    #[inline]
    pub fn extend(&mut self, part: &[u8]) {
        self.bytes.extend_from_slice(part);
    }

    /// Ends a row that was added part by part.
    #[inline]
    pub fn end_row(&mut self) {
        // Wraps only where there are more bytes than one column may have, which fails the batch.
        self.offsets.push((self.bytes.len() as u32).to_le_bytes());
    }
}

/// A column of texts being built, row after row.
#[derive(Clone, Debug)]
pub struct TextBuilder(pub(crate) BlobBuilder);

impl TextBuilder {
    /// Room for so many rows, with so many bytes in all.
    pub fn with_capacity(rows: usize, bytes: usize) -> Self {
        Self(BlobBuilder::with_capacity(rows, bytes))
    }

    /// The number of rows so far.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no row yet.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a row.
    #[inline]
    pub fn push(&mut self, text: &str) {
        self.0.push(text.as_bytes());
    }

    /// Adds to the row that [`TextBuilder::end_row`] ends.
    #[inline]
    pub fn extend(&mut self, part: &str) {
        self.0.extend(part.as_bytes());
    }

    /// Ends a row that was added part by part.
    #[inline]
    pub fn end_row(&mut self) {
        self.0.end_row();
    }
}
