//! Rows out for each whole group of rows.

use std::fmt::Display;
use std::ops::Range;

use super::aggregate::groups_of_rows;
use crate::accumulator::finish;
use crate::bindings::exports::weir::udf::group_mapper::Grouped;
use crate::bindings::weir::udf::types::RowError;
use crate::output::{Outcome, Output, message};

/// One row out for each group; a group whose result is `Err` fails.
#[inline]
pub fn map_groups<O: Outcome>(
    count: u32,
    groups: &[u8],
    rows: usize,
    mut f: impl FnMut(Range<usize>) -> O,
) -> Result<Grouped, String> {
    run(count, groups, rows, |range| f(range).outcome().map(Some))
}

/// Any number of rows out for each group.
#[inline]
pub fn map_groups_to_rows<I: IntoIterator<Item: Output>>(
    count: u32,
    groups: &[u8],
    rows: usize,
    mut f: impl FnMut(Range<usize>) -> I,
) -> Result<Grouped, String> {
    run(count, groups, rows, |range| Ok(f(range)))
}

/// The same where a group may fail.
#[inline]
pub fn map_groups_to_rows_result<I: IntoIterator<Item: Output>, E: Display>(
    count: u32,
    groups: &[u8],
    rows: usize,
    mut f: impl FnMut(Range<usize>) -> Result<I, E>,
) -> Result<Grouped, String> {
    run(count, groups, rows, |range| f(range).map_err(message))
}

/// Calls `f` with the rows of each group.
fn run<I: IntoIterator<Item: Output>>(
    count: u32,
    groups: &[u8],
    rows: usize,
    mut f: impl FnMut(Range<usize>) -> Result<I, String>,
) -> Result<Grouped, String> {
    let groups = groups_of_rows(groups, rows)?;
    let mut capacity = count as usize;
    let mut columns = I::Item::columns(capacity);
    let mut parents = Vec::with_capacity(capacity);
    let mut errors = Vec::new();
    let mut start = 0;
    for group in 0..count {
        let of = groups[start..].iter().take_while(|of| u32::from_le_bytes(**of) == group).count();
        let range = start..start + of;
        start = range.end;
        let values = match f(range) {
            Ok(values) => values,
            Err(message) => {
                errors.push(RowError { row: group, message });
                continue;
            }
        };
        for value in values {
            if parents.len() == capacity {
                capacity = (capacity * 2).max(64);
                I::Item::grow(&mut columns, capacity);
            }
            value.put(&mut columns, parents.len());
            parents.push(group.to_le_bytes());
        }
    }
    if let Some(stray) = groups.get(start) {
        let group = u32::from_le_bytes(*stray);
        return Err(format!(
            "groups: row {start} is of group {group}, which is over or not among the {count} there are"
        ));
    }
    let output = finish::<I::Item>(columns, parents.len())?;
    Ok(Grouped { output, parents: parents.into_flattened(), errors })
}
