//! Splitting CSV into records and fields.
//!
//! In comes a chunk and where a record starts; out go its fields' places, one call each, and where
//! the next record starts. A field is quoted when its first byte is the quote; in it a doubled
//! quote stands for one, and separators and newlines are text. What follows the closing quote is
//! text as well, as are quotes further on in a field without: so do the `csv` crate and Python.
//! A line ends with `\n` or `\r\n`; a lone `\r` is text. It never copies or decodes a field.

use super::super::Tail;

/// Where a field stands in its chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) kind: Kind,
}

/// How a field is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// Without quotes: the span is the text.
    #[default]
    Plain,
    /// In quotes: the span is the text between them.
    Quoted,
    /// In quotes, with quotes or more text in it: the span is all of it, for [`unquote`].
    Raw,
}

/// What starts at the place that was asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Split {
    /// A record, without the end of its line.
    Record { fields: usize, end: usize, next: usize },
    /// A blank line.
    Blank { next: usize },
    /// A record that goes on behind the chunk.
    Partial,
    /// A field whose quote is not closed in the chunk.
    Unclosed,
    /// Nothing: the chunk ends here.
    Nothing,
}

/// Finds separators and newlines, eight bytes at a time. The places asked about must ascend.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    bytes: &'a [u8],
    delimiters: u64,
    base: usize,
    mask: u64,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
const NEWLINES: u64 = ONES * b'\n' as u64;

impl<'a> Scan<'a> {
    pub(super) fn new(bytes: &'a [u8], delimiter: u8) -> Self {
        let mut scan = Self { bytes, delimiters: ONES * u64::from(delimiter), base: 0, mask: 0 };
        scan.load(0);
        scan
    }

    /// The first separator or newline at `from` or behind it.
    #[inline]
    fn next(&mut self, from: usize) -> Option<usize> {
        if from & !7 != self.base {
            self.load(from & !7);
        }
        let mut mask = self.mask & (u64::MAX << ((from & 7) * 8));
        while mask == 0 {
            if self.base + 8 >= self.bytes.len() {
                return None;
            }
            self.load(self.base + 8);
            mask = self.mask;
        }
        Some(self.base + mask.trailing_zeros() as usize / 8)
    }

    /// Marks the highest bit of every byte of a word that is a separator or a newline.
    #[inline]
    fn load(&mut self, base: usize) {
        let word = match self.bytes.get(base..base + 8) {
            Some(&[a, b, c, d, e, f, g, h]) => u64::from_le_bytes([a, b, c, d, e, f, g, h]),
            // Zero is neither.
            _ => {
                let mut tail = [0; 8];
                let rest = self.bytes.get(base..).unwrap_or_default();
                tail[..rest.len()].copy_from_slice(rest);
                u64::from_le_bytes(tail)
            }
        };
        let zeros = |x: u64| !(((x & LOW) + LOW) | x | LOW);
        self.base = base;
        self.mask = zeros(word ^ self.delimiters) | zeros(word ^ NEWLINES);
    }
}

/// The two bytes that make a dialect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Splitter {
    pub(super) delimiter: u8,
    pub(super) quote: u8,
}

impl Splitter {
    /// Splits the record that starts at `start`; `field` is called for each of its fields, also
    /// for those of a record that turns out to be partial.
    #[inline]
    pub(super) fn record(
        self,
        scan: &mut Scan<'_>,
        start: usize,
        tail: Tail,
        mut field: impl FnMut(usize, Span),
    ) -> Split {
        let bytes = scan.bytes;
        match bytes.get(start..).unwrap_or_default() {
            [] => return Split::Nothing,
            [b'\n', ..] => return Split::Blank { next: start + 1 },
            [b'\r', b'\n', ..] => return Split::Blank { next: start + 2 },
            [b'\r'] if tail == Tail::End => return Split::Blank { next: start + 1 },
            _ => {}
        }
        let (mut at, mut fields) = (start, 0);
        loop {
            let quoted = bytes.get(at) == Some(&self.quote);
            let (span, stop) = if quoted {
                match self.quoted(scan, at, tail) {
                    Ok(found) => found,
                    Err(split) => return split,
                }
            } else {
                match scan.next(at) {
                    // Most fields end so.
                    Some(stop) if bytes[stop] == self.delimiter => {
                        field(fields, span(at, stop, Kind::Plain));
                        fields += 1;
                        at = stop + 1;
                        continue;
                    }
                    Some(stop) => (plain(bytes, at, stop), stop),
                    None if tail == Tail::End => (plain(bytes, at, bytes.len()), bytes.len()),
                    None => return Split::Partial,
                }
            };
            field(fields, span);
            fields += 1;
            if bytes.get(stop) == Some(&self.delimiter) {
                at = stop + 1;
                continue;
            }
            let end = if stop > start && bytes[stop - 1] == b'\r' { stop - 1 } else { stop };
            return Split::Record { fields, end, next: bytes.len().min(stop + 1) };
        }
    }

    /// The field whose quote is at `at`, and the separator, newline or end behind it.
    fn quoted(self, scan: &mut Scan<'_>, at: usize, tail: Tail) -> Result<(Span, usize), Split> {
        let bytes = scan.bytes;
        let (mut from, mut doubled) = (at + 1, false);
        let close = loop {
            let close = from + memchr::memchr(self.quote, &bytes[from..]).ok_or(Split::Unclosed)?;
            if bytes.get(close + 1) != Some(&self.quote) {
                break close;
            }
            doubled = true;
            from = close + 2;
        };
        let behind = close + 1;
        let whole = |stop| match doubled {
            true => (span(at, behind, Kind::Raw), stop),
            false => (span(at + 1, close, Kind::Quoted), stop),
        };
        match &bytes[behind..] {
            [] | [b'\r'] if tail == Tail::Open => Err(Split::Partial),
            [] | [b'\r'] => Ok(whole(bytes.len())),
            [b'\n', ..] => Ok(whole(behind)),
            [b'\r', b'\n', ..] => Ok(whole(behind + 1)),
            [b, ..] if *b == self.delimiter => Ok(whole(behind)),
            _ => {
                let stop = match scan.next(behind) {
                    Some(stop) => stop,
                    None if tail == Tail::End => bytes.len(),
                    None => return Err(Split::Partial),
                };
                Ok((Span { kind: Kind::Raw, ..plain(bytes, at, stop) }, stop))
            }
        }
    }
}

/// A field without quotes that ends before `stop`, or before the `\r\n` there.
#[inline]
fn plain(bytes: &[u8], at: usize, stop: usize) -> Span {
    let ends_line = bytes.get(stop).is_none_or(|&b| b == b'\n');
    let end = if ends_line && stop > at && bytes[stop - 1] == b'\r' { stop - 1 } else { stop };
    span(at, end, Kind::Plain)
}

/// Chunks are far shorter than 4 GiB: a record's limit and a block's size see to that.
#[inline]
fn span(start: usize, end: usize, kind: Kind) -> Span {
    debug_assert!(u32::try_from(end).is_ok(), "a chunk of {end} bytes");
    Span { start: start as u32, end: end as u32, kind }
}

/// The text of a field that starts with a quote.
pub(super) fn unquote(raw: &str, quote: u8) -> String {
    let quote = char::from(quote);
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw.strip_prefix(quote).unwrap_or(raw);
    while let Some((text, behind)) = rest.split_once(quote) {
        out.push_str(text);
        match behind.strip_prefix(quote) {
            Some(behind) => {
                out.push(quote);
                rest = behind;
            }
            None => {
                rest = behind;
                break;
            }
        }
    }
    out.push_str(rest);
    out
}
