//! Column style.

extern crate weir_guest as weir;

use weir::testing::{self, DataType, batch, rows};
use weir::{BlobBuilder, Blobs, Bools, Nullable, TextBuilder, Texts, Timestamp};

#[derive(weir::Accumulator)]
struct Two {
    a: i64,
    b: f64,
}

#[weir::map(columns)]
fn scale(a: &[i64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(&a, b)| a as f64 * b).collect()
}

#[weir::map(columns)]
fn upper(text: Texts<'_>) -> TextBuilder {
    text.to_ascii_uppercase()
}

#[weir::map(columns)]
fn lower(text: Texts<'_>) -> TextBuilder {
    text.to_ascii_lowercase()
}

#[weir::map(columns)]
fn reversed(bytes: Blobs<'_>, keep: Bools<'_>) -> BlobBuilder {
    let mut reversed = BlobBuilder::with_capacity(bytes.len(), bytes.bytes().len());
    for (bytes, keep) in bytes.iter().zip(keep.iter()) {
        if keep {
            bytes.iter().rev().for_each(|&byte| reversed.extend(&[byte]));
        }
        reversed.end_row();
    }
    reversed
}

#[weir::map(columns)]
fn short(a: &[i64]) -> Vec<i64> {
    a[1..].to_vec()
}

#[weir::map(columns)]
fn failing(a: &[i64], #[param(default = "why")] why: &str) -> Result<Vec<i64>, String> {
    Err(format!("{why} {}", a.len()))
}

#[derive(weir::Columns)]
struct Stats {
    doubled: Vec<Option<i64>>,
    text: TextBuilder,
}

#[weir::map(columns)]
fn stats(a: Nullable<'_, &[i64]>) -> Stats {
    let mut text = TextBuilder::with_capacity(a.values.len(), 0);
    let doubled = a.values.iter().map(|a| {
        text.push(if a % 2 == 0 { "even" } else { "odd" });
        Some(a * 2)
    });
    let mut doubled: Vec<_> = doubled.collect();
    for (row, value) in doubled.iter_mut().enumerate() {
        if !a.is_valid(row) {
            *value = None;
        }
    }
    Stats { doubled, text }
}

#[derive(weir::Columns)]
struct Numbers {
    int32: Vec<i32>,
    int64: Vec<i64>,
    float32: Vec<f32>,
    float64: Vec<f64>,
    time: Vec<Timestamp>,
}

#[weir::map(columns)]
fn all_numbers(a: &[i64]) -> Numbers {
    Numbers {
        int32: a.iter().map(|&a| a as i32).collect(),
        int64: a.to_vec(),
        float32: a.iter().map(|&a| f32::from_bits(a as u32)).collect(),
        float64: a.iter().map(|&a| f64::from_bits(a as u64)).collect(),
        time: a.iter().map(|&a| Timestamp(a)).collect(),
    }
}

#[weir::filter(columns)]
fn positive(a: &[i64]) -> Vec<bool> {
    a.iter().map(|&a| a > 0).collect()
}

#[test]
fn numbers() {
    let input = batch((0..9).map(|a| Two { a, b: 0.5 }));
    let out = testing::map::<scale>(input).unwrap();
    assert_eq!(rows::<f64>(&out.output), Ok((0..9).map(|a| f64::from(a) / 2.0).collect()));
}

/// Whole columns of numbers are written another way than rows, and come to the same bytes.
#[test]
fn numbers_are_the_bytes_that_rows_of_them_are() {
    #[derive(weir::Row)]
    struct Row {
        int32: i32,
        int64: i64,
        float32: f32,
        float64: f64,
        time: Timestamp,
    }
    for count in [0, 1, 7, 8, 9, 20, 1000] {
        // All patterns of bits, those of NaNs too.
        let bits: Vec<i64> = (0..count).map(|row: i64| (row + 1).wrapping_mul(0x7ff4_9e37_79b9_7f4b)).collect();
        let row = |&a: &i64| Row {
            int32: a as i32,
            int64: a,
            float32: f32::from_bits(a as u32),
            float64: f64::from_bits(a as u64),
            time: Timestamp(a),
        };
        let expected = batch(bits.iter().map(row));
        assert_eq!(testing::map::<all_numbers>(batch(bits)).unwrap().output, expected, "{count} rows");
    }
}

#[test]
fn texts() {
    let all: String = (0..128_u8).map(char::from).collect();
    let values = [all.as_str(), "", "née Zoë", &all[3..80]];
    let out = testing::map::<upper>(batch(values)).unwrap();
    assert_eq!(rows::<String>(&out.output), Ok(values.map(str::to_ascii_uppercase).to_vec()));
    let out = testing::map::<lower>(batch(values)).unwrap();
    assert_eq!(rows::<String>(&out.output), Ok(values.map(str::to_ascii_lowercase).to_vec()));
}

#[test]
fn blobs_and_booleans() {
    #[derive(weir::Row)]
    struct Input {
        bytes: Vec<u8>,
        keep: bool,
    }
    let input = batch([Input { bytes: vec![1, 2], keep: true }, Input { bytes: vec![3], keep: false }]);
    let out = testing::map::<reversed>(input).unwrap();
    assert_eq!(rows::<Vec<u8>>(&out.output), Ok(vec![vec![2, 1], vec![]]));
}

#[test]
fn failures() {
    assert_eq!(testing::map::<short>(batch([1_i64, 2])), Err("the function returned 1 rows for 2".to_owned()));
    assert_eq!(testing::map::<failing>(batch([1_i64, 2])), Err("why 2".to_owned()));
    let nulls = testing::map::<scale>(batch([Some(1_i64), None]));
    assert_eq!(nulls, Err("1 columns; expected 2".to_owned()));
    let nulls = testing::filter::<positive>(batch([Some(1_i64), None]));
    assert_eq!(nulls, Err("column `a`: nulls where the catalog says that there are none".to_owned()));
}

#[test]
fn several_columns_with_nulls() {
    #[derive(weir::Accumulator, Debug, PartialEq)]
    struct Row {
        doubled: Option<i64>,
        text: String,
    }
    let out = testing::map::<stats>(batch([Some(1_i64), None, Some(4)])).unwrap();
    let row = |doubled, text: &str| Row { doubled, text: text.to_owned() };
    assert_eq!(rows::<Row>(&out.output), Ok(vec![row(Some(2), "odd"), row(None, "even"), row(Some(8), "even")]));
    let signature = testing::signature::<stats>();
    assert!(signature.inputs[0].nullable && signature.outputs[0].nullable && !signature.outputs[1].nullable);
    assert_eq!(signature.outputs[1].data_type, DataType::Text);
}

#[test]
fn filters() {
    assert_eq!(testing::filter::<positive>(batch([1_i64, -1, 2])).unwrap().selection, [0b101]);
}
