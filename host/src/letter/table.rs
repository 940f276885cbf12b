//! Letters as a table, which is what a Parquet file of them holds: a column for each field, null where a letter
//! says nothing. There and back a letter stays what it was.
//!
//! | columns | type |
//! | --- | --- |
//! | `step`, `function`, `component`, `digest`, `reason`, `fault`, `source`, `text` | text |
//! | `parameters`, `limits`, `row`, `call` | text: JSON, as it stands in a line |
//! | `log`, `backtrace` | lists of texts |
//! | `position`, `line`, `seed` | unsigned, 64 bits |
//! | `time`, `now` | timestamp in microseconds, UTC |
//!
//! A column more is a new one at the end, so that what reads one version reads the next.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{TimestampMicrosecondType, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray, UInt64Array};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde_json::{Map, Value};

/// What a column holds.
#[derive(Clone, Copy)]
enum Holds {
    Text,
    Json,
    Texts,
    Number,
    Time,
}

/// The columns, in the order of a line's fields.
const COLUMNS: [(&str, Holds); 19] = [
    ("step", Holds::Text),
    ("function", Holds::Text),
    ("component", Holds::Text),
    ("digest", Holds::Text),
    ("parameters", Holds::Json),
    ("limits", Holds::Json),
    ("reason", Holds::Text),
    ("fault", Holds::Text),
    ("log", Holds::Texts),
    ("backtrace", Holds::Texts),
    ("source", Holds::Text),
    ("position", Holds::Number),
    ("time", Holds::Time),
    ("line", Holds::Number),
    ("text", Holds::Text),
    ("now", Holds::Time),
    ("seed", Holds::Number),
    ("row", Holds::Json),
    ("call", Holds::Json),
];

impl Holds {
    fn arrow(self) -> DataType {
        match self {
            Self::Text | Self::Json => DataType::Utf8,
            Self::Texts => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))),
            Self::Number => DataType::UInt64,
            Self::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        }
    }
}

/// The table's columns. Only `step` and `reason` are in every letter.
pub(crate) fn schema() -> SchemaRef {
    let always = |name: &str| name == "step" || name == "reason";
    let field = |(name, holds): &(&str, Holds)| Field::new(*name, holds.arrow(), !always(name));
    Arc::new(Schema::new(COLUMNS.iter().map(field).collect::<Vec<_>>()))
}

/// Letters as rows.
pub(crate) fn rows(letters: &[Map<String, Value>]) -> RecordBatch {
    let columns = COLUMNS.iter().map(|(name, holds)| column(letters, name, *holds));
    RecordBatch::try_new(schema(), columns.collect()).expect("each column is as the schema says")
}

fn column(letters: &[Map<String, Value>], name: &str, holds: Holds) -> ArrayRef {
    let values = letters.iter().map(|letter| letter.get(name));
    match holds {
        Holds::Text => Arc::new(values.map(|v| v?.as_str()).collect::<StringArray>()),
        Holds::Json => Arc::new(values.map(|v| Some(v?.to_string())).collect::<StringArray>()),
        Holds::Number => Arc::new(values.map(|v| v?.as_u64()).collect::<UInt64Array>()),
        Holds::Time => {
            let times: TimestampMicrosecondArray = values.map(|v| v?.as_i64()).collect();
            Arc::new(times.with_timezone("UTC"))
        }
        Holds::Texts => {
            let mut lists = ListBuilder::new(StringBuilder::new());
            for list in values.map(|v| v?.as_array()) {
                list.into_iter().flatten().for_each(|text| lists.values().append_option(text.as_str()));
                lists.append(list.is_some());
            }
            Arc::new(lists.finish())
        }
    }
}

/// Rows as letters; what others have written of them, with other types of texts and times, is read as well.
pub(super) fn letters(rows: &RecordBatch) -> Result<Vec<Map<String, Value>>, String> {
    let mut letters = vec![Map::new(); rows.num_rows()];
    for (name, holds) in COLUMNS {
        let Some(column) = rows.column_by_name(name) else { continue };
        let column = cast(column, &holds.arrow()).map_err(|e| format!("its column `{name}`: {e}"))?;
        for (row, letter) in letters.iter_mut().enumerate() {
            if column.is_valid(row) {
                let value = value(&column, row, holds).map_err(|e| format!("its column `{name}`, row {row}: {e}"))?;
                letter.insert(name.to_owned(), value);
            }
        }
    }
    Ok(letters)
}

fn value(column: &ArrayRef, row: usize, holds: Holds) -> Result<Value, serde_json::Error> {
    Ok(match holds {
        Holds::Text => column.as_string::<i32>().value(row).into(),
        Holds::Json => serde_json::from_str(column.as_string::<i32>().value(row))?,
        Holds::Number => column.as_primitive::<UInt64Type>().value(row).into(),
        Holds::Time => column.as_primitive::<TimestampMicrosecondType>().value(row).into(),
        Holds::Texts => {
            let texts = column.as_list::<i32>().value(row);
            texts.as_string::<i32>().iter().map(Value::from).collect::<Vec<_>>().into()
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn text() -> impl Strategy<Value = Value> {
        any::<String>().prop_map(Value::from)
    }

    fn value_of(holds: Holds) -> BoxedStrategy<Value> {
        match holds {
            Holds::Text => text().boxed(),
            Holds::Json => prop::collection::btree_map(any::<String>(), text(), 0..3).prop_map(|m| json!(m)).boxed(),
            Holds::Texts => prop::collection::vec(text(), 0..3).prop_map(Value::from).boxed(),
            Holds::Number => any::<u64>().prop_map(Value::from).boxed(),
            Holds::Time => any::<i64>().prop_map(Value::from).boxed(),
        }
    }

    /// A letter that says its step and reason, and some of all else.
    fn letter() -> impl Strategy<Value = Map<String, Value>> {
        let columns: Vec<_> = COLUMNS.iter().map(|(_, holds)| prop::option::of(value_of(*holds))).collect();
        (columns, text(), text()).prop_map(|(values, step, reason)| {
            let said = COLUMNS.iter().zip(values).filter_map(|((name, _), value)| match *name {
                "step" => Some(("step".to_owned(), step.clone())),
                "reason" => Some(("reason".to_owned(), reason.clone())),
                name => Some((name.to_owned(), value?)),
            });
            said.collect()
        })
    }

    proptest! {
        #[test]
        fn letters_are_read_back_as_they_were(written in prop::collection::vec(letter(), 0..5)) {
            let rows = rows(&written);
            prop_assert_eq!(letters(&rows).expect("they were written"), written);
        }
    }

    #[test]
    fn what_is_no_letter_is_named() {
        let seeds: ArrayRef = Arc::new(StringArray::from(vec!["many"]));
        let rows = RecordBatch::try_from_iter([("row", seeds)]).expect("a batch");
        let problem = letters(&rows).expect_err("no JSON");
        assert!(problem.starts_with("its column `row`, row 0: expected value"), "{problem}");
    }
}
