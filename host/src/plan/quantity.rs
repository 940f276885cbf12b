//! Durations and sizes as they are written: `18h`, `1d`, `-5h`, `1m 30s`, `250ms`, `64MiB`.

/// Microseconds of a duration; with a sign in front where negative ones make sense.
pub(super) fn duration_us(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is no duration; write a number and a unit: us, ms, s, m, h or d, as in `1h 30m`");
    let (sign, rest) = match text.trim().strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.trim()),
    };
    if rest.is_empty() {
        return Err(wrong());
    }
    let mut total: i64 = 0;
    let mut rest = rest.trim_start();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: i64 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit_end = rest[digits..].find(|c: char| !c.is_ascii_alphabetic()).map_or(rest.len(), |i| digits + i);
        let unit = match &rest[digits..unit_end] {
            "us" => 1,
            "ms" => 1_000,
            "s" => 1_000_000,
            "m" | "min" => 60_000_000,
            "h" => 3_600_000_000,
            "d" => 86_400_000_000,
            _ => return Err(wrong()),
        };
        total = number
            .checked_mul(unit)
            .and_then(|us| total.checked_add(us))
            .ok_or_else(|| format!("`{text}` is longer than 292,000 years"))?;
        rest = rest[unit_end..].trim_start();
    }
    Ok(sign * total)
}

/// The greatest common divisor of two positive durations.
pub(crate) fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Bytes of a size.
pub(super) fn size_bytes(text: &str) -> Result<usize, String> {
    let wrong = || format!("`{text}` is no size; write a number and a unit: B, KiB, MiB or GiB, as in `64MiB`");
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let number: usize = text[..digits].parse().map_err(|_| wrong())?;
    let unit: usize = match text[digits..].trim() {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit).ok_or_else(wrong)
}

/// A duration as it would be written, in its largest whole units.
pub(super) fn duration_text(us: i64) -> String {
    let mut rest = us.unsigned_abs();
    let mut parts = Vec::new();
    for (unit, name) in
        [(86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "m"), (1_000_000, "s"), (1_000, "ms"), (1, "us")]
    {
        if rest >= unit {
            parts.push(format!("{}{name}", rest / unit));
            rest %= unit;
        }
    }
    match parts.is_empty() {
        true => "0s".to_string(),
        false => format!("{}{}", if us < 0 { "-" } else { "" }, parts.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration_us("18h"), Ok(18 * 3_600_000_000));
        assert_eq!(duration_us("1h 30m"), Ok(5_400_000_000));
        assert_eq!(duration_us("-5h"), Ok(-18_000_000_000));
        assert_eq!(duration_us("0s"), Ok(0));
        for bad in ["", "5", "h", "1y", "1.5h", "--1s", "999999999999999999d"] {
            assert!(duration_us(bad).is_err(), "{bad}");
        }
        for text in ["1d 2h", "-90us", "0s", "1m 1s 1ms 1us"] {
            assert_eq!(duration_text(duration_us(text).expect(text)), text);
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(size_bytes("64MiB"), Ok(64 << 20));
        assert_eq!(size_bytes("1 GiB"), Ok(1 << 30));
        for bad in ["64", "MiB", "1.5MiB", "64MB", "99999999999999999999B"] {
            assert!(size_bytes(bad).is_err(), "{bad}");
        }
    }
}
