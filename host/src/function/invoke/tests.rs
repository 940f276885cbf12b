//! Isolation with native functions that fault on what they do not like.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Int64Array, RecordBatch, UInt32Array};

use super::*;
use crate::function::{Expanded, Folded, Kept, Kind, Mapped, Native, Signature, Stepped};
use crate::plan::{Argument, Function};
use crate::report::NodeKind;
use crate::types::{DataType, arrow_schema};

/// Sums groups, and sums up by key; a batch with 13 is a fault, a negative number an error.
struct Sums;

fn not_this<T>() -> Result<T, Fault> {
    Err(Fault::new(FaultKind::Host, "called as something else"))
}

fn numbers(input: Input<'_>) -> Result<Vec<i64>, Fault> {
    let numbers = input.columns[0].as_primitive::<Int64Type>();
    assert_eq!((numbers.len(), numbers.null_count()), (input.rows, 0));
    match numbers.values().contains(&13) {
        true => Err(Fault::new(FaultKind::Trap, "13")),
        false => Ok(numbers.values().to_vec()),
    }
}

fn column(numbers: Vec<i64>) -> Vec<ArrayRef> {
    vec![Arc::new(Int64Array::from(numbers))]
}

impl Calls for Sums {
    fn map(&mut self, _: Input<'_>) -> Result<Mapped, Fault> {
        not_this()
    }
    fn filter(&mut self, _: Input<'_>) -> Result<Kept, Fault> {
        not_this()
    }
    fn flat_map(&mut self, _: Input<'_>) -> Result<Expanded, Fault> {
        not_this()
    }
    fn create(&mut self, count: usize) -> Result<Vec<ArrayRef>, Fault> {
        Ok(column(vec![0; count]))
    }
    fn accumulate(&mut self, _: Input<'_>, _: &[u32], _: Input<'_>) -> Result<Folded, Fault> {
        not_this()
    }
    fn merge(&mut self, _: Input<'_>, _: &[u32], _: Input<'_>) -> Result<Vec<ArrayRef>, Fault> {
        not_this()
    }
    fn finish(&mut self, _: Input<'_>) -> Result<Vec<ArrayRef>, Fault> {
        not_this()
    }
    fn stateful_map(&mut self, states: Input<'_>, groups: &[u32], input: Input<'_>) -> Result<Stepped, Fault> {
        let mut states = states.columns[0].as_primitive::<Int64Type>().values().to_vec();
        let (mut outputs, mut parents, mut errors) = (Vec::new(), Vec::new(), Vec::new());
        for (row, n) in numbers(input)?.into_iter().enumerate() {
            let row = row as u32;
            // What is put out for a row that fails is not to be seen.
            outputs.push(states[groups[row as usize] as usize] + n);
            parents.push(row);
            match n < 0 {
                true => errors.push(RowError { row, message: "negative".into() }),
                false => states[groups[row as usize] as usize] += n,
            }
        }
        Ok(Stepped { states: column(states), outputs: column(outputs), parents: parents.into(), errors })
    }
    fn map_groups(&mut self, count: usize, groups: &[u32], input: Input<'_>) -> Result<Expanded, Fault> {
        assert!(groups.is_sorted() && groups.iter().all(|g| (*g as usize) < count) && groups.len() == input.rows);
        let mut sums = vec![0; count];
        let mut errors: Vec<RowError> = Vec::new();
        for (n, group) in numbers(input)?.into_iter().zip(groups) {
            sums[*group as usize] += n;
            if n < 0 && errors.last().is_none_or(|e| e.row != *group) {
                errors.push(RowError { row: *group, message: "negative".into() });
            }
        }
        Ok(Expanded { outputs: column(sums), parents: (0..count as u32).collect(), errors })
    }
    fn instances(&self) -> u64 {
        1
    }
}

fn invoker(kind: Kind) -> Invoker {
    let field = |name: &str, nullable| Field::new(name, DataType::Int64, nullable);
    let signature = Signature {
        name: "sums".into(),
        kind,
        doc: String::new(),
        parameters: vec![],
        inputs: vec![field("n", false)],
        outputs: vec![field("sum", false)],
        accumulator: vec![],
        retractable: false,
    };
    let native = Function::Native(Arc::new(Native::new(signature, || Box::new(Sums))));
    let argument = Argument { column: "n".into(), widen: None, strict: true };
    let bound = Bound { label: "native.sums".into(), function: native, arguments: vec![argument], seed: 0 };
    let counters = Arc::new(Node::new("sums", NodeKind::Map, ""));
    Invoker::new(&bound, &[field("n", true)], Reuse::UntilFault, counters)
}

fn rows(numbers: &[Option<i64>]) -> RecordBatch {
    let schema = arrow_schema(&[Field::new("n", DataType::Int64, true)]);
    RecordBatch::try_new(schema, vec![Arc::new(Int64Array::from(numbers.to_vec()))]).expect("a column")
}

const MOMENT: Moment = Moment { now: 0, seed: 0 };

fn sums(outputs: &[ArrayRef], parents: &UInt32Array) -> Vec<(u32, i64)> {
    let sums = outputs[0].as_primitive::<Int64Type>().values().iter().copied();
    parents.values().iter().copied().zip(sums).collect()
}

#[test]
fn a_group_that_faults_costs_no_other_group() {
    // Groups 0 to 4; the second faults, the fourth is of nulls alone, the fifth fails.
    let groups = [0, 0, 1, 1, 2, 3, 4];
    let rows = rows(&[Some(1), None, Some(2), Some(13), Some(5), None, Some(-1)]);
    let mut failures = Vec::new();
    let (outputs, parents) = invoker(Kind::GroupMapper).map_groups(5, &groups, &rows, MOMENT, &mut failures);
    assert_eq!(sums(&outputs, &parents), [(0, 1), (2, 5), (3, 0)]);
    let failed: Vec<_> = failures.iter().map(|f| (f.row, f.fault.is_some())).collect();
    assert_eq!(failed, [(1, true), (4, false)]);
}

#[test]
fn groups_there_are_none_of_are_no_call() {
    let mut failures = Vec::new();
    let (outputs, parents) = invoker(Kind::GroupMapper).map_groups(0, &[], &rows(&[]), MOMENT, &mut failures);
    assert_eq!((outputs.len(), parents.len(), failures.len()), (1, 0, 0));
}

#[test]
fn rows_that_fail_leave_the_states_as_they_were() {
    let groups = [0, 1, 0, 0, 1, 0];
    let rows = rows(&[Some(1), Some(10), Some(13), Some(-5), None, Some(2)]);
    let mut failures = Vec::new();
    let (states, outputs, parents) =
        invoker(Kind::StatefulMapper).stateful_map(column(vec![100, 0]), 2, &groups, &rows, MOMENT, &mut failures);
    assert_eq!(states[0].as_primitive::<Int64Type>().values().as_ref(), [103, 10]);
    assert_eq!(sums(&outputs, &parents), [(0, 101), (1, 10), (5, 103)]);
    let mut failed: Vec<_> = failures.iter().map(|f| (f.row, f.fault.is_some())).collect();
    failed.sort_unstable();
    assert_eq!(failed, [(2, true), (3, false)]);
}

#[test]
fn parts_are_all_rows_in_their_order() {
    for rows in [2, 3, 15, 16, 17, 100, 8192] {
        let of: Vec<Range<usize>> = parts(&(7..7 + rows)).collect();
        assert_eq!((of[0].start, of[of.len() - 1].end), (7, 7 + rows));
        assert!(of.windows(2).all(|w| w[0].end == w[1].start), "{of:?}");
        assert!(of.iter().all(|part| !part.is_empty() && part.len() <= rows.div_ceil(PARTS)), "{of:?}");
        assert_eq!(of.len(), rows.min(PARTS));
    }
}

#[test]
fn one_row_of_many_is_found_by_few_faults() {
    let mut numbers = vec![Some(1); 8192];
    numbers[4711] = Some(13);
    let groups: Vec<u32> = (0..8192).collect();
    let mut invoker = invoker(Kind::GroupMapper);
    let mut failures = Vec::new();
    let (outputs, _) = invoker.map_groups(8192, &groups, &rows(&numbers), MOMENT, &mut failures);
    assert_eq!((outputs[0].len(), failures.len(), failures[0].row), (8191, 1, 4711));
    // The batch, and parts of 512, 32, 2 and 1 rows of which one fails.
    assert_eq!(invoker.counters.calls.load(Relaxed), 1 + 16 + 16 + 16 + 2);
}
