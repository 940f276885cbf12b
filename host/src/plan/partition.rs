//! `partition` as written, checked: how a stream's rows are spread over the workers from there on.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, Float64Array, Int32Array, Int64Array, StringArray};
use arrow_cast::parse::string_to_datetime;
use chrono::Utc;
use toml::Value;

use super::bind::did_you_mean;
use super::spec::{At, PartitionSpec, PartitionTable, Text};
use super::steps::{Step, Stream};
use super::{Operator, Partition};
use crate::error::Invalid;
use crate::flow::exchange::key_converter;
use crate::types::{DataType, Field};

pub(super) fn partition(text: &Text, at: &At<PartitionSpec>, stream: &Stream<'_>) -> Result<Step, Invalid> {
    let hint = "there are: `\"round-robin\"`, `{ key = [\"column\"] }`, `{ range = \"column\", at = [10, 20] }`";
    let how = match at.get_ref() {
        PartitionSpec::Word(word) if word == "round-robin" => Partition::RoundRobin,
        PartitionSpec::Word(word) if word == "broadcast" => {
            let message = "`broadcast` gives every worker every row, so results would depend on how many there are";
            return Err(text
                .wrong(at, message)
                .hint("give a join `broadcast = true`; its right rows then are on every worker"));
        }
        PartitionSpec::Word(word) => {
            return Err(text.wrong(at, format!("`{word}` is no way to spread rows")).hint(hint));
        }
        PartitionSpec::Table(PartitionTable { key: Some(names), range: None, at: None }) => {
            let columns: Result<Vec<_>, _> = names.iter().map(|name| column(text, at, stream, name)).collect();
            Partition::Key(columns?)
        }
        PartitionSpec::Table(PartitionTable { key: None, range: Some(name), at: Some(bounds) }) => {
            let field = column(text, at, stream, name)?;
            let bounds = self::bounds(&field, bounds).map_err(|message| text.wrong(at, message))?;
            Partition::Range { column: field, bounds }
        }
        PartitionSpec::Table(_) => {
            return Err(text.wrong(at, "rows are spread by `key`, or by `range` and `at`").hint(hint));
        }
    };
    let columns = stream.columns.to_vec();
    Ok(Step { operator: Operator::Partition(how), columns, name: "partition".to_string() })
}

impl std::fmt::Display for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::RoundRobin => f.write_str("round-robin"),
            Self::Key(columns) => {
                let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
                write!(f, "by {}", names.join(", "))
            }
            Self::Range { column, bounds } => write!(f, "by {} ranges of {}", bounds.len() + 1, column.name),
        }
    }
}

fn column(text: &Text, at: &At<PartitionSpec>, stream: &Stream<'_>, name: &str) -> Result<Field, Invalid> {
    stream.columns.iter().find(|field| field.name == name).cloned().ok_or_else(|| {
        let all: Vec<_> = stream.columns.iter().map(|field| field.name.as_str()).collect();
        text.wrong(at, format!("there is no column `{name}`")).hint(did_you_mean(name, &all))
    })
}

/// The bounds of ranges as keys are encoded, so that their bytes compare as their values do.
fn bounds(field: &Field, values: &[Value]) -> Result<Vec<Vec<u8>>, String> {
    let wrong = |value: &Value| format!("{value} is no bound of `{}`, which is {}", field.name, field.data_type);
    let whole = |v: &Value| v.as_integer().ok_or_else(|| wrong(v));
    let number = |v: &Value| v.as_float().or(v.as_integer().map(|n| n as f64)).ok_or_else(|| wrong(v));
    let words = |v: &Value| v.as_str().map(str::to_owned).ok_or_else(|| wrong(v));
    let all = values.iter();
    let array: ArrayRef = match field.data_type {
        DataType::Int32 => {
            let narrow = |v: &Value| i32::try_from(whole(v)?).map_err(|_| wrong(v));
            Arc::new(all.map(narrow).collect::<Result<Int32Array, _>>()?)
        }
        DataType::Int64 => Arc::new(all.map(whole).collect::<Result<Int64Array, _>>()?),
        DataType::Float32 => Arc::new(all.map(|v| number(v).map(|n| n as f32)).collect::<Result<Float32Array, _>>()?),
        DataType::Float64 => Arc::new(all.map(number).collect::<Result<Float64Array, _>>()?),
        DataType::Text => {
            let texts = all.map(words).collect::<Result<Vec<_>, _>>()?;
            Arc::new(StringArray::from(texts))
        }
        DataType::Timestamp => {
            let time = |v: &Value| {
                let time = string_to_datetime(&Utc, &words(v)?).map_err(|_| wrong(v))?;
                Ok::<_, String>(time.timestamp_micros())
            };
            let times = all.map(time).collect::<Result<Vec<_>, _>>()?;
            let array = arrow_array::TimestampMicrosecondArray::from(times);
            arrow_cast::cast(&array, &field.data_type.arrow()).map_err(|e| e.to_string())?
        }
        DataType::Boolean | DataType::Bytes => {
            return Err(format!("`{}` is {}, which has no ranges", field.name, field.data_type));
        }
    };
    if values.is_empty() {
        return Err("`at` has no bound, so there is one range".to_owned());
    }
    let rows = key_converter(std::slice::from_ref(field)).convert_columns(&[array]).map_err(|e| e.to_string())?;
    let bounds: Vec<Vec<u8>> = rows.iter().map(|row| row.as_ref().to_vec()).collect();
    match bounds.is_sorted_by(|a, b| a < b) {
        true => Ok(bounds),
        false => Err("the bounds of ranges ascend, each once".to_owned()),
    }
}
