//! Why a record can't be read, in plain words.

use crate::types::Field;

/// A value as it is quoted in a reason: in quotes, and cut after 60 characters.
pub(in crate::flow) fn quoted(value: &str) -> String {
    match value.char_indices().nth(60) {
        Some((end, _)) => format!("\"{}…\"", &value[..end]),
        None => format!("\"{value}\""),
    }
}

/// The reason when a value has the wrong type.
pub(super) fn mismatch(field: &Field, value: &str) -> String {
    format!("column `{}`: {value} is no {}", field.name, field.data_type)
}

/// The reason when there is no value where there has to be one.
pub(super) fn missing(field: &Field) -> String {
    format!("column `{}`: null where the schema says {} without `?`", field.name, field.data_type)
}
