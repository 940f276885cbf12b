//! Time that comes from the clock: idle partitions and processing time.
//!
//! The partitions are named pipes that the tests write to, and the clock is one that they move by
//! hand; every wait is for something that the run has done.

use std::fs::{self, File};
use std::io::Write;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use weir::flow::clock::Clock;
use weir::flow::{self, Options};
use weir::report::{Metrics, Report};

use crate::pipelines::Case;

const SECOND: i64 = 1_000_000;

/// A run whose source is some pipes, `in-0` and so on.
struct Running {
    case: Case,
    pipes: Vec<Option<File>>,
    clock: Clock,
    metrics: Arc<Metrics>,
    run: JoinHandle<weir::Result<Report>>,
}

impl Running {
    /// Starts a pipeline of one source, step and sink, at second 1000 by the clock.
    fn start(pipes: usize, workers: usize, event_time: &str, window: &str) -> Self {
        let case = Case::empty();
        let pipe = |i| {
            let path = case.path().join(format!("in-{i}"));
            assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo runs").success());
            // One that is open both ways does not wait for its reader.
            Some(File::options().read(true).write(true).open(path).expect("a pipe"))
        };
        let pipes = (0..pipes).map(pipe).collect();
        let pipeline = format!(
            "[functions]\nlab = \"lab.wasm\"\n\n[source]\nfile = \"in-*\"\nformat = \"jsonl\"\n\
             schema = {{ at = \"int64\", id = \"text\" }}\nevent-time = {event_time}\n\n\
             [[steps]]\nwindow = {window}\naggregate = {{ ids = \"lab.join(id)\" }}\n\n[sink]\nfile = \"out.jsonl\"\n"
        );
        case.write("pipeline.toml", pipeline).provide();
        let plan = case.plan().unwrap_or_else(|e| panic!("{}", case.error_text(&e)));
        let clock = Clock::by_hand(1000 * SECOND);
        let options = Options { workers, clock: clock.clone(), ..Options::default() };
        let metrics = Arc::new(plan.metrics(workers));
        let run = thread::spawn({
            let metrics = Arc::clone(&metrics);
            move || flow::run(plan, &options, &metrics, &Arc::new(AtomicBool::new(false)))
        });
        Self { case, pipes, clock, metrics, run }
    }

    /// Writes rows (second, id) to a pipe, and waits until the window has them.
    fn write(&mut self, pipe: usize, rows: &[(i64, &str)]) {
        let come = || self.metrics.node(1).rows_in.load(Ordering::Relaxed);
        let before = come();
        let text: String = rows.iter().map(|(at, id)| format!("{{\"at\":{at},\"id\":\"{id}\"}}\n")).collect();
        let mut pipe = self.pipes[pipe].as_ref().expect("it is open");
        pipe.write_all(text.as_bytes()).expect("it is read");
        self.until("the window has the rows", || come() == before + rows.len() as u64);
    }

    /// Moves the clock to so many milliseconds behind its start.
    fn at_ms(&self, ms: i64) {
        self.clock.set(1000 * SECOND + ms * 1000);
    }

    /// Waits until the window has seen the stream's watermark reach a second.
    fn until_watermark(&self, second: i64) {
        let watermark = || self.metrics.node(1).watermark.load(Ordering::Relaxed);
        self.until(&format!("the watermark is {second}"), || watermark() == second * SECOND);
    }

    fn until_written(&self, expected: &[(i64, i64, &str)]) {
        let expected = lines(expected);
        self.until(&format!("it has written\n{expected}"), || self.written() == expected);
    }

    fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let started = Instant::now();
        while !holds() {
            assert!(!self.run.is_finished(), "the run ended before {what}");
            let waited = started.elapsed();
            assert!(waited < Duration::from_secs(60), "waited for {what}, but it has written\n{}", self.written());
            thread::sleep(Duration::from_micros(200));
        }
    }

    fn written(&self) -> String {
        fs::read_to_string(self.case.path().join("out.jsonl")).unwrap_or_default()
    }

    /// Ends the input: the report, and everything written.
    fn end(mut self) -> (Report, String) {
        self.pipes.clear();
        let report = self.run.join().expect("no panic").unwrap_or_else(|e| panic!("{}", self.case.error_text(&e)));
        (report, fs::read_to_string(self.case.path().join("out.jsonl")).expect("a file"))
    }
}

/// Results as they are written: start and end in seconds, and the rows.
fn lines(results: &[(i64, i64, &str)]) -> String {
    let time = |second: i64| format!("1970-01-01T00:{:02}:{:02}Z", second / 60, second % 60);
    let line = |(start, end, ids): &(i64, i64, &str)| {
        format!("{{\"window_start\":\"{}\",\"window_end\":\"{}\",\"ids\":\"{ids}\"}}\n", time(*start), time(*end))
    };
    results.iter().map(line).collect()
}

const EVENT_TIME: &str = "{ column = \"at\", format = \"unix-s\", idle-after = \"5s\" }";

#[test]
fn windows_do_not_wait_for_an_idle_partition() {
    for workers in [1, 2] {
        let mut run = Running::start(2, workers, EVENT_TIME, "{ tumbling = \"10s\" }");
        run.write(0, &[(1, "a")]);
        run.write(1, &[(2, "b")]);
        run.until_watermark(1);
        run.write(0, &[(25, "c")]);
        run.until_watermark(2);
        assert_eq!(run.written(), "", "the second partition is at 2");
        run.at_ms(4000);
        run.write(0, &[(26, "d")]);
        run.at_ms(5000);
        run.until_watermark(26);
        run.until_written(&[(0, 10, "a,b")]);
        // Back, and behind: what has fired stays fired, and the stream stands still until it is there too.
        run.write(1, &[(3, "late"), (21, "e")]);
        run.write(0, &[(38, "f")]);
        run.write(1, &[(29, "g")]);
        run.until_watermark(29);
        run.until_written(&[(0, 10, "a,b")]);
        run.write(1, &[(30, "h")]);
        run.until_written(&[(0, 10, "a,b"), (20, 30, "c,d,e,g")]);
        let (report, written) = run.end();
        assert_eq!(written, lines(&[(0, 10, "a,b"), (20, 30, "c,d,e,g"), (30, 40, "f,h")]), "{workers} workers");
        assert_eq!(report.late, 1);
    }
}

#[test]
fn time_stands_still_while_all_partitions_are_idle() {
    let mut run = Running::start(2, 1, EVENT_TIME, "{ tumbling = \"10s\" }");
    run.write(0, &[(9, "a")]);
    run.write(1, &[(3, "b")]);
    run.until_watermark(3);
    run.at_ms(5000);
    run.write(1, &[(4, "c")]);
    // The first is idle, and the second has to wait for nobody.
    run.until_watermark(4);
    run.at_ms(60_000);
    // It may have been idle as well; what it gives counts again at once.
    run.write(1, &[(8, "d")]);
    run.until_watermark(8);
    // One that ends while the other is idle takes the stream no further.
    run.pipes[1] = None;
    run.write(0, &[(10, "e")]);
    run.until_written(&[(0, 10, "a,b,c,d")]);
    assert_eq!(run.end().1, lines(&[(0, 10, "a,b,c,d"), (10, 20, "e")]));
}

#[test]
fn windows_of_processing_time_fire_without_rows() {
    for workers in [1, 3] {
        let mut run = Running::start(2, workers, "{ processing = true }", "{ tumbling = \"1s\" }");
        run.at_ms(200);
        // What the rows say themselves makes no difference.
        run.write(0, &[(77, "a"), (5, "b")]);
        run.at_ms(999);
        run.write(1, &[(0, "c")]);
        assert_eq!(run.written(), "");
        run.at_ms(1000);
        // Exactly so: the watermark is the clock, once it is 50 ms ahead.
        run.at_ms(1050);
        run.until_written(&[(1000, 1001, "a,b,c")]);
        run.write(0, &[(0, "d")]);
        run.at_ms(7000);
        run.until_written(&[(1000, 1001, "a,b,c"), (1001, 1002, "d")]);
        run.write(1, &[(0, "e")]);
        let (report, written) = run.end();
        assert_eq!(written, lines(&[(1000, 1001, "a,b,c"), (1001, 1002, "d"), (1007, 1008, "e")]));
        assert_eq!(report.late, 0, "{workers} workers");
    }
}

#[test]
fn a_plan_says_what_its_time_is() {
    let time = |event_time: &str| {
        let case = Case::empty();
        case.write("in.csv", "at,n,when\n2013-02-01,1,01.02.2013\n");
        let pipeline = format!(
            "[functions]\nlab = \"lab.wasm\"\n[source]\nfile = \"in.csv\"\nevent-time = {event_time}\n\
             [[steps]]\nwindow = {{ tumbling = \"1d\" }}\naggregate = {{ ids = \"lab.join(when)\" }}\n[sink]\nstdout = true\n"
        );
        case.write("pipeline.toml", pipeline).provide();
        let tree = case.plan().unwrap_or_else(|e| panic!("{}", case.error_text(&e))).tree();
        let line = tree.lines().find_map(|line| line.split_once("event time: "));
        line.expect("it says so").1.to_owned()
    };
    assert_eq!(time("{ column = \"at\", idle-after = \"5s\" }"), "at, out of order by up to 0s, idle after 5s");
    assert_eq!(
        time("{ column = \"n\", format = \"unix-ms\", out-of-order = \"1h\" }"),
        "n as unix-ms, out of order by up to 1h"
    );
    assert_eq!(
        time("{ column = \"when\", format = \"%d.%m.%Y\", zone = \"Asia/Tokyo\" }"),
        "when as `%d.%m.%Y` in Asia/Tokyo, out of order by up to 0s"
    );
    assert_eq!(time("{ processing = true }"), "processing time, the clock's when a row is read");
}

#[test]
fn a_pipe_has_no_columns_to_look_at_beforehand() {
    let case = Case::empty();
    assert!(Command::new("mkfifo").arg(case.path().join("in.csv")).status().expect("mkfifo runs").success());
    case.write("pipeline.toml", "[source]\nfile = \"in.csv\"\n[sink]\nstdout = true\n");
    let error = case.plan().expect_err("it does not wait for somebody to write");
    let text = case.error_text(&error);
    let expected = "error: pipeline.toml:1:1: `in.csv` is a pipe: what is read to find its columns would be gone\n\
                    hint: declare the columns with `schema`\n";
    assert_eq!(text, expected);
}
