//! The kinds that work on columns which the host keeps: an aggregate's accumulators, a stateful
//! mapper's states. A part of a batch that succeeds hands its columns to the next.

use std::cell::RefCell;

use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_buffer::BooleanBuffer;

use super::arguments::Arguments;
use super::attempt::Method;
use super::{Failure, Invoker, Making, Moment, without};
use crate::function::{Expanded, Input, Stepped};

/// The accumulator or state of a row.
fn of_row(held: &[ArrayRef], group: u32) -> Vec<ArrayRef> {
    held.iter().map(|column| column.slice(group as usize, 1)).collect()
}

impl Invoker {
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
            &Making { method: Method::Accumulate, held: &|row| of_row(&held.borrow(), groups[row]) },
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
            &Making { method: Method::Merge, held: &|row| of_row(&held.borrow(), groups[row]) },
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
            &Making::plain(Method::Finish),
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
            &Making { method: Method::StatefulMap, held: &|row| of_row(&held.borrow(), groups[row]) },
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
}
