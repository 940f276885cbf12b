//! A column that grows by JSON values.
//!
//! In come values and the field they are for; out goes an array, or a reason why a value does not
//! fit. It never looks at a line.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{BinaryBuilder, BooleanBuilder, PrimitiveBuilder, StringBuilder};
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};

use super::super::{column, iso8601, mismatch, missing, quoted};
use super::Value;
use crate::types::{DataType, Field};

/// The values of a column so far.
#[derive(Debug)]
pub(super) enum Builder {
    Boolean(BooleanBuilder),
    Int32(PrimitiveBuilder<Int32Type>),
    Int64(PrimitiveBuilder<Int64Type>),
    Float32(PrimitiveBuilder<Float32Type>),
    Float64(PrimitiveBuilder<Float64Type>),
    Timestamp(PrimitiveBuilder<TimestampMicrosecondType>),
    Text(StringBuilder),
    Bytes(BinaryBuilder),
}

/// Does the same for the builder of each type.
macro_rules! each {
    ($builder:expr, $b:ident => $does:expr) => {
        match $builder {
            Self::Boolean($b) => $does,
            Self::Int32($b) => $does,
            Self::Int64($b) => $does,
            Self::Float32($b) => $does,
            Self::Float64($b) => $does,
            Self::Timestamp($b) => $does,
            Self::Text($b) => $does,
            Self::Bytes($b) => $does,
        }
    };
}

impl Builder {
    pub(super) fn new(data_type: DataType, rows: usize) -> Self {
        match data_type {
            DataType::Boolean => Self::Boolean(BooleanBuilder::with_capacity(rows)),
            DataType::Int32 => Self::Int32(PrimitiveBuilder::with_capacity(rows)),
            DataType::Int64 => Self::Int64(PrimitiveBuilder::with_capacity(rows)),
            DataType::Float32 => Self::Float32(PrimitiveBuilder::with_capacity(rows)),
            DataType::Float64 => Self::Float64(PrimitiveBuilder::with_capacity(rows)),
            DataType::Timestamp => {
                Self::Timestamp(PrimitiveBuilder::with_capacity(rows).with_data_type(data_type.arrow()))
            }
            DataType::Text => Self::Text(StringBuilder::with_capacity(rows, rows * 8)),
            DataType::Bytes => Self::Bytes(BinaryBuilder::with_capacity(rows, rows * 8)),
        }
    }

    pub(super) fn push_null(&mut self) {
        each!(self, b => b.append_null());
    }

    pub(super) fn finish(mut self) -> ArrayRef {
        each!(&mut self, b => Arc::new(b.finish()))
    }

    /// Appends a value if it fits; if not, nothing.
    #[inline]
    pub(super) fn push(&mut self, field: &Field, value: &Value<'_>) -> Result<(), String> {
        if *value == Value::Null {
            if !field.nullable {
                return Err(missing(field));
            }
            self.push_null();
            return Ok(());
        }
        if let Self::Text(b) = self {
            b.append_value(match value {
                Value::Text(text) => text.as_ref(),
                Value::Number(text) | Value::Nested(text) => text,
                Value::Boolean(true) => "true",
                Value::Boolean(false) => "false",
                Value::Null => "null",
            });
            return Ok(());
        }
        let fits = match (self, value) {
            (Self::Boolean(b), Value::Boolean(value)) => {
                b.append_value(*value);
                true
            }
            (Self::Boolean(b), Value::Text(text)) => column::boolean(text).map(|v| b.append_value(v)).is_some(),
            (Self::Int32(b), _) => {
                whole(value).and_then(|v| i32::try_from(v).ok()).map(|v| b.append_value(v)).is_some()
            }
            (Self::Int64(b), _) => whole(value).map(|v| b.append_value(v)).is_some(),
            (Self::Float32(b), _) => number(value).and_then(column::float32).map(|v| b.append_value(v)).is_some(),
            (Self::Float64(b), _) => number(value).and_then(column::float64).map(|v| b.append_value(v)).is_some(),
            (Self::Timestamp(b), Value::Text(text)) => iso8601::parse(text).map(|v| b.append_value(v)).is_some(),
            (Self::Timestamp(b), Value::Number(_)) => whole(value).map(|v| b.append_value(v)).is_some(),
            (Self::Bytes(b), Value::Text(text)) => column::hex(text).map(|v| b.append_value(v)).is_some(),
            _ => false,
        };
        if fits {
            return Ok(());
        }
        let spelled = match value {
            Value::Text(text) => quoted(text),
            Value::Number(text) => (*text).to_owned(),
            Value::Boolean(value) => value.to_string(),
            Value::Nested(text) if text.starts_with('[') => "a list".to_owned(),
            Value::Nested(_) => "an object".to_owned(),
            Value::Null => "null".to_owned(),
        };
        Err(mismatch(field, &spelled))
    }
}

/// The spelling of a number, in quotes or not.
#[inline]
fn number<'a>(value: &'a Value<'_>) -> Option<&'a str> {
    match value {
        Value::Number(text) => Some(text),
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// An integer, also one that is spelled `3.0` or `3e2`.
#[inline]
fn whole(value: &Value<'_>) -> Option<i64> {
    let text = number(value)?;
    column::int64(text).or_else(|| {
        // Floats tell integers apart up to 2^53 only; a larger one has to be spelled as an integer.
        let value = column::float64(text).filter(|_| text.contains(['.', 'e', 'E']))?;
        (value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0).then_some(value as i64)
    })
}
