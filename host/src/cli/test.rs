//! `weir test`: a function's own cases, run and told.
//!
//! Cases stand beside the function, one a line, in `tests.jsonl`. With `--update` what comes is written
//! there as what is expected; lines that are as expected already stay as they are.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use weir::cases::{Case, Verdict, Way, check, exact};
use weir::error::{Error, Invalid, Result};
use weir::sandbox::Artifact;

use super::print;

/// Where cases stand in a function's folder.
pub(super) const FILE: &str = "tests.jsonl";

/// What a run of cases came to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) updated: usize,
}

/// The file with the cases of a function.
pub(super) fn file(component: &Path, given: Option<&Path>) -> Result<PathBuf> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    let file = component.join(FILE);
    if file.is_file() {
        return Ok(file);
    }
    Err(Invalid::new(format!("{} has no {FILE}", component.display()))
        .hint(
            "a case is a line of it: {\"function\": \"..\", \"rows\": [{..}], \"expect\": [{..}]}; without `expect`, \
             `weir test --update` fills it in",
        )
        .into())
}

/// Runs the cases of a file. What is told goes to stderr.
pub(super) fn run(artifact: &Arc<Artifact>, file: &Path, update: bool) -> Result<Tally> {
    let text = std::fs::read_to_string(file)
        .map_err(|e| Error::source_io(format!("the cases {} can't be read", file.display()), e))?;
    let mut tally = Tally::default();
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.trim_start().starts_with("//") {
            lines.push(line.to_owned());
            continue;
        }
        let place = format!("{}:{}", file.display(), index + 1);
        let case = Case::parse(line).map_err(|e| Invalid::new(format!("{place}: {e}")))?;
        let new = one(artifact, &case, &place, update, &mut tally);
        lines.push(match new {
            Some(actual) => with_expect(line, actual)?,
            None => line.to_owned(),
        });
    }
    if tally.updated > 0 {
        let text = lines.into_iter().fold(String::new(), |text, line| text + &line + "\n");
        weir::build::write_atomic(file, text.as_bytes())
            .map_err(|e| Error::sink_io(format!("the cases {} can't be written", file.display()), e))?;
    }
    Ok(tally)
}

/// Runs a case in every way, tells what is wrong, and gives what is to be written as expected, if anything.
fn one(artifact: &Arc<Artifact>, case: &Case, place: &str, update: bool, tally: &mut Tally) -> Option<Value> {
    let name = if case.name.is_empty() { String::new() } else { format!(" ({})", case.name) };
    let mut told = String::new();
    for way in Way::ALL {
        let checked = check(artifact, case, way);
        let how = if way == Way::Whole { String::new() } else { format!(", {}", way.name()) };
        let lines = match checked.verdict {
            Verdict::Passed => continue,
            Verdict::Invalid(why) => {
                let _ = writeln!(told, "    {why}");
                break;
            }
            Verdict::Unknown | Verdict::Differs(_) if update && way == Way::Whole => {
                tally.updated += 1;
                print::note(&format!("updated {place} {}{name}", case.function));
                return Some(checked.actual);
            }
            Verdict::Unknown => {
                vec![format!("nothing is expected yet (--update takes what comes): {}", checked.actual)]
            }
            Verdict::Differs(lines) => lines,
        };
        for line in lines.iter().chain(&checked.log) {
            let _ = writeln!(told, "    {line}{how}");
        }
        // What goes wrong at once goes wrong in parts as well.
        if way == Way::Whole {
            break;
        }
    }
    if told.is_empty() {
        tally.passed += 1;
    } else {
        tally.failed += 1;
        print::note(&format!("FAILED {place} {}{name}\n{told}", case.function));
    }
    None
}

/// The line with this as what is expected.
fn with_expect(line: &str, actual: Value) -> Result<String> {
    let mut case = exact::parse(line).map_err(|e| Error::Bug(format!("a case that was read can't be: {e}")))?;
    case["expect"] = actual;
    Ok(case.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_update_changes_nothing_but_what_is_expected() {
        let line = r#"{"function": "f", "rows": [{"b": 1, "a": 2}], "expect": [], "name": "n"}"#;
        let expected = r#"{"function":"f","rows":[{"b":1,"a":2}],"expect":[{"f":3}],"name":"n"}"#;
        assert_eq!(with_expect(line, json!([{ "f": 3 }])).unwrap(), expected);
    }
}
