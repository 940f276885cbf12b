//! Keys and accumulators as JSON that other programs read, and back with every bit.
//!
//! JSON has fewer numbers than there are: a float that is none is a text (`"inf"`, `"-inf"`,
//! `"NaN"`, or `"NaN:"` and its bits in hexadecimal where they are not the usual ones). Bytes are
//! texts of hexadecimal digits; timestamps are ISO 8601 in UTC, or integers of microseconds beyond the
//! years that it can say.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use serde::Serialize;

use crate::flow::decode::iso8601;
use crate::types::{DataType, Field};

/// What stands for no value.
pub(super) const NULL: &str = "null";

/// Appends a value of a column of one of our types.
pub(super) fn push(out: &mut String, array: &dyn Array, data_type: DataType, row: usize) {
    if array.is_null(row) {
        return out.push_str(NULL);
    }
    match data_type {
        DataType::Boolean => push_plain(out, &array.as_boolean().value(row)),
        DataType::Int32 => push_plain(out, &array.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => push_plain(out, &array.as_primitive::<Int64Type>().value(row)),
        DataType::Float32 => match array.as_primitive::<Float32Type>().value(row) {
            f if f.is_nan() && f.to_bits() != f32::NAN.to_bits() => {
                push_plain(out, &format!("NaN:{:08x}", f.to_bits()))
            }
            f if !f.is_finite() => push_plain(out, &f.to_string()),
            f => push_plain(out, &f),
        },
        DataType::Float64 => match array.as_primitive::<Float64Type>().value(row) {
            f if f.is_nan() && f.to_bits() != f64::NAN.to_bits() => {
                push_plain(out, &format!("NaN:{:016x}", f.to_bits()))
            }
            f if !f.is_finite() => push_plain(out, &f.to_string()),
            f => push_plain(out, &f),
        },
        DataType::Timestamp => {
            let us = array.as_primitive::<TimestampMicrosecondType>().value(row);
            match timestamp(us) {
                Some(text) => push_plain(out, &text),
                None => push_plain(out, &us),
            }
        }
        DataType::Text => push_plain(out, array.as_string::<i32>().value(row)),
        DataType::Bytes => {
            let digits = array.as_binary::<i32>().value(row).iter().map(|byte| format!("{byte:02x}"));
            push_plain(out, &digits.collect::<String>());
        }
    }
}

/// Appends a text, a boolean, an integer or a finite float.
pub(super) fn push_plain(out: &mut String, value: &(impl Serialize + ?Sized)) {
    out.push_str(&serde_json::to_string(value).expect("a plain value can be written to memory"));
}

/// Microseconds since 1970-01-01T00:00:00Z as a text, where that reads back as the same.
pub(super) fn timestamp(us: i64) -> Option<String> {
    let mut text = Vec::new();
    iso8601::write(&mut text, us);
    let text = String::from_utf8(text).ok()?;
    (iso8601::parse(&text) == Some(us)).then_some(text)
}

/// A column of values, each as it is spelled; if one is none of its type, why.
pub(super) fn column<'a>(field: &Field, values: impl Iterator<Item = &'a str>) -> Result<ArrayRef, String> {
    fn all<'a, T, C: FromIterator<Option<T>>>(
        field: &Field,
        values: impl Iterator<Item = &'a str>,
        one: impl Fn(&'a str) -> Option<T>,
    ) -> Result<C, String> {
        let checked = |value: &'a str| match value {
            NULL if field.nullable => Ok(None),
            value => one(value).map(Some).ok_or_else(|| format!("{value} is no {}", field.type_name())),
        };
        values.map(checked).collect()
    }
    Ok(match field.data_type {
        DataType::Boolean => Arc::new(all::<_, BooleanArray>(field, values, |v| v.parse().ok())?),
        DataType::Int32 => Arc::new(all::<_, Int32Array>(field, values, |v| v.parse().ok())?),
        DataType::Int64 => Arc::new(all::<_, Int64Array>(field, values, |v| v.parse().ok())?),
        DataType::Float32 => Arc::new(all::<_, Float32Array>(field, values, |v| match special(v)? {
            Special::Bits(bits) => u32::from_str_radix(&bits, 16).ok().map(f32::from_bits),
            Special::Word(word) => word.parse().ok(),
        })?),
        DataType::Float64 => Arc::new(all::<_, Float64Array>(field, values, |v| match special(v)? {
            Special::Bits(bits) => u64::from_str_radix(&bits, 16).ok().map(f64::from_bits),
            Special::Word(word) => word.parse().ok(),
        })?),
        DataType::Timestamp => {
            let us = |v: &str| v.parse().ok().or_else(|| iso8601::parse(&text(v)?));
            let array = all::<_, TimestampMicrosecondArray>(field, values, us)?;
            Arc::new(array.with_data_type(DataType::Timestamp.arrow()))
        }
        DataType::Text => Arc::new(all::<_, StringArray>(field, values, text)?),
        DataType::Bytes => Arc::new(all::<_, BinaryArray>(field, values, |v| bytes(&text(v)?))?),
    })
}

fn text(value: &str) -> Option<Cow<'_, str>> {
    serde_json::from_str(value).ok()
}

/// How a float is spelled.
enum Special<'a> {
    /// By its bits, in hexadecimal.
    Bits(String),
    /// As Rust reads it.
    Word(Cow<'a, str>),
}

fn special(value: &str) -> Option<Special<'_>> {
    if !value.starts_with('"') {
        return value.starts_with(|c: char| c == '-' || c.is_ascii_digit()).then_some(Special::Word(value.into()));
    }
    let text = text(value)?;
    match text.strip_prefix("NaN:") {
        Some(bits) => Some(Special::Bits(bits.to_owned())),
        None => matches!(&*text, "NaN" | "inf" | "-inf").then_some(Special::Word(text)),
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16);
    let pair = |pair: &[u8]| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8);
    text.len().is_multiple_of(2).then(|| text.as_bytes().chunks_exact(2).map(pair).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A column as it comes back from JSON text.
    fn back(field: &Field, array: &ArrayRef) -> ArrayRef {
        let text = |row| {
            let mut text = String::new();
            push(&mut text, array, field.data_type, row);
            text
        };
        let texts: Vec<String> = (0..array.len()).map(text).collect();
        texts.iter().for_each(|text| drop(serde_json::from_str::<serde_json::Value>(text).expect("JSON")));
        column(field, texts.iter().map(String::as_str)).expect("what was written")
    }

    #[test]
    fn every_bit_comes_back() {
        let odd = f64::from_bits(0xfff4_0000_0000_0001);
        let doubles = [0.1, -0.0, 0.0, f64::NAN, -f64::NAN, odd, f64::INFINITY, f64::MIN, 5e-324, 1e300];
        let singles = [0.1, -0.0, f32::NAN, -f32::NAN, f32::NEG_INFINITY, f32::MIN_POSITIVE, 16_777_217.0, 3.4e38];
        let doubles = Float64Array::from_iter(doubles.into_iter().map(Some).chain([None]));
        let singles = Float32Array::from_iter(singles.into_iter().map(Some).chain([None]));
        let bits = |array: &ArrayRef| {
            array.as_primitive::<Float64Type>().values().iter().map(|f| f.to_bits()).collect::<Vec<_>>()
        };
        let field = |data_type| Field::new("f", data_type, true);
        let array: ArrayRef = Arc::new(doubles);
        assert_eq!(bits(&back(&field(DataType::Float64), &array)), bits(&array));
        let bits = |array: &ArrayRef| {
            array.as_primitive::<Float32Type>().values().iter().map(|f| f.to_bits()).collect::<Vec<_>>()
        };
        let array: ArrayRef = Arc::new(singles);
        assert_eq!(bits(&back(&field(DataType::Float32), &array)), bits(&array));

        let times = TimestampMicrosecondArray::from(vec![Some(i64::MIN), Some(i64::MAX), Some(0), Some(-1), None]);
        let others: [(DataType, ArrayRef); 6] = [
            (DataType::Boolean, Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
            (DataType::Int32, Arc::new(Int32Array::from(vec![Some(i32::MIN), Some(i32::MAX), None]))),
            (DataType::Int64, Arc::new(Int64Array::from(vec![Some(i64::MIN), Some(i64::MAX), Some(0), None]))),
            (DataType::Timestamp, Arc::new(times.with_data_type(DataType::Timestamp.arrow()))),
            (DataType::Text, Arc::new(StringArray::from(vec![Some("\"\u{0}\n😀"), Some(""), None]))),
            (DataType::Bytes, Arc::new(BinaryArray::from(vec![Some(&b"\x00\xff"[..]), Some(b""), None]))),
        ];
        for (data_type, array) in others {
            assert_eq!(&back(&field(data_type), &array), &array);
        }
    }

    #[test]
    fn what_is_none_of_its_type_is_named() {
        let read = |text: &str, data_type, nullable| {
            column(&Field::new("f", data_type, nullable), [text].into_iter()).map(|_| ())
        };
        assert_eq!(read("2147483648", DataType::Int32, false), Err("2147483648 is no int32".into()));
        assert_eq!(read("null", DataType::Text, false), Err("null is no text".into()));
        assert_eq!(read("\"abc\"", DataType::Bytes, true), Err("\"abc\" is no bytes?".into()));
        assert_eq!(read("\"infinity\"", DataType::Float64, false), Err("\"infinity\" is no float64".into()));
        assert_eq!(read("3", DataType::Float64, false), Ok(()));
    }
}
