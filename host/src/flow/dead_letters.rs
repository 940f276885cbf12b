//! Rows that failed: kept with the reason, counted, or the end of the pipeline, as the step's
//! policy says.
//!
//! What stands in a dead letter is said in [`letter`](crate::letter).

mod place;
mod table;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow_array::RecordBatch;
use serde_json::{Map, Value, json};

use super::batch::Batch;
use super::cut::Staged;
use super::source::BadRecord;
use crate::checkpoint::Files;
use crate::error::{Error, Result};
use crate::function::invoke::Failure;
use crate::letter::Made;
use crate::plan::{DeadLetters, Function, OnError, Operator, Plan, Share};
use crate::report::{Metrics, Node};
use crate::sandbox::settings::{self, Amount};
pub(super) use place::Behind;
use place::Place;

/// What the workers of a run share beside their streams.
pub(super) struct Shared {
    failed: OnceLock<Error>,
    /// Set when a worker has panicked or another process is lost: a part of the dataflow will never end.
    panicked: AtomicBool,
    dead_letters: Option<Mutex<Letters>>,
    /// Set from outside when the run is to end.
    stop: Arc<AtomicBool>,
    /// Sinks that somebody still reads.
    open_sinks: AtomicUsize,
}

/// The dead letters of a process.
struct Letters {
    place: Place,
    /// The last checkpoint that was told of them.
    told: u64,
}

impl Shared {
    /// For a run, whose dead letters go on behind those of a checkpoint.
    pub(super) fn new(plan: &Plan, stop: Arc<AtomicBool>, files: &Files, behind: Behind) -> Result<Self> {
        let open = |letters: &DeadLetters| {
            let place = Place::open(letters, files, behind);
            let failed = |e| Error::sink_io(format!("the dead letters {} can't be written", letters.path.display()), e);
            Ok::<_, Error>(Mutex::new(Letters { place: place.map_err(failed)?, told: 0 }))
        };
        let sinks = plan.nodes.iter().filter(|n| matches!(n.operator, Operator::Sink(_))).count();
        Ok(Self {
            failed: OnceLock::new(),
            panicked: AtomicBool::new(false),
            dead_letters: plan.dead_letters.as_ref().map(open).transpose()?,
            stop,
            open_sinks: AtomicUsize::new(sinks),
        })
    }

    /// Ends the run with an error; the first one stands.
    pub(super) fn fail(&self, error: Error) {
        let _ = self.failed.set(error);
    }

    /// Notes that a worker has panicked.
    pub(super) fn panic(&self, message: String) {
        self.fail(Error::Bug(message));
        self.panicked.store(true, Relaxed);
    }

    /// Whether a worker has panicked, so that there is nobody to wait for.
    pub(super) fn has_panicked(&self) -> bool {
        self.panicked.load(Relaxed)
    }

    /// Whether the run has failed: from then on operators drop what they get.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.get().is_some()
    }

    /// Whether sources are to give nothing more.
    pub(super) fn is_ending(&self) -> bool {
        self.has_failed() || self.is_asked_to_end()
    }

    /// Whether the run is to end before its input does.
    pub(super) fn is_asked_to_end(&self) -> bool {
        self.stop.load(Relaxed) || self.open_sinks.load(Relaxed) == 0
    }

    /// What a checkpoint has to know of the dead letters. The first worker that asks is told; all that
    /// belong to the checkpoint are there when any worker can ask, and none that do not.
    pub(super) fn letters_at(&self, checkpoint: u64) -> Option<Staged> {
        let mut letters = self.dead_letters.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut letters.told, checkpoint) >= checkpoint {
            return None;
        }
        letters.place.cut(checkpoint).unwrap_or_else(|e| {
            self.fail(Error::sink_io("the dead letters can't be written", e));
            None
        })
    }

    /// Notes that nobody reads a sink any more. Without any sink the run is over.
    pub(super) fn close_sink(&self) {
        self.open_sinks.fetch_sub(1, Relaxed);
    }

    /// Notes that this process can't go on: there is nobody to wait for.
    pub(super) fn cut_off(&self) {
        self.panicked.store(true, Relaxed);
    }

    /// What the run has failed with.
    pub(super) fn failure(&self) -> Option<&Error> {
        self.failed.get()
    }

    /// Notes that nobody reads any sink any more.
    pub(super) fn close_sinks(&self) {
        self.open_sinks.store(0, Relaxed);
    }

    /// Whether nobody reads any sink any more.
    pub(super) fn has_closed_sinks(&self) -> bool {
        self.open_sinks.load(Relaxed) == 0
    }

    /// Ends the dead letters, and says what the run failed with.
    pub(super) fn finish(self) -> Result<()> {
        let mut ended = Ok(());
        if let Some(letters) = self.dead_letters {
            let mut letters = letters.into_inner().unwrap_or_else(PoisonError::into_inner);
            ended = letters.place.finish().map_err(|e| Error::sink_io("the dead letters can't be written", e));
        }
        self.failed.into_inner().map_or(ended, Err)
    }

    fn write(&self, letter: &Map<String, Value>) {
        let Some(letters) = &self.dead_letters else { return };
        let mut letters = letters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(e) = letters.place.write(letter) {
            self.fail(Error::sink_io("the dead letters can't be written", e));
        }
    }
}

/// Where one node's failed rows go.
#[derive(Clone)]
pub(super) struct Failures {
    pub(super) shared: Arc<Shared>,
    pub(super) counters: Arc<Node>,
    on_error: OnError,
    max_failed: Option<Share>,
    step: String,
    /// The names of the partitions that its batches are of; empty behind a window.
    partitions: Vec<String>,
}

/// Rows of a step that are seen before it is judged by how many of them failed; at the end of the input it is
/// judged by however many there were.
const ROWS_MIN: u64 = 1_000;

/// Why a step has failed on too many rows, if it has.
fn too_many(counters: &Node, more: usize, Share(share): Share, rows_min: u64) -> Option<String> {
    let failed = counters.failed.load(Relaxed);
    // What a source can't read is not among the rows that it gives.
    let rows = match counters.rows_in.load(Relaxed) + more as u64 {
        0 => counters.rows_out.load(Relaxed) + failed,
        rows => rows,
    };
    (rows >= rows_min && failed as f64 > rows as f64 * share).then(|| {
        let percent = share * 100.0;
        format!("{failed} of {rows} rows failed, and at most {percent}% may (`max-failed`)")
    })
}

/// Ends a run that is over with an error where too much has failed.
pub(super) fn check_rates(plan: &Plan, metrics: &Metrics, shared: &Shared) {
    let Some(share) = plan.max_failed else { return };
    for (index, node) in plan.nodes.iter().enumerate() {
        if let Some(reason) = too_many(&metrics.node(index), 0, share, 1) {
            shared.fail(Error::Function(format!("step `{}`: {reason}", node.name)));
        }
    }
}

/// A function as a dead letter names it.
#[derive(Clone)]
pub(super) struct Called {
    pub(super) label: String,
    component: Option<String>,
    digest: Option<String>,
    parameters: Value,
    limits: Map<String, Value>,
}

impl Called {
    pub(super) fn new(label: &str, function: &Function) -> Self {
        let label = label.to_string();
        match function {
            Function::Sandboxed { artifact, parameters, limits, .. } => {
                let written = |(name, amount)| match amount {
                    Amount::Count(n) => (String::from(name), json!(n)),
                    amount => (String::from(name), json!(amount.to_string())),
                };
                Self {
                    label,
                    component: Some(artifact.name().to_string()),
                    digest: Some(artifact.digest().to_string()),
                    parameters: json!(**parameters),
                    limits: settings::changed(limits).map(written).collect(),
                }
            }
            Function::Native(_) => {
                Self { label, component: None, digest: None, parameters: Value::Null, limits: Map::new() }
            }
        }
    }
}

impl Failures {
    pub(super) fn new(plan: &Plan, node: usize, counters: Arc<Node>, shared: Arc<Shared>) -> Self {
        Self {
            shared,
            counters,
            on_error: plan.nodes[node].on_error,
            max_failed: plan.max_failed,
            step: plan.nodes[node].name.clone(),
            partitions: plan.partitions_of(node),
        }
    }

    /// Ends the run where too much has failed so far. `more` rows are being worked on and not counted yet.
    fn check_rate(&self, more: usize) {
        let Some(share) = self.max_failed else { return };
        if let Some(reason) = too_many(&self.counters, more, share, ROWS_MIN) {
            self.shared.fail(Error::Function(format!("step `{}`: {reason}", self.step)));
        }
    }

    /// Logs that rows have failed: loudly for the first of a step, since the others would drown all else.
    fn log(&self, first: bool, rows: usize, reason: &str, function: Option<&str>) {
        match first {
            true => tracing::warn!(step = self.step, function, rows, reason, "rows have failed"),
            false => tracing::debug!(step = self.step, function, rows, reason, "rows have failed"),
        }
    }

    /// Deals with records of a partition that could not be read.
    pub(super) fn records(&self, partition: u32, bad: &[BadRecord]) {
        if bad.is_empty() {
            return;
        }
        let first = self.counters.failed.fetch_add(bad.len() as u64, Relaxed) == 0;
        self.log(first, bad.len(), &bad[0].reason, None);
        self.check_rate(0);
        for record in bad {
            let source = self.partitions.get(partition as usize).cloned().unwrap_or_default();
            match self.on_error {
                OnError::Skip => {}
                OnError::Stop => {
                    let BadRecord { position, line, reason, text } = record;
                    let message = match line {
                        0 => format!("{source}, record {position} (from 0): {reason}"),
                        _ => format!("{source}, line {line}: {reason}: {}", shortened(text)),
                    };
                    self.shared.fail(Error::Source { message, cause: None });
                }
                OnError::DeadLetter => {
                    let mut letter = Map::new();
                    letter.insert("step".into(), json!(self.step));
                    letter.insert("reason".into(), json!(record.reason));
                    letter.insert("source".into(), json!(source));
                    letter.insert("position".into(), json!(record.position));
                    if record.line > 0 {
                        letter.insert("line".into(), json!(record.line));
                        letter.insert("text".into(), json!(record.text));
                    }
                    self.shared.write(&letter);
                }
            }
        }
    }

    /// Deals with rows of a batch that a function failed on.
    pub(super) fn rows<'a>(
        &self,
        called: &Called,
        batch: &Batch,
        failures: impl ExactSizeIterator<Item = &'a Failure>,
    ) {
        if failures.len() == 0 {
            return;
        }
        let failed = failures.len();
        let mut failures = failures.peekable();
        let first = self.counters.failed.fetch_add(failed as u64, Relaxed) == 0;
        self.log(first, failed, failures.peek().map_or("", |f| &f.reason), Some(&called.label));
        self.check_rate(batch.rows.num_rows());
        if self.on_error == OnError::Skip {
            return;
        }
        for failure in failures {
            let row = json_row(&batch.rows, failure.row as usize);
            let position = batch.marks.positions.as_ref().map(|p| p.value(failure.row as usize));
            let source = position.and_then(|_| self.partitions.get(batch.partition as usize));
            if self.on_error == OnError::Stop {
                let place = match (source, position) {
                    (Some(source), Some(position)) => format!(" (record {position} of {source})"),
                    _ => String::new(),
                };
                let Failure { reason, fault, .. } = failure;
                let frames = fault.iter().flat_map(|f| &f.backtrace).map(|frame| format!("\n    at {frame}"));
                self.shared.fail(Error::Function(format!(
                    "step `{}`: {} failed on {}{place}: {reason}{}",
                    self.step,
                    called.label,
                    shortened(&row.to_string()),
                    frames.collect::<String>(),
                )));
                return;
            }
            let mut letter = Map::new();
            letter.insert("step".into(), json!(self.step));
            letter.insert("function".into(), json!(called.label));
            insert_some(&mut letter, "component", called.component.as_ref());
            insert_some(&mut letter, "digest", called.digest.as_ref());
            if called.parameters.as_object().is_some_and(|p| !p.is_empty()) {
                letter.insert("parameters".into(), called.parameters.clone());
            }
            insert_some(&mut letter, "limits", (!called.limits.is_empty()).then_some(&called.limits));
            letter.insert("reason".into(), json!(failure.reason));
            if let Some(fault) = &failure.fault {
                letter.insert("fault".into(), json!(fault.kind));
                insert_some(&mut letter, "log", (!fault.log.is_empty()).then_some(&fault.log));
                insert_some(&mut letter, "backtrace", (!fault.backtrace.is_empty()).then_some(&fault.backtrace));
            }
            insert_some(&mut letter, "source", source);
            insert_some(&mut letter, "position", position);
            let time = batch.marks.times.as_ref().map(|t| t.value(failure.row as usize));
            insert_some(&mut letter, "time", time);
            letter.insert("now".into(), json!(failure.attempt.moment.now));
            letter.insert("seed".into(), json!(failure.attempt.moment.seed));
            letter.insert("row".into(), row);
            if called.digest.is_some() {
                letter.insert("call".into(), json!(Made::new(&failure.attempt)));
            }
            self.shared.write(&letter);
        }
    }
}

fn insert_some<T: serde::Serialize>(letter: &mut Map<String, Value>, key: &str, value: Option<T>) {
    if let Some(value) = value {
        letter.insert(key.into(), json!(value));
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_string(),
    }
}

/// One row as a JSON object.
fn json_row(rows: &RecordBatch, row: usize) -> Value {
    let mut bytes = Vec::new();
    let mut writer = arrow_json::WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, arrow_json::writer::LineDelimited>(&mut bytes);
    let written = writer.write(&rows.slice(row, 1)).and_then(|()| writer.finish());
    drop(writer);
    match written {
        Ok(()) => serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        Err(_) => Value::Null,
    }
}
