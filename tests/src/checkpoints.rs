//! The command and its checkpoints: what it goes on from, what it refuses, and what it says.

use std::fs;
use std::path::PathBuf;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use weir::flow::{self, Options};

use crate::command::weir;
use crate::pipelines::Case;

const PIPELINE: &str = r#"
name = "sums"

[functions]
stats = "stats.wasm"

[source]
file = "in.csv"
event-time = { column = "time", format = "unix-s" }

[[steps]]
name = "by minute"
key-by = ["k"]
window = { tumbling = "1m" }
aggregate = { rows = "stats.count()" }

[sink]
folder = "out"

[checkpoint]
dir = "checkpoints"
every = "0s"
keep = 2
"#;

fn case() -> Case {
    let case = Case::empty();
    case.write("pipeline.toml", PIPELINE);
    case.provide();
    let rows: String = (0..200).map(|row| format!("{},{}\n", row * 3, ["a", "b", "c"][row % 3])).collect();
    case.write("in.csv", format!("time,k\n{rows}"));
    case
}

fn run(case: &Case, more: &[&str]) -> Output {
    weir(case, &["run", "pipeline.toml", "--epoch-rows", "20"]).args(more).output().expect("weir runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn published(case: &Case) -> Vec<String> {
    let parts = fs::read_dir(case.path().join("out")).expect("the sink's folder").flatten();
    let mut parts: Vec<PathBuf> = parts.map(|e| e.path()).filter(|path| path.is_file()).collect();
    parts.sort();
    parts
        .iter()
        .flat_map(|part| fs::read_to_string(part).expect("text").lines().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// The newest file whose name starts so.
fn newest(case: &Case, start: &str) -> PathBuf {
    let entries = fs::read_dir(case.path().join("checkpoints")).expect("a folder").flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|e| e.path())
        .filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with(start)))
        .collect();
    found.sort();
    found.pop().expect("there is one")
}

/// A run that was killed: as one that got to its end, whose last checkpoint was not taken.
fn without_the_last(case: &Case) {
    fs::remove_file(newest(case, "checkpoint-")).expect("it is there");
}

#[test]
fn what_is_complete_is_not_run_again() {
    let case = case();
    let first = run(&case, &[]);
    assert!(first.status.success(), "{}", said(&first));
    assert!(said(&first).contains("started from nothing; "), "{}", said(&first));
    let rows = published(&case);
    assert_eq!(rows.len(), 30);
    let log = fs::read_to_string(case.path().join("out/_weir/commits.jsonl")).expect("the commit log");
    let counted: u64 = log
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["rows"].as_u64().expect("rows"))
        .sum();
    assert_eq!(counted, 30, "{log}");
    let again = run(&case, &[]);
    assert!(again.status.success() && said(&again).contains("is complete"), "{}", said(&again));
    assert_eq!(published(&case), rows);
    let scratch = run(&case, &["--from-scratch", "--workers", "2"]);
    assert!(scratch.status.success() && said(&scratch).contains("started from nothing"), "{}", said(&scratch));
    assert_eq!(published(&case), rows);
}

#[test]
fn a_run_that_is_asked_to_end_takes_a_last_checkpoint_and_fires_nothing() {
    let case = case();
    let run = |stop: bool, workers: usize| {
        let plan = case.plan().unwrap_or_else(|e| panic!("{e}"));
        let metrics = Arc::new(plan.metrics(workers));
        let options = Options { workers, epoch_rows: 20, ..Options::default() };
        let report = flow::run(plan, &options, &metrics, &Arc::new(AtomicBool::new(stop)));
        report.unwrap_or_else(|e| panic!("{e}")).checkpoints.expect("it takes checkpoints")
    };
    let asked = run(true, 1);
    assert_eq!((asked.resumed, asked.taken), (None, 1));
    assert!(published(&case).is_empty());
    let asked = run(true, 2);
    assert_eq!((asked.resumed, asked.taken), (Some(1), 1));
    assert!(run(false, 3).taken > 1);
    assert_eq!(published(&case).len(), 30);
}

#[test]
fn what_was_changed_is_named() {
    let case = case();
    assert!(run(&case, &[]).status.success());
    without_the_last(&case);
    let change = |from: &str, to: &str| {
        assert!(PIPELINE.contains(from), "{from}");
        case.write("pipeline.toml", PIPELINE.replace(from, to));
        let ran = run(&case, &[]);
        assert_eq!(ran.status.code(), Some(10), "{}", said(&ran));
        said(&ran)
    };
    let text = change("\"1m\"", "\"2m\"");
    assert!(text.contains("window `by minute`: its window was `Tumbling"), "{text}");
    assert!(text.contains("hint: change it back, or start again from nothing"), "{text}");
    let text = change("\"sums\"", "\"others\"");
    assert!(text.contains("it is of the pipeline `sums`, not of `others`"), "{text}");
    let text = change("folder = \"out\"", "blackhole = true");
    assert!(text.contains("sink `sink`: its output was"), "{text}");
}

#[test]
fn what_is_broken_is_named_and_nothing_starts_again_by_itself() {
    let case = case();
    assert!(run(&case, &[]).status.success());
    without_the_last(&case);
    let rows = published(&case);
    let (manifest, part) = (newest(&case, "checkpoint-"), newest(&case, "part-"));
    let refused = |path: &PathBuf, content: Vec<u8>, wanted: &str| {
        let before = fs::read(path).expect("a file");
        fs::write(path, content).expect("written");
        let ran = run(&case, &[]);
        assert_eq!(ran.status.code(), Some(10), "{}", said(&ran));
        assert!(said(&ran).contains(wanted), "{wanted}: {}", said(&ran));
        let verified = weir(&case, &["checkpoints", "verify", "pipeline.toml"]).output().expect("weir runs");
        assert_eq!(verified.status.code(), Some(10), "{}", said(&verified));
        fs::write(path, before).expect("written");
    };
    let bytes = fs::read(&manifest).expect("a manifest");
    refused(&manifest, bytes[..bytes.len() / 2].to_vec(), "its checksum does not fit");
    refused(&manifest, b"weir-checkpoint 7 00\n{}".to_vec(), "its format is 7, and this weir reads formats 1");
    refused(&manifest, b"something else".to_vec(), "it is no manifest of a checkpoint");
    // The last part may be that of the checkpoint that was taken out.
    let text = String::from_utf8(bytes).expect("text");
    let named =
        text.split('"').rfind(|word| word.starts_with("part-") && word.ends_with(".weir")).expect("a part").to_owned();
    let part = part.with_file_name(named);
    let mut flipped = fs::read(&part).expect("a part");
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x10;
    refused(&part, flipped, "its checksum does not fit");
    assert_eq!(published(&case), rows, "nothing was taken back");
    let verified = weir(&case, &["checkpoints", "verify", "pipeline.toml"]).output().expect("weir runs");
    assert!(verified.status.success(), "{}", said(&verified));
    let went_on = run(&case, &["--workers", "3"]);
    assert!(went_on.status.success() && said(&went_on).contains("went on from checkpoint"), "{}", said(&went_on));
    assert_eq!(published(&case).len(), 30);
}

#[test]
fn state_on_disk_is_in_checkpoints_as_files_that_are_looked_at() {
    let case = case();
    let on_disk = PIPELINE.replace("keep = 2", "keep = 100") + "\n[state]\ndisk = \"state\"\nmemory = \"1MiB\"\n";
    case.write("pipeline.toml", on_disk);
    let ran = run(&case, &["--workers", "2"]);
    assert!(ran.status.success(), "{}", said(&ran));
    // When the input has ended no window is open.
    while !fs::read_to_string(newest(&case, "checkpoint-")).expect("a manifest").contains("tables") {
        without_the_last(&case);
    }
    let shown = weir(&case, &["checkpoints", "show", "pipeline.toml"]).output().expect("weir runs");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("by minute (whole)  with ") && shown.contains(" files of state on disk"), "{shown}");
    let text = fs::read_to_string(newest(&case, "checkpoint-")).expect("a manifest");
    assert!(text.starts_with("weir-checkpoint 2 "), "{text}");
    let table = text.split('"').find(|word| word.starts_with("state-") && word.contains("tables")).expect("a table");
    let table = case.path().join("checkpoints").join(table);
    let bytes = fs::read(&table).expect("it is there");
    let refused = |wanted: &str| {
        for arguments in [&["run", "pipeline.toml"][..], &["checkpoints", "verify", "pipeline.toml"]] {
            let ran = weir(&case, arguments).output().expect("weir runs");
            assert_eq!(ran.status.code(), Some(10), "{}", said(&ran));
            let all = said(&ran) + &String::from_utf8_lossy(&ran.stdout);
            assert!(all.contains(wanted) && all.contains("checkpoints/state-"), "{wanted}: {all}");
        }
    };
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 3] ^= 4;
    // In place of the file, whose other name is none of its own any more.
    fs::remove_file(&table).expect("removed");
    fs::write(&table, flipped).expect("written");
    refused("its checksum does not fit");
    fs::write(&table, &bytes[..bytes.len() - 1]).expect("written");
    refused("were written");
    fs::remove_file(&table).expect("removed");
    refused("can't be read");
    fs::write(&table, bytes).expect("written");
    let went_on = run(&case, &["--workers", "3"]);
    assert!(went_on.status.success() && said(&went_on).contains("went on from checkpoint"), "{}", said(&went_on));
    assert_eq!(published(&case).len(), 30);
}

#[test]
fn checkpoints_are_listed_shown_and_pruned() {
    let case = case();
    let ask = |arguments: &[&str]| {
        let output = weir(&case, arguments).output().expect("weir runs");
        assert!(output.status.success(), "{}", said(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    fs::create_dir(case.path().join("checkpoints")).expect("a folder");
    assert_eq!(ask(&["checkpoints", "ls", "pipeline.toml"]), "no checkpoints in checkpoints\n");
    assert!(run(&case, &["--workers", "2"]).status.success());
    let listed = ask(&["checkpoints", "ls", "checkpoints"]);
    assert_eq!(listed.lines().count(), 3, "a head and two: {listed}");
    assert!(listed.contains("sums (complete)"), "{listed}");
    let shown = ask(&["checkpoints", "show", "pipeline.toml"]);
    assert!(shown.contains("record 200, ended") && shown.contains("by minute"), "{shown}");
    assert!(ask(&["checkpoints", "prune", "pipeline.toml"]).contains("1 checkpoints left"));
    assert_eq!(ask(&["checkpoints", "ls", "checkpoints"]).lines().count(), 2);
}
