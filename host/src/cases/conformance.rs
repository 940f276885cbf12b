//! The conformance kit: whether a component does with the reference functions what the contract wants.
//!
//! A component that has the functions of `tests/conformance/README.md` goes in, a table of how each did
//! comes out. Every case is run in every way of [`Way`]; the vectors are computed by a script that knows
//! nothing of Weir.

use std::sync::Arc;

use serde::Deserialize;

use super::{Case, Verdict, Way, check};
use crate::error::{Error, Result};
use crate::function::Signature;
use crate::sandbox::Artifact;

/// The vectors: first a line for each function, then a line for each case.
const VECTORS: &str = include_str!("../../../tests/conformance/vectors.jsonl");

/// More rows than this are not handed over one by one.
const ROWS_MAX: usize = 256;

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Function { signature: String, parameters: Vec<String>, accumulator: Vec<String> },
    Case(Box<Case>),
}

/// How a function did.
#[derive(Clone, Debug)]
pub struct Tested {
    /// Its name.
    pub function: String,
    /// Cases that passed and that there are, for each of [`Way::ALL`].
    pub counts: [(usize, usize); Way::ALL.len()],
    /// What is not right, a line each.
    pub problems: Vec<String>,
}

/// Holds a component against the kit.
///
/// # Errors
/// [`Error::Bug`] where the vectors can't be read.
pub fn test(artifact: &Arc<Artifact>) -> Result<Vec<Tested>> {
    let mut tested: Vec<Tested> = Vec::new();
    for (index, line) in VECTORS.lines().enumerate() {
        let line = super::exact::parse(line)
            .and_then(serde_json::from_value)
            .map_err(|e| Error::Bug(format!("vector {} of the conformance kit: {e}", index + 1)))?;
        match line {
            Line::Function { signature, parameters, accumulator } => {
                let function = signature.split(['(', ' ']).nth(1).unwrap_or_default().to_owned();
                let found = artifact.functions().iter().find(|f| f.name == function);
                let problems = match found {
                    None => vec![format!("there is no function `{function}`; it is to be: {signature}")],
                    Some(found) => signature_problems(found, &signature, &parameters, &accumulator),
                };
                tested.push(Tested { function, counts: Default::default(), problems });
            }
            Line::Case(case) => {
                if let Some(tested) = tested.iter_mut().find(|t| t.function == case.function) {
                    tested.run(artifact, &case);
                }
            }
        }
    }
    if let (Some(import), Some(first)) =
        (artifact.imports().iter().find(|i| !i.starts_with("weir:udf/")), tested.first_mut())
    {
        first.problems.push(format!("the component imports {import}, and is to import nothing but weir:udf/host"));
    }
    Ok(tested)
}

fn signature_problems(
    found: &Signature,
    signature: &str,
    parameters: &[String],
    accumulator: &[String],
) -> Vec<String> {
    let mut problems = Vec::new();
    let mut same = |what: &str, found: String, expected: String| {
        if found != expected {
            problems.push(format!("{what}: expected {expected}, got {found}"));
        }
    };
    same("signature", format!("{} {found}", found.kind.step()), signature.to_owned());
    let texts = found.parameters.iter().map(|p| match &p.default {
        Some(default) => format!("{}: {} = {default}", p.name, p.data_type),
        None => format!("{}: {}", p.name, p.data_type),
    });
    same("parameters", texts.collect::<Vec<_>>().join(", "), parameters.join(", "));
    let fields = found.accumulator.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    same("accumulator", fields, accumulator.join(", "));
    problems
}

impl Tested {
    fn run(&mut self, artifact: &Arc<Artifact>, case: &Case) {
        let rows = case.times.unwrap_or(case.rows.len());
        for (way, count) in Way::ALL.into_iter().zip(&mut self.counts) {
            if way == Way::Rows && rows > ROWS_MAX {
                continue;
            }
            let checked = check(artifact, case, way);
            count.1 += 1;
            let lines = match checked.verdict {
                Verdict::Passed => {
                    count.0 += 1;
                    continue;
                }
                Verdict::Differs(lines) => lines,
                Verdict::Unknown => vec!["the vector says nothing".to_owned()],
                Verdict::Invalid(why) => vec![why],
            };
            self.problems.extend(lines.into_iter().map(|line| format!("{}, {}: {line}", case.name, way.name())));
            self.problems.extend(checked.log.into_iter().map(|line| format!("    {line}")));
        }
    }

    /// Whether there is nothing wrong.
    pub fn passed(&self) -> bool {
        self.problems.is_empty()
    }
}
