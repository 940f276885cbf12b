//! The eight data types of the contract, and their Arrow twins.
//!
//! A [`DataType`] is what users read and write in pipeline files, signatures and errors. In the
//! host a column of it is always one Arrow type, so nothing else has to be handled downstream.

use std::fmt;
use std::sync::Arc;

use arrow_schema::{DataType as Arrow, Field as ArrowField, TimeUnit};
use serde::{Deserialize, Serialize};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataType {
    /// True or false.
    Boolean,
    /// A signed 32-bit integer.
    Int32,
    /// A signed 64-bit integer.
    Int64,
    /// A 32-bit floating point number.
    Float32,
    /// A 64-bit floating point number.
    Float64,
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp,
    /// UTF-8.
    Text,
    /// Bytes.
    Bytes,
}

impl DataType {
    /// All of them, in the contract's order.
    pub const ALL: [Self; 8] = [
        Self::Boolean,
        Self::Int32,
        Self::Int64,
        Self::Float32,
        Self::Float64,
        Self::Timestamp,
        Self::Text,
        Self::Bytes,
    ];

    /// The one Arrow type that holds it.
    pub fn arrow(self) -> Arrow {
        match self {
            Self::Boolean => Arrow::Boolean,
            Self::Int32 => Arrow::Int32,
            Self::Int64 => Arrow::Int64,
            Self::Float32 => Arrow::Float32,
            Self::Float64 => Arrow::Float64,
            Self::Timestamp => Arrow::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC"))),
            Self::Text => Arrow::Utf8,
            Self::Bytes => Arrow::Binary,
        }
    }

    /// The type of a column of the host, if it is one of ours.
    pub fn of(arrow: &Arrow) -> Option<Self> {
        match arrow {
            Arrow::Boolean => Some(Self::Boolean),
            Arrow::Int32 => Some(Self::Int32),
            Arrow::Int64 => Some(Self::Int64),
            Arrow::Float32 => Some(Self::Float32),
            Arrow::Float64 => Some(Self::Float64),
            Arrow::Timestamp(TimeUnit::Microsecond, Some(zone)) if &**zone == "UTC" => Some(Self::Timestamp),
            Arrow::Utf8 => Some(Self::Text),
            Arrow::Binary => Some(Self::Bytes),
            _ => None,
        }
    }

    /// The name in pipeline files and errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::Timestamp => "timestamp",
            Self::Text => "text",
            Self::Bytes => "bytes",
        }
    }

    /// The type of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.name() == name)
    }

    /// Bytes of one value, for the types that have a fixed number.
    pub fn width(self) -> Option<usize> {
        match self {
            Self::Int32 | Self::Float32 => Some(4),
            Self::Int64 | Self::Float64 | Self::Timestamp => Some(8),
            Self::Boolean | Self::Text | Self::Bytes => None,
        }
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A named, typed column of a signature or a stream. Written `name: type`, with a `?` behind the
/// type where there can be nulls.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Field {
    /// The column's name.
    pub name: String,
    /// What it holds.
    pub data_type: DataType,
    /// Whether a row may have no value.
    pub nullable: bool,
}

impl Field {
    /// A field.
    pub fn new(name: impl Into<String>, data_type: DataType, nullable: bool) -> Self {
        Self { name: name.into(), data_type, nullable }
    }

    /// As an Arrow field.
    pub fn arrow(&self) -> ArrowField {
        ArrowField::new(&self.name, self.data_type.arrow(), self.nullable)
    }

    /// The type as written: `int64?`.
    pub fn type_name(&self) -> String {
        format!("{}{}", self.data_type, if self.nullable { "?" } else { "" })
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.type_name())
    }
}

/// An Arrow schema of these fields.
pub fn arrow_schema(fields: &[Field]) -> arrow_schema::SchemaRef {
    Arc::new(arrow_schema::Schema::new(fields.iter().map(Field::arrow).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_one_arrow_twin_and_one_name() {
        for t in DataType::ALL {
            assert_eq!(DataType::of(&t.arrow()), Some(t));
            assert_eq!(DataType::parse(t.name()), Some(t));
        }
        assert_eq!(DataType::of(&Arrow::LargeUtf8), None);
    }
}
