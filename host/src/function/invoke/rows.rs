//! The kinds that the host keeps nothing for: map, filter, flat-map, and group-map.

use arrow_array::{ArrayRef, RecordBatch, UInt32Array};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use arrow_select::take::take;

use super::arguments::Arguments;
use super::attempt::Method;
use super::{Failure, Invoker, Making, Moment, without};

impl Invoker {
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
            &Making::plain(Method::Map),
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
            &Making::plain(Method::Filter),
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
            &Making::plain(Method::FlatMap),
            failures,
            |calls, input, _| calls.flat_map(input).map(|e| (e.errors.clone(), e)),
            |range, expanded| pieces.push(arguments.of_the_good(&range, expanded, &mut parents)),
        );
        (self.joined(pieces.into_iter()), parents.into())
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
            &Making::plain(Method::GroupMap),
            failures,
            |calls, input, range| {
                // The groups of a part are counted from its first.
                let from = range.start as u32;
                let of: Vec<u32> = groups[arguments.slice(&range)].iter().map(|group| group - from).collect();
                calls.map_groups(range.len(), &of, input).map(|e| (e.errors.clone(), e))
            },
            |range, expanded| pieces.push(arguments.of_the_good(&range, expanded, &mut parents)),
        );
        (self.joined(pieces.into_iter()), parents.into())
    }
}
