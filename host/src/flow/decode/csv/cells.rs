//! The fields of one column, parsed into an array.
//!
//! In come the places of a column's fields; out go its array and the records whose field is none
//! of its type, which have a null there for the time being. It never looks at other columns.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{BinaryBuilder, BooleanBuilder, PrimitiveBuilder, StringBuilder};
use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};

use super::super::{Fault, Texts, column, iso8601, mismatch, missing, quoted};
use super::split::{Kind, Span, unquote};
use crate::types::{DataType, Field};

/// The texts that mean null. Most fields are told apart by their length alone.
#[derive(Debug)]
pub(super) struct Nulls {
    lengths: u64,
    texts: Vec<String>,
}

impl Nulls {
    pub(super) fn new(texts: &[String]) -> Self {
        let lengths = texts.iter().fold(1, |lengths, text| lengths | 1 << text.len().min(63));
        Self { lengths, texts: texts.to_vec() }
    }

    #[inline]
    fn has(&self, text: &str) -> bool {
        self.lengths >> text.len().min(63) & 1 == 1 && (text.is_empty() || self.texts.iter().any(|null| null == text))
    }
}

/// The fields of one column.
pub(super) struct Cells<'a> {
    pub(super) texts: Texts<'a>,
    /// From the column's field in the first record on.
    pub(super) spans: &'a [Span],
    /// From one record to the next in them.
    pub(super) width: usize,
    pub(super) rows: usize,
    pub(super) quote: u8,
    pub(super) nulls: &'a Nulls,
}

impl<'a> Cells<'a> {
    /// Calls `cell` for each record of the column, with nothing where there is null.
    /// `quotes_matter` says that a field in quotes is never null.
    #[inline]
    fn texts(&self, quotes_matter: bool, mut cell: impl FnMut(usize, Option<&str>)) {
        for (record, span) in self.spans.iter().step_by(self.width).take(self.rows).enumerate() {
            let text = self.texts.get(span.start as usize, span.end as usize);
            let may_be_null = span.kind == Kind::Plain || !quotes_matter;
            if span.kind == Kind::Raw {
                let text = unquote(text, self.quote);
                cell(record, Some(text.as_str()).filter(|text| !(may_be_null && self.nulls.has(text))));
            } else {
                cell(record, if may_be_null && self.nulls.has(text) { None } else { Some(text) });
            }
        }
    }

    pub(super) fn column(&self, field: &Field, faults: &mut Vec<Fault>) -> ArrayRef {
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
            DataType::Timestamp => self.numbers::<TimestampMicrosecondType>(field, faults, iso8601::parse),
            DataType::Text => {
                let mut out = StringBuilder::with_capacity(self.rows, self.rows * 8);
                self.texts(true, |record, text| {
                    check(field, record, text.is_none(), faults);
                    out.append_option(text);
                });
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
        parse: impl Fn(&str) -> Option<P::Native>,
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
        parse: impl Fn(&str) -> Option<T>,
        mut add: impl FnMut(Option<T>),
    ) {
        self.texts(field.data_type == DataType::Bytes, |record, text| {
            let value = text.and_then(&parse);
            match text {
                Some(text) if value.is_none() => {
                    faults.push(Fault { record, reason: mismatch(field, &quoted(text)) });
                }
                Some(_) => {}
                None => check(field, record, true, faults),
            }
            add(value);
        });
    }
}

#[inline]
fn check(field: &Field, record: usize, is_null: bool, faults: &mut Vec<Fault>) {
    if is_null && !field.nullable {
        faults.push(Fault { record, reason: missing(field) });
    }
}
