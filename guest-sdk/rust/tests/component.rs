//! A component as a whole: its table of functions and the exports' look-up by index and kind.

extern crate weir_guest as weir;

use weir::bindings::exports::weir::udf::{
    aggregate, catalog, filter, flat_mapper, group_mapper, mapper, stateful_mapper,
};
use weir::testing::{batch, groups, rows};

#[weir::map]
fn twice(a: i64) -> i64 {
    a * 2
}

#[weir::filter]
fn positive(a: i64) -> bool {
    a > 0
}

mod nested {
    #[weir::flat_map]
    pub(crate) fn repeated(a: i64) -> Vec<i64> {
        vec![a; 2]
    }
}

#[weir::stateful_map]
fn total(sum: &mut i64, a: i64) -> i64 {
    *sum += a;
    *sum
}

#[weir::group_map]
fn largest(a: &[i64]) -> Option<i64> {
    a.iter().max().copied()
}

weir::export!(twice, positive, nested::repeated, total, largest);

#[test]
fn by_index_and_kind() {
    let names: Vec<_> = <Component as catalog::Guest>::functions().into_iter().map(|function| function.name).collect();
    assert_eq!(names, ["twice", "positive", "repeated", "total", "largest"]);
    let input = || batch([1_i64, -1]);
    let mapped = <Component as mapper::Guest>::map_batch(0, input()).unwrap();
    assert_eq!(rows::<i64>(&mapped.output), Ok(vec![2, -2]));
    assert_eq!(<Component as filter::Guest>::filter_batch(1, input()).unwrap().selection, [1]);
    let expanded = <Component as flat_mapper::Guest>::flat_map_batch(2, input()).unwrap();
    assert_eq!(rows::<i64>(&expanded.output), Ok(vec![1, 1, -1, -1]));

    let states = <Component as stateful_mapper::Guest>::create(3, 1).unwrap();
    let stepped = <Component as stateful_mapper::Guest>::stateful_map_batch(3, states, groups(&[0, 0]), input());
    assert_eq!(rows::<i64>(&stepped.unwrap().output), Ok(vec![1, 0]));
    let grouped = <Component as group_mapper::Guest>::group_map_batch(4, 1, groups(&[0, 0]), input()).unwrap();
    assert_eq!(rows::<Option<i64>>(&grouped.output), Ok(vec![Some(1)]));

    let error = <Component as mapper::Guest>::map_batch(1, input()).unwrap_err();
    assert_eq!(error, "function 1 is not a mapper");
    let error = <Component as aggregate::Guest>::create(0, 1).unwrap_err();
    assert_eq!(error, "function 0 is not an aggregate");
    let error = <Component as stateful_mapper::Guest>::create(4, 1).unwrap_err();
    assert_eq!(error, "function 4 is not a stateful mapper");
    let error = <Component as group_mapper::Guest>::group_map_batch(0, 0, vec![], input()).unwrap_err();
    assert_eq!(error, "function 0 is not a group mapper");
    let error = <Component as filter::Guest>::filter_batch(5, input()).unwrap_err();
    assert_eq!(error, "no function 5: the component has 5");
}
