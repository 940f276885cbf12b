//! A run's counters in Prometheus's text format, version 0.0.4.
//!
//! Names end with their unit, in seconds and bytes; what only grows ends with `_total`. A label `node` says
//! which source, step or sink, `kind` what it is. `docs/operate.md` has the list.

use std::fmt::Write;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::report::{Metrics, NodeReport, Report};

/// A family of samples, one for each node.
struct Family {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    of: fn(&NodeReport) -> Option<f64>,
}

const fn total(name: &'static str, help: &'static str, of: fn(&NodeReport) -> Option<f64>) -> Family {
    Family { name, kind: "counter", help, of }
}

const fn gauge(name: &'static str, help: &'static str, of: fn(&NodeReport) -> Option<f64>) -> Family {
    Family { name, kind: "gauge", help, of }
}

fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

const FAMILIES: [Family; 14] = [
    total("weir_rows_in_total", "Rows that came in.", |n| Some(n.rows_in as f64)),
    total("weir_rows_out_total", "Rows that went out.", |n| Some(n.rows_out as f64)),
    total("weir_failed_rows_total", "Rows that failed.", |n| Some(n.failed as f64)),
    total("weir_late_rows_total", "Rows that were late for all of their windows.", |n| Some(n.late as f64)),
    total("weir_bytes_total", "Bytes read by a source or written by a sink.", |n| Some(n.bytes as f64)),
    total("weir_calls_total", "Calls into the sandbox.", |n| Some(n.calls as f64)),
    total("weir_sandbox_seconds_total", "Time in the sandbox.", |n| Some(seconds(n.sandbox_ns))),
    total("weir_host_seconds_total", "Time in the step outside the sandbox.", |n| Some(seconds(n.host_ns))),
    total("weir_instances_total", "Instances of functions that were made.", |n| Some(n.instances as f64)),
    total("weir_held_seconds_total", "Time in which a source waited for what follows it.", |n| {
        Some(seconds(n.held_ns))
    }),
    gauge("weir_state_keys_max", "Keys with state in memory, the most so far.", |n| Some(n.state_keys as f64)),
    gauge("weir_state_bytes_max", "Bytes of state in memory, the most so far.", |n| Some(n.state_bytes as f64)),
    gauge("weir_stored_bytes_max", "Bytes of state outside of memory, the most so far.", |n| {
        Some(n.stored_bytes as f64)
    }),
    gauge("weir_watermark_seconds", "The watermark, in seconds since 1970.", |n| {
        n.watermark_us.map(|us| us as f64 / 1e6)
    }),
];

/// Everything that has been counted so far. `process` is this one's number where there are several.
pub fn text(metrics: &Metrics, process: usize) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |now| now.as_secs_f64());
    let last_checkpoint = metrics.checkpoints.last_ms.load(Relaxed) as f64 / 1e3;
    render(&metrics.snapshot(), process, now, last_checkpoint)
}

fn render(report: &Report, process: usize, now: f64, last_checkpoint: f64) -> String {
    let mut out = String::new();
    let run = format!("pipeline=\"{}\",process=\"{process}\"", escaped(&report.pipeline));
    let mut single = |name: &str, kind: &str, help: &str, labels: &str, value: f64| {
        head(&mut out, name, kind, help);
        let _ = writeln!(out, "{name}{{{run}{labels}}} {value}");
    };
    let version = format!(",version=\"{}\"", env!("CARGO_PKG_VERSION"));
    single("weir_info", "gauge", "What runs; always 1.", &version, 1.0);
    single("weir_workers", "gauge", "Workers of this process.", "", report.workers as f64);
    single("weir_run_seconds", "gauge", "Time since the run started.", "", report.elapsed_ms as f64 / 1e3);
    if let Some(peak) = report.peak_memory_bytes {
        single("weir_memory_bytes_max", "gauge", "The most memory of the process so far.", "", peak as f64);
    }
    if let Some(of) = &report.checkpoints {
        single("weir_checkpoints_total", "counter", "Checkpoints that were taken.", "", of.taken as f64);
        single("weir_checkpoint_bytes", "gauge", "Bytes written for the last one.", "", of.last_bytes as f64);
        let help = "Time to make checkpoints of what the workers had written.";
        single("weir_checkpoint_commit_seconds_total", "counter", help, "", of.commit_ms as f64 / 1e3);
    }
    if last_checkpoint > 0.0 {
        single("weir_checkpoint_age_seconds", "gauge", "Time since the last one.", "", now - last_checkpoint);
    }
    let labels = |node: &NodeReport| {
        let kind = serde_json::to_value(node.kind).unwrap_or_default();
        format!("{run},node=\"{}\",kind=\"{}\"", escaped(&node.name), kind.as_str().unwrap_or_default())
    };
    for family in &FAMILIES {
        let samples: Vec<_> = report.nodes.iter().filter_map(|n| Some((labels(n), (family.of)(n)?))).collect();
        samples_of(&mut out, family.name, family.kind, family.help, &samples);
    }
    let lag = |n: &NodeReport| Some((labels(n), now - n.watermark_us? as f64 / 1e6));
    let lags: Vec<_> = report.nodes.iter().filter_map(lag).collect();
    let help = "How far the watermark is behind the clock of this machine.";
    samples_of(&mut out, "weir_watermark_lag_seconds", "gauge", help, &lags);
    out
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn samples_of(out: &mut String, name: &str, kind: &str, help: &str, samples: &[(String, f64)]) {
    if samples.is_empty() {
        return;
    }
    head(out, name, kind, help);
    for (labels, value) in samples {
        let _ = writeln!(out, "{name}{{{labels}}} {value}");
    }
}

/// A label's value as it stands between quotes.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Node, NodeKind};

    #[test]
    fn every_counter_is_a_line() {
        let nodes = vec![Node::new("a \"b\"", NodeKind::Source, "in"), Node::new("w", NodeKind::StatefulMap, "f")];
        let metrics = Metrics::new("p", 2, nodes);
        metrics.node(0).rows_out.store(7, Relaxed);
        metrics.node(0).held_ns.store(1_500_000_000, Relaxed);
        metrics.node(0).watermark.store(90_000_000, Relaxed);
        metrics.node(1).sandbox_ns.store(250_000_000, Relaxed);
        metrics.checkpoints.note(3, 4096, std::time::Duration::from_millis(20), 97_000);
        let text = render(&metrics.snapshot(), 1, 100.0, 97.0);
        for line in [
            "# TYPE weir_rows_out_total counter",
            "weir_rows_out_total{pipeline=\"p\",process=\"1\",node=\"a \\\"b\\\"\",kind=\"source\"} 7",
            "weir_held_seconds_total{pipeline=\"p\",process=\"1\",node=\"a \\\"b\\\"\",kind=\"source\"} 1.5",
            "weir_sandbox_seconds_total{pipeline=\"p\",process=\"1\",node=\"w\",kind=\"stateful-map\"} 0.25",
            "weir_watermark_seconds{pipeline=\"p\",process=\"1\",node=\"a \\\"b\\\"\",kind=\"source\"} 90",
            "weir_watermark_lag_seconds{pipeline=\"p\",process=\"1\",node=\"a \\\"b\\\"\",kind=\"source\"} 10",
            "weir_checkpoint_age_seconds{pipeline=\"p\",process=\"1\"} 3",
            "weir_checkpoint_bytes{pipeline=\"p\",process=\"1\"} 4096",
            "weir_workers{pipeline=\"p\",process=\"1\"} 2",
        ] {
            assert!(text.lines().any(|l| l == line), "no {line} in\n{text}");
        }
        // A node without a watermark has no sample of it.
        assert_eq!(text.matches("weir_watermark_seconds{").count(), 1);
        // Each family stands once, and every sample behind its family's head.
        let types = text.lines().filter(|l| l.starts_with("# TYPE")).count();
        let mut names: Vec<_> = text.lines().filter_map(|l| l.strip_prefix("# TYPE ")?.split(' ').next()).collect();
        names.dedup();
        assert_eq!(names.len(), types);
    }
}
