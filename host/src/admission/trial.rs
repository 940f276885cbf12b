//! One function, called for whatever it gives, so that two calls can be compared.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch};
use arrow_cast::display::{ArrayFormatter, FormatOptions};

use crate::function::{Calls, Fault, Input, Kind, RowError, Signature};
use crate::sandbox::Instance;
use crate::types::DataType;

/// Rows for each group or key.
const ROWS_PER_GROUP: usize = 4;

/// A function to be tried, with ways to make instances of it.
pub(super) struct Trial<'a> {
    pub(super) signature: &'a Signature,
    /// An instance that is kept from call to call.
    pub(super) reused: &'a dyn Fn() -> Instance,
    /// One that is made anew for every call.
    pub(super) fresh: &'a dyn Fn() -> Instance,
    /// One whose instructions are counted.
    pub(super) counting: &'a dyn Fn() -> Instance,
}

/// What a call gave.
#[derive(Debug)]
pub(super) struct Given {
    columns: Vec<(String, ArrayRef)>,
    errors: Vec<RowError>,
}

impl Trial<'_> {
    /// Calls the function on rows, whatever its kind; an aggregate through to its results.
    pub(super) fn call(&self, instance: &mut Instance, rows: &RecordBatch, seed: u64) -> Result<Given, Fault> {
        let count = rows.num_rows();
        // A time that depends on the seed alone: what it shows of the clock has to be the same, too.
        let input = Input { rows: count, columns: rows.columns(), now: seed as i64 * 1_000_000, seed };
        let groups: Vec<u32> = (0..count).map(|row| (row / ROWS_PER_GROUP) as u32).collect();
        let group_count = count.div_ceil(ROWS_PER_GROUP);
        let Signature { outputs, accumulator, .. } = self.signature;
        let mut given = Given { columns: Vec::new(), errors: Vec::new() };
        match self.signature.kind {
            Kind::Mapper => {
                let mapped = instance.map(input)?;
                given.add(outputs, mapped.outputs);
                given.errors = mapped.errors;
            }
            Kind::Filter => {
                let kept = instance.filter(input)?;
                given.columns.push(("kept".into(), Arc::new(BooleanArray::new(kept.selection, None))));
                given.errors = kept.errors;
            }
            Kind::FlatMapper => {
                let expanded = instance.flat_map(input)?;
                given.columns.push(("parents".into(), Arc::new(expanded.parents)));
                given.add(outputs, expanded.outputs);
                given.errors = expanded.errors;
            }
            Kind::GroupMapper => {
                let expanded = instance.map_groups(group_count, &groups, input)?;
                given.columns.push(("parents".into(), Arc::new(expanded.parents)));
                given.add(outputs, expanded.outputs);
                given.errors = expanded.errors;
            }
            Kind::StatefulMapper => {
                let held = instance.create(group_count)?;
                let states = Input { rows: group_count, columns: &held, ..input };
                let stepped = instance.stateful_map(states, &groups, input)?;
                given.columns.push(("parents".into(), Arc::new(stepped.parents)));
                given.add(outputs, stepped.outputs);
                given.add(accumulator, stepped.states);
                given.errors = stepped.errors;
            }
            Kind::Aggregate => {
                let held = instance.create(group_count)?;
                let accumulators = Input { rows: group_count, columns: &held, ..input };
                let folded = instance.accumulate(accumulators, &groups, input)?;
                let finished = instance.finish(Input { columns: &folded.accumulators, ..accumulators })?;
                given.add(outputs, finished);
                given.errors = folded.errors;
            }
        }
        Ok(given)
    }
}

impl Given {
    fn add(&mut self, fields: &[crate::types::Field], columns: Vec<ArrayRef>) {
        self.columns.extend(fields.iter().map(|f| f.name.clone()).zip(columns));
    }

    /// Where another call's results differ, to the bit; rows that failed mean nothing.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        if self.errors != other.errors {
            let said = |given: &Self| match given.errors.first() {
                Some(error) => format!("row {} failed ({})", error.row, error.message),
                None => "no row failed".to_string(),
            };
            return Some(format!("once {}, once {}", said(self), said(other)));
        }
        let failed = |row: usize| self.errors.binary_search_by_key(&(row as u32), |e| e.row).is_ok();
        for ((name, one), (_, two)) in self.columns.iter().zip(&other.columns) {
            if one.len() != two.len() {
                return Some(format!("`{name}` has once {} and once {} rows", one.len(), two.len()));
            }
            let differs = |row: usize| !failed(row) && one.slice(row, 1).to_data() != two.slice(row, 1).to_data();
            if one.to_data() != two.to_data()
                && let Some(row) = (0..one.len()).find(|row| differs(*row))
            {
                return Some(format!("row {row}: `{name}` is once {} and once {}", text(one, row), text(two, row)));
            }
        }
        None
    }
}

/// Whether two values are the same: of floats, about.
pub(super) fn alike(one: &ArrayRef, two: &ArrayRef) -> bool {
    let near = |a: f64, b: f64, part: f64| {
        a.to_bits() == b.to_bits()
            || (a - b).abs() <= part * a.abs().max(b.abs()).max(1.0)
            || (a.is_nan() && b.is_nan())
    };
    if one.len() != two.len() {
        return false;
    }
    (0..one.len()).all(|row| match (DataType::of(one.data_type()), one.is_null(row), two.is_null(row)) {
        (_, true, true) => true,
        (_, true, false) | (_, false, true) => false,
        (Some(DataType::Float64), ..) => {
            near(one.as_primitive::<Float64Type>().value(row), two.as_primitive::<Float64Type>().value(row), 1e-9)
        }
        (Some(DataType::Float32), ..) => {
            let value = |a: &ArrayRef| f64::from(a.as_primitive::<Float32Type>().value(row));
            near(value(one), value(two), 1e-4)
        }
        _ => one.slice(row, 1).to_data() == two.slice(row, 1).to_data(),
    })
}

/// A value as text.
pub(super) fn text(column: &ArrayRef, row: usize) -> String {
    match ArrayFormatter::try_new(column.as_ref(), &FormatOptions::default().with_null("null")) {
        Ok(formatter) => formatter.value(row).to_string(),
        Err(_) => "?".to_string(),
    }
}

/// A row as text: `(1, a)`, or the value alone where there is one column.
pub(super) fn row_text(columns: &[ArrayRef], row: usize) -> String {
    let values: Vec<_> = columns.iter().map(|c| text(c, row)).collect();
    match values.as_slice() {
        [one] => one.clone(),
        many => format!("({})", many.join(", ")),
    }
}
