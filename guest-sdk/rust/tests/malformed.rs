//! What a broken host may send: an error, never a panic.

extern crate weir_guest as weir;

use weir::testing::{self, Batch, Column};

#[weir::map]
fn number(a: i64) -> i64 {
    a
}

#[weir::map]
fn optional(a: Option<i64>) -> Option<i64> {
    a
}

#[weir::map]
fn truth(a: bool) -> bool {
    a
}

#[weir::map]
fn text(a: &str) -> &str {
    a
}

fn call<F: weir::Function>(rows: u32, validity: &[u8], offsets: &[u32], values: &[u8]) -> String {
    let offsets = offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect();
    let column = Column { validity: validity.to_vec(), offsets, values: values.to_vec() };
    testing::map::<F>(Batch { rows, columns: vec![column] }).map(|_| ()).expect_err("the batch is broken")
}

#[test]
fn lengths() {
    assert_eq!(testing::map::<number>(Batch { rows: 0, columns: vec![] }).unwrap_err(), "0 columns; expected 1");
    assert_eq!(call::<number>(2, &[], &[], &[0; 15]), "column `a`: 15 bytes of values for 2 rows; expected 16");
    assert_eq!(call::<number>(1, &[], &[], &[0; 16]), "column `a`: 16 bytes of values for 1 rows; expected 8");
    assert_eq!(call::<number>(1, &[1], &[], &[0; 8]), "column `a`: nulls where the catalog says that there are none");
    assert_eq!(call::<optional>(9, &[1], &[], &[0; 72]), "column `a`: validity: 1 bytes for 9 rows; expected 2");
    assert_eq!(call::<truth>(9, &[], &[], &[0]), "column `a`: values: 1 bytes for 9 rows; expected 2");
    assert_eq!(
        call::<number>(u32::MAX, &[], &[], &[]),
        "column `a`: 0 bytes of values for 4294967295 rows; expected 34359738360"
    );
}

#[test]
fn offsets() {
    assert_eq!(call::<text>(1, &[], &[0], b"a"), "column `a`: 4 bytes of offsets for 1 rows; expected 8");
    let outside = "column `a`: offsets that decrease or pass the 1 bytes of values";
    assert_eq!(call::<text>(1, &[], &[0, 2], b"a"), outside);
    assert_eq!(call::<text>(2, &[], &[1, 0, 1], b"a"), outside);
    assert_eq!(call::<text>(1, &[], &[0, 1], "é".as_bytes()), "column `a`: offsets within a character");
    let not_text = call::<text>(1, &[], &[0, 1], b"\xff");
    assert!(not_text.starts_with("column `a`: text that is not UTF-8: "), "{not_text}");
}
