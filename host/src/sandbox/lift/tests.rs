//! The rules of the boundary: each that is broken is named, and what is adopted is valid whatever came.

use arrow_array::Array;
use proptest::prelude::*;

use super::*;

fn text() -> Field {
    Field::new("t", DataType::Text, true)
}

fn offsets(offsets: &[i32]) -> Vec<u8> {
    offsets.iter().flat_map(|o| o.to_le_bytes()).collect()
}

fn one(column: ColumnResult, field: Field, rows: u32) -> Result<Vec<ArrayRef>, Fault> {
    batch("f", BatchResult { rows, columns: vec![column] }, &[field], 2, &Limits::default())
}

#[test]
fn adopts_what_holds() {
    let column = ColumnResult { validity: vec![0b01], offsets: offsets(&[0, 2, 2]), values: b"ab".to_vec() };
    let lifted = one(column, text(), 2).expect("valid");
    assert_eq!(lifted[0].as_ref(), &StringArray::from(vec![Some("ab"), None]) as &dyn Array);
}

#[test]
fn names_the_rule_that_is_broken() {
    let text_with = |o: &[i32], values: &[u8]| {
        let column = ColumnResult { validity: vec![], offsets: offsets(o), values: values.to_vec() };
        one(column, text(), 2).expect_err("invalid").message
    };
    assert_eq!(text_with(&[0, 1], b"ab"), "f, column `t`: 8 bytes of offsets, expected 12 for 2 rows");
    assert_eq!(text_with(&[1, 1, 2], b"ab"), "f, column `t`: the offsets start at 1, expected 0");
    assert_eq!(text_with(&[0, 2, 1], b"ab"), "f, column `t`: the offsets run backwards at row 1");
    assert_eq!(text_with(&[0, 2, 9], b"ab"), "f, column `t`: the offsets end at 9, but there are 2 bytes of values");
    assert!(text_with(&[0, 1, 2], "é".as_bytes()).starts_with("f, column `t`: no valid UTF-8"));

    let number = |validity: &[u8], values: usize, rows| {
        let column = ColumnResult { validity: validity.to_vec(), offsets: vec![], values: vec![0; values] };
        one(column, Field::new("n", DataType::Int64, false), rows).expect_err("invalid").message
    };
    assert_eq!(number(&[], 8, 2), "f, column `n`: 8 bytes of values, expected 16 for 2 rows of int64");
    assert_eq!(number(&[], 16, 3), "f: 3 rows, expected 2");
    assert_eq!(number(&[0b01], 16, 2), "f, column `n`: 1 nulls, but the signature says there are none");
    assert_eq!(number(&[1, 1], 16, 2), "f, column `n`: 2 bytes of validity, expected 1 for 2 rows");
}

#[test]
fn rows_that_do_not_exist_are_refused() {
    let at = |row| vec![WitRowError { row, message: "no".into() }];
    let errors = |e, rows| errors(e, rows, &Limits::default());
    assert_eq!(errors(at(2), 2).expect_err("out").message, "an error for row 2, but there are 2 rows");
    assert_eq!(errors([at(1), at(1)].concat(), 2).expect("once").len(), 1);
    assert!(selection(vec![0; 2], 8).is_err());
    assert_eq!(parents(offsets(&[1, 0]), 2, 2).expect_err("back").message, "the parents decrease");
    assert_eq!(parents(offsets(&[1, 2]), 2, 2).expect_err("out").message, "parent 2, but there are 2 rows");
}

#[test]
fn more_than_is_allowed_is_refused_or_cut() {
    let limits = Limits { output_rows_max: 1, text_bytes_max: 2, message_bytes_max: 3, ..Limits::default() };
    let texts = |o: &[i32], values: &[u8]| {
        let column = ColumnResult { validity: vec![], offsets: offsets(o), values: values.to_vec() };
        let rows = o.len() as u32 - 1;
        batch("f", BatchResult { rows, columns: vec![column] }, &[text()], rows as usize, &limits)
    };
    texts(&[0, 2, 4], b"abcd").expect("each is short enough");
    let fault = texts(&[0, 1, 4], b"abcd").expect_err("one is too long");
    assert_eq!(fault.message, "f, column `t`: a value of 3 bytes, and its limit is 2");
    let many = columns("f", BatchResult { rows: 2, columns: vec![] }, &[], &limits).expect_err("too many");
    assert_eq!((many.kind, many.message.as_str()), (FaultKind::Output, "f: 2 rows, and its limit is 1"));
    let said = errors(vec![WitRowError { row: 0, message: "aéé".into() }], 1, &limits).expect("cut");
    assert_eq!(said[0].message, "aé…");
}

/// Buffers that hold together now and then, and mostly not: what hostile guests return.
fn column() -> impl Strategy<Value = ColumnResult> {
    let bytes = || {
        prop_oneof![
            Just(Vec::new()),
            prop::collection::vec(any::<u8>(), 0..40),
            prop::collection::vec(prop_oneof![Just(0), Just(b'a'), Just(0xc3), Just(0xa9), Just(0xff)], 0..40),
            prop::collection::vec(0_i32..12, 0..9).prop_map(|o| offsets(&o)),
            prop::collection::vec(-2_i32..12, 0..9).prop_map(|mut o| {
                o.sort_unstable();
                offsets(&o)
            }),
        ]
    };
    (bytes(), bytes(), bytes()).prop_map(|(validity, offsets, values)| ColumnResult { validity, offsets, values })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    /// Whatever comes back is refused, or is an array that Arrow itself finds nothing wrong with.
    #[test]
    fn what_is_adopted_is_valid(
        column in column(),
        rows in 0_u32..10,
        of in prop::sample::select(DataType::ALL.to_vec()),
        nullable: bool,
    ) {
        let field = Field::new("c", of, nullable);
        let result = BatchResult { rows, columns: vec![column] };
        if let Ok(adopted) = columns("f", result, std::slice::from_ref(&field), &Limits::default()) {
            prop_assert_eq!(adopted[0].len(), rows as usize);
            prop_assert_eq!(adopted[0].data_type(), &of.arrow());
            prop_assert!(nullable || adopted[0].null_count() == 0);
            prop_assert!(adopted[0].to_data().validate_full().is_ok());
        }
    }

    #[test]
    fn parents_that_are_taken_are_rows(bytes in prop::collection::vec(0_u32..9, 0..9), rows in 0_usize..9, cut in 0_usize..4) {
        let mut given: Vec<u8> = bytes.iter().flat_map(|b| b.to_le_bytes()).collect();
        given.truncate(given.len().saturating_sub(cut));
        if let Ok(parents) = parents(given, bytes.len(), rows) {
            prop_assert_eq!(parents.len(), bytes.len());
            prop_assert!(parents.values().is_sorted() && parents.values().iter().all(|p| (*p as usize) < rows));
        }
    }
}

/// How often: more with `WEIR_SEEDS=100000`.
fn cases() -> u32 {
    std::env::var("WEIR_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000)
}
