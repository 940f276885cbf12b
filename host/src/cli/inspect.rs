//! What a component offers and asks for, for people. Pure: an [`Inspection`] in, text out; as JSON
//! it is printed just as it stands.

use std::fmt::Write;

use serde::Serialize;
use weir::admission::{Check, FunctionReport, Report, Verdict};
use weir::function::{Kind, Parameter, Signature};
use weir::types::Field;

use super::text::{self, Align};

/// What is known of a component once it has been loaded and tried.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Inspection {
    /// The file or folder it came from, as the user wrote it.
    pub(super) component: String,
    /// What was found.
    #[serde(flatten)]
    pub(super) report: Report,
}

/// The component and its functions, in the catalog's order, with what was found of each.
pub(super) fn render(found: &Inspection) -> String {
    let report = &found.report;
    let names = |names: &[String]| if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    let compiled = match report.compile_ms {
        0.0 => "compiled before".to_owned(),
        ms => format!("{} to compile", milliseconds(ms)),
    };
    let limits: Vec<_> = report.limits.iter().map(|(name, amount)| format!("{name} = {amount}")).collect();
    let mut facts = vec![
        ("component", found.component.clone()),
        ("digest", format!("sha256:{}", report.digest)),
        ("size", format!("{} ({compiled})", text::bytes(report.bytes))),
        ("built for", report.world.clone()),
        ("limits", if limits.is_empty() { "the defaults".to_owned() } else { limits.join(", ") }),
        ("exports", names(&report.exports)),
    ];
    // Interfaces that bring the same are one line.
    let mut granted: Vec<(&str, Vec<String>)> = Vec::new();
    for import in &report.imports {
        match granted.iter_mut().find(|(grants, _)| *grants == import.grants) {
            Some((_, names)) => names.push(import.name.clone()),
            None => granted.push((import.grants, vec![import.name.clone()])),
        }
    }
    if granted.is_empty() {
        facts.push(("imports", "nothing".to_owned()));
    }
    for (grants, names) in granted {
        facts.push(("imports", format!("{}: {grants}", names.join(", "))));
    }
    facts.push(("verdict", verdict(report.verdict).to_owned()));
    let mut out = table("", facts.into_iter().map(|(name, value)| vec![name.to_owned(), value]));
    for function in &report.functions {
        out.push('\n');
        out.push_str(&signature(&function.signature));
        out.push_str(&tried(function));
    }
    out
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fit => "fit to run",
        Verdict::FitWithNotes => "fit to run, with notes",
        Verdict::Unfit => "NOT fit to run",
    }
}

/// What came of trying a function.
fn tried(function: &FunctionReport) -> String {
    let mut out = String::new();
    if let Some(cost) = &function.cost {
        let _ = writeln!(
            out,
            "    cost: {} ns and {} instructions a row; an instance of {}",
            text::decimal(cost.ns_per_row),
            text::decimal(cost.instructions_per_row),
            text::bytes(cost.memory_bytes as u64),
        );
    }
    let mut held = Vec::new();
    for (what, check) in function.checks() {
        let (mark, why) = match check {
            Check::Absent => continue,
            Check::Held => {
                held.push(what);
                continue;
            }
            Check::Broken(why) => ("NOT", why),
            Check::Noted(why) => ("note", why),
            // Why nothing was tried is said once.
            Check::Untried(_) if what != "runs" && function.runs != Check::Held => continue,
            Check::Untried(why) => ("untried", why),
        };
        let _ = writeln!(out, "    {mark} {what}: {why}");
    }
    if !held.is_empty() {
        let _ = writeln!(out, "    holds: {}", held.join(", "));
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
    use weir::admission::Cost;
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
        let cost = Cost { ns_per_row: 1.25, instructions_per_row: 31.0, memory_bytes: 1_114_112 };
        let report = |signature: &Signature, cost, lawful| FunctionReport {
            signature: signature.clone(),
            cost,
            runs: Check::Held,
            deterministic: Check::Held,
            forgets: Check::Held,
            edges: Check::Noted("on NaN it trapped: no".into()),
            lawful,
        };
        let found = Inspection {
            component: "udfs/flights".into(),
            report: Report {
                verdict: Verdict::Unfit,
                digest: "ab12".into(),
                bytes: 35_840,
                compile_ms: 12.34,
                world: "weir:udf 0.1.0".into(),
                imports: vec![],
                exports: vec!["weir:udf/catalog@0.1.0".into(), "weir:udf/mapper@0.1.0".into()],
                limits: vec![("memory".into(), "8MiB".into())],
                functions: vec![
                    report(&map, Some(cost), Check::Absent),
                    report(&mean, None, Check::Broken("merge [1] with [2]: 3; all accumulated at once: 1.5".into())),
                ],
            },
        };
        let expected = "\
component  udfs/flights
digest     sha256:ab12
size       35.0 KiB (12.3 ms to compile)
built for  weir:udf 0.1.0
limits     memory = 8MiB
exports    weir:udf/catalog@0.1.0, weir:udf/mapper@0.1.0
imports    nothing
verdict    NOT fit to run

map delay_class(dep_delay: int64?) -> delay_class: text
    How the flight departed.

    Or not.
    with threshold: int64  = 15        From how many minutes on a departure is late.
    with by: text          (required)
    cost: 1.25 ns and 31.0 instructions a row; an instance of 1.06 MiB
    note edges: on NaN it trapped: no
    holds: runs, deterministic, keeps nothing

aggregate mean(value: float64) -> mean: float64?
    accumulator: sum: float64, n: int64; rows can be taken out again
    note edges: on NaN it trapped: no
    NOT merge agrees: merge [1] with [2]: 3; all accumulated at once: 1.5
    holds: runs, deterministic, keeps nothing
";
        assert_eq!(render(&found), expected);
    }
}
