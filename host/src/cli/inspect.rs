//! What a component offers and asks for, for people. Pure: an [`Inspection`] in, text out; as JSON
//! it is printed just as it stands.

use std::fmt::Write;

use serde::Serialize;
use weir::function::{Kind, Parameter, Signature};
use weir::types::Field;

use super::text::{self, Align};

/// What is known of a component once it has been loaded.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Inspection {
    /// The file or folder it came from, as the user wrote it.
    pub(super) component: String,
    /// SHA-256 of the component in hexadecimal.
    pub(super) digest: String,
    /// Size of the component.
    pub(super) bytes: u64,
    /// Milliseconds that compiling it took.
    pub(super) compile_ms: f64,
    /// Interfaces that it imports.
    pub(super) imports: Vec<String>,
    /// Interfaces that it exports.
    pub(super) exports: Vec<String>,
    /// Its catalog.
    pub(super) functions: Vec<Signature>,
}

/// The component and its functions, in the catalog's order.
pub(super) fn render(found: &Inspection) -> String {
    let names = |names: &[String]| if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    let facts = [
        ("component", found.component.clone()),
        ("digest", format!("sha256:{}", found.digest)),
        ("size", format!("{} ({} to compile)", text::bytes(found.bytes), milliseconds(found.compile_ms))),
        ("imports", names(&found.imports)),
        ("exports", names(&found.exports)),
    ];
    let mut out = table("", facts.into_iter().map(|(name, value)| vec![name.to_owned(), value]));
    for function in &found.functions {
        out.push('\n');
        out.push_str(&signature(function));
    }
    out
}

fn milliseconds(ms: f64) -> String {
    text::duration(std::time::Duration::from_secs_f64(ms.max(0.0) / 1000.0))
}

fn signature(function: &Signature) -> String {
    let mut out = format!("{} {}\n", function.kind.step(), function);
    for line in function.doc.trim().lines() {
        let _ = writeln!(out, "    {}", line.trim_end());
    }
    out.push_str(&table("    ", function.parameters.iter().map(parameter)));
    if !function.accumulator.is_empty() {
        let held = if function.kind == Kind::Aggregate { "accumulator" } else { "state" };
        let columns = function.accumulator.iter().map(Field::to_string).collect::<Vec<_>>().join(", ");
        let retractable = if function.retractable { "; rows can be taken out again" } else { "" };
        let _ = writeln!(out, "    {held}: {columns}{retractable}");
    }
    // A doc without text leaves a line of four spaces otherwise.
    out.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn parameter(parameter: &Parameter) -> Vec<String> {
    let value = match &parameter.default {
        Some(default) => format!("= {default}"),
        None => "(required)".to_owned(),
    };
    let doc = parameter.doc.split_whitespace().collect::<Vec<_>>().join(" ");
    vec![format!("with {}: {}", parameter.name, parameter.data_type), value, doc]
}

fn table(indent: &str, rows: impl Iterator<Item = Vec<String>>) -> String {
    let rows: Vec<_> = rows.collect();
    text::columns(&[Align::Left; 3], &rows).lines().map(|line| format!("{indent}{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use weir::types::DataType;

    use super::*;

    #[test]
    fn a_component_with_a_map_and_an_aggregate() {
        let map = Signature {
            name: "delay_class".into(),
            kind: Kind::Mapper,
            doc: "How the flight departed.\n\nOr not.".into(),
            parameters: vec![
                Parameter {
                    name: "threshold".into(),
                    data_type: DataType::Int64,
                    default: Some("15".into()),
                    doc: "From how many minutes on\na departure is late.".into(),
                },
                Parameter { name: "by".into(), data_type: DataType::Text, default: None, doc: String::new() },
            ],
            inputs: vec![Field::new("dep_delay", DataType::Int64, true)],
            outputs: vec![Field::new("delay_class", DataType::Text, false)],
            accumulator: vec![],
            retractable: false,
        };
        let mean = Signature {
            name: "mean".into(),
            kind: Kind::Aggregate,
            doc: String::new(),
            parameters: vec![],
            inputs: vec![Field::new("value", DataType::Float64, false)],
            outputs: vec![Field::new("mean", DataType::Float64, true)],
            accumulator: vec![Field::new("sum", DataType::Float64, false), Field::new("n", DataType::Int64, false)],
            retractable: true,
        };
        let found = Inspection {
            component: "udfs/flights".into(),
            digest: "ab12".into(),
            bytes: 35_840,
            compile_ms: 12.34,
            imports: vec![],
            exports: vec!["weir:udf/catalog@0.1.0".into(), "weir:udf/mapper@0.1.0".into()],
            functions: vec![map, mean],
        };
        let expected = "\
component  udfs/flights
digest     sha256:ab12
size       35.0 KiB (12.3 ms to compile)
imports    nothing
exports    weir:udf/catalog@0.1.0, weir:udf/mapper@0.1.0

map delay_class(dep_delay: int64?) -> delay_class: text
    How the flight departed.

    Or not.
    with threshold: int64  = 15        From how many minutes on a departure is late.
    with by: text          (required)

aggregate mean(value: float64) -> mean: float64?
    accumulator: sum: float64, n: int64; rows can be taken out again
";
        assert_eq!(render(&found), expected);
    }
}
