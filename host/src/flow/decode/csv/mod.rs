//! CSV records to columns.
//!
//! In come chunks of whole and cut records; out go the columns that were asked for. Fields are
//! found once, only the places of those that are needed are kept, and each column is then parsed
//! in one go. A record with too few or too many fields is bad, even where the needed ones are
//! there. It never reads a header (that is [`header`]'s) and never infers a type.
//!
//! Null is the empty field and each of [`CsvFormat::nulls`]. In a text or bytes column a field in
//! quotes is never null, so `""` is the empty text; in other columns quotes make no difference.

mod split;

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{BinaryBuilder, BooleanBuilder, PrimitiveBuilder, StringBuilder};
use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_schema::SchemaRef;

use super::{Fault, Framed, Frames, Rows, Tail, Texts, column, mismatch, missing, quoted, texts, without_bad};
use crate::error::Result;
use crate::flow::source::CsvFormat;
use crate::types::{DataType, Field, arrow_schema};
use split::{Kind, Scan, Span, Split, Splitter, unquote};

/// A decoder of CSV records.
#[derive(Debug)]
pub(crate) struct Decoder {
    splitter: Splitter,
    nulls: Nulls,
    columns: Vec<Field>,
    schema: SchemaRef,
    /// Fields of a record.
    fields: usize,
    /// For each field of a record, which column it is, if any.
    slots: Vec<Option<usize>>,
    /// Where the needed fields are: those of the first record, then those of the second, ...
    spans: Vec<Span>,
}

impl Decoder {
    pub(super) fn new(format: &CsvFormat, fields: usize, columns: Vec<Field>, places: &[usize]) -> Self {
        let mut slots = vec![None; fields];
        for (column, &place) in places.iter().enumerate() {
            slots[place] = Some(column);
        }
        Self {
            splitter: splitter(format),
            nulls: Nulls::new(&format.nulls),
            schema: arrow_schema(&columns),
            columns,
            fields,
            slots,
            spans: Vec::new(),
        }
    }

    pub(super) fn clear(&mut self) {
        self.spans.clear();
    }

    pub(super) fn frame(&mut self, chunk: &[u8], tail: Tail, rows: usize, frames: &mut Frames, max: usize) -> Framed {
        let width = self.columns.len();
        let mut scan = Scan::new(chunk, self.splitter.delimiter);
        while frames.records.len() < rows && !frames.cut {
            let start = frames.consumed;
            let first = frames.records.len() * width;
            self.spans.resize(first + width, Span::default());
            let (slots, spans) = (&self.slots, &mut self.spans[first..]);
            let split = self.splitter.record(&mut scan, start, tail, |field, span| {
                if let Some(Some(slot)) = slots.get(field) {
                    spans[*slot] = span;
                }
            });
            match split {
                Split::Record { fields, end, next } if end - start <= max => {
                    if fields == self.fields {
                        frames.push(start, end, next);
                        continue;
                    }
                    let s = if fields == 1 { "" } else { "s" };
                    frames.push_bad(start, end, next, format!("{fields} field{s}, expected {}", self.fields));
                }
                Split::Blank { next } => frames.consumed = next,
                Split::Nothing => return Framed::NeedsMore,
                _ if chunk.len() - start > max => {
                    let why = match split {
                        Split::Unclosed => "a quote is opened and not closed",
                        _ => "the record is too long",
                    };
                    frames.push_long(chunk, start, max, why);
                }
                Split::Unclosed if tail == Tail::End => {
                    // Only its first line is bad: what follows may be good.
                    let line = memchr::memchr(b'\n', &chunk[start..]).map_or(chunk.len(), |at| start + at);
                    let next = chunk.len().min(line + 1);
                    frames.push_bad(start, line, next, "a quote is opened and not closed".to_owned());
                }
                _ => return Framed::NeedsMore,
            }
            self.spans[first..].fill(Span::default());
        }
        Framed::Enough
    }

    pub(super) fn decode(&mut self, chunk: &[u8], frames: &mut Frames) -> Result<Rows> {
        let rows = frames.records.len();
        let width = self.columns.len();
        let texts = texts(chunk, frames);
        let mut faults = std::mem::take(&mut frames.faults);
        let columns = self.columns.iter().enumerate().map(|(slot, field)| {
            let cells = Cells {
                texts,
                spans: self.spans.get(slot..).unwrap_or_default(),
                width,
                rows,
                quote: self.splitter.quote,
                nulls: &self.nulls,
            };
            cells.column(field, &mut faults)
        });
        let columns = columns.collect();
        without_bad(&self.schema, columns, rows, faults)
    }
}

/// The first record that is not a blank line, as texts, and where the next one starts; nothing if
/// it is not complete. What is no UTF-8 is replaced.
pub(crate) fn header(bytes: &[u8], tail: Tail, format: &CsvFormat) -> Option<(Vec<String>, usize)> {
    let splitter = splitter(format);
    let mut scan = Scan::new(bytes, format.delimiter);
    let (mut start, mut spans) = (0, Vec::new());
    let next = loop {
        match splitter.record(&mut scan, start, tail, |_, span| spans.push(span)) {
            Split::Record { next, .. } => break next,
            Split::Blank { next } => start = next,
            Split::Partial | Split::Unclosed | Split::Nothing => return None,
        }
    };
    let text = |span: Span| {
        let text = String::from_utf8_lossy(&bytes[span.start as usize..span.end as usize]);
        if span.kind == Kind::Raw { unquote(&text, format.quote) } else { text.into_owned() }
    };
    Some((spans.into_iter().map(text).collect(), next))
}

/// Whether a text means null, whatever its column.
pub(super) fn is_null(text: &str, format: &CsvFormat) -> bool {
    text.is_empty() || format.nulls.iter().any(|null| null == text)
}

fn splitter(format: &CsvFormat) -> Splitter {
    Splitter { delimiter: format.delimiter, quote: format.quote }
}

/// The texts that mean null. Most fields are told apart by their length alone.
#[derive(Debug)]
struct Nulls {
    lengths: u64,
    texts: Vec<String>,
}

impl Nulls {
    fn new(texts: &[String]) -> Self {
        let lengths = texts.iter().fold(1, |lengths, text| lengths | 1 << text.len().min(63));
        Self { lengths, texts: texts.to_vec() }
    }

    #[inline]
    fn has(&self, text: &str) -> bool {
        self.lengths >> text.len().min(63) & 1 == 1 && (text.is_empty() || self.texts.iter().any(|null| null == text))
    }
}

/// The fields of one column.
struct Cells<'a> {
    texts: Texts<'a>,
    spans: &'a [Span],
    width: usize,
    rows: usize,
    quote: u8,
    nulls: &'a Nulls,
}

impl<'a> Cells<'a> {
    /// The texts of the column from the first record to the last; nothing where there is null.
    /// `quotes_matter` says that a field in quotes is never null.
    #[inline]
    fn texts(&self, quotes_matter: bool) -> impl Iterator<Item = Option<Cow<'a, str>>> {
        self.spans.iter().step_by(self.width).take(self.rows).map(move |span| {
            let text = self.texts.get(span.start as usize, span.end as usize);
            match span.kind {
                Kind::Plain if self.nulls.has(text) => None,
                Kind::Plain => Some(Cow::Borrowed(text)),
                Kind::Quoted if !quotes_matter && self.nulls.has(text) => None,
                Kind::Quoted => Some(Cow::Borrowed(text)),
                Kind::Raw => Some(Cow::Owned(unquote(text, self.quote))),
            }
        })
    }

    fn column(&self, field: &Field, faults: &mut Vec<Fault>) -> ArrayRef {
        match field.data_type {
            DataType::Boolean => {
                let mut out = BooleanBuilder::with_capacity(self.rows);
                self.each(field, faults, column::boolean, |value| out.append_option(value));
                Arc::new(out.finish())
            }
            DataType::Int32 => self.numbers::<Int32Type>(field, faults, column::int32),
            DataType::Int64 => self.numbers::<Int64Type>(field, faults, column::int64),
            DataType::Float32 => self.numbers::<Float32Type>(field, faults, column::float32),
            DataType::Float64 => self.numbers::<Float64Type>(field, faults, column::float64),
            DataType::Timestamp => self.numbers::<TimestampMicrosecondType>(field, faults, super::iso8601::parse),
            DataType::Text => {
                let mut out = StringBuilder::with_capacity(self.rows, self.rows * 8);
                for (record, text) in self.texts(true).enumerate() {
                    check(field, record, text.is_none(), faults);
                    out.append_option(text);
                }
                Arc::new(out.finish())
            }
            DataType::Bytes => {
                let mut out = BinaryBuilder::with_capacity(self.rows, self.rows * 8);
                self.each(field, faults, column::hex, |value| out.append_option(value));
                Arc::new(out.finish())
            }
        }
    }

    fn numbers<P: ArrowPrimitiveType>(
        &self,
        field: &Field,
        faults: &mut Vec<Fault>,
        parse: fn(&str) -> Option<P::Native>,
    ) -> ArrayRef {
        let mut out = PrimitiveBuilder::<P>::with_capacity(self.rows).with_data_type(field.data_type.arrow());
        self.each(field, faults, parse, |value| out.append_option(value));
        Arc::new(out.finish())
    }

    /// Parses each field; one that can't be parsed is a fault, and null for the time being.
    #[inline]
    fn each<T>(
        &self,
        field: &Field,
        faults: &mut Vec<Fault>,
        parse: fn(&str) -> Option<T>,
        mut add: impl FnMut(Option<T>),
    ) {
        for (record, text) in self.texts(field.data_type == DataType::Bytes).enumerate() {
            let Some(text) = text else {
                check(field, record, true, faults);
                add(None);
                continue;
            };
            let value = parse(&text);
            if value.is_none() {
                faults.push(Fault { record, reason: mismatch(field, &quoted(&text)) });
            }
            add(value);
        }
    }
}

#[inline]
fn check(field: &Field, record: usize, is_null: bool, faults: &mut Vec<Fault>) {
    if is_null && !field.nullable {
        faults.push(Fault { record, reason: missing(field) });
    }
}
