//! Values as JSON and as columns.
//!
//! JSON has fewer values than columns have: what it lacks is written as text. Each value has one
//! form that it is printed in, its canonical one; more forms are read.
//!
//! | type | canonical | also read |
//! | --- | --- | --- |
//! | int32, int64 | `-3` | |
//! | float32, float64 | `1.5`, `"NaN"`, `"inf"`, `"-inf"` | `1` |
//! | timestamp | `"2013-02-08T12:30:00Z"`; microseconds outside of the years 0 to 9999 | microseconds |
//! | text | `"é"` | |
//! | bytes | `"00ff"`, in hexadecimal | |

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use chrono::{DateTime, Datelike, SecondsFormat};
use serde_json::{Map, Value};

use crate::types::{DataType, Field};

/// A row: values by the names of columns.
pub type Row = Map<String, Value>;

/// The columns of rows. A column that a row does not have is null there.
pub(super) fn columns(fields: &[Field], rows: &[Row]) -> Result<Vec<ArrayRef>, String> {
    for (index, row) in rows.iter().enumerate() {
        if let Some(name) = row.keys().find(|name| !fields.iter().any(|f| f.name == **name)) {
            let all: Vec<_> = fields.iter().map(ToString::to_string).collect();
            return Err(format!("row {index} has a column `{name}`; there are: {}", all.join(", ")));
        }
    }
    fields.iter().map(|field| column(field, rows)).collect()
}

fn column(field: &Field, rows: &[Row]) -> Result<ArrayRef, String> {
    let values = || rows.iter().enumerate().map(|(index, row)| (index, row.get(&field.name).unwrap_or(&Value::Null)));
    let wrong =
        |index: usize, value: &Value| format!("row {index}, `{}`: {value} is no {}", field.name, field.data_type);
    if !field.nullable
        && let Some((index, _)) = values().find(|(_, value)| value.is_null())
    {
        return Err(format!(
            "row {index}, `{}`: null, but a row with a null there never reaches the function",
            field.name
        ));
    }
    macro_rules! read {
        ($array:ty, $read:expr) => {{
            let read = values().map(|(index, value)| match value {
                Value::Null => Ok(None),
                value => $read(value).map(Some).ok_or_else(|| wrong(index, value)),
            });
            read.collect::<Result<$array, String>>()?
        }};
    }
    Ok(match field.data_type {
        DataType::Boolean => Arc::new(read!(BooleanArray, Value::as_bool)),
        DataType::Int32 => Arc::new(read!(Int32Array, |v: &Value| v.as_i64().and_then(|v| i32::try_from(v).ok()))),
        DataType::Int64 => Arc::new(read!(Int64Array, Value::as_i64)),
        DataType::Float32 => Arc::new(read!(Float32Array, |v: &Value| float(v).map(|v| v as f32))),
        DataType::Float64 => Arc::new(read!(Float64Array, float)),
        DataType::Timestamp => Arc::new(read!(TimestampMicrosecondArray, timestamp).with_timezone("UTC")),
        DataType::Text => Arc::new(read!(StringArray, Value::as_str)),
        DataType::Bytes => Arc::new(read!(BinaryArray, |v: &Value| v.as_str().and_then(from_hex))),
    })
}

/// The rows of columns, in canonical form.
pub(super) fn rows(fields: &[Field], columns: &[ArrayRef], rows: usize) -> Vec<Row> {
    let row =
        |row| fields.iter().zip(columns).map(|(f, column)| (f.name.clone(), value(f.data_type, column, row))).collect();
    (0..rows).map(row).collect()
}

fn value(data_type: DataType, column: &ArrayRef, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match data_type {
        DataType::Boolean => column.as_boolean().value(row).into(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).into(),
        // The shortest decimals that are this number.
        DataType::Float32 => {
            let value = column.as_primitive::<Float32Type>().value(row);
            value.to_string().parse().map_or(Value::Null, of_float)
        }
        DataType::Float64 => of_float(column.as_primitive::<Float64Type>().value(row)),
        DataType::Timestamp => of_timestamp(column.as_primitive::<TimestampMicrosecondType>().value(row)),
        DataType::Text => column.as_string::<i32>().value(row).into(),
        DataType::Bytes => {
            column.as_binary::<i32>().value(row).iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
        }
    }
}

/// A row in canonical form.
pub(super) fn canonical(fields: &[Field], row: &Row) -> Result<Row, String> {
    let row = std::slice::from_ref(row);
    // What is expected may be a null where there must be none: then it is just not what comes.
    let nullable: Vec<Field> = fields.iter().map(|f| Field::new(f.name.clone(), f.data_type, true)).collect();
    let columns = columns(&nullable, row)?;
    Ok(rows(fields, &columns, 1).remove(0))
}

fn float(value: &Value) -> Option<f64> {
    match value.as_str() {
        Some("NaN") => Some(f64::NAN),
        Some("inf") => Some(f64::INFINITY),
        Some("-inf") => Some(f64::NEG_INFINITY),
        Some(_) => None,
        None => value.as_f64(),
    }
}

fn of_float(value: f64) -> Value {
    if value.is_nan() {
        return "NaN".into();
    }
    match serde_json::Number::from_f64(value) {
        Some(number) => number.into(),
        None => if value > 0.0 { "inf" } else { "-inf" }.into(),
    }
}

/// A time in microseconds.
pub(super) fn timestamp(value: &Value) -> Option<i64> {
    match value.as_str() {
        Some(text) => DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_micros()),
        None => value.as_i64(),
    }
}

fn of_timestamp(microseconds: i64) -> Value {
    match DateTime::from_timestamp_micros(microseconds).filter(|time| (0..=9999).contains(&time.year())) {
        Some(time) => time.to_rfc3339_opts(SecondsFormat::AutoSi, true).into(),
        None => microseconds.into(),
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(pair).collect())?
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(value: Value) -> Row {
        Row::from_iter([("v".to_owned(), value)])
    }

    #[test]
    fn every_value_has_one_form() {
        let same = |data_type, value: Value, expected: Value| {
            let fields = [Field::new("v", data_type, true)];
            assert_eq!(canonical(&fields, &row(value)), Ok(row(expected)));
        };
        same(DataType::Int64, json!(i64::MIN), json!(i64::MIN));
        same(DataType::Float64, json!(1), json!(1.0));
        same(DataType::Float64, json!("NaN"), json!("NaN"));
        same(DataType::Float64, json!(-0.0), json!(-0.0));
        same(DataType::Float32, json!(0.1), json!(0.1));
        same(DataType::Float32, json!("-inf"), json!("-inf"));
        same(DataType::Timestamp, json!(1_360_326_600_000_000_i64), json!("2013-02-08T12:30:00Z"));
        same(DataType::Timestamp, json!(i64::MAX), json!(i64::MAX));
        same(DataType::Bytes, json!("00FF"), json!("00ff"));
        same(DataType::Text, json!(null), json!(null));
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_place() {
        let fields = [Field::new("v", DataType::Int32, false)];
        let told = |value: Value| columns(&fields, &[row(json!(1)), row(value)]).unwrap_err();
        assert_eq!(told(json!(3_000_000_000_u32)), "row 1, `v`: 3000000000 is no int32");
        assert!(told(json!(null)).contains("never reaches the function"));
        assert_eq!(
            columns(&fields, &[Row::from_iter([("w".into(), json!(1))])]).unwrap_err(),
            "row 0 has a column `w`; there are: v: int32"
        );
    }
}
