//! Timestamps as text, after ISO 8601, in microseconds since 1970-01-01T00:00:00Z.
//!
//! Read: `2013-02-01T05:00:00Z`, with a blank or `t` for the `T`, any number of digits after the
//! seconds (those past the sixth are dropped), an offset (`+01:00`, `+0100`, `+01`), none (UTC),
//! without seconds, or the date alone (midnight). Years have four digits. Written: UTC with `Z`
//! and a fraction only where there is one. It never knows time zones by name.
//!
//! The calendar arithmetic is Howard Hinnant's
//! (<https://howardhinnant.github.io/date_algorithms.html>).

const DAY_US: i64 = 86_400_000_000;

/// The microseconds that a text says, if it is a timestamp. Blanks around it are passed over.
pub fn parse(text: &str) -> Option<i64> {
    let b = text.trim_ascii().as_bytes();
    if b.len() < 10 || b[4] != b'-' || b[7] != b'-' {
        return None;
    }
    let (year, month, day) = (two(b, 0)? * 100 + two(b, 2)?, two(b, 5)?, two(b, 8)?);
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    let date = days_from_civil(year, month, day) * DAY_US;
    if b.len() == 10 {
        return Some(date);
    }
    if !matches!(b[10], b'T' | b't' | b' ') || b.len() < 16 || b[13] != b':' {
        return None;
    }
    let (hour, minute) = (two(b, 11)?, two(b, 14)?);
    let mut rest = &b[16..];
    let (mut second, mut fraction) = (0, 0);
    if rest.first() == Some(&b':') {
        second = two(rest, 1)?;
        rest = &rest[3..];
        if let Some((b'.' | b',', digits)) = rest.split_first() {
            let count = digits.iter().take_while(|d| d.is_ascii_digit()).count();
            if count == 0 {
                return None;
            }
            fraction = (0..6).fold(0, |sum, i| sum * 10 + if i < count { i64::from(digits[i] - b'0') } else { 0 });
            rest = &digits[count..];
        }
    }
    // A leap second is the first of the next minute, as in POSIX.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let time = ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction;
    Some(date + time - offset(rest)?)
}

/// Appends a timestamp.
pub fn write(out: &mut Vec<u8>, us: i64) {
    let (days, time) = (us.div_euclid(DAY_US), us.rem_euclid(DAY_US));
    let (year, month, day) = civil_from_days(days);
    let (seconds, mut fraction) = (time / 1_000_000, time % 1_000_000);
    if (0..=9999).contains(&year) {
        push_two(out, year / 100);
        push_two(out, year % 100);
    } else {
        // Beyond what `parse` reads; ISO 8601 wants a sign where there are more than four digits.
        out.extend_from_slice(format!("{year:+05}").as_bytes());
    }
    for (mark, number) in
        [(b'-', month), (b'-', day), (b'T', seconds / 3600), (b':', seconds / 60 % 60), (b':', seconds % 60)]
    {
        out.push(mark);
        push_two(out, number);
    }
    if fraction != 0 {
        out.push(b'.');
        while fraction != 0 {
            out.push(b'0' + u8::try_from(fraction / 100_000).unwrap_or_default());
            fraction = fraction % 100_000 * 10;
        }
    }
    out.push(b'Z');
}

/// The two digits at a place.
fn two(b: &[u8], at: usize) -> Option<i64> {
    let (tens, ones) = (b.get(at)?.wrapping_sub(b'0'), b.get(at + 1)?.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i64::from(tens) * 10 + i64::from(ones))
}

fn push_two(out: &mut Vec<u8>, number: i64) {
    let number = u8::try_from(number).unwrap_or_default();
    out.extend_from_slice(&[b'0' + number / 10, b'0' + number % 10]);
}

/// Microseconds that a text's offset is ahead of UTC.
fn offset(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text.trim_ascii_start() {
        [] | b"Z" | b"z" => return Some(0),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let minutes = match digits {
        [_, _] => 0,
        [_, _, _, _] => two(digits, 2)?,
        [_, _, b':', _, _] => two(digits, 3)?,
        _ => return None,
    };
    let hours = two(digits, 0)?;
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes) * 60_000_000)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days - era * 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use arrow_array::timezone::Tz;
    use arrow_cast::parse::string_to_datetime;
    use proptest::prelude::*;

    use super::*;

    fn written(us: i64) -> String {
        let mut out = Vec::new();
        write(&mut out, us);
        String::from_utf8(out).expect("digits")
    }

    #[test]
    fn all_the_ways_to_write_one_moment() {
        for text in [
            "2013-02-01T05:00:00Z",
            "2013-02-01 05:00:00",
            "2013-02-01t05:00z",
            "2013-02-01T06:00:00+01:00",
            "2013-02-01T03:30:00.000-0130",
            " 2013-02-01T07:00:00 +02 ",
        ] {
            assert_eq!(parse(text), Some(1_359_694_800_000_000), "{text}");
        }
        assert_eq!(parse("2013-02-01"), Some(1_359_676_800_000_000));
        assert_eq!(parse("1969-12-31T23:59:59.9999999Z"), Some(-1));
        assert_eq!(written(-1), "1969-12-31T23:59:59.999999Z");
        assert_eq!(written(1_359_694_800_500_000), "2013-02-01T05:00:00.5Z");
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "2013",
            "2013-2-1",
            "2013-02-29",
            "2013-13-01",
            "2013-02-01T",
            "2013-02-01T24:00:00Z",
            "2013-02-01T05",
            "2013-02-01T05:00:00.Z",
            "2013-02-01T05:00:00 PST",
            "2013-02-01X05:00:00",
            "2013-02-01T05:00:00+1",
            "2013-02-01T05:00:00ü",
            "١٣-02-01",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn arrow_reads_it_alike(us in -62_167_219_200_000_000_i64..253_402_300_800_000_000) {
            let text = written(us);
            prop_assert_eq!(parse(&text), Some(us));
            let utc: Tz = "+00:00".parse().expect("an offset");
            prop_assert_eq!(string_to_datetime(&utc, &text).expect("a timestamp").timestamp_micros(), us);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}", us in any::<i64>()) {
            parse(&text);
            written(us);
        }
    }
}
