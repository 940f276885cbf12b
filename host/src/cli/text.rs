//! Numbers as people read them, and text laid out in columns. Pure: values in, text out.

use std::fmt::Write;
use std::time::Duration;

use arrow_array::temporal_conversions::timestamp_us_to_datetime;
use serde::Serialize;
use weir::error::{Error, Result};

/// `12,345,678`.
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Three digits that count: `0.82`, `12.9`, `1,030`.
pub(super) fn decimal(x: f64) -> String {
    match x.abs() {
        a if a < 9.995 => format!("{x:.2}"),
        a if a < 99.95 => format!("{x:.1}"),
        _ => count(x.round() as u64),
    }
}

/// `850 ns`, `12.9 us`, `4.56 ms`, `1.23 s`, `2m 03s`, `1h 02m`.
pub(super) fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        s if s < 0.999_5e-6 => format!("{} ns", time.as_nanos()),
        s if s < 0.999_5e-3 => format!("{} us", decimal(s * 1e6)),
        s if s < 0.999_5 => format!("{} ms", decimal(s * 1e3)),
        s if s < 59.95 => format!("{} s", decimal(s)),
        s if s < 3599.5 => format!("{}m {:02}s", s.round() as u64 / 60, s.round() as u64 % 60),
        s => format!("{}h {:02}m", (s / 60.0).round() as u64 / 60, (s / 60.0).round() as u64 % 60),
    }
}

/// `850 B`, `34.2 KiB`, `2.30 MiB`.
pub(super) fn bytes(n: u64) -> String {
    let n_kib = n as f64 / 1024.0;
    match n {
        0..1024 => format!("{n} B"),
        _ if n_kib < 1023.5 => format!("{} KiB", decimal(n_kib)),
        _ => format!("{} MiB", decimal(n_kib / 1024.0)),
    }
}

/// Microseconds since 1970 as `2013-02-08T15:00:00Z`; a fraction only where there is one.
pub(super) fn time(us: i64) -> String {
    let format = match us.rem_euclid(1_000_000) {
        0 => "%Y-%m-%dT%H:%M:%SZ",
        rest if rest % 1000 == 0 => "%Y-%m-%dT%H:%M:%S%.3fZ",
        _ => "%Y-%m-%dT%H:%M:%S%.6fZ",
    };
    timestamp_us_to_datetime(us).map_or_else(|| format!("{us} us"), |time| time.format(format).to_string())
}

/// Indented JSON with a newline at its end.
pub(super) fn json(value: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Error::Bug(format!("no JSON: {e}")))?;
    Ok(text + "\n")
}

/// `1 row`, `2 rows`.
pub(super) fn plural(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(n), if n == 1 { "" } else { "s" })
}

/// Which side of its column a cell stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// Rows of cells in columns two spaces apart, each line with a newline and no spaces at its end.
pub(super) fn columns(aligns: &[Align], rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().filter_map(|r| r.get(column)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..aligns.len()).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for ((cell, align), width) in row.iter().zip(aligns).zip(&widths) {
            let _ = match align {
                Align::Left => write!(line, "{cell:<width$}  "),
                Align::Right => write!(line, "{cell:>width$}  "),
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0.0, 0.824, 9.996, 99.96, 1030.4].map(decimal), ["0.00", "0.82", "10.0", "100", "1,030"]);
        assert_eq!([0, 1023, 1024, 2_411_724].map(bytes), ["0 B", "1023 B", "1.00 KiB", "2.30 MiB"]);
        assert_eq!([0, 1, 2].map(|n| plural(n, "row")), ["0 rows", "1 row", "2 rows"]);
    }

    #[test]
    fn durations_have_the_unit_that_fits_and_never_a_thousand_of_it() {
        let ns =
            [0, 850, 999_600, 12_900, 999_999_000, 1_234_000_000, 59_960_000_000, 123_000_000_000, 3_725_000_000_000];
        let text = ["0 ns", "850 ns", "1.00 ms", "12.9 us", "1.00 s", "1.23 s", "1m 00s", "2m 03s", "1h 02m"];
        assert_eq!(ns.map(|ns| duration(Duration::from_nanos(ns))), text);
    }

    #[test]
    fn times_are_iso_8601() {
        assert_eq!(time(1_360_335_600_000_000), "2013-02-08T15:00:00Z");
        assert_eq!(time(-1), "1969-12-31T23:59:59.999999Z");
        assert_eq!(time(1_500_000), "1970-01-01T00:00:01.500Z");
        assert_eq!(time(i64::MAX), "9223372036854775807 us");
    }

    #[test]
    fn columns_are_aligned_by_characters() {
        let rows = [["a", "1"], ["größe", "1,000"]].map(|r| r.map(str::to_owned).to_vec());
        assert_eq!(columns(&[Align::Left, Align::Right], &rows), "a          1\ngröße  1,000\n");
    }
}
