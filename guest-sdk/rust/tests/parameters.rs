//! Parameters: what the catalog says, defaults, and what does not parse.

extern crate weir_guest as weir;

use std::str::FromStr;

use weir::Timestamp;
use weir::testing::{self, DataType, batch, rows, with_parameters};

#[derive(Clone)]
struct Even(i64);

impl FromStr for Even {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(number) if number % 2 == 0 => Ok(Self(number)),
            _ => Err("odd".to_owned()),
        }
    }
}

#[weir::map]
#[expect(clippy::too_many_arguments, reason = "one of each type")]
fn all(
    a: i64,
    /// whether to
    #[param(default = true)]
    switch: bool,
    #[param(default = -3)] small: i32,
    #[param(default = 15)] number: f64,
    #[param(default = "x")] text: &str,
    #[param(default = "1970-01-01T00:00:01Z")] time: Timestamp,
    #[param(default = "4")] even: &Even,
    #[param] needed: Even,
) -> String {
    format!("{a} {switch} {small} {number} {text} {} {} {}", time.0, even.0, needed.0)
}

#[test]
fn the_catalog_has_types_defaults_and_docs() {
    let parameters = testing::signature::<all>().parameters;
    let found: Vec<_> = parameters.iter().map(|p| (p.name.as_str(), p.data_type, p.default.as_deref())).collect();
    let expected = [
        ("switch", DataType::Boolean, Some("true")),
        ("small", DataType::Int32, Some("-3")),
        ("number", DataType::Float64, Some("15")),
        ("text", DataType::Text, Some("x")),
        ("time", DataType::Timestamp, Some("1000000")),
        ("even", DataType::Text, Some("4")),
        ("needed", DataType::Text, None),
    ];
    assert_eq!(found, expected);
    assert_eq!(parameters[0].doc, "whether to");
    assert_eq!(testing::signature::<all>().inputs.len(), 1);
}

#[test]
fn given_or_else_default() {
    let out = with_parameters(&[("needed", "2"), ("small", "5")], || testing::map::<all>(batch([1_i64])));
    assert_eq!(rows::<String>(&out.unwrap().output), Ok(vec!["1 true 5 15 x 1000000 4 2".to_owned()]));
}

#[test]
fn a_batch_without_rows_checks_them() {
    let dry_run = |given: &[(&str, &str)]| {
        with_parameters(given, || testing::map::<all>(batch::<i64>([])).map(|out| out.output.rows))
    };
    assert_eq!(dry_run(&[("needed", "2")]), Ok(0));
    let missing = "parameter `needed`: missing; expected the text form of a Even";
    assert_eq!(dry_run(&[]), Err(missing.to_owned()));
    let odd = "parameter `needed`: `3`: odd; expected the text form of a Even";
    assert_eq!(dry_run(&[("needed", "3")]), Err(odd.to_owned()));
    let number = "parameter `number`: `ten`: invalid float literal; expected a number";
    assert_eq!(dry_run(&[("needed", "2"), ("number", "ten")]), Err(number.to_owned()));
    let time = "parameter `time`: `noon`: not an RFC 3339 time; expected a time like 2013-02-08T12:30:00Z, or microseconds since 1970";
    assert_eq!(dry_run(&[("needed", "2"), ("time", "noon")]), Err(time.to_owned()));
}
