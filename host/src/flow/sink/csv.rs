//! Rows as CSV, so that our own reader gives back the same rows.
//!
//! Null is the empty field and an empty text `""`. A field is quoted where it has to be: where it
//! holds the delimiter, the quote or a line's end, or would be read as null. Where null is the only
//! field of a line it is the dialect's first word for null, or `""`, because a blank line is no
//! record. Floats that are no numbers are `NaN`, `inf` and `-inf`.

use arrow_schema::Schema;

use super::encode::{Column, push_hex, push_json, push_timestamp};
use crate::flow::source::CsvFormat;

/// The dialect, and the names of the columns.
#[derive(Debug)]
pub(super) struct Encoder {
    format: CsvFormat,
    names: Vec<String>,
}

impl Encoder {
    pub(super) fn new(format: &CsvFormat, schema: &Schema) -> Self {
        Self { format: format.clone(), names: schema.fields().iter().map(|field| field.name().clone()).collect() }
    }

    pub(super) fn header(&self, out: &mut Vec<u8>) {
        if self.format.header {
            for (i, name) in self.names.iter().enumerate() {
                if i > 0 {
                    out.push(self.format.delimiter);
                }
                self.text(name, out);
            }
            out.push(b'\n');
        }
    }

    pub(super) fn rows(&self, rows: usize, columns: &[Column<'_>], out: &mut Vec<u8>) {
        for row in 0..rows {
            for (i, column) in columns.iter().enumerate() {
                if i > 0 {
                    out.push(self.format.delimiter);
                }
                if !column.is_null(row) {
                    self.value(*column, row, out);
                } else if columns.len() == 1 {
                    match self.format.nulls.first() {
                        Some(null) => out.extend_from_slice(null.as_bytes()),
                        None => out.extend_from_slice(&[self.format.quote; 2]),
                    }
                }
            }
            out.push(b'\n');
        }
    }

    fn value(&self, column: Column<'_>, row: usize, out: &mut Vec<u8>) {
        match column {
            Column::Text(a) => return self.text(a.value(row), out),
            // Nothing is told apart from null by its quotes.
            Column::Bytes(a) if a.value(row).is_empty() => return self.text("", out),
            _ => {}
        }
        let from = out.len();
        match column {
            Column::Boolean(a) => push_json(out, &a.value(row)),
            Column::Int32(a) => push_json(out, &a.value(row)),
            Column::Int64(a) => push_json(out, &a.value(row)),
            Column::Float32(a) if a.value(row).is_finite() => push_json(out, &a.value(row)),
            Column::Float32(a) => out.extend_from_slice(a.value(row).to_string().as_bytes()),
            Column::Float64(a) if a.value(row).is_finite() => push_json(out, &a.value(row)),
            Column::Float64(a) => out.extend_from_slice(a.value(row).to_string().as_bytes()),
            Column::Timestamp(a) => push_timestamp(out, a.value(row)),
            Column::Bytes(a) => push_hex(out, a.value(row)),
            Column::Text(_) => {}
        }
        // A delimiter such as `.` or `-` stands in numbers as well.
        if out[from..].contains(&self.format.delimiter) {
            out.insert(from, self.format.quote);
            out.push(self.format.quote);
        }
    }

    fn text(&self, text: &str, out: &mut Vec<u8>) {
        let CsvFormat { delimiter, quote, nulls, .. } = &self.format;
        let special = |b: u8| b == *delimiter || b == *quote || b == b'\n' || b == b'\r';
        let starts_file = text.starts_with('\u{feff}');
        if !text.is_empty() && !text.bytes().any(special) && !starts_file && !nulls.iter().any(|null| null == text) {
            return out.extend_from_slice(text.as_bytes());
        }
        out.push(*quote);
        for b in text.bytes() {
            if b == *quote {
                out.push(b);
            }
            out.push(b);
        }
        out.push(*quote);
    }
}
