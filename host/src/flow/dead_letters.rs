//! Rows that failed: kept with the reason, counted, or the end of the pipeline, as the step's
//! policy says.
//!
//! A dead letter is one JSON object a line. Fields that say nothing are left out:
//!
//! | field | |
//! | --- | --- |
//! | `step` | the source or step that failed |
//! | `function`, `digest` | what it called, and the component's SHA-256 |
//! | `parameters` | the function's parameters |
//! | `reason` | in one line |
//! | `fault` | `trap`, `time`, `memory`, ..: the function failed on more than the row's value |
//! | `log`, `backtrace` | what the function logged in that call, and where it stood |
//! | `source`, `position` | the partition, and the record's number in it from 0 |
//! | `line`, `text` | of a record that could not be read |
//! | `now`, `seed` | what the function's clock and random numbers were in that call |
//! | `row` | the columns that the pipeline uses |

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow_array::RecordBatch;
use serde_json::{Map, Value, json};

use super::batch::Batch;
use super::source::BadRecord;
use crate::error::{Error, Result};
use crate::function::invoke::{Failure, Moment};
use crate::plan::{Function, OnError, Operator, Plan};
use crate::report::Node;

/// What the workers of a run share beside their streams.
pub(super) struct Shared {
    failed: OnceLock<Error>,
    /// Set when a worker has panicked: its part of the dataflow will never end.
    panicked: AtomicBool,
    dead_letters: Option<Mutex<BufWriter<File>>>,
    /// Set from outside when the run is to end.
    stop: Arc<AtomicBool>,
    /// Sinks that somebody still reads.
    open_sinks: AtomicUsize,
}

impl Shared {
    pub(super) fn new(plan: &Plan, stop: Arc<AtomicBool>) -> Result<Self> {
        let open = |path: &Path| {
            let file = File::create(path)
                .map_err(|e| Error::sink_io(format!("the dead letters {} can't be written", path.display()), e))?;
            Ok::<_, Error>(Mutex::new(BufWriter::new(file)))
        };
        let sinks = plan.nodes.iter().filter(|n| matches!(n.operator, Operator::Sink(_))).count();
        Ok(Self {
            failed: OnceLock::new(),
            panicked: AtomicBool::new(false),
            dead_letters: plan.dead_letters.as_deref().map(open).transpose()?,
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
        self.has_failed() || self.stop.load(Relaxed) || self.open_sinks.load(Relaxed) == 0
    }

    /// Notes that nobody reads a sink any more. Without any sink the run is over.
    pub(super) fn close_sink(&self) {
        self.open_sinks.fetch_sub(1, Relaxed);
    }

    /// Flushes the dead letters, and says what the run failed with.
    pub(super) fn finish(self) -> Result<()> {
        if let Some(letters) = self.dead_letters {
            let mut letters = letters.into_inner().unwrap_or_else(PoisonError::into_inner);
            letters.flush().map_err(|e| Error::sink_io("the dead letters can't be written", e))?;
        }
        self.failed.into_inner().map_or(Ok(()), Err)
    }

    fn write(&self, letter: &Map<String, Value>) {
        let Some(letters) = &self.dead_letters else { return };
        let mut letters = letters.lock().unwrap_or_else(PoisonError::into_inner);
        let mut line = Value::Object(letter.clone()).to_string();
        line.push('\n');
        // A letter is on its way before its pipeline goes on: failures are rare, and worth it.
        if let Err(e) = letters.write_all(line.as_bytes()).and_then(|()| letters.flush()) {
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
    step: String,
    /// The names of the partitions that its batches are of; empty behind a window.
    partitions: Vec<String>,
}

/// A function as a dead letter names it.
#[derive(Clone)]
pub(super) struct Called {
    pub(super) label: String,
    digest: Option<String>,
    parameters: Value,
}

impl Called {
    pub(super) fn new(label: &str, function: &Function) -> Self {
        let parameters = match function {
            Function::Sandboxed { parameters, .. } => json!(**parameters),
            Function::Native(_) => Value::Null,
        };
        Self { label: label.to_string(), digest: function.digest().map(String::from), parameters }
    }
}

impl Failures {
    pub(super) fn new(plan: &Plan, node: usize, counters: Arc<Node>, shared: Arc<Shared>) -> Self {
        Self {
            shared,
            counters,
            on_error: plan.nodes[node].on_error,
            step: plan.nodes[node].name.clone(),
            partitions: plan.partitions_of(node),
        }
    }

    /// Deals with records of a partition that could not be read.
    pub(super) fn records(&self, partition: u32, bad: &[BadRecord]) {
        Node::add(&self.counters.failed, bad.len());
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
        moment: Moment,
        failures: impl ExactSizeIterator<Item = &'a Failure>,
    ) {
        if failures.len() == 0 {
            return;
        }
        Node::add(&self.counters.failed, failures.len());
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
            insert_some(&mut letter, "digest", called.digest.as_ref());
            if called.parameters.as_object().is_some_and(|p| !p.is_empty()) {
                letter.insert("parameters".into(), called.parameters.clone());
            }
            letter.insert("reason".into(), json!(failure.reason));
            if let Some(fault) = &failure.fault {
                letter.insert("fault".into(), json!(fault.kind));
                insert_some(&mut letter, "log", (!fault.log.is_empty()).then_some(&fault.log));
                insert_some(&mut letter, "backtrace", (!fault.backtrace.is_empty()).then_some(&fault.backtrace));
            }
            insert_some(&mut letter, "source", source);
            insert_some(&mut letter, "position", position);
            letter.insert("now".into(), json!(moment.now));
            letter.insert("seed".into(), json!(moment.seed));
            letter.insert("row".into(), row);
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
