//! One value from its text.
//!
//! In comes the text of a field or of a JSON number; out goes the value, or nothing if the text is
//! none of that type. Blanks around numbers and booleans are passed over. Nothing is ever rounded
//! to an integer or wrapped around.

/// `true` or `false` in any case.
pub(super) fn boolean(text: &str) -> Option<bool> {
    let text = text.trim_ascii();
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Decimal digits, with or without a sign.
#[inline]
pub(super) fn int64(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let (negative, digits) = match bytes {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    // Eighteen digits always fit; anything else is rare enough for the standard library.
    if digits.is_empty() || digits.len() > 18 {
        return text.trim_ascii().parse().ok();
    }
    let mut sum = 0_i64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return text.trim_ascii().parse().ok();
        }
        sum = sum * 10 + i64::from(digit);
    }
    Some(if negative { -sum } else { sum })
}

/// As [`int64`], in 32 bits.
#[inline]
pub(super) fn int32(text: &str) -> Option<i32> {
    int64(text).and_then(|value| i32::try_from(value).ok())
}

/// A decimal number, with or without an exponent; also `inf`, `infinity` and `nan` in any case.
#[inline]
pub(super) fn float64(text: &str) -> Option<f64> {
    text.trim_ascii().parse().ok()
}

/// As [`float64`], to the nearest 32-bit number.
#[inline]
pub(super) fn float32(text: &str) -> Option<f32> {
    text.trim_ascii().parse().ok()
}

/// Bytes as two hexadecimal digits each.
pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: &u8| char::from(*b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_read_and_what_is_not() {
        assert_eq!(boolean(" TRUE"), Some(true));
        assert_eq!(boolean("1"), None);
        assert_eq!(int64("+7"), Some(7));
        assert_eq!(int64(" -12 "), Some(-12));
        for none in ["", "-", "1.0", "1e3", "abc", "9223372036854775808", "1 2", "١"] {
            assert_eq!(int64(none), None, "{none}");
        }
        assert_eq!(int32("2147483648"), None);
        assert_eq!(float64("-1.5e3"), Some(-1500.0));
        assert_eq!(float64("1,5"), None);
        assert_eq!(hex("00fF"), Some(vec![0, 255]));
        assert_eq!(hex("0"), None);
        assert_eq!(hex("0x"), None);
    }

    proptest! {
        #[test]
        fn integers_are_read_as_the_standard_library_reads_them(value in any::<i64>(), text in "[-+]?[0-9]{0,20}") {
            prop_assert_eq!(int64(&value.to_string()), Some(value));
            prop_assert_eq!(int64(&text), text.parse().ok());
        }
    }
}
