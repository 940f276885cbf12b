//! What a run did: counters that the workers add to once a batch, and the report made from them.
//!
//! In come additions from every worker; out goes a [`Report`], while the pipeline runs (the live
//! line) and when it has ended (the closing table, `--report`). Nothing here decides anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// The counters of one run, shared by its workers.
#[derive(Debug)]
pub struct Metrics {
    started: Instant,
    pipeline: String,
    workers: usize,
    nodes: Vec<Arc<Node>>,
    interrupted: AtomicBool,
    /// What the run's checkpoints were.
    pub checkpoints: Checkpoints,
}

/// The checkpoints that a run has taken.
#[derive(Debug, Default)]
pub struct Checkpoints {
    /// How many.
    pub taken: AtomicU64,
    /// The number of the last one; 0 where there is none.
    pub last: AtomicU64,
    /// Bytes that were written for it, of state that had changed.
    pub last_bytes: AtomicU64,
    /// Nanoseconds from when every worker had written its part until it was there.
    pub commit_ns: AtomicU64,
    /// When it was taken, in milliseconds since 1970-01-01T00:00:00Z.
    pub last_ms: AtomicU64,
    /// The number of the one that the run goes on from; 0 where it started from nothing.
    pub resumed: AtomicU64,
}

impl Checkpoints {
    /// Notes one that is there.
    pub fn note(&self, checkpoint: u64, bytes: u64, commit: Duration, taken_ms: u64) {
        self.taken.fetch_add(1, Relaxed);
        self.last.store(checkpoint, Relaxed);
        self.last_bytes.store(bytes, Relaxed);
        self.last_ms.store(taken_ms, Relaxed);
        Node::add_time(&self.commit_ns, commit);
    }
}

/// What a node of the plan is, for the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeKind {
    /// Rows come in.
    Source,
    /// One row out for each row in.
    Map,
    /// Keeps some of the rows.
    Filter,
    /// Any number of rows out for each row in.
    FlatMap,
    /// Any number of rows out for each row in, with a state for each key.
    StatefulMap,
    /// Folds rows by key and window.
    Window,
    /// Pairs rows of two streams.
    Join,
    /// Rows that came too late for a window.
    Late,
    /// Spreads rows over the workers.
    Partition,
    /// Rows go out.
    Sink,
}

/// The counters of one source, step or sink, summed over its workers.
#[derive(Debug)]
pub struct Node {
    /// Its name in the pipeline.
    pub name: String,
    /// What it is.
    pub kind: NodeKind,
    /// What it runs, reads or writes: `flights.departed`, `flights.csv`, `stdout`.
    pub detail: String,
    /// Rows that came in.
    pub rows_in: AtomicU64,
    /// Rows that went out.
    pub rows_out: AtomicU64,
    /// Rows that failed: records that could not be read, or rows that a function failed on.
    pub failed: AtomicU64,
    /// Rows that came too late for every window of theirs.
    pub late: AtomicU64,
    /// Calls into the sandbox.
    pub calls: AtomicU64,
    /// Nanoseconds in calls into the sandbox, the copying across the boundary included.
    pub sandbox_ns: AtomicU64,
    /// Nanoseconds in the node, those in the sandbox included.
    pub busy_ns: AtomicU64,
    /// Instances made, the first of each worker included.
    pub instances: AtomicU64,
    /// Those of them that were replaced because their memory had grown too large.
    pub recycled: AtomicU64,
    /// Bytes read or written.
    pub bytes: AtomicU64,
    /// Keys with state in memory: of each worker the most that it ever had when an epoch was complete.
    pub state_keys: AtomicU64,
    /// Bytes of state in memory, in the same way.
    pub state_bytes: AtomicU64,
    /// Bytes of state on disk or in Redis, in the same way.
    pub stored_bytes: AtomicU64,
    /// Nanoseconds in which a source had to wait for what follows it: back-pressure.
    pub held_ns: AtomicU64,
    /// The stream's watermark in microseconds since 1970-01-01T00:00:00Z; `i64::MIN` before the
    /// first, `i64::MAX` at the end.
    pub watermark: AtomicI64,
}

/// What a worker has told of its state: the most that it ever had.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted {
    keys: u64,
    bytes: u64,
    stored: u64,
}

impl Node {
    /// A node with nothing counted.
    pub fn new(name: impl Into<String>, kind: NodeKind, detail: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            kind,
            detail: detail.into(),
            rows_in: AtomicU64::new(0),
            rows_out: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            late: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            sandbox_ns: AtomicU64::new(0),
            busy_ns: AtomicU64::new(0),
            instances: AtomicU64::new(0),
            recycled: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            state_keys: AtomicU64::new(0),
            state_bytes: AtomicU64::new(0),
            stored_bytes: AtomicU64::new(0),
            held_ns: AtomicU64::new(0),
            watermark: AtomicI64::new(i64::MIN),
        }
    }

    /// Adds to a counter.
    pub fn add(counter: &AtomicU64, n: usize) {
        counter.fetch_add(n as u64, Relaxed);
    }

    /// Notes how large a worker's state is.
    pub fn count_state(&self, counted: &mut Counted, keys: u64, bytes: u64, stored: u64) {
        let pairs = [
            (&self.state_keys, &mut counted.keys, keys),
            (&self.state_bytes, &mut counted.bytes, bytes),
            (&self.stored_bytes, &mut counted.stored, stored),
        ];
        for (counter, most, now) in pairs {
            counter.fetch_add(now.saturating_sub(*most), Relaxed);
            *most = now.max(*most);
        }
    }

    /// Adds a time to a counter of nanoseconds.
    pub fn add_time(counter: &AtomicU64, time: Duration) {
        counter.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }
}

impl Metrics {
    /// Counters for these nodes, in the plan's order; the clock starts now.
    pub fn new(pipeline: impl Into<String>, workers: usize, nodes: Vec<Node>) -> Self {
        Self {
            started: Instant::now(),
            pipeline: pipeline.into(),
            workers,
            nodes: nodes.into_iter().map(Arc::new).collect(),
            interrupted: AtomicBool::new(false),
            checkpoints: Checkpoints::default(),
        }
    }

    /// The node at this place in the plan.
    pub fn node(&self, index: usize) -> Arc<Node> {
        Arc::clone(&self.nodes[index])
    }

    /// Notes that the run was asked to end before its input did.
    pub fn set_interrupted(&self) {
        self.interrupted.store(true, Relaxed);
    }

    /// Everything counted so far.
    pub fn snapshot(&self) -> Report {
        let nodes: Vec<NodeReport> = self.nodes.iter().map(|n| NodeReport::of(n)).collect();
        let sum = |kind: NodeKind, get: fn(&NodeReport) -> u64| -> u64 {
            nodes.iter().filter(|n| n.kind == kind).map(get).sum()
        };
        Report {
            pipeline: self.pipeline.clone(),
            workers: self.workers,
            elapsed_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            interrupted: self.interrupted.load(Relaxed),
            rows_in: sum(NodeKind::Source, |n| n.rows_out),
            rows_out: sum(NodeKind::Sink, |n| n.rows_out),
            failed: nodes.iter().map(|n| n.failed).sum(),
            late: nodes.iter().map(|n| n.late).sum(),
            peak_memory_bytes: peak_memory_bytes(),
            checkpoints: CheckpointsReport::of(&self.checkpoints),
            watermark_us: nodes.iter().filter(|n| n.kind == NodeKind::Source).filter_map(|n| n.watermark_us).min(),
            nodes,
            processes: Vec::new(),
        }
    }
}

/// What a run did, or has done so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The pipeline's name.
    pub pipeline: String,
    /// Workers it ran on.
    pub workers: usize,
    /// Milliseconds since it started.
    pub elapsed_ms: u64,
    /// Whether it was asked to end before its input did.
    pub interrupted: bool,
    /// Rows that the sources gave.
    pub rows_in: u64,
    /// Rows that the sinks took.
    pub rows_out: u64,
    /// Rows that failed anywhere.
    pub failed: u64,
    /// Rows that came too late.
    pub late: u64,
    /// The most memory that the process has held so far, where the system says.
    pub peak_memory_bytes: Option<u64>,
    /// The checkpoints that were taken; absent where there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoints: Option<CheckpointsReport>,
    /// The least watermark of the sources in microseconds since 1970-01-01T00:00:00Z; absent
    /// before the first, without event time and at the end.
    pub watermark_us: Option<i64>,
    /// Sources, steps and sinks in the plan's order.
    pub nodes: Vec<NodeReport>,
    /// Where this is the sum of several processes' reports, those reports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub processes: Vec<Report>,
}

/// What the checkpoints of a run were.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckpointsReport {
    /// The number of the one that the run went on from; absent where it started from nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed: Option<u64>,
    /// How many were taken.
    pub taken: u64,
    /// The number of the last one.
    pub last: u64,
    /// Bytes that were written for it, of state that had changed.
    pub last_bytes: u64,
    /// Milliseconds that it took, all together, from when every worker had written its part until
    /// they were there.
    pub commit_ms: u64,
}

impl CheckpointsReport {
    fn of(checkpoints: &Checkpoints) -> Option<Self> {
        let get = |counter: &AtomicU64| counter.load(Relaxed);
        let (taken, resumed) = (get(&checkpoints.taken), get(&checkpoints.resumed));
        (taken > 0 || resumed > 0).then(|| Self {
            resumed: (resumed > 0).then_some(resumed),
            taken,
            last: get(&checkpoints.last),
            last_bytes: get(&checkpoints.last_bytes),
            commit_ms: get(&checkpoints.commit_ns) / 1_000_000,
        })
    }
}

/// Linux says so in `/proc/self/status`.
fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"))?;
    Some(kib.trim().parse::<u64>().ok()? * 1024)
}

/// What one source, step or sink did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NodeReport {
    /// Its name in the pipeline.
    pub name: String,
    /// What it is.
    pub kind: NodeKind,
    /// What it runs, reads or writes.
    pub detail: String,
    /// Rows that came in.
    pub rows_in: u64,
    /// Rows that went out.
    pub rows_out: u64,
    /// Rows that failed.
    pub failed: u64,
    /// Rows that came too late.
    pub late: u64,
    /// Calls into the sandbox.
    pub calls: u64,
    /// Nanoseconds in the sandbox, the copying across the boundary included.
    pub sandbox_ns: u64,
    /// Nanoseconds in the step outside the sandbox.
    pub host_ns: u64,
    /// Instances made.
    pub instances: u64,
    /// Those of them that were replaced because their memory had grown too large: a fresh one costs about what
    /// `weir bench` says.
    #[serde(default)]
    pub recycled: u64,
    /// Bytes read or written.
    pub bytes: u64,
    /// Keys with state in memory, the most that there were: of each window and key.
    pub state_keys: u64,
    /// Bytes of state in memory, the most that there were, about.
    pub state_bytes: u64,
    /// Bytes of state on disk or in Redis, the most that there were, about.
    pub stored_bytes: u64,
    /// Nanoseconds in which a source had to wait for what follows it.
    #[serde(default)]
    pub held_ns: u64,
    /// The watermark, as [`Report::watermark_us`].
    pub watermark_us: Option<i64>,
}

impl NodeReport {
    fn of(node: &Node) -> Self {
        let watermark = node.watermark.load(Relaxed);
        Self {
            name: node.name.clone(),
            kind: node.kind,
            detail: node.detail.clone(),
            rows_in: node.rows_in.load(Relaxed),
            rows_out: node.rows_out.load(Relaxed),
            failed: node.failed.load(Relaxed),
            late: node.late.load(Relaxed),
            calls: node.calls.load(Relaxed),
            sandbox_ns: node.sandbox_ns.load(Relaxed),
            host_ns: node.busy_ns.load(Relaxed).saturating_sub(node.sandbox_ns.load(Relaxed)),
            instances: node.instances.load(Relaxed),
            recycled: node.recycled.load(Relaxed),
            bytes: node.bytes.load(Relaxed),
            state_keys: node.state_keys.load(Relaxed),
            state_bytes: node.state_bytes.load(Relaxed),
            stored_bytes: node.stored_bytes.load(Relaxed),
            held_ns: node.held_ns.load(Relaxed),
            watermark_us: (watermark != i64::MIN && watermark != i64::MAX).then_some(watermark),
        }
    }

    /// Nanoseconds in the sandbox for each row that came in.
    pub fn sandbox_ns_per_row(&self) -> Option<f64> {
        (self.calls > 0 && self.rows_in > 0).then(|| self.sandbox_ns as f64 / self.rows_in as f64)
    }
}
