//! Functions with a state: what they give, what they leave behind, what the catalog says of them.

extern crate weir_guest as weir;

use weir::testing::{Kind, batch, groups, parents, rows, signature, stateful, stateful_map, with_parameters};

/// What is left on an account.
#[weir::stateful_map]
fn balance(state: &mut i64, amount: i64, #[param(default = 1)] factor: i64) -> i64 {
    *state += amount * factor;
    *state
}

/// The value before; none for the first.
#[weir::stateful_map(output = "before")]
fn previous(last: &mut Option<String>, value: &str) -> Option<String> {
    last.replace(value.to_owned())
}

/// Whether it is the first of its key.
#[weir::stateful_filter]
fn first(seen: &mut bool) -> bool {
    !std::mem::replace(seen, true)
}

/// A count and the largest.
#[derive(weir::Accumulator, Clone, Default)]
struct Seen {
    rows: i64,
    largest: Option<f64>,
}

/// A new largest.
#[derive(weir::Row)]
struct Record {
    at_row: i64,
    value: f64,
}

#[weir::stateful_flat_map]
fn records(seen: &mut Seen, value: f64) -> Option<Record> {
    seen.rows += 1;
    let record = seen.largest.is_none_or(|largest| value > largest);
    record.then(|| {
        seen.largest = Some(value);
        Record { at_row: seen.rows, value }
    })
}

/// Fails on a negative number, once it has spoilt the state.
#[weir::stateful_map]
fn picky(state: &mut i64, n: i64) -> Result<i64, String> {
    *state += n;
    if n < 0 { Err(format!("{n} is negative")) } else { Ok(*state) }
}

#[weir::stateful_filter]
fn picky_filter(state: &mut i64, n: i64) -> Result<bool, &'static str> {
    *state += 1;
    if n < 0 { Err("negative") } else { Ok(*state % 2 == 1) }
}

#[weir::stateful_flat_map]
fn picky_rows(state: &mut i64, n: i64) -> Result<Vec<i64>, String> {
    *state += 1;
    if n < 0 { Err("negative".to_owned()) } else { Ok(vec![*state; n as usize]) }
}

#[test]
fn the_catalog_knows_the_state() {
    let of = signature::<balance>();
    assert_eq!(
        (of.name.as_str(), of.kind, of.doc.as_str()),
        ("balance", Kind::StatefulMapper, "What is left on an account.")
    );
    let names = |fields: &[weir::testing::Field]| fields.iter().map(|f| f.name.clone()).collect::<Vec<_>>();
    assert_eq!(
        (names(&of.inputs), names(&of.outputs), names(&of.accumulator)),
        (vec!["amount".to_owned()], vec!["balance".to_owned()], vec!["value".to_owned()])
    );
    assert_eq!(of.parameters[0].name, "factor");
    assert!(signature::<previous>().accumulator[0].nullable);
    assert_eq!(names(&signature::<previous>().outputs), ["before"]);
    assert_eq!((names(&signature::<first>().inputs), signature::<first>().outputs), (vec![], vec![]));
    assert_eq!(names(&signature::<records>().accumulator), ["rows", "largest"]);
    assert_eq!(names(&signature::<records>().outputs), ["at_row", "value"]);
}

#[test]
fn each_key_has_a_state_of_its_own() {
    let calls = stateful::<balance>().unwrap();
    let states = (calls.create)(2).unwrap();
    let stepped = (calls.step)(states, groups(&[0, 1, 0, 1]), batch([5_i64, 7, -3, 1])).unwrap();
    assert_eq!(rows::<i64>(&stepped.output), Ok(vec![5, 7, 2, 8]));
    assert_eq!(parents(&stepped.parents), [0, 1, 2, 3]);
    assert_eq!(rows::<i64>(&stepped.states), Ok(vec![2, 8]));
    let stepped = (calls.step)(stepped.states, groups(&[1]), batch([100_i64])).unwrap();
    assert_eq!(rows::<i64>(&stepped.output), Ok(vec![108]));
    assert_eq!(rows::<i64>(&stepped.states), Ok(vec![2, 108]));
}

#[test]
fn nulls_rows_that_pass_and_rows_that_are_none() {
    let before = stateful_map::<previous>(batch(["a", "b", "c"])).unwrap();
    assert_eq!(rows::<Option<String>>(&before.output), Ok(vec![None, Some("a".into()), Some("b".into())]));

    let calls = stateful::<first>().unwrap();
    let input = weir::testing::Batch { rows: 4, columns: vec![] };
    let passed = (calls.step)((calls.create)(3).unwrap(), groups(&[2, 2, 0, 2]), input).unwrap();
    assert_eq!((parents(&passed.parents), passed.output.rows, passed.output.columns.len()), (vec![0, 2], 2, 0));
    assert_eq!(rows::<bool>(&passed.states), Ok(vec![true, false, true]));

    let found = stateful_map::<records>(batch([1.0, 0.5, 3.0, 3.0, 4.0])).unwrap();
    assert_eq!(parents(&found.parents), [0, 2, 4]);
    assert_eq!(found.output.rows, 3);
    assert_eq!(
        rows::<i64>(&weir::testing::Batch { rows: 3, columns: vec![found.output.columns[0].clone()] }),
        Ok(vec![1, 3, 5])
    );
}

#[test]
fn a_row_that_fails_leaves_its_state_as_it_was() {
    let stepped = stateful_map::<picky>(batch([1_i64, -100, 2])).unwrap();
    assert_eq!((parents(&stepped.parents), rows::<i64>(&stepped.output)), (vec![0, 2], Ok(vec![1, 3])));
    assert_eq!((stepped.errors[0].row, stepped.errors[0].message.as_str()), (1, "-100 is negative"));
    assert_eq!(rows::<i64>(&stepped.states), Ok(vec![3]));

    let stepped = stateful_map::<picky_filter>(batch([1_i64, -1, 1, 1])).unwrap();
    assert_eq!((parents(&stepped.parents), stepped.errors.len()), (vec![0, 3], 1));
    assert_eq!(rows::<i64>(&stepped.states), Ok(vec![3]));

    let stepped = stateful_map::<picky_rows>(batch([2_i64, -1, 0, 1])).unwrap();
    assert_eq!((parents(&stepped.parents), rows::<i64>(&stepped.output)), (vec![0, 0, 3], Ok(vec![1, 1, 3])));
}

#[test]
fn parameters_reach_it_and_are_checked_before_the_first_row() {
    let calls = stateful::<balance>().unwrap();
    let three = with_parameters(&[("factor", "3")], || stateful_map::<balance>(batch([1_i64, 2])));
    assert_eq!(rows::<i64>(&three.unwrap().output), Ok(vec![3, 9]));
    let error = with_parameters(&[("factor", "x")], || (calls.create)(1)).unwrap_err();
    assert!(error.starts_with("parameter `factor`: `x`"), "{error}");
}

#[test]
fn groups_that_there_are_not_are_refused() {
    let calls = stateful::<balance>().unwrap();
    let states = || (calls.create)(1).unwrap();
    let error = (calls.step)(states(), groups(&[0, 1]), batch([1_i64, 2])).unwrap_err();
    assert_eq!(error, "groups: row 1 is of group 1; there are 1");
    assert!((calls.step)(states(), groups(&[0]), batch([1_i64, 2])).unwrap_err().starts_with("groups: "));
}
