//! The value that a key had before.

use weir::Timestamp;

/// `previous` and `last_value` of each type: the argument, what is kept of it, and how it is kept.
macro_rules! last {
    ($($previous:ident, $last_value:ident: $value:ty, $owned:ty, $keep:expr;)+) => {$(
        /// The value of the key's row before; null on the first.
        #[weir::stateful_map(name = "previous", output = "previous")]
        pub fn $previous(last: &mut Option<$owned>, value: Option<$value>) -> Option<$owned> {
            std::mem::replace(last, value.map($keep))
        }

        /// The value of the row, or where it is null the last that was not; null where there was none.
        #[weir::stateful_map(name = "last_value", output = "last_value")]
        pub fn $last_value(last: &mut Option<$owned>, value: Option<$value>) -> Option<$owned> {
            if let Some(value) = value {
                *last = Some($keep(value));
            }
            last.clone()
        }
    )+};
}

last! {
    previous_boolean, last_value_boolean: bool, bool, std::convert::identity;
    previous_int64, last_value_int64: i64, i64, std::convert::identity;
    previous_float64, last_value_float64: f64, f64, std::convert::identity;
    previous_timestamp, last_value_timestamp: Timestamp, Timestamp, std::convert::identity;
    previous_text, last_value_text: &str, String, str::to_owned;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_before_and_the_last_that_was_no_null() {
        let values = [Some("a"), None, Some("b")];
        let mut last = None;
        assert_eq!(values.map(|value| previous_text(&mut last, value)), [None, Some("a".to_owned()), None]);
        let (mut last, [a, b]) = (None, ["a", "b"].map(|text| Some(text.to_owned())));
        assert_eq!(values.map(|value| last_value_text(&mut last, value)), [a.clone(), a, b]);
    }
}
