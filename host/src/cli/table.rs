//! What a run did, as a table with a line for each source, step and sink, and a summary.
//!
//! A report goes in, text comes out. Columns that say nothing about this run are left out, and so
//! are cells that mean nothing for their step: a source has no rows coming in.

use std::time::Duration;

use weir::report::{NodeKind, NodeReport, Report};

use super::text::{self, Align};

/// Characters of what a step runs, reads or writes.
const DETAIL_MAX: usize = 36;

/// A column: its heading, its side, its cell for a node and whether that cell says anything.
struct Column {
    heading: &'static str,
    align: Align,
    cell: fn(&NodeReport) -> String,
    says: fn(&NodeReport) -> bool,
}

const COLUMNS: [Column; 11] = [
    Column { heading: "step", align: Align::Left, cell: |n| n.name.clone(), says: |_| true },
    Column { heading: "what", align: Align::Left, cell: what, says: |_| true },
    Column {
        heading: "rows in",
        align: Align::Right,
        cell: |n| if n.kind == NodeKind::Source { String::new() } else { text::count(n.rows_in) },
        says: |n| n.kind != NodeKind::Source,
    },
    Column { heading: "rows out", align: Align::Right, cell: |n| text::count(n.rows_out), says: |_| true },
    Column { heading: "failed", align: Align::Right, cell: |n| some(n.failed), says: |n| n.failed > 0 },
    Column { heading: "late", align: Align::Right, cell: |n| some(n.late), says: |n| n.late > 0 },
    Column { heading: "calls", align: Align::Right, cell: |n| some(n.calls), says: |n| n.calls > 0 },
    Column { heading: "recycled", align: Align::Right, cell: |n| some(n.recycled), says: |n| n.recycled > 0 },
    Column { heading: "in sandbox", align: Align::Right, cell: |n| time(n.sandbox_ns), says: |n| n.sandbox_ns > 0 },
    Column { heading: "in host", align: Align::Right, cell: |n| time(n.host_ns), says: |n| n.host_ns > 0 },
    Column {
        heading: "sandbox ns/row",
        align: Align::Right,
        cell: |n| n.sandbox_ns_per_row().map(text::decimal).unwrap_or_default(),
        says: |n| n.sandbox_ns_per_row().is_some(),
    },
];

/// The table and the summary.
pub(super) fn render(report: &Report) -> String {
    let shown: Vec<&Column> = COLUMNS.iter().filter(|c| report.nodes.iter().any(c.says)).collect();
    let mut rows = vec![shown.iter().map(|c| c.heading.to_owned()).collect()];
    rows.extend(report.nodes.iter().map(|node| shown.iter().map(|c| (c.cell)(node)).collect()));
    let aligns: Vec<Align> = shown.iter().map(|c| c.align).collect();
    format!("{}\n{}\n", text::columns(&aligns, &rows), summary(report))
}

fn summary(report: &Report) -> String {
    // At least a millisecond: a rate over no time is no number.
    let seconds = report.elapsed_ms.max(1) as f64 / 1000.0;
    let mut text = format!(
        "{}: {} in, {} out in {} on {} ({} rows/s)",
        report.pipeline,
        text::plural(report.rows_in, "row"),
        text::count(report.rows_out),
        text::duration(Duration::from_millis(report.elapsed_ms)),
        text::plural(report.workers as u64, "worker"),
        text::count((report.rows_in as f64 / seconds).round() as u64),
    );
    if report.processes.len() > 1 {
        text.push_str(&format!(" in {} processes", report.processes.len()));
    }
    if let Some(peak) = report.peak_memory_bytes {
        text.push_str(&format!(", at most {} of memory", text::bytes(peak)));
    }
    if report.failed > 0 {
        text.push_str(&format!(", {} failed", text::count(report.failed)));
    }
    if report.late > 0 {
        text.push_str(&format!(", {} late", text::count(report.late)));
    }
    if report.interrupted {
        text.push_str("\ninterrupted: the input was not read to its end");
    }
    text
}

fn what(node: &NodeReport) -> String {
    let kind = match node.kind {
        NodeKind::Source => "source",
        NodeKind::Map => "map",
        NodeKind::Filter => "filter",
        NodeKind::FlatMap => "flat-map",
        NodeKind::StatefulMap => "stateful-map",
        NodeKind::Window => "window",
        NodeKind::Join => "join",
        NodeKind::Late => "late",
        NodeKind::Partition => "partition",
        NodeKind::Sink => "sink",
    };
    format!("{kind} {}", shorten(&node.detail, matches!(node.kind, NodeKind::Source | NodeKind::Sink)))
}

/// At most [`DETAIL_MAX`] characters: of a path the end says most, of functions the start.
fn shorten(detail: &str, is_path: bool) -> String {
    let over = detail.chars().count().saturating_sub(DETAIL_MAX);
    match (over, is_path) {
        (0, _) => detail.to_owned(),
        (_, true) => format!("…{}", detail.chars().skip(over + 1).collect::<String>()),
        (_, false) => format!("{}…", detail.chars().take(DETAIL_MAX - 1).collect::<String>()),
    }
}

fn some(n: u64) -> String {
    if n == 0 { String::new() } else { text::count(n) }
}

fn time(ns: u64) -> String {
    if ns == 0 { String::new() } else { text::duration(Duration::from_nanos(ns)) }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A run with something in every column.
    pub(crate) fn report() -> Report {
        let node = |name: &str, kind, detail: &str| NodeReport {
            name: name.into(),
            kind,
            detail: detail.into(),
            rows_in: 24_951,
            rows_out: 23_690,
            failed: 0,
            late: 0,
            calls: 0,
            sandbox_ns: 0,
            host_ns: 2_340_000,
            instances: 0,
            recycled: 0,
            bytes: 0,
            state_keys: 0,
            state_bytes: 0,
            stored_bytes: 0,
            held_ns: 0,
            watermark_us: None,
        };
        let window = NodeReport {
            rows_in: 23_690,
            rows_out: 84,
            failed: 12,
            late: 3,
            calls: 4,
            recycled: 2,
            sandbox_ns: 1_230_000,
            ..node("by_day", NodeKind::Window, "stats.mean, stats.count")
        };
        Report {
            pipeline: "storm".into(),
            workers: 1,
            elapsed_ms: 123_000,
            interrupted: false,
            rows_in: 24_951,
            rows_out: 84,
            failed: 12,
            late: 3,
            checkpoints: None,
            peak_memory_bytes: None,
            watermark_us: Some(1_360_335_600_250_000),
            processes: vec![],
            nodes: vec![
                NodeReport { rows_in: 0, rows_out: 24_951, ..node("source", NodeKind::Source, "flights.csv") },
                NodeReport { calls: 4, sandbox_ns: 45_000, ..node("departed", NodeKind::Filter, "flights.departed") },
                window,
                NodeReport { rows_in: 84, rows_out: 84, host_ns: 0, ..node("sink", NodeKind::Sink, "storm.jsonl") },
            ],
        }
    }

    #[test]
    fn a_full_table() {
        let expected = "\
step      what                            rows in  rows out  failed  late  calls  recycled  in sandbox  in host  sandbox ns/row
source    source flights.csv                         24,951                                             2.34 ms
departed  filter flights.departed          24,951    23,690                    4               45.0 us  2.34 ms            1.80
by_day    window stats.mean, stats.count   23,690        84      12     3      4         2     1.23 ms  2.34 ms            51.9
sink      sink storm.jsonl                     84        84

storm: 24,951 rows in, 84 out in 2m 03s on 1 worker (203 rows/s), 12 failed, 3 late
";
        assert_eq!(render(&report()), expected);
    }

    #[test]
    fn columns_with_nothing_in_them_are_left_out() {
        let mut report = report();
        report.nodes.remove(2);
        (report.failed, report.late, report.interrupted, report.workers) = (0, 0, true, 2);
        let text = render(&report);
        let (heading, rest) = text.split_once('\n').unwrap();
        assert!(!heading.contains("failed") && !heading.contains("late") && heading.contains("calls"), "{heading}");
        let end = "84 out in 2m 03s on 2 workers (203 rows/s)\ninterrupted: the input was not read to its end\n";
        assert!(rest.ends_with(end), "{rest}");
    }

    #[test]
    fn what_is_long_is_shortened_where_it_says_least() {
        let long = "a".repeat(20) + &"z".repeat(20);
        assert_eq!(shorten(&long, true), format!("…{}{}", "a".repeat(15), "z".repeat(20)));
        assert_eq!(shorten(&long, false), format!("{}{}…", "a".repeat(20), "z".repeat(15)));
        assert_eq!(shorten(&long[..DETAIL_MAX], true), long[..DETAIL_MAX]);
    }

    #[test]
    fn a_run_of_no_time_has_a_rate() {
        let report = Report { elapsed_ms: 0, ..report() };
        assert!(render(&report).contains("in 0 ns on 1 worker (24,951,000 rows/s)"), "{}", render(&report));
    }
}
