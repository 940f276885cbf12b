//! A chunk as text.
//!
//! In come bytes and the records in them; out go texts of parts of records, and a fault for each
//! record that is no UTF-8. Mostly a chunk is checked in one go.

use super::{Fault, Frames};

/// The text of a chunk, if all of it is UTF-8; if not, the records that are none become faults and
/// the others can be read one by one.
pub(super) fn texts<'a>(chunk: &'a [u8], frames: &mut Frames) -> Texts<'a> {
    match std::str::from_utf8(&chunk[..frames.consumed]) {
        Ok(text) => Texts::All(text),
        Err(_) => {
            let bad = (0..frames.records.len())
                .filter(|&i| std::str::from_utf8(&chunk[frames.records[i].start..frames.records[i].end]).is_err());
            let bad: Vec<Fault> = bad.map(|record| Fault { record, reason: "no valid UTF-8".to_owned() }).collect();
            frames.faults.extend(bad);
            Texts::Some(chunk)
        }
    }
}

/// A chunk that is text, or that is text in the records that are not bad.
#[derive(Clone, Copy)]
pub(super) enum Texts<'a> {
    All(&'a str),
    Some(&'a [u8]),
}

impl<'a> Texts<'a> {
    /// Part of a record; empty if it is no UTF-8.
    #[inline]
    pub(super) fn get(self, start: usize, end: usize) -> &'a str {
        match self {
            Self::All(text) => text.get(start..end).unwrap_or_default(),
            Self::Some(bytes) => std::str::from_utf8(&bytes[start..end]).unwrap_or_default(),
        }
    }
}
