//! One case's calls, and what they give as JSON.

use std::ops::Range;

use arrow_array::{ArrayRef, UInt32Array};
use arrow_select::concat::concat;
use serde_json::{Value, json};

use super::value;
use crate::function::{Calls, Fault, Input, Kind, RowError, Signature};

/// How the rows of a case are handed over. Results must not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// All in one call.
    Whole,
    /// In two calls; an aggregate's halves are folded apart and merged.
    Halves,
    /// One in each call.
    Rows,
    /// In two calls, each of a new instance.
    Fresh,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Whole, Self::Halves, Self::Rows, Self::Fresh];

    /// In a table's head.
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole => "at once",
            Self::Halves => "in halves",
            Self::Rows => "row by row",
            Self::Fresh => "fresh",
        }
    }

    /// The parts that rows are cut into. A group map has to see whole groups.
    fn cuts(self, kind: Kind, rows: usize) -> Vec<Range<usize>> {
        let ends: Vec<usize> = match self {
            _ if kind == Kind::GroupMapper => vec![rows],
            Self::Whole => vec![rows],
            Self::Halves | Self::Fresh => vec![rows / 2, rows],
            Self::Rows => (1..=rows).collect(),
        };
        let starts = std::iter::once(0).chain(ends.iter().copied());
        starts.zip(ends.iter()).map(|(start, end)| start..*end).collect()
    }

    /// Makes the calls. What they give is, by kind:
    ///
    /// - map: for each row the output row; filter: whether it is kept;
    /// - flat map and stateful map: for each row the list of its output rows; group map: the same for each
    ///   group;
    /// - aggregate: for each group the output row, then the rows that failed.
    ///
    /// In place of a row or group that failed stands `{"row-error": ".."}`, and in place of all
    /// `{"fault": ".."}` where a call failed, with what it had logged.
    pub(super) fn run(self, calls: &mut dyn Calls, call: &Call<'_>) -> (Value, Vec<String>) {
        match call.run(calls, &self.cuts(call.signature.kind, call.rows)) {
            Ok(values) => (Value::Array(values), Vec::new()),
            Err(fault) => (json!({ "fault": fault.message }), fault.log),
        }
    }
}

/// A function's rows, as columns.
pub(super) struct Call<'a> {
    pub(super) signature: &'a Signature,
    pub(super) columns: &'a [ArrayRef],
    pub(super) rows: usize,
    pub(super) groups: &'a [u32],
    pub(super) now: i64,
}

impl Call<'_> {
    fn run(&self, calls: &mut dyn Calls, cuts: &[Range<usize>]) -> Result<Vec<Value>, Fault> {
        let outputs = &self.signature.outputs;
        let count = self.groups.iter().max().map_or(1, |max| *max as usize + 1);
        let mut results = Vec::new();
        let mut held = match self.signature.kind {
            Kind::Aggregate | Kind::StatefulMapper => calls.create(count)?,
            _ => Vec::new(),
        };
        let mut late = Vec::new();
        for (index, cut) in cuts.iter().enumerate() {
            let columns: Vec<ArrayRef> = self.columns.iter().map(|c| c.slice(cut.start, cut.len())).collect();
            let input = self.input(cut.len(), &columns);
            let groups = &self.groups[cut.clone()];
            match self.signature.kind {
                Kind::Mapper => {
                    let mapped = calls.map(input)?;
                    let rows = value::rows(outputs, &mapped.outputs, cut.len());
                    results.extend(with_errors(rows.into_iter().map(Value::Object), &mapped.errors));
                }
                Kind::Filter => {
                    let kept = calls.filter(input)?;
                    results.extend(with_errors(kept.selection.iter().map(Value::Bool), &kept.errors));
                }
                Kind::FlatMapper => {
                    let expanded = calls.flat_map(input)?;
                    results.extend(self.by_parent(cut.len(), &expanded.outputs, &expanded.parents, &expanded.errors));
                }
                Kind::StatefulMapper => {
                    let stepped = calls.stateful_map(self.input(count, &held), groups, input)?;
                    results.extend(self.by_parent(cut.len(), &stepped.outputs, &stepped.parents, &stepped.errors));
                    held = stepped.states;
                }
                Kind::GroupMapper => {
                    let grouped = calls.map_groups(count, groups, input)?;
                    results.extend(self.by_parent(count, &grouped.outputs, &grouped.parents, &grouped.errors));
                }
                Kind::Aggregate => {
                    let apart = if index == 0 { held.clone() } else { calls.create(count)? };
                    let folded = calls.accumulate(self.input(count, &apart), groups, input)?;
                    held =
                        if index == 0 { folded.accumulators } else { self.merge(calls, &held, &folded.accumulators)? };
                    late.extend(
                        folded
                            .errors
                            .iter()
                            .map(|e| json!({ "row-error": e.message, "row": e.row as usize + cut.start })),
                    );
                }
            }
        }
        if self.signature.kind == Kind::Aggregate {
            let finished = calls.finish(self.input(count, &held))?;
            results.extend(value::rows(outputs, &finished, count).into_iter().map(Value::Object));
            results.extend(late);
        }
        Ok(results)
    }

    fn input<'a>(&self, rows: usize, columns: &'a [ArrayRef]) -> Input<'a> {
        Input { rows, columns, now: self.now, seed: 0 }
    }

    /// Folds one part's accumulators into another's. Both are given doubled, so that what the guest
    /// merges is found by its group and not by its place.
    fn merge(&self, calls: &mut dyn Calls, one: &[ArrayRef], other: &[ArrayRef]) -> Result<Vec<ArrayRef>, Fault> {
        let rows = one.first().map_or(0, |c| c.len());
        let none = calls.create(rows)?;
        let bug = |e: arrow_schema::ArrowError| Fault::contract(e.to_string());
        let both = one.iter().zip(other).map(|(a, b)| concat(&[a.as_ref(), b.as_ref()]));
        let both: Vec<ArrayRef> = both.collect::<Result<_, _>>().map_err(bug)?;
        let groups: Vec<u32> = (0..rows as u32).chain(0..rows as u32).collect();
        calls.merge(self.input(rows, &none), &groups, self.input(rows * 2, &both))
    }

    /// For each parent the list of its rows, or its error.
    fn by_parent(&self, count: usize, columns: &[ArrayRef], parents: &UInt32Array, errors: &[RowError]) -> Vec<Value> {
        let rows = value::rows(&self.signature.outputs, columns, parents.len());
        let mut lists = vec![Vec::new(); count];
        for (parent, row) in parents.values().iter().zip(rows) {
            lists[*parent as usize].push(Value::Object(row));
        }
        with_errors(lists.into_iter().map(Value::Array), errors)
    }
}

fn with_errors(values: impl Iterator<Item = Value>, errors: &[RowError]) -> Vec<Value> {
    let mut values: Vec<Value> = values.collect();
    for error in errors {
        values[error.row as usize] = json!({ "row-error": error.message });
    }
    values
}
