//! One line on stderr that says how far a run is, redrawn five times a second.
//!
//! In come the run's metrics, read on a thread of its own; out goes a line that is gone again when
//! the run has ended. The line is written in one piece and with the terminal's wrapping off, so
//! it is cut at the edge, never broken into two; what matters most stands first. It is never drawn
//! where rows go to the same terminal.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use weir::report::{Metrics, NodeKind, Report};

use super::text;

const REDRAW: Duration = Duration::from_millis(200);
/// What "now" means in rows per second.
const RATE_OVER: Duration = Duration::from_secs(1);
/// Back to the start of the line, and no wrapping until [`CLOSE`].
const OPEN: &str = "\r\x1b[?7l";
/// Clears what an older, longer line left, and wraps again.
const CLOSE: &str = "\x1b[K\x1b[?7h";

/// Whether there is a terminal that the line would not share with the pipeline's rows.
pub(super) fn has_room(report: &Report) -> bool {
    let rows_to_stdout = report.nodes.iter().any(|n| n.kind == NodeKind::Sink && n.detail == "stdout");
    io::stderr().is_terminal() && !(rows_to_stdout && io::stdout().is_terminal())
}

/// A line being drawn.
pub(super) struct Live {
    /// Dropped, it ends the thread at once.
    ended: Sender<()>,
    thread: JoinHandle<()>,
}

impl Live {
    /// Starts to draw. `stop` is the flag that says that the run was asked to end.
    pub(super) fn start(metrics: Arc<Metrics>, stop: Arc<AtomicBool>) -> Self {
        let (ended, wait) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut rate = Rate::default();
            let mut drawn = false;
            while wait.recv_timeout(REDRAW) == Err(RecvTimeoutError::Timeout) {
                let report = metrics.snapshot();
                let per_second = rate.at(Instant::now(), report.rows_in);
                draw(&line(&report, per_second, stop.load(Ordering::Relaxed)));
                drawn = true;
            }
            if drawn {
                draw("");
            }
        });
        Self { ended, thread }
    }

    /// Clears the line.
    pub(super) fn end(self) {
        drop(self.ended);
        // The thread only draws: if it panicked there is no line to clear.
        drop(self.thread.join());
    }
}

fn draw(line: &str) {
    drop(io::stderr().lock().write_all(format!("{OPEN}{line}{CLOSE}").as_bytes()));
}

fn line(report: &Report, per_second: f64, stopping: bool) -> String {
    let seconds = report.elapsed_ms / 1000;
    let mut parts = vec![
        text::plural(report.rows_in, "row"),
        format!("{} rows/s", text::count(per_second.round() as u64)),
        format!("{}:{:02}", seconds / 60, seconds % 60),
    ];
    // To the second: the line should not flicker.
    parts.extend(report.watermark_us.map(|us| format!("watermark {}", text::time(us - us.rem_euclid(1_000_000)))));
    parts.extend((report.late > 0).then(|| format!("{} late", text::count(report.late))));
    parts.extend((report.failed > 0).then(|| format!("{} failed", text::count(report.failed))));
    if stopping {
        parts.insert(0, "stopping, ^C to end now".to_owned());
    }
    parts.join("  ")
}

/// Rows per second over the last second.
#[derive(Default)]
struct Rate {
    samples: VecDeque<(Instant, u64)>,
}

impl Rate {
    fn at(&mut self, now: Instant, rows: u64) -> f64 {
        self.samples.push_back((now, rows));
        // The oldest sample that is at least a second old is where the second starts.
        while self.samples.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= RATE_OVER) {
            self.samples.pop_front();
        }
        let Some((at, first)) = self.samples.front() else { return 0.0 };
        let seconds = now.duration_since(*at).as_secs_f64();
        if seconds > 0.0 { rows.saturating_sub(*first) as f64 / seconds } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::table::tests::report;

    #[test]
    fn what_matters_most_stands_first_and_what_is_nothing_is_left_out() {
        let full = "24,951 rows  20,000 rows/s  2:03  watermark 2013-02-08T15:00:00Z  3 late  12 failed";
        assert_eq!(line(&report(), 20_000.4, false), full);
        assert_eq!(line(&report(), 20_000.4, true), format!("stopping, ^C to end now  {full}"));
        let start = Metrics::new("p", 1, vec![]).snapshot();
        assert_eq!(line(&start, 0.0, false), "0 rows  0 rows/s  0:00");
    }

    #[test]
    fn the_rate_is_that_of_the_last_second() {
        let start = Instant::now();
        let mut rate = Rate::default();
        let mut at = |ms: u64, rows: u64| rate.at(start + Duration::from_millis(ms), rows).round() as u64;
        assert_eq!(at(0, 0), 0);
        assert_eq!(at(500, 500), 1000);
        assert_eq!(at(1000, 1000), 1000);
        // The stream stands still: a second later the rate says so.
        assert_eq!(at(1500, 1000), 500);
        assert_eq!(at(2000, 1000), 0);
    }

    #[test]
    fn the_end_does_not_wait_for_the_next_redraw() {
        let live = Live::start(Arc::new(Metrics::new("p", 1, vec![])), Arc::default());
        let started = Instant::now();
        live.end();
        assert!(started.elapsed() < REDRAW, "{:?}", started.elapsed());
    }
}
