//! CSV records to columns.
//!
//! In come chunks of whole and cut records; out go the columns that were asked for. Fields are
//! found once, only the places of those that are needed are kept, and each column is then parsed
//! in one go. A record with too few or too many fields is bad, even where the needed ones are
//! there. It never reads a header (that is [`header`]'s) and never infers a type.
//!
//! Null is the empty field and each of [`CsvFormat::nulls`]. In a text or bytes column a field in
//! quotes is never null, so `""` is the empty text; in other columns quotes make no difference.

mod cells;
mod split;

use arrow_schema::SchemaRef;

use super::{Framed, Frames, Rows, Tail, texts, without_bad};
use crate::error::Result;
use crate::flow::source::CsvFormat;
use crate::types::{Field, arrow_schema};
use cells::{Cells, Nulls};
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
