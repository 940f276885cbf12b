//! Functions of whole groups.

extern crate weir_guest as weir;

use weir::Timestamp;
use weir::testing::{Kind, batch, group_map, parents, rows, signature};

/// The middle of the sorted values.
#[weir::group_map]
fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

/// A row of two columns.
#[derive(weir::Row)]
struct Named<'a> {
    name: &'a str,
    since: Timestamp,
}

/// Each name once, when it came first.
#[weir::group_flat_map]
fn names<'a>(name: &[&'a str], at: &[Timestamp], #[param(default = "")] prefix: &str) -> Vec<Named<'a>> {
    let mut seen = std::collections::BTreeMap::new();
    for (name, at) in name.iter().zip(at).filter(|(name, _)| name.starts_with(prefix)) {
        seen.entry(*name).or_insert(*at);
    }
    seen.into_iter().map(|(name, since)| Named { name, since }).collect()
}

/// How many are null; fails where all are.
#[weir::group_map(name = "nulls")]
fn count_nulls(n: &[Option<i64>]) -> Result<i64, String> {
    match n.iter().filter(|n| n.is_none()).count() {
        all if all == n.len() && all > 0 => Err("only nulls".to_owned()),
        some => Ok(some as i64),
    }
}

#[weir::group_flat_map]
fn pairs(b: &[bool]) -> Result<Vec<i64>, &'static str> {
    if b.len() % 2 == 1 { Err("odd") } else { Ok((0..b.len() as i64 / 2).collect()) }
}

#[derive(weir::Row)]
struct Event {
    name: String,
    at: Timestamp,
}

#[test]
fn the_catalog_has_columns_and_no_state() {
    let of = signature::<names>();
    assert_eq!((of.kind, of.accumulator.len(), of.parameters.len()), (Kind::GroupMapper, 0, 1));
    let names: Vec<_> = of.inputs.iter().chain(&of.outputs).map(|f| (f.name.as_str(), f.nullable)).collect();
    assert_eq!(names, [("name", false), ("at", false), ("name", false), ("since", false)]);
    let of = signature::<count_nulls>();
    assert_eq!((of.name.as_str(), of.inputs[0].nullable, of.outputs[0].name.as_str()), ("nulls", true, "count_nulls"));
}

#[test]
fn a_row_for_each_group_the_empty_ones_too() {
    let medians = group_map::<median>(4, &[0, 0, 0, 2, 2], batch([3.0, 1.0, 2.0, 4.0, 5.0])).unwrap();
    assert_eq!(rows::<Option<f64>>(&medians.output), Ok(vec![Some(2.0), None, Some(4.5), None]));
    assert_eq!(parents(&medians.parents), [0, 1, 2, 3]);
    let none = group_map::<median>(0, &[], batch::<f64>([])).unwrap();
    assert_eq!(none.output.rows, 0);
}

#[test]
fn any_number_of_rows_for_each_group() {
    let event = |name: &str, at| Event { name: name.to_owned(), at: Timestamp(at) };
    let input = batch([event("b", 1), event("a", 2), event("b", 3), event("c", 4)]);
    let found = group_map::<names>(2, &[0, 0, 0, 1], input).unwrap();
    assert_eq!(parents(&found.parents), [0, 0, 1]);
    let column = |index: usize| weir::testing::Batch { rows: 3, columns: vec![found.output.columns[index].clone()] };
    assert_eq!(rows::<String>(&column(0)), Ok(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]));
    assert_eq!(rows::<Timestamp>(&column(1)), Ok(vec![Timestamp(2), Timestamp(1), Timestamp(4)]));
}

#[test]
fn a_group_that_fails_costs_no_other() {
    let counted = group_map::<count_nulls>(3, &[0, 0, 1, 2], batch([Some(1_i64), None, None, Some(2)])).unwrap();
    assert_eq!((rows::<i64>(&counted.output), parents(&counted.parents)), (Ok(vec![1, 0]), vec![0, 2]));
    assert_eq!((counted.errors[0].row, counted.errors[0].message.as_str()), (1, "only nulls"));
    let paired = group_map::<pairs>(2, &[0, 1, 1, 1, 1], batch([true; 5])).unwrap();
    assert_eq!((rows::<i64>(&paired.output), parents(&paired.parents)), (Ok(vec![0, 1]), vec![1, 1]));
    assert_eq!(paired.errors[0].row, 0);
}

#[test]
fn groups_that_decrease_or_are_not_there_are_refused() {
    let error = group_map::<median>(2, &[1, 0], batch([1.0, 2.0])).unwrap_err();
    assert_eq!(error, "groups: row 1 is of group 0, which is over or not among the 2 there are");
    let error = group_map::<median>(1, &[0, 1], batch([1.0, 2.0])).unwrap_err();
    assert_eq!(error, "groups: row 1 is of group 1, which is over or not among the 1 there are");
}
