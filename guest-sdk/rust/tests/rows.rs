//! Every type through a map, a filter and a flat-map, with nulls and failing rows.

extern crate weir_guest as weir;

use std::borrow::Cow;

use weir::Timestamp;
use weir::testing::{self, DataType, Kind, RowError, batch, rows};

macro_rules! echo {
    ($($name:ident, $optional:ident: $type:ty, $owned:ty, $data_type:ident, [$($value:expr),*];)*) => {$(
        #[weir::map]
        fn $name(a: $type) -> $type { a }

        #[weir::map]
        fn $optional(a: Option<$type>) -> Option<$type> { a }
    )*

    #[test]
    fn every_type_comes_out_as_it_went_in() {
        $({
            let values: Vec<$owned> = vec![$($value.into()),*];
            // Longer than a byte of bits and a turn of an unrolled loop, and not a multiple of either.
            let values: Vec<$owned> = values.iter().cycle().take(21).cloned().collect();
            let out = testing::map::<$name>(batch(values.clone())).unwrap();
            assert_eq!((rows::<$owned>(&out.output), out.errors), (Ok(values.clone()), vec![]), stringify!($name));

            let nulls: Vec<Option<$owned>> =
                values.iter().enumerate().map(|(row, value)| (row % 3 != 1).then(|| value.clone())).collect();
            let out = testing::map::<$optional>(batch(nulls.clone())).unwrap();
            assert_eq!(rows::<Option<$owned>>(&out.output), Ok(nulls), stringify!($optional));
            let some: Vec<_> = values.into_iter().map(Some).collect();
            let out = testing::map::<$optional>(batch(some.clone())).unwrap();
            assert!(out.output.columns[0].validity.is_empty(), "no nulls, no bits");
            assert_eq!(rows::<Option<$owned>>(&out.output), Ok(some), stringify!($optional));

            let signature = testing::signature::<$optional>();
            assert_eq!((signature.inputs[0].data_type, signature.inputs[0].nullable), (DataType::$data_type, true));
            assert_eq!((signature.outputs[0].data_type, signature.outputs[0].nullable), (DataType::$data_type, true));
            let signature = testing::signature::<$name>();
            assert_eq!((signature.inputs[0].name.as_str(), signature.inputs[0].nullable), ("a", false));
            assert_eq!((signature.outputs[0].name.as_str(), signature.outputs[0].nullable), (stringify!($name), false));
        })*
    }};
}

echo! {
    boolean, optional_boolean: bool, bool, Boolean, [true, false, true];
    int32, optional_int32: i32, i32, Int32, [i32::MIN, 0, i32::MAX];
    int64, optional_int64: i64, i64, Int64, [i64::MIN, 1_i64 << 53, i64::MAX];
    float32, optional_float32: f32, f32, Float32, [f32::MIN, -0.0_f32, f32::INFINITY];
    float64, optional_float64: f64, f64, Float64, [f64::MIN, 0.1, f64::INFINITY];
    timestamp, optional_timestamp: Timestamp, Timestamp, Timestamp, [Timestamp(-1), Timestamp(i64::MAX)];
    text, optional_text: &str, String, Text, ["", "née", "日本"];
    string, optional_string: String, String, Text, ["a", "", "née"];
    cow_text, optional_cow_text: Cow<str>, String, Text, ["a", "", "née"];
    bytes, optional_bytes: &[u8], Vec<u8>, Bytes, [[0_u8, 255].as_slice(), [].as_slice()];
    vector, optional_vector: Vec<u8>, Vec<u8>, Bytes, [[0_u8, 255].as_slice(), [].as_slice()];
    cow_bytes, optional_cow_bytes: Cow<[u8]>, Vec<u8>, Bytes, [[0_u8, 255].as_slice(), [].as_slice()];
}

#[derive(weir::Accumulator, Debug, PartialEq)]
struct Pair {
    number: Option<i64>,
    text: String,
}

#[weir::map(name = "parse", output = "number")]
fn parse_text(text: &str) -> Result<i64, std::num::ParseIntError> {
    text.parse()
}

#[weir::map(name = "parse")]
fn parse_bytes(text: &[u8]) -> Result<Option<i64>, String> {
    std::str::from_utf8(text).map_err(|error| error.to_string()).map(|text| text.parse().ok())
}

#[weir::map]
fn both<'a>(number: i64, r#type: &'a str) -> Both<'a> {
    Both { number: (number > 0).then_some(number), text: r#type }
}

#[derive(weir::Row)]
struct Both<'a> {
    number: Option<i64>,
    text: &'a str,
}

#[test]
fn a_failing_row_leaves_the_others() {
    let out = testing::map::<parse_text>(batch(["1", "x", "3"])).unwrap();
    assert_eq!(rows::<i64>(&out.output), Ok(vec![1, 0, 3]));
    assert_eq!(out.errors, [RowError { row: 1, message: "invalid digit found in string".to_owned() }]);
    let out = testing::map::<parse_bytes>(batch([b"1".as_slice(), b"\xff", b"x"])).unwrap();
    assert_eq!(rows::<Option<i64>>(&out.output), Ok(vec![Some(1), None, None]));
    assert_eq!(out.errors[0].row, 1);
}

#[test]
fn overloads_share_a_name() {
    let (text, bytes) = (testing::signature::<parse_text>(), testing::signature::<parse_bytes>());
    assert_eq!((text.name.as_str(), bytes.name.as_str()), ("parse", "parse"));
    assert_eq!((text.outputs[0].name.as_str(), bytes.outputs[0].name.as_str()), ("number", "parse_bytes"));
    assert_ne!(text.inputs, bytes.inputs);
}

#[test]
fn several_columns_in_and_out() {
    let input = batch([Pair { number: Some(1), text: "a".into() }, Pair { number: Some(-1), text: "b".into() }]);
    let out = testing::map::<both>(input).unwrap();
    let expected = vec![Pair { number: Some(1), text: "a".into() }, Pair { number: None, text: "b".into() }];
    assert_eq!(rows::<Pair>(&out.output), Ok(expected));
    let names = |fields: Vec<testing::Field>| fields.into_iter().map(|field| field.name).collect::<Vec<_>>();
    let signature = testing::signature::<both>();
    assert_eq!(
        (names(signature.inputs), names(signature.outputs)),
        (vec!["number".into(), "type".into()], vec!["number".into(), "text".into()])
    );
}

/// Keeps what is even.
///
/// Of 64 bits.
#[weir::filter]
fn even(number: Option<i64>) -> Result<bool, &'static str> {
    number.map(|number| number % 2 == 0).ok_or("nothing is neither")
}

#[test]
fn filters() {
    let input = (0..11).map(|number| (number != 4).then_some(number));
    let out = testing::filter::<even>(batch(input.collect::<Vec<Option<i64>>>())).unwrap();
    assert_eq!(out.selection, [0b0100_0101, 0b0000_0101]);
    assert_eq!(out.errors, [RowError { row: 4, message: "nothing is neither".to_owned() }]);
    let signature = testing::signature::<even>();
    assert_eq!((signature.kind, signature.doc.as_str()), (Kind::Filter, "Keeps what is even.\n\nOf 64 bits."));
    assert_eq!(signature.outputs, []);
}

#[weir::flat_map]
fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    text.split_whitespace().map(|word| Word { word, long: (word.len() > 2).then_some(true) })
}

#[derive(weir::Row)]
struct Word<'a> {
    word: &'a str,
    long: Option<bool>,
}

#[weir::flat_map(output = "n")]
fn below(number: i64) -> Result<std::ops::Range<i64>, String> {
    if number < 0 { Err(format!("{number} is negative")) } else { Ok(0..number) }
}

#[test]
fn flat_maps() {
    let text = "a bcd ".repeat(40);
    let out = testing::flat_map::<words>(batch([text.as_str(), "", "x"])).unwrap();
    assert_eq!(out.output.rows, 81);
    let parents: Vec<u32> = out.parents.as_chunks().0.iter().map(|&parent| u32::from_le_bytes(parent)).collect();
    assert_eq!(parents, [vec![0; 80], vec![2]].concat());

    let out = testing::flat_map::<below>(batch([2_i64, -1, 1])).unwrap();
    assert_eq!(rows::<i64>(&out.output), Ok(vec![0, 1, 0]));
    assert_eq!(out.errors, [RowError { row: 1, message: "-1 is negative".to_owned() }]);
    assert_eq!(testing::signature::<below>().outputs[0].name, "n");
}

#[weir::map]
fn nothing() -> i64 {
    7
}

#[test]
fn no_columns_in() {
    let input = testing::Batch { rows: 3, columns: vec![] };
    assert_eq!(rows::<i64>(&testing::map::<nothing>(input).unwrap().output), Ok(vec![7; 3]));
}
