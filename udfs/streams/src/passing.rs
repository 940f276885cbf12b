//! Which rows of a key pass.

use weir::Timestamp;

/// The first row of each key passes.
#[weir::stateful_filter]
pub fn distinct(seen: &mut bool) -> bool {
    !std::mem::replace(seen, true)
}

/// `changed` of a type that is copied.
macro_rules! changed {
    ($($function:ident, $last:ident: $value:ty;)+) => {$(
        /// The value of the last row, where there was one.
        #[derive(Clone, Debug, Default, weir::Accumulator)]
        pub struct $last {
            seen: bool,
            value: Option<$value>,
        }

        /// The first row of each key passes, and each whose value is not that of the row before. Null is a
        /// value like any other.
        #[weir::stateful_filter(name = "changed")]
        pub fn $function(last: &mut $last, value: Option<$value>) -> bool {
            let same = last.seen && last.value == value;
            if !same {
                *last = $last { seen: true, value };
            }
            !same
        }
    )+};
}

changed! {
    changed_boolean, LastBoolean: bool;
    changed_int64, LastInt64: i64;
    changed_float64, LastFloat64: f64;
    changed_timestamp, LastTimestamp: Timestamp;
}

/// The text of the last row, where there was one.
#[derive(Clone, Debug, Default, weir::Accumulator)]
pub struct LastText {
    seen: bool,
    value: Option<String>,
}

/// The first row of each key passes, and each whose value is not that of the row before. Null is a value
/// like any other.
#[weir::stateful_filter(name = "changed")]
pub fn changed_text(last: &mut LastText, value: Option<&str>) -> bool {
    let same = last.seen && last.value.as_deref() == value;
    if !same {
        *last = LastText { seen: true, value: value.map(str::to_owned) };
    }
    !same
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_is_a_value_and_the_first_row_passes() {
        let mut last = LastText::default();
        let passed: Vec<bool> =
            [None, None, Some("a"), Some("a"), None].map(|value| changed_text(&mut last, value)).into();
        assert_eq!(passed, [true, false, true, false, true]);
        let mut last = LastInt64::default();
        assert_eq!([Some(1), Some(1), Some(2)].map(|value| changed_int64(&mut last, value)), [true, false, true]);
    }

    #[test]
    fn the_first_of_a_key_passes() {
        let mut seen = false;
        assert_eq!([distinct(&mut seen), distinct(&mut seen)], [true, false]);
    }
}
