//! Pipelines as folders: `pipeline.toml`, inputs, and what is to come of it.
//!
//! | file | |
//! | --- | --- |
//! | `expected.jsonl` | the bytes of the sink's file `out.jsonl` |
//! | `expected.NAME` | the bytes of the sink's file `NAME` |
//! | `expected.dead-letters.jsonl` | the dead letters in any order; only fields that stand there are compared |
//! | `expected.late` | how many rows come too late |
//! | `error.txt` | the error as the command prints it; then nothing else is looked at |
//!
//! Each is run in all [`ways`] against the same expectation. The expected files are written by
//! `expected.py` beside the folders or by hand, never by the host.

mod again;
mod case;
mod coverage;
mod example;
mod ways;

use std::fs;
use std::path::Path;

use serde_json::Value;
use weir::plan::{LettersForm, Operator, Plan, WINDOW_COLUMNS, WINDOW_EMIT, Window, WindowKind};
use weir::state::Settings;

pub(crate) use case::{Case, Ran};
pub(crate) use ways::Keep;
use ways::Way;

mod each {
    //! A test for each folder.
    include!(concat!(env!("OUT_DIR"), "/pipelines.rs"));
}

/// What is to come of a pipeline.
struct Expected {
    sinks: Vec<(String, String)>,
    dead_letters: Option<Vec<Value>>,
    late: u64,
    error: Option<String>,
}

impl Expected {
    fn of(folder: &Path) -> Self {
        let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
        let mut sinks: Vec<(String, String)> = Vec::new();
        let mut names: Vec<_> = fs::read_dir(folder).expect("a folder").flatten().map(|e| e.file_name()).collect();
        names.sort();
        for name in names.iter().map(|n| n.to_string_lossy()) {
            let sink = match name.strip_prefix("expected.") {
                None | Some("dead-letters.jsonl" | "late") => continue,
                Some("jsonl") => "out.jsonl",
                Some(sink) => sink,
            };
            sinks.push((sink.to_owned(), read(&name).expect("text")));
        }
        let letters = read("expected.dead-letters.jsonl");
        let parsed = |text: String| text.lines().map(|l| serde_json::from_str(l).expect("a JSON object")).collect();
        Self {
            sinks,
            dead_letters: letters.map(parsed),
            late: read("expected.late").map_or(0, |text| text.trim().parse().expect("a number")),
            error: read("error.txt"),
        }
    }

    fn check(&self, case: &Case, ran: &Ran, look: &Look) -> Result<(), String> {
        self.check_outputs(case, ran, look)?;
        match &ran.result {
            Ok(report) if report.late != self.late => Err(format!("{} late rows, expected {}", report.late, self.late)),
            _ => Ok(()),
        }
    }

    /// What is published. A run that goes on from a checkpoint counts what it did itself.
    fn check_outputs(&self, case: &Case, ran: &Ran, look: &Look) -> Result<(), String> {
        if let Some(expected) = &self.error {
            return match &ran.result {
                Ok(_) => Err(format!("it ran, but should have failed with\n{expected}")),
                Err(error) => same("the error", expected, &case.error_text(error)),
            };
        }
        ran.result.as_ref().map_err(|e| case.error_text(e))?;
        let names = |sinks: &[(String, String)]| sinks.iter().map(|(n, _)| n.clone()).collect::<Vec<_>>();
        let mut found = ran.sinks.clone();
        found.sort();
        let mut expected = self.sinks.clone();
        expected.sort();
        if names(&found) != names(&expected) {
            return Err(format!("sinks {:?}, expected {:?}", names(&found), names(&expected)));
        }
        for ((name, found), (_, expected)) in found.iter().zip(&expected) {
            same(name, &look.at(expected), &look.at(found))?;
        }
        self.check_dead_letters(case, ran)
    }

    fn check_dead_letters(&self, case: &Case, ran: &Ran) -> Result<(), String> {
        let expected = self.dead_letters.as_deref().unwrap_or_default();
        let mut left: Vec<Value> = ran.dead_letters.clone();
        for letter in &mut left {
            if let Some(source) = letter.get_mut("source") {
                *source = case.without_path(source.as_str().unwrap_or_default()).into();
            }
        }
        for wanted in expected {
            let wanted = wanted.as_object().expect("an object");
            let fits = |found: &Value| wanted.iter().all(|(key, value)| found.get(key) == Some(value));
            match left.iter().position(fits) {
                Some(index) => drop(left.swap_remove(index)),
                None => {
                    return Err(format!(
                        "no dead letter is like {}\nthere are left: {left:#?}",
                        Value::from(wanted.clone())
                    ));
                }
            }
        }
        match left.as_slice() {
            [] => Ok(()),
            more => Err(format!("{} dead letters too many: {more:#?}", more.len())),
        }
    }
}

/// How outputs are compared. With other epochs than usual some may differ.
enum Look {
    /// Byte for byte.
    Exactly,
    /// Rows of several partitions come to a sink in the order of their sources.
    Sorted,
    /// Windows may give results several times: the last ones, of each window and key by these columns.
    Last(Vec<String>),
}

impl Look {
    fn of(plan: &Plan, way: &Way) -> Self {
        if way.has_usual_epochs() {
            return Self::Exactly;
        }
        let repeats = plan.nodes.iter().find_map(|node| match &node.operator {
            Operator::Window(window) if window.firing.repeats() => Some(window),
            _ => None,
        });
        if let Some(window) = repeats {
            let key = window.key.iter().map(|field| field.name.clone());
            return Self::Last(WINDOW_COLUMNS.iter().map(ToString::to_string).chain(key).collect());
        }
        // Windows of so many rows come in the order of time within an epoch.
        let counts = |node: &weir::plan::Node| matches!(&node.operator, Operator::Window(w) if matches!(w.kind, WindowKind::Count { .. }));
        if plan.nodes.iter().any(counts) {
            return Self::Sorted;
        }
        let several = |index: usize| plan.partitions_of(index).len() > 1;
        let mut sinks = (0..plan.nodes.len()).filter(|i| matches!(plan.nodes[*i].operator, Operator::Sink(_)));
        match sinks.any(|i| !plan.nodes[i].windowed && several(i)) {
            true => Self::Sorted,
            false => Self::Exactly,
        }
    }

    fn at(&self, text: &str) -> String {
        match self {
            Self::Exactly => text.to_owned(),
            Self::Sorted => sorted(text),
            Self::Last(columns) => {
                let mut last = std::collections::BTreeMap::new();
                for line in text.lines() {
                    let mut row: serde_json::Map<String, Value> = serde_json::from_str(line).expect("a JSON object");
                    row.remove(WINDOW_EMIT);
                    let of: Vec<String> = columns.iter().map(|c| format!("{:?}", row.get(c))).collect();
                    last.insert(of, format!("{}\n", Value::from(row)));
                }
                last.into_values().collect()
            }
        }
    }
}

/// Whether there is state, and all of it may be kept on disk.
pub(crate) fn may_keep_state_elsewhere(plan: &Plan) -> bool {
    let by_rows = |window: &Window| matches!(window.kind, WindowKind::Session { .. } | WindowKind::Count { .. });
    let may = |window: &Window| window.compute.group_map().is_none() || !by_rows(window);
    let mut with_state = plan.nodes.iter().filter_map(|node| match &node.operator {
        Operator::Window(window) => Some(may(window)),
        Operator::StatefulMap(_) | Operator::Join(_) => Some(true),
        _ => None,
    });
    plan.state == Settings::Memory && with_state.clone().next().is_some() && with_state.all(|may| may)
}

/// Whether all state that is on disk goes into checkpoints.
fn goes_into_checkpoints(plan: &Plan) -> bool {
    plan.nodes.iter().all(|node| match &node.operator {
        Operator::Join(join) => !join.broadcast,
        _ => true,
    })
}

/// Whether its input can be read again, its state is in memory, and its dead letters can be cut back.
fn can_be_resumed(plan: &Plan) -> bool {
    plan.state == Settings::Memory
        && plan.dead_letters.as_ref().is_none_or(|letters| letters.form != LettersForm::Parquet)
        && plan.nodes.iter().all(|node| match &node.operator {
            Operator::Source(source) => source.discovered.read_once().is_none(),
            _ => true,
        })
}

/// Runs a folder in all ways.
fn folder(name: &str) {
    check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join(name));
}

fn check(folder: &Path) {
    let case = Case::copy(folder);
    let expected = Expected::of(folder);
    let shown = folder.display();
    assert!(expected.error.is_some() || !expected.sinks.is_empty(), "{shown}: nothing is expected of it");
    let plan = match case.plan() {
        Ok(plan) => plan,
        Err(error) => {
            let ran = Ran { result: Err(error), sinks: Vec::new(), dead_letters: Vec::new() };
            return expected.check(&case, &ran, &Look::Exactly).unwrap_or_else(|e| panic!("{shown}: {e}"));
        }
    };
    let mut rows = 0;
    let mut run = |way: &Way| {
        let ran = case.run_keeping(&plan, &way.options, way.keep, way.processes);
        rows = ran.result.as_ref().map_or(0, |report| report.rows_in);
        let checked = expected.check(&case, &ran, &Look::of(&plan, way));
        checked.err().map(|e| format!("{}: {e}", way.name))
    };
    let mut all = ways::all();
    if may_keep_state_elsewhere(&plan) {
        all.extend(ways::with_stores());
    }
    let mut failed: Vec<String> = all.iter().filter_map(&mut run).collect();
    if expected.error.is_none() && can_be_resumed(&plan) {
        let way = ways::killed(rows);
        let on_disk = (may_keep_state_elsewhere(&plan) && goes_into_checkpoints(&plan)).then_some(Keep::Disk);
        for keep in [Keep::Memory].into_iter().chain(on_disk) {
            let (ran, kills) = case.run_killed(&plan, &way.options, keep);
            let checked = expected.check_outputs(&case, &ran, &Look::of(&plan, &way));
            failed.extend(checked.err().map(|e| format!("{}, in {keep:?} ({kills} times): {e}", way.name)));
            assert!(kills > 3, "{shown}: killed {kills} times, which shows nothing");
        }
    }
    assert!(failed.is_empty(), "{shown}: {} ways failed\n{}", failed.len(), failed.join("\n"));
}

fn sorted(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The first line in which two texts differ.
fn same(what: &str, expected: &str, found: &str) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    let (mut e, mut f) = (expected.split('\n'), found.split('\n'));
    for line in 1.. {
        let (expected, found) = (e.next(), f.next());
        if expected != found {
            let shown = |text: Option<&str>| text.map_or("nothing".to_owned(), |t| format!("`{t}`"));
            return Err(format!("{what}, line {line}:\n  expected {}\n  found    {}", shown(expected), shown(found)));
        }
    }
    Ok(())
}
