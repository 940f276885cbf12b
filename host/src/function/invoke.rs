//! A function called on rows as they come: columns found and widened, rows that the function is
//! not meant to see passed by, and a batch that fails as a whole halved down to the rows at fault.
//!
//! In come the columns of a stream, out go results for the rows that succeeded and a [`Failure`]
//! for each that did not. What becomes of failures is for others to say.

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, UInt32Array, new_empty_array};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, NullBuffer};
use arrow_cast::cast;
use arrow_select::concat::concat;
use arrow_select::filter::filter;
use arrow_select::take::take;

use super::{Calls, Expanded, Fault, FaultKind, Input, RowError, Stepped};
use crate::plan::Bound;
use crate::report::Node;
use crate::sandbox::Reuse;
use crate::types::Field;

/// Faults for time that one batch may cost before the rows left are failed without being tried:
/// each takes the whole time limit.
const TIME_FAULTS_MAX: usize = 16;

/// A row that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its index in the batch; of a group-mapper, the index of the group.
    pub row: u32,
    /// Why, in one line.
    pub reason: String,
    /// The fault, where the function failed on more than the row's value.
    pub fault: Option<Arc<Fault>>,
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
}

/// A call's row errors and its result.
type Called<T> = Result<(Vec<RowError>, T), Fault>;

struct Column {
    index: usize,
    widen: Option<arrow_schema::DataType>,
    strict: bool,
}

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
        }
    }

    /// Calls a mapper: the outputs for the rows that did not fail, and which those are.
    pub fn map(
        &mut self,
        rows: &RecordBatch,
        moment: Moment,
        failures: &mut Vec<Failure>,
    ) -> (Vec<ArrayRef>, BooleanBuffer) {
        let arguments = self.arguments(rows);
        let failed = failures.len();
        let mut pieces = Vec::new();
        self.isolate(
            &arguments,
            moment,
            failures,
            |calls, input, _| calls.map(input).map(|m| (m.errors, m.outputs)),
            |range, outputs| pieces.push((range, outputs)),
        );
        let failures = &failures[failed..];
        let kept = without(BooleanBuffer::new_set(rows.num_rows()), failures);
        if arguments.present.is_none() && pieces.len() == 1 && failures.is_empty() {
            return (pieces.swap_remove(0).1, kept);
        }
        // Each kept row's place in the outputs; none where the function was not meant to see it.
        let mut places: Vec<Option<u32>> = vec![None; rows.num_rows()];
        let mut place = 0;
        for (range, _) in &pieces {
            for row in range.clone() {
                places[arguments.row(row)] = Some(place);
                place += 1;
            }
        }
        let places: UInt32Array = kept.set_indices().map(|row| places[row]).collect();
        let pick = |output: &ArrayRef| take(output, &places, None).expect("places are rows of the outputs");
        let outputs = self.joined(pieces.into_iter().map(|(_, outputs)| outputs)).iter().map(pick).collect();
        (outputs, kept)
    }

    /// Calls a filter. Rows that fail or have no value for it are not kept.
    pub fn filter(&mut self, rows: &RecordBatch, moment: Moment, failures: &mut Vec<Failure>) -> BooleanBuffer {
        let arguments = self.arguments(rows);
        let failed = failures.len();
        let mut kept = BooleanBufferBuilder::new(arguments.rows);
        self.isolate(
            &arguments,
            moment,
            failures,
            |calls, input, _| calls.filter(input).map(|k| (k.errors, k.selection)),
            |range, selection| {
                kept.append_n(range.start - kept.len(), false);
                kept.append_buffer(&selection);
            },
        );
        kept.append_n(arguments.rows - kept.len(), false);
        without(arguments.spread(kept.finish()), &failures[failed..])
    }

    /// Calls a flat-mapper: its outputs, and for each the row it came from.
    pub fn flat_map(
        &mut self,
        rows: &RecordBatch,
        moment: Moment,
        failures: &mut Vec<Failure>,
    ) -> (Vec<ArrayRef>, UInt32Array) {
        let arguments = self.arguments(rows);
        let mut pieces: Vec<Vec<ArrayRef>> = Vec::new();
        let mut parents: Vec<u32> = Vec::new();
        self.isolate(
            &arguments,
            moment,
            failures,
            |calls, input, _| calls.flat_map(input).map(|e| (e.errors.clone(), e)),
            |range, expanded| pieces.push(arguments.of_the_good(&range, expanded, &mut parents)),
        );
        (self.joined(pieces.into_iter()), parents.into())
    }

    /// Folds rows into `count` accumulators. `groups` has each row's accumulator; rows that fail
    /// leave the accumulators as they were.
    pub fn accumulate(
        &mut self,
        accumulators: Vec<ArrayRef>,
        count: usize,
        groups: &[u32],
        rows: &RecordBatch,
        moment: Moment,
        failures: &mut Vec<Failure>,
    ) -> Vec<ArrayRef> {
        let arguments = self.arguments(rows);
        let groups = arguments.groups_of_present(groups);
        let held = RefCell::new(accumulators);
        self.isolate(
            &arguments,
            moment,
            failures,
            |calls, input, range| {
                let held = held.borrow();
                let accumulators = Input { rows: count, columns: &held, ..input };
                calls.accumulate(accumulators, &groups[range], input).map(|f| (f.errors, f.accumulators))
            },
            |_, folded| *held.borrow_mut() = folded,
        );
        held.into_inner()
    }

    /// Folds other accumulators, which `groups` has the targets of, into `count` accumulators. A
    /// failure has the index of the one that was to be merged.
    pub fn merge(
        &mut self,
        accumulators: Vec<ArrayRef>,
        count: usize,
        groups: &[u32],
        others: Vec<ArrayRef>,
        moment: Moment,
        failures: &mut Vec<Failure>,
    ) -> Vec<ArrayRef> {
        let arguments = Arguments { columns: others, rows: groups.len(), present: None, starts: None };
        let held = RefCell::new(accumulators);
        self.isolate(
            &arguments,
            moment,
            failures,
            |calls, input, range| {
                let held = held.borrow();
                let accumulators = Input { rows: count, columns: &held, ..input };
                calls.merge(accumulators, &groups[range], input).map(|merged| (Vec::new(), merged))
            },
            |_, merged| *held.borrow_mut() = merged,
        );
        held.into_inner()
    }

    /// The outputs of accumulators that did not fail, and which those are.
    pub fn finish(
        &mut self,
        accumulators: &[ArrayRef],
        count: usize,
        moment: Moment,
        failures: &mut Vec<Failure>,
    ) -> (Vec<ArrayRef>, BooleanBuffer) {
        let arguments = Arguments { columns: accumulators.to_vec(), rows: count, present: None, starts: None };
        let failed = failures.len();
        let mut pieces = Vec::new();
        self.isolate(
            &arguments,
            moment,
            failures,
            |calls, input, _| calls.finish(input).map(|outputs| (Vec::new(), outputs)),
            |_, outputs| pieces.push(outputs),
        );
        let kept = without(BooleanBuffer::new_set(count), &failures[failed..]);
        (self.joined(pieces.into_iter()), kept)
    }

    /// Calls a stateful mapper with `count` states, which `groups` has each row's of: the states
    /// after, the outputs, and for each the row it came from. Rows that fail leave the states as they
    /// were and have no outputs.
    pub fn stateful_map(
        &mut self,
        states: Vec<ArrayRef>,
        count: usize,
        groups: &[u32],
        rows: &RecordBatch,
        moment: Moment,
        failures: &mut Vec<Failure>,
    ) -> (Vec<ArrayRef>, Vec<ArrayRef>, UInt32Array) {
        let arguments = self.arguments(rows);
        let groups = arguments.groups_of_present(groups);
        let held = RefCell::new(states);
        let mut pieces: Vec<Vec<ArrayRef>> = Vec::new();
        let mut parents: Vec<u32> = Vec::new();
        self.isolate(
            &arguments,
            moment,
            failures,
            |calls, input, range| {
                let held = held.borrow();
                let states = Input { rows: count, columns: &held, ..input };
                calls.stateful_map(states, &groups[range], input).map(|s| (s.errors.clone(), s))
            },
            |range, Stepped { states, outputs, parents: of, errors }| {
                *held.borrow_mut() = states;
                let expanded = Expanded { outputs, parents: of, errors };
                pieces.push(arguments.of_the_good(&range, expanded, &mut parents));
            },
        );
        (held.into_inner(), self.joined(pieces.into_iter()), parents.into())
    }

    /// Calls a group-mapper: its outputs, and for each the group it came from. `groups` has each row's
    /// group, never decreasing and below `count`. A failure has the index of the group, which then
    /// has no outputs.
    pub fn map_groups(
        &mut self,
        count: usize,
        groups: &[u32],
        rows: &RecordBatch,
        moment: Moment,
        failures: &mut Vec<Failure>,
    ) -> (Vec<ArrayRef>, UInt32Array) {
        let arguments = self.arguments(rows);
        let groups = arguments.groups_of_present(groups).into_owned();
        let starts = (0..=count as u32).map(|group| groups.partition_point(|g| *g < group)).collect();
        let arguments = Arguments { rows: count, starts: Some(starts), ..arguments };
        let mut pieces: Vec<Vec<ArrayRef>> = Vec::new();
        let mut parents: Vec<u32> = Vec::new();
        self.isolate(
            &arguments,
            moment,
            failures,
            |calls, input, range| {
                // The groups of a half are counted from its first.
                let from = range.start as u32;
                let of: Vec<u32> = groups[arguments.slice(&range)].iter().map(|group| group - from).collect();
                calls.map_groups(range.len(), &of, input).map(|e| (e.errors.clone(), e))
            },
            |range, expanded| pieces.push(arguments.of_the_good(&range, expanded, &mut parents)),
        );
        (self.joined(pieces.into_iter()), parents.into())
    }

    /// Calls for all rows; where that fails, for each half, down to the rows at fault. `done` gets
    /// what succeeded, in the rows' order.
    fn isolate<T>(
        &mut self,
        arguments: &Arguments,
        moment: Moment,
        failures: &mut Vec<Failure>,
        mut call: impl FnMut(&mut dyn Calls, Input<'_>, Range<usize>) -> Called<T>,
        mut done: impl FnMut(Range<usize>, T),
    ) {
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
                    let row = |e: &RowError| arguments.row(range.start + e.row as usize) as u32;
                    failures.extend(errors.iter().map(|e| Failure {
                        row: row(e),
                        reason: e.message.clone(),
                        fault: None,
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
                let failure = |row| Failure {
                    row: arguments.row(row) as u32,
                    reason: fault.to_string(),
                    fault: Some(Arc::clone(&fault)),
                };
                failures.extend(range.map(failure));
            } else {
                let middle = range.start + range.len() / 2;
                open.push(middle..range.end);
                open.push(range.start..middle);
            }
        }
    }

    fn count(&mut self, started: Instant) {
        Node::add_time(&self.counters.sandbox_ns, started.elapsed());
        self.counters.calls.fetch_add(1, Relaxed);
        let instances = self.calls.instances();
        self.counters.instances.fetch_add(instances - self.instances, Relaxed);
        self.instances = instances;
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

    fn arguments(&self, rows: &RecordBatch) -> Arguments {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.columns.len());
        let mut present: Option<NullBuffer> = None;
        for column in &self.columns {
            let array = rows.column(column.index);
            columns.push(match &column.widen {
                None => Arc::clone(array),
                Some(to) => cast(array, to).expect("the plan widens only what can be"),
            });
            if column.strict && array.null_count() > 0 {
                present = NullBuffer::union(present.as_ref(), array.nulls());
            }
        }
        let Some(present) = present.map(|p| p.inner().clone()) else {
            return Arguments { columns, rows: rows.num_rows(), present: None, starts: None };
        };
        let mask = BooleanArray::new(present.clone(), None);
        let columns = columns.iter().map(|c| picked(c, &mask)).collect();
        let indices = present.set_indices().map(|row| row as u32).collect::<Vec<_>>();
        Arguments { columns, rows: indices.len(), present: Some(Present { bits: present, indices }), starts: None }
    }
}

/// What a function is called with.
struct Arguments {
    columns: Vec<ArrayRef>,
    /// What the call is for: its rows, or its groups.
    rows: usize,
    /// The rows that the function sees, where that is not all.
    present: Option<Present>,
    /// Where the call is for groups: each group's first row, and where the last one ends.
    starts: Option<Vec<usize>>,
}

struct Present {
    bits: BooleanBuffer,
    indices: Vec<u32>,
}

impl Present {
    fn set_indices(&self) -> impl Iterator<Item = usize> {
        self.indices.iter().map(|row| *row as usize)
    }
}

impl Arguments {
    /// The row of the stream's batch that a row of the call is; a group is itself.
    fn row(&self, row: usize) -> usize {
        match (&self.present, &self.starts) {
            (Some(present), None) => present.indices[row] as usize,
            _ => row,
        }
    }

    /// The rows of the columns that some of the call's rows or groups are.
    fn slice(&self, range: &Range<usize>) -> Range<usize> {
        self.starts.as_ref().map_or(range.clone(), |starts| starts[range.start]..starts[range.end])
    }

    /// The groups of the rows that the function sees.
    fn groups_of_present<'a>(&self, groups: &'a [u32]) -> Cow<'a, [u32]> {
        match &self.present {
            None => Cow::Borrowed(groups),
            Some(present) => Cow::Owned(present.set_indices().map(|row| groups[row]).collect()),
        }
    }

    /// The outputs of those of the call's rows that did not fail; adds where they came from to
    /// `parents`.
    fn of_the_good(&self, range: &Range<usize>, expanded: Expanded, parents: &mut Vec<u32>) -> Vec<ArrayRef> {
        let Expanded { outputs, parents: of, errors } = expanded;
        let row = |parent: &u32| self.row(range.start + *parent as usize) as u32;
        if errors.is_empty() {
            parents.extend(of.values().iter().map(row));
            return outputs;
        }
        // A row that failed half way has no outputs.
        let good = |row: u32| errors.binary_search_by_key(&row, |e| e.row).is_err();
        let mask: BooleanArray = of.values().iter().map(|p| Some(good(*p))).collect();
        parents.extend(of.values().iter().filter(|p| good(**p)).map(row));
        outputs.iter().map(|o| picked(o, &mask)).collect()
    }

    /// A selection among the call's rows as one among the stream's.
    fn spread(&self, selection: BooleanBuffer) -> BooleanBuffer {
        let Some(present) = &self.present else { return selection };
        let mut spread = BooleanBufferBuilder::new(present.bits.len());
        spread.append_n(present.bits.len(), false);
        for row in selection.set_indices() {
            spread.set_bit(present.indices[row] as usize, true);
        }
        spread.finish()
    }
}

fn picked(array: &ArrayRef, mask: &BooleanArray) -> ArrayRef {
    filter(array, mask).expect("the mask is as long as the column")
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
