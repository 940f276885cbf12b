//! `local_day`: the day that people at the airport would name.

use weir::Timestamp;

const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 24 * HOUR_US;

/// The day of a time, as `2013-02-08`, where clocks are some hours ahead of UTC or behind it.
#[weir::map]
pub fn local_day(
    time_hour: Timestamp,
    /// Hours ahead of UTC: -5 is New York in winter.
    #[param(default = -5)]
    utc_offset: i32,
) -> String {
    let local_us = time_hour.0.saturating_add(i64::from(utc_offset).saturating_mul(HOUR_US));
    let (year, month, day) = date(local_us.div_euclid(DAY_US));
    format!("{year:04}-{month:02}-{day:02}")
}

/// Year, month and day of a number of days since 1970-01-01. From Howard Hinnant,
/// *chrono-Compatible Low-Level Date Algorithms* (`civil_from_days`): years begin in March, so that
/// the leap day is the last one.
fn date(days: i64) -> (i64, i64, i64) {
    let since_year_0 = days + 719_468;
    let era = since_year_0.div_euclid(146_097); // 400 years
    let day_of_era = since_year_0.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_at_local_midnight() {
        let midnight = Timestamp(1_360_299_600_000_000); // 2013-02-08T05:00:00Z
        assert_eq!(local_day(midnight, -5), "2013-02-08");
        assert_eq!(local_day(Timestamp(midnight.0 - 1), -5), "2013-02-07");
        assert_eq!(local_day(midnight, 19), "2013-02-09");
    }

    #[test]
    fn dates_before_and_after() {
        for (days, expected) in [
            (0, (1970, 1, 1)),
            (-1, (1969, 12, 31)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (-719_529, (-1, 12, 31)),
            (-719_528, (0, 1, 1)),
        ] {
            assert_eq!(date(days), expected);
        }
        assert!(!local_day(Timestamp(i64::MIN), i32::MIN).is_empty());
    }
}
