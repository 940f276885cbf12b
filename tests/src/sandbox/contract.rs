//! Nothing that a function returns is trusted: each rule of the contract has a guest that breaks it,
//! and is told which one.

use arrow_array::{ArrayRef, Int64Array};
use weir::function::FaultKind;

use super::{call, plain};

/// The function of the liar, what is wrong, and what the host says to it; three rows come in.
const LIES: [(&str, &str, &str); 25] = [
    ("number", "rows", "the result: 4 rows, expected 3"),
    ("number", "columns", "the result: 2 columns, but the signature has 1"),
    ("number", "values", "the result, column `lie`: 23 bytes of values, expected 24 for 3 rows of int64"),
    ("number", "validity", "the result, column `lie`: 2 bytes of validity, expected 1 for 3 rows"),
    ("number", "null", "the result, column `lie`: 3 nulls, but the signature says there are none"),
    ("number", "offsets", "the result, column `lie`: 4 bytes of offsets, but int64 has none"),
    ("number", "error", "an error for row 3, but there are 3 rows"),
    ("words", "start", "the result, column `lie`: the offsets start at 1, expected 0"),
    ("words", "backwards", "the result, column `lie`: the offsets run backwards at row 2"),
    ("words", "end", "the result, column `lie`: the offsets end at 3, but there are 4 bytes of values"),
    ("words", "short", "the result, column `lie`: 12 bytes of offsets, expected 16 for 3 rows"),
    ("select", "selection", "the selection has 2 bytes, expected 1 for 3 rows"),
    ("expand", "count", "the parents have 8 bytes, expected 12 for 3 output rows"),
    ("expand", "range", "parent 3, but there are 3 rows"),
    ("expand", "decrease", "the parents decrease"),
    ("fold", "lost", "the accumulators: 0 rows, expected 1"),
    ("fold", "finish", "the result: 2 rows, expected 1"),
    ("step", "lost", "the states: 0 rows, expected 1"),
    ("step", "grown", "the states: 2 rows, expected 1"),
    ("step", "count", "the parents have 8 bytes, expected 12 for 3 output rows"),
    ("step", "range", "parent 3, but there are 3 rows"),
    ("step", "decrease", "the parents decrease"),
    ("group", "range", "parent 2, but there are 2 groups"),
    ("group", "decrease", "the parents decrease"),
    ("group", "error", "an error for group 2, but there are 2 groups"),
];

fn three() -> ArrayRef {
    std::sync::Arc::new(Int64Array::from(vec![Some(1), None, Some(3)]))
}

#[test]
fn each_rule_that_is_broken_is_named() {
    for (function, how, message) in LIES {
        let mut instance = plain("liar", function, &[("how", how)]);
        let fault = call(&mut instance, three()).expect_err(how);
        assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Contract, message), "{function} {how}");
    }
}

#[test]
fn what_is_no_utf_8_is_refused() {
    let fault = call(&mut plain("liar", "words", &[("how", "utf8")]), three()).expect_err("bytes that are no text");
    assert_eq!(fault.kind, FaultKind::Contract);
    assert!(fault.message.starts_with("the result, column `lie`: no valid UTF-8"), "{}", fault.message);
}

#[test]
fn the_same_functions_are_taken_at_their_word_when_they_tell_the_truth() {
    for function in ["number", "words", "select", "expand", "fold", "step", "group"] {
        call(&mut plain("liar", function, &[("how", "")]), three()).expect(function);
    }
}
