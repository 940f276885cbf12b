//! The command as a process: what it prints where, how it ends, and what ends it.
//!
//! Every wait here is for output or for the end of a process.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{env, fs};

use serde_json::Value;

use crate::pipelines::Case;

/// The binary, built for these tests: cargo hands over only those of a test's own package.
pub(crate) static WEIR: LazyLock<PathBuf> = LazyLock::new(|| {
    let test = env::current_exe().expect("a test is a file");
    let target = test.ancestors().nth(3).expect("a test stands in the target folder");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args(["build", "--workspace", "--bin", "weir"]);
    cargo.args(["--message-format", "json-render-diagnostics", "--target-dir"]).arg(target);
    // What cargo has told this test of its package, a crate's build script would take for news, and its crate and
    // all behind it would be compiled again: here, and once more by who runs the tests.
    for (name, _) in env::vars_os().filter(|(name, _)| is_of_a_package(&name.to_string_lossy())) {
        cargo.env_remove(name);
    }
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let built = cargo.stderr(Stdio::inherit()).output().expect("cargo runs");
    assert!(built.status.success(), "weir does not compile");
    let messages = String::from_utf8_lossy(&built.stdout).into_owned();
    let of = |line: &str| serde_json::from_str::<Value>(line).ok()?["executable"].as_str().map(PathBuf::from);
    messages.lines().find_map(of).expect("cargo says where the binary is")
});

fn is_of_a_package(variable: &str) -> bool {
    let starts = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_", "CARGO_PRIMARY_"];
    variable == "OUT_DIR" || starts.iter().any(|start| variable.starts_with(start))
}

/// Compiled code that the tests keep, beside the binary.
fn cache() -> PathBuf {
    WEIR.with_file_name("cache-of-tests")
}

/// Where the binary is.
pub(crate) fn binary() -> PathBuf {
    WEIR.clone()
}

pub(crate) fn weir(case: &Case, arguments: &[&str]) -> Command {
    let mut command = Command::new(&*WEIR);
    command.current_dir(case.path()).args(arguments).stdin(Stdio::null()).env("WEIR_CACHE", cache());
    command
}

fn output(case: &Case, arguments: &[&str]) -> Output {
    weir(case, arguments).output().expect("weir runs")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn of_folder(name: &str) -> Case {
    Case::copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join(name))
}

pub(crate) fn of_pipeline(pipeline: &str) -> Case {
    let case = Case::empty();
    case.write("pipeline.toml", pipeline);
    case.provide();
    case
}

#[test]
fn results_go_to_stdout_and_nothing_else_does() {
    let case = of_folder("filter-map");
    let pipeline = fs::read_to_string(case.pipeline()).expect("a pipeline");
    case.write("pipeline.toml", pipeline.replace("file = \"out.jsonl\"", "stdout = true"));
    let expected = fs::read_to_string(case.path().join("expected.jsonl")).expect("expected");
    for arguments in [&["run", "pipeline.toml"][..], &["run", "pipeline.toml", "--workers", "3", "--batch-rows", "2"]] {
        let ran = output(&case, arguments);
        assert_eq!((ran.status.code(), text(&ran.stdout)), (Some(0), expected.clone()), "{}", text(&ran.stderr));
        assert!(text(&ran.stderr).contains("lab.even"), "the table names the functions: {}", text(&ran.stderr));
    }
    let quiet = output(&case, &["run", "--quiet", "pipeline.toml"]);
    assert_eq!((text(&quiet.stdout), text(&quiet.stderr)), (expected, String::new()));
}

#[test]
fn a_report_says_what_each_step_did() {
    let case = of_folder("late");
    let ran = output(&case, &["run", "pipeline.toml", "--quiet", "--report", "report.json"]);
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let report = fs::read_to_string(case.path().join("report.json")).expect("a report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let late: u64 =
        fs::read_to_string(case.path().join("expected.late")).expect("a file").trim().parse().expect("a number");
    assert_eq!(
        (&report["rows_in"], &report["late"], &report["interrupted"]),
        (&120.into(), &late.into(), &false.into())
    );
    assert_eq!(report["nodes"].as_array().map(Vec::len), Some(3));
}

#[test]
fn errors_are_printed_as_the_folders_say() {
    let broken =
        ["error-unknown-column", "error-core-module", "error-missing-file", "row-error-stops", "bad-record-stops"];
    for (folder, code) in broken.into_iter().zip([2, 2, 4, 3, 4]) {
        let case = of_folder(folder);
        let ran = output(&case, &["run", "--quiet", "pipeline.toml"]);
        let expected = fs::read_to_string(case.path().join("error.txt")).expect("a text");
        assert_eq!(
            (ran.status.code(), text(&ran.stderr), text(&ran.stdout)),
            (Some(code), expected, String::new()),
            "{folder}"
        );
    }
}

#[test]
fn what_can_t_be_written_ends_with_5() {
    let case = of_folder("filter-map");
    let pipeline = fs::read_to_string(case.pipeline()).expect("a pipeline");
    case.write("pipeline.toml", pipeline.replace("out.jsonl", "nowhere/out.jsonl"));
    let ran = output(&case, &["run", "--quiet", "pipeline.toml"]);
    assert_eq!(ran.status.code(), Some(5), "{}", text(&ran.stderr));
    assert!(text(&ran.stderr).starts_with("error: can't write to `nowhere/out.jsonl`"), "{}", text(&ran.stderr));
}

#[test]
fn a_function_that_does_not_compile_ends_with_6() {
    let case = of_pipeline(
        "[functions]\nmine = \"mine\"\n[source]\nfile = \"in.csv\"\n[[steps]]\nmap = \"mine.f(n)\"\n[sink]\nstdout = true\n",
    );
    case.write("in.csv", "n\n1\n");
    fs::create_dir_all(case.path().join("mine/src")).expect("a folder");
    let manifest = "[package]\nname = \"mine\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n[workspace]\n";
    case.write("mine/Cargo.toml", manifest).write("mine/src/lib.rs", "fn f(");
    let mut run = weir(&case, &["run", "pipeline.toml"]);
    let ran = run.env("CARGO_TARGET_DIR", case.path().join("target")).output().expect("weir runs");
    assert_eq!((ran.status.code(), text(&ran.stdout)), (Some(6), String::new()), "{}", text(&ran.stderr));
    assert!(text(&ran.stderr).contains("mine does not compile"), "{}", text(&ran.stderr));
}

#[test]
fn a_plan_is_checked_without_being_run() {
    let case = of_folder("behind-windows");
    let checked = output(&case, &["check", "pipeline.toml"]);
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    for part in ["filter even: lab.even(rows)", "window minutes: tumbling 20s, offset 5s, by k: text?"] {
        assert!(text(&checked.stdout).contains(part), "no `{part}` in\n{}", text(&checked.stdout));
    }
    assert!(!case.path().join("seconds.jsonl").exists(), "nothing is written");
    let wrong = output(&of_folder("error-unknown-column"), &["check", "pipeline.toml"]);
    assert_eq!(wrong.status.code(), Some(2));
}

/// Far more rows than a pipe holds.
const ROWS: u64 = 20_000_000;

#[test]
fn a_reader_that_goes_away_ends_the_run_quietly() {
    let case =
        of_pipeline(&format!("[source]\nnexmark = {{ stream = \"bid\", rows = {ROWS} }}\n[sink]\nstdout = true\n"));
    let mut run = weir(&case, &["run", "--quiet", "--report", "report.json", "pipeline.toml"]);
    let mut child = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("weir runs");
    let mut first = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut first).expect("a line");
    assert!(first.starts_with('{'), "{first}");
    let (code, errors) = ended(child);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let report = fs::read_to_string(case.path().join("report.json")).expect("a report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    assert!(report["rows_in"].as_u64().is_some_and(|rows| rows < ROWS), "it read on to the end: {report}");
}

#[test]
fn an_interrupt_finishes_what_was_read() {
    let case = of_pipeline(
        r#"
[functions]
lab = "lab.wasm"

[source]
stdin = true
format = "jsonl"
schema = { at = "timestamp", id = "text" }
event-time = { column = "at" }

[[steps]]
window = { tumbling = "1h" }
aggregate = { ids = "lab.join(id)" }

[sinks.rows]
from = "source"
stdout = true

[sinks.windows]
file = "windows.jsonl"
"#,
    );
    for signal in ["INT", "TERM"] {
        let mut run = weir(&case, &["run", "--quiet", "--report", "report.json", "pipeline.toml"]);
        run.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = run.spawn().expect("weir runs");
        let mut rows = child.stdin.take().expect("piped");
        let mut out = BufReader::new(child.stdout.take().expect("piped")).lines();
        for i in 0..5 {
            writeln!(rows, "{{\"at\":\"1970-01-01T00:00:0{i}Z\",\"id\":\"r{i}\"}}").expect("it reads");
            rows.flush().expect("it reads");
            // A row that is not held back until there are more.
            let line = out.next().expect("a line").expect("text");
            assert_eq!(line, format!("{{\"at\":\"1970-01-01T00:00:0{i}Z\",\"id\":\"r{i}\"}}"));
        }
        let kill = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().expect("kill runs");
        assert!(kill.success());
        // Its input stays open all the while.
        assert_eq!(ended(child), (Some(0), String::new()), "SIG{signal}");
        drop(rows);
        let windows = fs::read_to_string(case.path().join("windows.jsonl")).expect("a file");
        let expected = "{\"window_start\":\"1970-01-01T00:00:00Z\",\"window_end\":\"1970-01-01T01:00:00Z\",\"ids\":\"r0,r1,r2,r3,r4\"}\n";
        assert_eq!(windows, expected);
        let report = fs::read_to_string(case.path().join("report.json")).expect("a report");
        let report: Value = serde_json::from_str(&report).expect("JSON");
        assert_eq!((&report["interrupted"], &report["rows_in"]), (&true.into(), &5.into()));
    }
}

#[test]
fn a_window_of_processing_time_fires_while_its_input_is_quiet() {
    let case = of_pipeline(
        r#"
[functions]
lab = "lab.wasm"

[source]
stdin = true
format = "csv"
csv = { header = false }
schema = { id = "text" }
event-time = { processing = true }

[[steps]]
window = { tumbling = "20ms" }
aggregate = { ids = "lab.join(id)" }

[sink]
stdout = true
"#,
    );
    let mut run = weir(&case, &["run", "--quiet", "pipeline.toml"]);
    run.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = run.spawn().expect("weir runs");
    let mut rows = child.stdin.take().expect("piped");
    let mut out = BufReader::new(child.stdout.take().expect("piped")).lines();
    for id in ["a", "b"] {
        writeln!(rows, "{id}").expect("it reads");
        rows.flush().expect("it reads");
        let line: Value = serde_json::from_str(&out.next().expect("a line").expect("text")).expect("JSON");
        assert_eq!(line["ids"], id);
    }
    drop(rows);
    assert_eq!((out.next().is_none(), ended(child)), (true, (Some(0), String::new())));
}

#[test]
fn a_quiet_pipe_does_not_hold_the_windows_of_another_open() {
    let case = of_pipeline(
        r#"
[functions]
lab = "lab.wasm"

[source]
file = "in-*"
format = "csv"
csv = { header = false }
schema = { at = "int64", id = "text" }
event-time = { column = "at", format = "unix-s", idle-after = "1s" }

[[steps]]
window = { tumbling = "10s" }
aggregate = { ids = "lab.join(id)" }

[sink]
stdout = true
"#,
    );
    let pipe = |name: &str| {
        let path = case.path().join(name);
        assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo runs").success());
        fs::File::options().read(true).write(true).open(path).expect("a pipe")
    };
    let (mut busy, mut quiet) = (pipe("in-0"), pipe("in-1"));
    let mut run = weir(&case, &["run", "--quiet", "pipeline.toml"]);
    let mut child = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("weir runs");
    let mut out = BufReader::new(child.stdout.take().expect("piped")).lines();
    writeln!(quiet, "2,b").expect("it reads");
    writeln!(busy, "1,a").expect("it reads");
    let fired = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Always more, or the first pipe would be as quiet as the second.
        scope.spawn(|| {
            while !fired.load(Ordering::Relaxed) {
                writeln!(busy, "15,c").expect("it reads");
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let line = out.next();
        fired.store(true, Ordering::Relaxed);
        let line: Value = serde_json::from_str(&line.expect("a line").expect("text")).expect("JSON");
        // Which pipe is read first is up to the threads that read ahead.
        let ids = line["ids"].as_str().expect("a text");
        assert!(["a,b", "b,a"].contains(&ids) && line["window_end"] == "1970-01-01T00:00:10Z", "{line}");
    });
    drop((busy, quiet));
    let last: Value = serde_json::from_str(&out.next().expect("a line").expect("text")).expect("JSON");
    assert!(last["ids"].as_str().is_some_and(|ids| ids.starts_with("c,c")), "{last}");
    assert_eq!(ended(child), (Some(0), String::new()));
}

/// Waits for a process: its exit code and what it said of errors.
pub(crate) fn ended(mut child: Child) -> (Option<i32>, String) {
    let mut errors = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut errors).expect("text");
    }
    (child.wait().expect("it ends").code(), errors)
}

#[test]
fn a_running_result_is_there_before_the_input_ends() {
    let case = of_pipeline(
        "[functions]\nstats = \"stats.wasm\"\n[source]\nstdin = true\nformat = \"csv\"\nschema = { k = \"text\" }\n\
         [[steps]]\nkey-by = [\"k\"]\nemit = \"changes\"\naggregate = { rows = \"stats.count()\" }\n\
         [sink]\nstdout = true\n",
    );
    let mut run = weir(&case, &["run", "pipeline.toml", "--quiet"]);
    run.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = run.spawn().expect("weir runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    stdin.write_all(b"k\n").expect("it reads");
    for (k, rows) in [("a", 1), ("b", 1), ("a", 2)] {
        stdin.write_all(format!("{k}\n").as_bytes()).expect("it reads");
        let mut line = String::new();
        stdout.read_line(&mut line).expect("it writes");
        assert_eq!(line, format!("{{\"k\":\"{k}\",\"rows\":{rows}}}\n"));
    }
    drop(stdin);
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).expect("it ends");
    assert_eq!((rest.as_str(), child.wait().expect("it ends").success()), ("", true), "nothing has changed since");
}
