//! Rows as JSON Lines: one object a line, every column in it, null where there is no value.
//!
//! JSON has no NaN and no infinity: they are null. Timestamps and bytes are texts.

use arrow_schema::Schema;

use super::encode::{Column, push_hex, push_json, push_timestamp};

/// What of each line is known beforehand.
#[derive(Debug)]
pub(super) struct Encoder {
    /// For each column `{"name":` or `,"name":`.
    names: Vec<Vec<u8>>,
}

impl Encoder {
    pub(super) fn new(schema: &Schema) -> Self {
        let name = |(i, field): (usize, &arrow_schema::FieldRef)| {
            let mut name = vec![if i == 0 { b'{' } else { b',' }];
            push_json(&mut name, field.name());
            name.push(b':');
            name
        };
        Self { names: schema.fields().iter().enumerate().map(name).collect() }
    }

    pub(super) fn rows(&self, rows: usize, columns: &[Column<'_>], out: &mut Vec<u8>) {
        for row in 0..rows {
            if columns.is_empty() {
                out.push(b'{');
            }
            for (name, column) in self.names.iter().zip(columns) {
                out.extend_from_slice(name);
                value(*column, row, out);
            }
            out.extend_from_slice(b"}\n");
        }
    }
}

fn value(column: Column<'_>, row: usize, out: &mut Vec<u8>) {
    if column.is_null(row) {
        return out.extend_from_slice(b"null");
    }
    match column {
        Column::Boolean(a) => push_json(out, &a.value(row)),
        Column::Int32(a) => push_json(out, &a.value(row)),
        Column::Int64(a) => push_json(out, &a.value(row)),
        Column::Float32(a) => push_json(out, &a.value(row)),
        Column::Float64(a) => push_json(out, &a.value(row)),
        Column::Text(a) => push_json(out, a.value(row)),
        Column::Timestamp(a) => {
            out.push(b'"');
            push_timestamp(out, a.value(row));
            out.push(b'"');
        }
        Column::Bytes(a) => {
            out.push(b'"');
            push_hex(out, a.value(row));
            out.push(b'"');
        }
    }
}
