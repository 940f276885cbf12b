//! A function called on rows as they come: columns found and widened, rows that the function is
//! not meant to see passed by, and a batch that fails as a whole cut in parts down to the rows at fault.
//!
//! In come the columns of a stream, out go results for the rows that succeeded and a [`Failure`]
//! for each that did not. What becomes of failures is for others to say.

mod arguments;
pub mod attempt;
mod held;
mod rows;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use arrow_array::{Array, ArrayRef, new_empty_array};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use arrow_select::concat::concat;

use super::{Calls, Fault, FaultKind, Input, RowError};
use crate::plan::Bound;
use crate::report::Node;
use crate::sandbox::Reuse;
use crate::types::Field;
use arguments::{Arguments, Column};
use attempt::{Attempt, Method};

/// Faults for time that one batch may cost before the rows left are failed without being tried:
/// each takes the whole time limit.
const TIME_FAULTS_MAX: usize = 16;

/// Parts that a batch which fails as a whole is cut into. A fault costs a fresh instance, or the whole time limit,
/// and a good call next to nothing: with 16 one row of 8,192 is found by 5 faults, where halving takes 14.
const PARTS: usize = 16;

/// A row that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Its index in the batch; of a group-mapper, the index of the group.
    pub row: u32,
    /// Why, in one line.
    pub reason: String,
    /// The fault, where the function failed on more than the row's value.
    pub fault: Option<Arc<Fault>>,
    /// The call that it failed in.
    pub attempt: Arc<Attempt>,
}

/// When and for what a call is made.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// What the function's `now` answers.
    pub now: i64,
    /// Where its `random` starts.
    pub seed: u64,
}

/// A function of a step, on one worker.
pub struct Invoker {
    calls: Box<dyn Calls>,
    columns: Vec<Column>,
    outputs: Vec<Field>,
    counters: Arc<Node>,
    instances: u64,
    recycled: u64,
    seed: u64,
}

/// What a call is, and what is held for each of its rows.
struct Making<'a> {
    method: Method,
    /// The accumulator or state of a row, by the row's index in the arguments.
    held: &'a dyn Fn(usize) -> Vec<ArrayRef>,
}

impl Making<'_> {
    /// A call of a function that nothing is held for.
    fn plain(method: Method) -> Self {
        Making { method, held: &|_| Vec::new() }
    }
}

/// A call's row errors and its result.
type Called<T> = Result<(Vec<RowError>, T), Fault>;

impl Invoker {
    /// A callable of a bound function over a stream with these columns.
    pub fn new(bound: &Bound, stream: &[Field], reuse: Reuse, counters: Arc<Node>) -> Self {
        let columns = bound.arguments.iter().map(|argument| Column {
            index: stream.iter().position(|f| f.name == argument.column).expect("the plan has found the column"),
            widen: argument.widen.map(|to| to.arrow()),
            strict: argument.strict,
        });
        Self {
            columns: columns.collect(),
            outputs: bound.function.signature().outputs.clone(),
            calls: bound.function.open(reuse),
            counters,
            instances: 0,
            recycled: 0,
            seed: bound.seed,
        }
    }

    /// Calls for all rows; where that fails, for each of some parts of them, down to the rows at fault. `done`
    /// gets what succeeded, in the rows' order.
    fn isolate<T>(
        &mut self,
        arguments: &Arguments,
        moment: Moment,
        making: &Making<'_>,
        failures: &mut Vec<Failure>,
        mut call: impl FnMut(&mut dyn Calls, Input<'_>, Range<usize>) -> Called<T>,
        mut done: impl FnMut(Range<usize>, T),
    ) {
        let moment = Moment { seed: moment.seed ^ self.seed, ..moment };
        let attempt = |row: usize, rows: usize, tried: bool| {
            let of = arguments.slice(&(row..row + 1));
            Arc::new(Attempt {
                method: making.method,
                moment,
                columns: arguments.columns.iter().map(|c| c.slice(of.start, of.len())).collect(),
                held: (making.held)(row),
                rows,
                tried,
            })
        };
        let mut time_faults = 0;
        let mut open: Vec<Range<usize>> = std::iter::once(0..arguments.rows).collect();
        while let Some(range) = open.pop() {
            if range.is_empty() {
                continue;
            }
            let slices: Vec<ArrayRef>;
            let columns = match range.len() == arguments.rows {
                true => &arguments.columns,
                false => {
                    let rows = arguments.slice(&range);
                    slices = arguments.columns.iter().map(|c| c.slice(rows.start, rows.len())).collect();
                    &slices
                }
            };
            let rows = arguments.slice(&range).len();
            let input = Input { rows, columns, now: moment.now, seed: moment.seed };
            let started = Instant::now();
            let called = call(self.calls.as_mut(), input, range.clone());
            self.count(started);
            let fault = match called {
                Ok((errors, result)) => {
                    failures.extend(errors.iter().map(|e| {
                        let row = range.start + e.row as usize;
                        Failure {
                            row: arguments.row(row) as u32,
                            reason: e.message.clone(),
                            fault: None,
                            attempt: attempt(row, range.len(), true),
                        }
                    }));
                    done(range, result);
                    continue;
                }
                Err(fault) => fault,
            };
            time_faults += usize::from(fault.kind == FaultKind::Time);
            let hopeless = fault.kind == FaultKind::Host || time_faults >= TIME_FAULTS_MAX;
            if range.len() == 1 || hopeless {
                let fault = Arc::new(fault);
                let alone = range.len() == 1;
                let failure = |row| Failure {
                    row: arguments.row(row) as u32,
                    reason: fault.to_string(),
                    fault: Some(Arc::clone(&fault)),
                    attempt: attempt(row, 1, alone),
                };
                failures.extend(range.map(failure));
            } else {
                open.extend(parts(&range).rev());
            }
        }
    }

    fn count(&mut self, started: Instant) {
        Node::add_time(&self.counters.sandbox_ns, started.elapsed());
        self.counters.calls.fetch_add(1, Relaxed);
        let instances = self.calls.instances();
        self.counters.instances.fetch_add(instances - self.instances, Relaxed);
        self.instances = instances;
        let recycled = self.calls.recycled();
        self.counters.recycled.fetch_add(recycled - self.recycled, Relaxed);
        self.recycled = recycled;
    }

    fn joined(&self, mut pieces: impl ExactSizeIterator<Item = Vec<ArrayRef>>) -> Vec<ArrayRef> {
        match pieces.len() {
            0 => self.outputs.iter().map(|f| new_empty_array(&f.data_type.arrow())).collect(),
            1 => pieces.next().unwrap_or_default(),
            _ => {
                let pieces: Vec<_> = pieces.collect();
                let column = |i: usize| {
                    let arrays: Vec<&dyn Array> = pieces.iter().map(|p| p[i].as_ref()).collect();
                    concat(&arrays).expect("pieces of one column have its type")
                };
                (0..self.outputs.len()).map(column).collect()
            }
        }
    }
}

/// The parts of a range, in its order, as equal as they can be.
fn parts(range: &Range<usize>) -> impl DoubleEndedIterator<Item = Range<usize>> + use<> {
    let (start, rows) = (range.start, range.len());
    let count = rows.min(PARTS);
    let cut = move |part: usize| start + rows * part / count;
    (0..count).map(move |part| cut(part)..cut(part + 1))
}

/// A selection without the rows that failed.
pub(crate) fn without<'a>(
    selection: BooleanBuffer,
    failures: impl IntoIterator<Item = &'a Failure, IntoIter: ExactSizeIterator>,
) -> BooleanBuffer {
    let failures = failures.into_iter();
    if failures.len() == 0 {
        return selection;
    }
    let mut bits = BooleanBufferBuilder::new(selection.len());
    bits.append_buffer(&selection);
    failures.for_each(|f| bits.set_bit(f.row as usize, false));
    bits.finish()
}
