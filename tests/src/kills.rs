//! Runs that are killed: real processes, SIGKILL at random instants, until the input has ended. Whatever the
//! instants were, what is published is what a run gives that nobody kills.
//!
//! `WEIR_KILLS` says how many kills there are to be (20 where it says nothing), `WEIR_SEED` what they follow from.

use std::fmt::Write as _;
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::command::weir;
use crate::pipelines::Case;
use crate::random::Random;

/// A step of every sort that holds something, a sink of every sort that publishes, and rows that fail.
pub(crate) const PIPELINE: &str = r#"
name = "killed"

[functions]
lab = "lab.wasm"
stats = "stats.wasm"
streams = "streams.wasm"

[source]
file = "in-*.csv"
schema = { time = "int64", account = "int64", amount = "int64" }
event-time = { column = "time", format = "unix-s", out-of-order = "20s" }

[[steps]]
name = "running"
stateful-map = "streams.running_sum(amount)"
key-by = ["account"]

[[steps]]
name = "hops"
from = "running"
key-by = ["account"]
window = { hopping = "60s", step = "20s" }
aggregate = { rows = "stats.count()" }

[[steps]]
name = "sessions"
from = "running"
key-by = ["account"]
window = { session = "15s" }
aggregate = { rows = "stats.count()" }

[sinks.running]
from = "running"
folder = "running"

[sinks.hops]
from = "hops"
file = "hops.jsonl"

[sinks.sessions]
from = "sessions"
folder = "sessions"

[dead-letters]
file = "letters.jsonl"

[checkpoint]
dir = "checkpoints"
every = "5ms"
"#;

const ROWS: i64 = 60_000;

/// Rows of a partition: mostly in order, with accounts that come and go, and some that can't be read.
pub(crate) fn rows(random: &mut Random, count: i64) -> String {
    let mut text = "time,account,amount\n".to_owned();
    for row in 0..count {
        let time = row / 20 - random.of(0..25);
        let amount = match random.once_in(500) {
            true => "much".to_owned(),
            false => random.of(-100..100).to_string(),
        };
        let _ = writeln!(text, "{time},{},{amount}", (row / 3000 + random.of(0..40)) % 90);
    }
    text
}

/// What is published.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Published {
    running: String,
    hops: String,
    sessions: String,
    letters: Vec<String>,
}

impl Published {
    pub(crate) fn of(case: &Case) -> Self {
        Self::with_letters(case, &fs::read_to_string(case.path().join("letters.jsonl")).unwrap_or_default())
    }

    /// With letters that stand elsewhere.
    pub(crate) fn with_letters(case: &Case, letters: &str) -> Self {
        let file = |name: &str| fs::read_to_string(case.path().join(name)).unwrap_or_default();
        let folder = |name: &str| {
            let entries = fs::read_dir(case.path().join(name)).expect("a sink's folder").flatten();
            let mut parts: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
            parts.retain(|part| part.starts_with("part-"));
            parts.sort();
            parts.iter().map(|part| file(&format!("{name}/{part}"))).collect()
        };
        // Workers write them as rows fail, in no order.
        let mut letters: Vec<String> = letters.lines().map(str::to_owned).collect();
        letters.sort();
        Self { running: folder("running"), hops: file("hops.jsonl"), sessions: folder("sessions"), letters }
    }

    /// Fails where this is not what was expected, and says only what: it is long.
    #[track_caller]
    pub(crate) fn assert_is(&self, expected: &Self, when: &str) {
        let same = |what: &str, expected: &str, found: &str| {
            assert!(expected == found, "{when}: {what} is not as it should be");
        };
        same("running", &expected.running, &self.running);
        same("hops", &expected.hops, &self.hops);
        same("sessions", &expected.sessions, &self.sessions);
        assert_eq!(expected.letters, self.letters, "{when}");
    }
}

#[test]
fn nothing_is_lost_and_nothing_is_doubled() {
    kill_and_go_on(PIPELINE);
}

#[test]
fn nothing_is_lost_of_state_on_disk() {
    kill_and_go_on(&format!("{PIPELINE}\n[state]\ndisk = \"state\"\nmemory = \"1MiB\"\n"));
}

fn kill_and_go_on(pipeline: &str) {
    let number = |name: &str, else_: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(else_);
    let (wanted, seed) = (number("WEIR_KILLS", 20), number("WEIR_SEED", 1));
    eprintln!("again: WEIR_KILLS={wanted} WEIR_SEED={seed} cargo test -p weir-tests nothing_is_lost");
    let mut random = Random::new(seed);
    let case = Case::empty();
    case.write("pipeline.toml", pipeline);
    case.provide();
    for partition in 0..2 {
        case.write(&format!("in-{partition}.csv"), rows(&mut random, ROWS));
    }
    // Building it is no part of a run's time.
    crate::command::binary();
    let started = Instant::now();
    run(&case, &["--from-scratch"], None);
    let (takes, expected) = (started.elapsed(), Published::of(&case));
    assert_eq!(expected.running.lines().count() + expected.letters.len(), 2 * ROWS as usize);
    let (mut kills, mut done) = (0, 0);
    while kills < wanted {
        // Anew where the run before got to its end.
        let mut anew = true;
        loop {
            let workers = random.of(1..4).to_string();
            let arguments = ["--workers", &workers, "--from-scratch"];
            let after = takes.mul_f64(random.of(200..1000) as f64 / 1000.0);
            let killed = run(&case, &arguments[..if anew { 3 } else { 2 }], Some(after));
            anew = false;
            match killed {
                true => kills += 1,
                false => break,
            }
        }
        done += 1;
        Published::of(&case).assert_is(&expected, &format!("seed {seed}, after {kills} kills"));
    }
    eprintln!("{kills} kills, {done} runs to the end, nothing lost and nothing doubled");
}

/// Runs the pipeline; after a time it is killed. Says whether it was.
fn run(case: &Case, arguments: &[&str], kill_after: Option<Duration>) -> bool {
    let mut command = weir(case, &["run", "pipeline.toml", "--quiet", "--epoch-rows", "4000"]);
    let mut child = command.args(arguments).stderr(Stdio::piped()).spawn().expect("weir runs");
    if let Some(after) = kill_after {
        // The instant is what is random here; nothing waits for anything else.
        std::thread::sleep(after);
        child.kill().expect("it is ours");
    }
    let ended = child.wait_with_output().expect("it has ended");
    match ended.status.code() {
        Some(0) => false,
        None => true,
        Some(code) => panic!("it failed with {code}: {}", String::from_utf8_lossy(&ended.stderr)),
    }
}
