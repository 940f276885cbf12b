//! Which series there are, and what each has now: the same for whoever asks, in whatever format.
//!
//! Names end with their unit, in seconds and bytes; what only grows ends with `_total`. A label `node` says
//! which source, step or sink, `kind` what it is. `docs/operate.md` has the list.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::report::{Metrics, NodeReport, Report};

/// A name with its samples.
#[derive(Clone, Copy)]
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// In the words of UCUM; empty for plain numbers.
    #[cfg_attr(not(feature = "otlp"), expect(dead_code, reason = "Prometheus has it in the name"))]
    pub(crate) unit: &'static str,
    pub(crate) help: &'static str,
    /// A label more, on each sample.
    label: Option<(&'static str, &'static str)>,
    of: Of,
}

/// What a series does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// Where samples come from.
#[derive(Clone, Copy)]
enum Of {
    /// There is one.
    Run(fn(&View) -> Option<f64>),
    /// There is one for each source, step and sink.
    Node(fn(&NodeReport, &View) -> Option<f64>),
}

/// Everything that has been counted until a moment.
pub(crate) struct View {
    pub(crate) report: Report,
    /// This process's number where there are several.
    pub(crate) process: usize,
    /// The clock, in seconds since 1970.
    pub(crate) now: f64,
    /// When the last checkpoint was taken; 0 where none was.
    pub(crate) last_checkpoint: f64,
}

/// A value with its labels.
pub(crate) struct Sample {
    pub(crate) labels: Vec<(&'static str, String)>,
    pub(crate) value: f64,
}

impl View {
    pub(crate) fn of(metrics: &Metrics, process: usize) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |now| now.as_secs_f64());
        let last_checkpoint = metrics.checkpoints.last_ms.load(Relaxed) as f64 / 1e3;
        Self { report: metrics.snapshot(), process, now, last_checkpoint }
    }
}

impl Family {
    /// What it has now.
    pub(crate) fn samples(&self, view: &View) -> Vec<Sample> {
        let run = || {
            let mut labels = vec![("pipeline", view.report.pipeline.clone()), ("process", view.process.to_string())];
            labels.extend(self.label.map(|(name, value)| (name, value.to_owned())));
            labels
        };
        match self.of {
            Of::Run(of) => of(view).map(|value| Sample { labels: run(), value }).into_iter().collect(),
            Of::Node(of) => {
                let sample = |node: &NodeReport| {
                    let value = of(node, view)?;
                    let kind = serde_json::to_value(node.kind).unwrap_or_default();
                    let mut labels = run();
                    labels.push(("node", node.name.clone()));
                    labels.push(("kind", kind.as_str().unwrap_or_default().to_owned()));
                    Some(Sample { labels, value })
                };
                view.report.nodes.iter().filter_map(sample).collect()
            }
        }
    }
}

const fn run(
    name: &'static str,
    kind: Kind,
    unit: &'static str,
    help: &'static str,
    of: fn(&View) -> Option<f64>,
) -> Family {
    Family { name, kind, unit, help, label: None, of: Of::Run(of) }
}

const fn node(
    name: &'static str,
    kind: Kind,
    unit: &'static str,
    help: &'static str,
    of: fn(&NodeReport, &View) -> Option<f64>,
) -> Family {
    Family { name, kind, unit, help, label: None, of: Of::Node(of) }
}

fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

use Kind::{Counter, Gauge};

/// All of them.
pub(crate) const FAMILIES: [Family; 24] = [
    Family {
        label: Some(("version", env!("CARGO_PKG_VERSION"))),
        ..run("weir_info", Gauge, "", "What runs; always 1.", |_| Some(1.0))
    },
    run("weir_workers", Gauge, "", "Workers of this process.", |v| Some(v.report.workers as f64)),
    run("weir_run_seconds", Gauge, "s", "Time since the run started.", |v| Some(v.report.elapsed_ms as f64 / 1e3)),
    run("weir_memory_bytes_max", Gauge, "By", "The most memory of the process so far.", |v| {
        v.report.peak_memory_bytes.map(|bytes| bytes as f64)
    }),
    run("weir_checkpoints_total", Counter, "", "Checkpoints that were taken.", |v| {
        v.report.checkpoints.as_ref().map(|of| of.taken as f64)
    }),
    run("weir_checkpoint_bytes", Gauge, "By", "Bytes written for the last one.", |v| {
        v.report.checkpoints.as_ref().map(|of| of.last_bytes as f64)
    }),
    run(
        "weir_checkpoint_commit_seconds_total",
        Counter,
        "s",
        "Time to make checkpoints of what the workers had written.",
        |v| v.report.checkpoints.as_ref().map(|of| of.commit_ms as f64 / 1e3),
    ),
    run("weir_checkpoint_age_seconds", Gauge, "s", "Time since the last one.", |v| {
        (v.last_checkpoint > 0.0).then_some(v.now - v.last_checkpoint)
    }),
    node("weir_rows_in_total", Counter, "{row}", "Rows that came in.", |n, _| Some(n.rows_in as f64)),
    node("weir_rows_out_total", Counter, "{row}", "Rows that went out.", |n, _| Some(n.rows_out as f64)),
    node("weir_failed_rows_total", Counter, "{row}", "Rows that failed.", |n, _| Some(n.failed as f64)),
    node("weir_late_rows_total", Counter, "{row}", "Rows that were late for all of their windows.", |n, _| {
        Some(n.late as f64)
    }),
    node("weir_bytes_total", Counter, "By", "Bytes read by a source or written by a sink.", |n, _| {
        Some(n.bytes as f64)
    }),
    node("weir_calls_total", Counter, "{call}", "Calls into the sandbox.", |n, _| Some(n.calls as f64)),
    node("weir_sandbox_seconds_total", Counter, "s", "Time in the sandbox.", |n, _| Some(seconds(n.sandbox_ns))),
    node("weir_host_seconds_total", Counter, "s", "Time in the step outside the sandbox.", |n, _| {
        Some(seconds(n.host_ns))
    }),
    node("weir_instances_total", Counter, "{instance}", "Instances of functions that were made.", |n, _| {
        Some(n.instances as f64)
    }),
    node(
        "weir_recycled_instances_total",
        Counter,
        "{instance}",
        "Instances that were replaced because their memory had grown.",
        |n, _| Some(n.recycled as f64),
    ),
    node("weir_held_seconds_total", Counter, "s", "Time in which a source waited for what follows it.", |n, _| {
        Some(seconds(n.held_ns))
    }),
    node("weir_state_keys_max", Gauge, "{key}", "Keys with state in memory, the most so far.", |n, _| {
        Some(n.state_keys as f64)
    }),
    node("weir_state_bytes_max", Gauge, "By", "Bytes of state in memory, the most so far.", |n, _| {
        Some(n.state_bytes as f64)
    }),
    node("weir_stored_bytes_max", Gauge, "By", "Bytes of state outside of memory, the most so far.", |n, _| {
        Some(n.stored_bytes as f64)
    }),
    node("weir_watermark_seconds", Gauge, "s", "The watermark, in seconds since 1970.", |n, _| {
        n.watermark_us.map(|us| us as f64 / 1e6)
    }),
    node(
        "weir_watermark_lag_seconds",
        Gauge,
        "s",
        "How far the watermark is behind the clock of this machine.",
        |n, v| Some(v.now - n.watermark_us? as f64 / 1e6),
    ),
];
