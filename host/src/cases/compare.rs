//! What was expected against what came, and how that is told.

use serde_json::Value;

use super::Verdict;
use super::value::{self, Row};
use crate::function::{Kind, Signature};

/// How many differences are told of one case.
const TOLD_MAX: usize = 5;

/// Compares what is expected, in any form, with what came, in the canonical one.
pub(super) fn compare(signature: &Signature, expect: &Value, actual: &Value) -> Verdict {
    let expect = match canonical(signature, expect) {
        Ok(expect) => expect,
        Err(why) => return Verdict::Invalid(format!("what is expected makes no sense: {why}")),
    };
    let mut lines = Vec::new();
    match (&expect, actual) {
        (Value::Array(expect), Value::Array(actual)) => {
            let unit = if matches!(signature.kind, Kind::Aggregate | Kind::GroupMapper) { "group" } else { "row" };
            if expect.len() != actual.len() {
                lines.push(format!("expected {} results, got {}", expect.len(), actual.len()));
            }
            for (index, (expect, actual)) in expect.iter().zip(actual).enumerate() {
                if expect != actual {
                    lines.push(difference(&format!("{unit} {index}"), expect, actual));
                }
            }
        }
        // A fault's message need only have what is expected in it: it may go on with a place.
        (expect, actual) if contains_fault(expect, actual) => {}
        (expect, actual) if expect == actual => {}
        (expect, actual) => lines.push(format!("expected {}, got {}", short(expect), short(actual))),
    }
    if lines.is_empty() {
        return Verdict::Passed;
    }
    if lines.len() > TOLD_MAX {
        let more = lines.len() - TOLD_MAX;
        lines.truncate(TOLD_MAX);
        lines.push(format!("and {more} more"));
    }
    Verdict::Differs(lines)
}

fn contains_fault(expect: &Value, actual: &Value) -> bool {
    let fault = |value: &Value| value.get("fault").and_then(Value::as_str).map(str::to_owned);
    fault(expect).zip(fault(actual)).is_some_and(|(expect, actual)| actual.contains(&expect))
}

/// Two rows: only the columns that differ.
fn difference(place: &str, expect: &Value, actual: &Value) -> String {
    if let (Value::Object(expect), Value::Object(actual)) = (expect, actual)
        && expect.keys().eq(actual.keys())
    {
        let differ = expect.iter().zip(actual.values()).filter(|((_, e), a)| e != a);
        let differ: Vec<_> =
            differ.map(|((n, e), a)| format!("`{n}` expected {}, got {}", short(e), short(a))).collect();
        return format!("{place}: {}", differ.join("; "));
    }
    format!("{place}: expected {}, got {}", short(expect), short(actual))
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(200) {
        Some((at, _)) => format!("{}..", &text[..at]),
        None => text,
    }
}

fn canonical(signature: &Signature, expect: &Value) -> Result<Value, String> {
    let Value::Array(values) = expect else {
        return Ok(expect.clone());
    };
    let canonical = values.iter().map(|value| one(signature, value));
    Ok(Value::Array(canonical.collect::<Result<_, _>>()?))
}

fn one(signature: &Signature, value: &Value) -> Result<Value, String> {
    match value {
        Value::Object(row) if row.contains_key("row-error") => Ok(value.clone()),
        Value::Object(row) => object(signature, row),
        Value::Array(rows) => Ok(Value::Array(rows.iter().map(|row| one(signature, row)).collect::<Result<_, _>>()?)),
        other => Ok(other.clone()),
    }
}

fn object(signature: &Signature, row: &Row) -> Result<Value, String> {
    value::canonical(&signature.outputs, row).map(Value::Object)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::types::{DataType, Field};

    fn told(expect: Value, actual: Value) -> Vec<String> {
        let signature = Signature {
            name: "f".into(),
            kind: Kind::Mapper,
            doc: String::new(),
            parameters: vec![],
            inputs: vec![],
            outputs: vec![Field::new("a", DataType::Float64, true), Field::new("b", DataType::Text, true)],
            accumulator: vec![],
            retractable: false,
        };
        match compare(&signature, &expect, &actual) {
            Verdict::Passed => vec![],
            Verdict::Differs(lines) => lines,
            other => vec![format!("{other:?}")],
        }
    }

    #[test]
    fn only_what_differs_is_told() {
        assert!(told(json!([{ "a": 1 }]), json!([{ "a": 1.0, "b": null }])).is_empty());
        assert_eq!(
            told(json!([{ "a": 1, "b": "x" }]), json!([{ "a": 1.5, "b": "x" }])),
            ["row 0: `a` expected 1.0, got 1.5"]
        );
        assert_eq!(
            told(json!([{ "row-error": "bad" }]), json!([{ "a": 1.5, "b": null }])),
            [r#"row 0: expected {"row-error":"bad"}, got {"a":1.5,"b":null}"#]
        );
        assert_eq!(told(json!([]), json!([{ "a": 1.5, "b": null }])), ["expected 0 results, got 1"]);
        assert!(told(json!({ "fault": "bad" }), json!({ "fault": "E: bad (f.py:3)" })).is_empty());
        let many: Vec<Value> = (0..9).map(|a| json!({ "a": a })).collect();
        let none: Vec<Value> = (0..9).map(|_| json!({ "a": null, "b": null })).collect();
        assert_eq!(told(json!(many), json!(none)).last().unwrap(), "and 4 more");
    }
}
