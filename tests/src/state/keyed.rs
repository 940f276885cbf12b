//! Steps whose state is by key alone, with more of it than memory has room for.

use std::fmt::Write;

use weir::flow::Options;
use weir::report::Report;
use weir::state::Settings;

use crate::pipelines::Case;
use crate::redis::Server;

/// Keys of the input, each of which comes three times.
const KEYS: u64 = 20_000;

/// Rows of many keys, in an order in which those that follow each other have nothing in common.
fn rows() -> String {
    csv((0..3 * KEYS).map(|row| row * 7919 % KEYS))
}

/// Rows of these keys, a hundred of them a second.
fn csv(keys: impl Iterator<Item = u64>) -> String {
    let mut csv = String::from("at,k,n\n");
    for (row, key) in (0..).zip(keys) {
        let seconds = row / 100;
        let (minute, second) = (seconds / 60, seconds % 60);
        let _ = writeln!(csv, "2024-01-01T00:{minute:02}:{second:02}Z,{key},{row}");
    }
    csv
}

/// A pipeline of one step, by the key `k` if it says nothing of a join.
pub(super) fn case(step: &str, state: &str, rows: &str) -> Case {
    let key = if step.contains("join =") { "" } else { "key-by = [\"k\"]" };
    let case = Case::empty();
    case.write("in.csv", rows).write(
        "pipeline.toml",
        format!(
            r#"
name = "p"
{state}
[functions]
flights = "flights.wasm"
streams = "streams.wasm"
stats = "stats.wasm"

[source]
file = "in.csv"
schema = {{ at = "timestamp", k = "int64", n = "int64" }}
event-time = {{ column = "at", out-of-order = "3s" }}

[[steps]]
name = "step"
{key}
{step}

[sink]
file = "out.jsonl"
"#
        ),
    );
    case.provide();
    case
}

/// Runs a step, and says what came out of it and what it took.
fn run(step: &str, state: &str, rows: &str, options: &Options) -> (String, Report) {
    let case = case(step, state, rows);
    let plan = case.plan().unwrap_or_else(|e| panic!("{step}: {}", case.error_text(&e)));
    let ran = case.run_again(&plan, options);
    let report = ran.result.unwrap_or_else(|e| panic!("{step}: {}", case.error_text(&e)));
    (ran.sinks.into_iter().next().expect("a sink").1, report)
}

/// Runs a step in memory and on disk with the least memory.
pub(super) fn stays_within_memory(step: &str) {
    let (rows, options) = (rows(), Options { batch_rows: 1000, epoch_rows: 2000, ..Options::default() });
    let (expected, all) = run(step, "", &rows, &options);
    let (found, little) = run(step, "[state]\ndisk = \"state\"\nmemory = \"1MiB\"\n", &rows, &options);
    assert!(found == expected && !found.is_empty(), "{step}: the results differ");
    let of = |report: &Report| report.nodes.iter().map(|n| (n.state_bytes, n.stored_bytes)).max().unwrap_or_default();
    let ((all, none), (little, stored)) = (of(&all), of(&little));
    assert!(all > 1 << 20 && none == 0, "{step}: {all} bytes in memory show nothing");
    assert!(little < (1 << 20) && stored > 50_000, "{step}: {little} bytes in memory, {stored} on disk");
}

#[test]
fn states_stay_within_memory() {
    stays_within_memory("stateful-map = \"streams.running_sum(n)\"");
    stays_within_memory("stateful-map = \"streams.running_count\"\nttl = \"150s\"");
}

#[test]
fn windows_of_so_many_rows_stay_within_memory() {
    stays_within_memory("window = { count = 2 }\naggregate = { rows = \"stats.count()\", sum = \"stats.sum(n)\" }");
    stays_within_memory("window = { count = 4, step = 2 }\naggregate = { sum = \"stats.sum(n)\" }");
}

#[test]
fn keys_come_back_before_the_store_knows_that_they_have_gone() {
    // All keys once, which is more than memory has room for; then some fill a window, and begin another at once.
    let back = (0..8).flat_map(|block| (0..750).map(move |row| block * 250 + row % 250));
    let rows = csv((0..KEYS).chain(back));
    let step = "window = { count = 2 }\naggregate = { rows = \"stats.count()\", sum = \"stats.sum(n)\" }";
    let options = Options { batch_rows: 250, epoch_rows: 250, ..Options::default() };
    let (expected, _) = run(step, "", &rows, &options);
    let (found, _) = run(step, "[state]\ndisk = \"state\"\nmemory = \"1MiB\"\n", &rows, &options);
    assert!(found == expected && !found.is_empty());
}

#[test]
fn sessions_stay_within_memory() {
    // A session for each key; and one for each row, all of which are over at the end of time.
    stays_within_memory(
        "window = { session = \"1h\" }\naggregate = { rows = \"stats.count()\", sum = \"stats.sum(n)\" }",
    );
    stays_within_memory(
        "window = { session = \"190s\" }\nallowed-lateness = \"1m\"\naggregate = { sum = \"stats.sum(n)\" }",
    );
}

/// What is in Redis behind a run, the names of its hashes first.
fn left_in_redis(step: &str, hash: &str, field: &str) -> (Vec<String>, String) {
    let server = Server::start();
    let state = format!("[state]\nredis = \"{}\"\n", server.url());
    let rows = "at,k,n\n2024-01-01T00:00:00Z,7,1\n2024-01-01T00:00:01Z,8,20\n2024-01-01T00:00:02Z,7,300\n";
    run(step, &state, rows, &Options::default());
    let answer = server.ask(&["HGET", hash, field]);
    (server.names(), answer)
}

#[test]
fn states_are_left_as_they_were_at_the_end() {
    let sum = "stateful-map = \"streams.running_sum(n)\"";
    let (names, answer) = left_in_redis(sum, "weir:p:step:all", "[7]");
    assert_eq!(names, ["weir:p:step:all"]);
    assert!(answer.contains(r#"{"state.value":301}"#), "{answer}");
    let (names, _) = left_in_redis(&format!("{sum}\nttl = \"10s\""), "weir:p:step:all", "[7]");
    assert!(names.is_empty(), "at the end of time all states are over: {names:?}");
}

#[test]
fn windows_that_are_not_full_are_left_as_they_were_at_the_end() {
    let step = "window = { count = 2 }\naggregate = { sum = \"stats.sum(n)\" }";
    let (names, answer) = left_in_redis(step, "weir:p:step:all", "[8]");
    assert_eq!(names, ["weir:p:step:all"]);
    let pane = r#"[{"first":0,"rows":1,"least":"2024-01-01T00:00:01Z","greatest":"2024-01-01T00:00:01Z","sum.sum":20,"sum.values":1}]"#;
    assert!(answer.contains(pane), "{answer}");
}

#[test]
fn nothing_is_left_of_sessions() {
    for lateness in ["", "allowed-lateness = \"1m\"\n"] {
        let step = format!("window = {{ session = \"1s\" }}\n{lateness}aggregate = {{ sum = \"stats.sum(n)\" }}");
        let (names, _) = left_in_redis(&step, "weir:p:step:all", "[7]");
        assert!(names.is_empty(), "{names:?}");
    }
}

#[test]
fn sessions_are_read_with_their_ends() {
    let server = Server::start();
    // The run ends at the last row, and leaves what was there before.
    let rows = "at,k,n\n2024-01-01T00:00:00Z,7,1\n2024-01-01T00:00:04Z,7,2\n2024-01-01T00:00:02Z,7,300\n\
                2024-01-01T00:00:04Z,8,x\n";
    let case = case("window = { session = \"3s\" }\naggregate = { sum = \"stats.sum(n)\" }", "", rows);
    let mut plan = case.plan().unwrap_or_else(|e| panic!("{}", case.error_text(&e)));
    plan.state = Settings::Redis { url: server.url(), prefix: "weir".into(), memory_bytes: 0 };
    let options = Options { epoch_rows: 1, batch_rows: 1, ..Options::default() };
    case.run_again(&plan, &options).result.expect_err("the last row is none");
    // The first end was noted before the session went on.
    let ends = ["03", "07"].map(|second| format!("weir:p:step:ends:2024-01-01T00:00:{second}Z"));
    assert_eq!(server.names(), ["weir:p:step:all", &ends[0], &ends[1]]);
    let answer = server.ask(&["HGET", "weir:p:step:all", "[7]"]);
    let row = |place, sum| {
        let bounds = r#""start":"2024-01-01T00:00:00Z","end":"2024-01-01T00:00:07Z""#;
        format!(r#"{{{bounds},"place":{place},"sum.sum":{sum},"sum.values":{}}}"#, 2 - place)
    };
    assert!(answer.contains(&format!("[{},{}]", row(0, 301), row(1, 2))), "{answer}");
    let answer = server.ask(&["HGETALL", &ends[1]]);
    assert!(answer.contains(r#"["2024-01-01T00:00:07Z",7]"#), "{answer}");
}
