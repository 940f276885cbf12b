//! Guessing columns and their types from the first records.
//!
//! In comes a sample of the input; out go its columns, all nullable. A column is the narrowest of
//! boolean, int64, float64, timestamp and text that reads every value seen; integers beyond int64
//! are text, and so is a column of nulls. It never reads further than the sample it is handed, and
//! a record that can't be read at all is passed over: it will be a bad record later.

use super::csv::{header, is_null};
use super::json::{Scan, Value};
use super::{Frames, RECORD_BYTES_MAX, Tail, column, iso8601, lines};
use crate::flow::source::{CsvFormat, Format};
use crate::types::{DataType, Field};

/// Records that are looked at.
pub(crate) const RECORDS_MAX: usize = 1_000;
/// Bytes that are looked at.
pub(crate) const BYTES_MAX: usize = 1 << 20;

/// The columns of a sample, and whether more of the input would tell more.
pub(crate) fn columns(sample: &[u8], tail: Tail, format: &Format) -> Inferred {
    match format {
        Format::Csv(csv) => of_csv(sample, tail, csv),
        Format::JsonLines => of_json(sample, tail),
    }
}

/// What a sample tells.
#[derive(Debug)]
pub(crate) struct Inferred {
    /// The columns, in the order of their first appearance.
    pub(crate) columns: Vec<Field>,
    /// Records in the sample.
    pub(crate) records: usize,
}

fn of_csv(sample: &[u8], tail: Tail, format: &CsvFormat) -> Inferred {
    let mut rest = sample;
    let mut next = || {
        let (fields, next) = header(rest, tail, format)?;
        rest = &rest[next..];
        Some(fields)
    };
    let (mut columns, mut guesses) = (Vec::new(), Vec::new());
    if format.header {
        columns = next().map(names).unwrap_or_default();
    }
    let mut records = 0;
    while records < RECORDS_MAX {
        let Some(fields) = next() else { break };
        if columns.is_empty() {
            columns = names(vec![String::new(); fields.len()]);
        }
        records += 1;
        guesses.resize(columns.len(), Guess::default());
        if fields.len() == columns.len() {
            for (guess, field) in guesses.iter_mut().zip(&fields) {
                if !is_null(field, format) {
                    guess.see_text(field);
                }
            }
        }
    }
    guesses.resize(columns.len(), Guess::default());
    let columns = columns.into_iter().zip(guesses).map(|(name, guess)| guess.field(name)).collect();
    Inferred { columns, records }
}

/// Column names; one that is empty is called after its place.
pub(crate) fn names(header: Vec<String>) -> Vec<String> {
    let name = |(i, name): (usize, String)| if name.is_empty() { format!("column_{}", i + 1) } else { name };
    header.into_iter().enumerate().map(name).collect()
}

fn of_json(sample: &[u8], tail: Tail) -> Inferred {
    let mut frames = Frames::default();
    lines::frame(sample, tail, RECORDS_MAX, &mut frames, RECORD_BYTES_MAX);
    let mut columns: Vec<(String, Guess)> = Vec::new();
    for frame in &frames.records {
        let Ok(line) = std::str::from_utf8(&sample[frame.start..frame.end]) else { continue };
        let mut seen = Vec::new();
        let read = Scan::new(line).object(|scan, name| {
            seen.push((name, scan.value()?));
            Ok(())
        });
        if read.is_err() {
            continue;
        }
        for (name, value) in seen {
            let at = columns.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
                columns.push((name.into_owned(), Guess::default()));
                columns.len() - 1
            });
            columns[at].1.see_json(&value);
        }
    }
    let records = frames.records.len();
    Inferred { columns: columns.into_iter().map(|(name, guess)| guess.field(name)).collect(), records }
}

/// The kinds of values that a column had.
#[derive(Clone, Copy, Debug, Default)]
struct Guess {
    booleans: bool,
    integers: bool,
    floats: bool,
    timestamps: bool,
    texts: bool,
}

impl Guess {
    fn see_text(&mut self, text: &str) {
        if column::boolean(text).is_some() {
            self.booleans = true;
        } else if iso8601::parse(text).is_some() {
            self.timestamps = true;
        } else {
            self.see_number(text);
        }
    }

    fn see_number(&mut self, text: &str) {
        let digits = text.trim_ascii().trim_start_matches(['-', '+']);
        if column::int64(text).is_some() {
            self.integers = true;
        } else if !digits.bytes().all(|b| b.is_ascii_digit()) && column::float64(text).is_some() {
            self.floats = true;
        } else {
            self.texts = true;
        }
    }

    fn see_json(&mut self, value: &Value<'_>) {
        match value {
            Value::Null => {}
            Value::Boolean(_) => self.booleans = true,
            Value::Number(text) => self.see_number(text),
            Value::Text(text) if iso8601::parse(text).is_some() => self.timestamps = true,
            Value::Text(_) | Value::Nested(_) => self.texts = true,
        }
    }

    fn field(self, name: String) -> Field {
        let data_type = match (self.booleans, self.integers, self.floats, self.timestamps, self.texts) {
            (true, false, false, false, false) => DataType::Boolean,
            (false, true, false, false, false) => DataType::Int64,
            (false, _, true, false, false) => DataType::Float64,
            (false, false, false, true, false) => DataType::Timestamp,
            _ => DataType::Text,
        };
        Field::new(name, data_type, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(text: &str, header: bool) -> String {
        let format = CsvFormat { delimiter: b',', quote: b'"', header, nulls: vec!["NA".to_owned()] };
        written(of_csv(text.as_bytes(), Tail::End, &format))
    }

    fn json(text: &str) -> String {
        written(of_json(text.as_bytes(), Tail::End))
    }

    fn written(inferred: Inferred) -> String {
        inferred.columns.iter().map(Field::to_string).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn the_narrowest_type_that_reads_all() {
        let text = "a,b,c,d,e,f,,g\n1,1,true,2013-02-01,x,NA,1,99999999999999999999\n2,1.5,FALSE,2013-02-01T05:00:00Z,1,,NA,1\n";
        let expected =
            "a: int64?, b: float64?, c: boolean?, d: timestamp?, e: text?, f: text?, column_7: int64?, g: text?";
        assert_eq!(csv(text, true), expected);
    }

    #[test]
    fn without_a_header_columns_are_called_after_their_place() {
        assert_eq!(csv("1,x\n2,y", false), "column_1: int64?, column_2: text?");
        assert_eq!(csv("", false), "");
        assert_eq!(csv("a,b", true), "a: text?, b: text?");
    }

    #[test]
    fn json_members_in_the_order_of_their_first_appearance() {
        let text = r#"{"b":1,"a":"x"}
            broken
            {"c":"2013-02-01","a":null,"b":2.5,"d":{"x":1}}
            {"e":true,"f":null}"#;
        assert_eq!(json(text), "b: float64?, a: text?, c: timestamp?, d: text?, e: boolean?, f: text?");
    }
}
