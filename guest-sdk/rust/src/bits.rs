//! Bits of a row: validity, booleans, selections. Least significant first, eight rows a byte.

/// Bytes for that many rows.
pub(crate) fn bytes(rows: usize) -> usize {
    rows.div_ceil(8)
}

#[inline]
pub(crate) fn get(bits: &[u8], row: usize) -> bool {
    bits[row / 8] >> (row % 8) & 1 == 1
}

#[inline]
pub(crate) fn set(bits: &mut [u8], row: usize, value: bool) {
    bits[row / 8] |= u8::from(value) << (row % 8);
}

#[inline]
pub(crate) fn clear(bits: &mut [u8], row: usize) {
    bits[row / 8] &= !(1 << (row % 8));
}

/// Cuts to that many rows; bits after the last row are zero.
pub(crate) fn truncate(bits: &mut Vec<u8>, rows: usize) {
    bits.truncate(bytes(rows));
    if let (Some(last), rest @ 1..) = (bits.last_mut(), rows % 8) {
        *last &= (1 << rest) - 1;
    }
}

/// Checks that there are bits for that many rows.
pub(crate) fn check(bits: &[u8], rows: usize, what: &str) -> Result<(), String> {
    let (found, expected) = (bits.len(), bytes(rows));
    if found < expected {
        return Err(format!("{what}: {found} bytes for {rows} rows; expected {expected}"));
    }
    Ok(())
}
