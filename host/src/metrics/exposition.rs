//! A run's counters in Prometheus's text format, version 0.0.4.

use std::fmt::Write;

use super::series::{FAMILIES, Kind, View};
use crate::report::Metrics;

/// Everything that has been counted so far. `process` is this one's number where there are several.
pub fn text(metrics: &Metrics, process: usize) -> String {
    render(&View::of(metrics, process))
}

fn render(view: &View) -> String {
    let mut out = String::new();
    for family in &FAMILIES {
        let (name, help) = (family.name, family.help);
        let kind = match family.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        let samples = family.samples(view);
        if !samples.is_empty() {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        }
        for sample in samples {
            let labels: Vec<_> = sample.labels.iter().map(|(k, v)| format!("{k}=\"{}\"", escaped(v))).collect();
            let _ = writeln!(out, "{name}{{{}}} {}", labels.join(","), sample.value);
        }
    }
    out
}

/// A label's value as it stands between quotes.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

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
        let text = render(&View { report: metrics.snapshot(), process: 1, now: 100.0, last_checkpoint: 97.0 });
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
