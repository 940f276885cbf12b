//! A time written as text, by a format in the manner of `strftime`.
//!
//! [`TextFormat::new`] refuses a format that could not give a moment: one that has a part nobody
//! knows, that lacks the year, the month or the day, or that leaves open which half of the day it is.
//! It does so by writing a moment down in the format and reading it back.
//!
//! An offset in the text is followed. Without one the text is local time in a zone, or UTC. A local
//! time that comes twice, because clocks were set back, is the first of the two; one that was left
//! out, because clocks were set forward, is read as if they had not been yet, and so falls as much
//! later: 02:30 of a night that goes from 02:00 to 03:00 is 03:30.

use std::fmt::Write;

use chrono::format::{DelayedFormat, Fixed, Item, Parsed, StrftimeItems, parse};
use chrono::{DateTime, Days, FixedOffset, MappedLocalTime, NaiveDateTime, NaiveTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;

/// How times are written as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFormat {
    text: String,
    items: Vec<Item<'static>>,
    zone: Option<Tz>,
    has_offset: bool,
}

/// Why a format is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// A part that says nothing.
    #[error("`{0}` is no part of a time")]
    Unknown(String),
    /// Names of zones are no offsets: `IST` is three of them.
    #[error("`%Z` takes a zone's name, which does not say how far it is from UTC")]
    ZoneName,
    /// A date needs a year, a month and a day, or what they follow from.
    #[error("`{0}` gives no full date")]
    NoDate(String),
    /// An hour of twelve without the half of the day, or seconds without minutes.
    #[error("`{0}` gives a part of the time of day, but not the time")]
    NoTime(String),
    /// What is written in it can't be read back.
    #[error("a time that is written as `{0}` can't be read back")]
    Unreadable(String),
}

/// A moment whose parts are all different, and which is in the second half of its day.
const SAMPLE_US: i64 = 1_360_335_845_678_901;

impl TextFormat {
    /// Checks a format. `zone` is where a text without an offset was written; none is UTC.
    ///
    /// # Errors
    /// If what is written in it does not say when it was.
    pub fn new(text: &str, zone: Option<Tz>) -> Result<Self, FormatError> {
        let items = StrftimeItems::new(text).parse_to_owned();
        let items = items.map_err(|_| FormatError::Unknown(unknown_part(text)))?;
        if items.contains(&Item::Fixed(Fixed::TimezoneName)) {
            return Err(FormatError::ZoneName);
        }
        let unreadable = || FormatError::Unreadable(text.to_owned());
        // `%#z` reads what `%z` writes, and more, and writes nothing.
        let writing = text.replace("%#z", "%z");
        let sample = DateTime::<Utc>::from_timestamp_micros(SAMPLE_US).ok_or_else(unreadable)?;
        let sample = sample.with_timezone(&Utc.fix());
        let mut written = String::new();
        let delayed = DelayedFormat::new_with_offset(
            Some(sample.date_naive()),
            Some(sample.time()),
            sample.offset(),
            StrftimeItems::new(&writing),
        );
        write!(written, "{delayed}").map_err(|_| unreadable())?;
        let mut parsed = Parsed::new();
        parse(&mut parsed, &written, items.iter()).map_err(|_| unreadable())?;
        let has_offset = parsed.offset().is_some() || parsed.timestamp().is_some();
        if parsed.timestamp().is_none() {
            let date = parsed.to_naive_date().map_err(|_| FormatError::NoDate(text.to_owned()))?;
            time_of_day(&mut parsed).ok_or_else(|| FormatError::NoTime(text.to_owned()))?;
            if date != sample.date_naive() {
                return Err(unreadable());
            }
        }
        Ok(Self { text: text.to_owned(), items, zone, has_offset })
    }

    /// The format as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where a text without an offset was written, if it is not UTC.
    pub fn zone(&self) -> Option<&'static str> {
        self.zone.map(|zone| zone.name())
    }

    /// Whether every text says itself how far it is from UTC.
    pub fn has_offset(&self) -> bool {
        self.has_offset
    }

    /// Microseconds since 1970-01-01T00:00:00Z, if the text is such a time. Blanks around it are
    /// passed over.
    pub(super) fn parse(&self, text: &str) -> Option<i64> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, text.trim(), self.items.iter()).ok()?;
        if parsed.timestamp().is_some() {
            return Some(parsed.to_naive_datetime_with_offset(0).ok()?.and_utc().timestamp_micros());
        }
        let local = parsed.to_naive_date().ok()?.and_time(time_of_day(&mut parsed)?);
        let moment = match (parsed.offset(), self.zone) {
            (Some(seconds), _) => local.checked_sub_offset(FixedOffset::east_opt(seconds)?)?.and_utc(),
            (None, None) => local.and_utc(),
            (None, Some(zone)) => in_zone(local, zone)?,
        };
        Some(moment.timestamp_micros())
    }
}

/// The time of day; midnight where nothing is said of it, and the full hour where that is all.
fn time_of_day(parsed: &mut Parsed) -> Option<NaiveTime> {
    if parsed.hour_div_12().or(parsed.hour_mod_12()).or(parsed.minute()).or(parsed.second()).is_none() {
        return parsed.nanosecond().is_none().then_some(NaiveTime::MIN);
    }
    if parsed.minute().is_none() && parsed.second().is_none() {
        parsed.set_minute(0).ok()?;
    }
    parsed.to_naive_time().ok()
}

fn in_zone(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(moment) | MappedLocalTime::Ambiguous(moment, _) => Some(moment.to_utc()),
        MappedLocalTime::None => {
            // No zone changes twice within two days.
            let day_before = local.checked_sub_days(Days::new(1))?;
            let before = zone.offset_from_utc_datetime(&day_before).fix();
            Some(local.checked_sub_offset(before)?.and_utc())
        }
    }
}

/// The first part that is none: from its `%` to its letter.
fn unknown_part(format: &str) -> String {
    for (at, _) in format.match_indices('%') {
        let part = &format[at..];
        let is_known = !matches!(StrftimeItems::new(part).next(), Some(Item::Error));
        // The second of `%%` starts nothing.
        if !is_known && !format[..at].ends_with('%') {
            let letter =
                part.char_indices().skip(1).find(|(_, c)| !matches!(c, '-' | '_' | '.' | ':' | '#' | '0'..='9'));
            return part[..letter.map_or(part.len(), |(i, c)| i + c.len_utf8())].to_owned();
        }
    }
    format.to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::flow::decode::iso8601;

    fn format(text: &str, zone: &str) -> TextFormat {
        let zone = (!zone.is_empty()).then(|| zone.parse().expect("a zone"));
        TextFormat::new(text, zone).expect(text)
    }

    /// What a text says in a format, as ISO 8601.
    fn read(text: &str, written: &str, zone: &str) -> Option<String> {
        let us = format(text, zone).parse(written)?;
        let mut out = Vec::new();
        iso8601::write(&mut out, us);
        Some(String::from_utf8(out).expect("digits"))
    }

    #[test]
    fn one_moment_in_many_formats() {
        for (text, written) in [
            ("%d.%m.%Y %H:%M:%S", "08.02.2013 15:04:05"),
            ("%d.%m.%Y %H:%M:%S", "  8.2.2013 15:04:05 "),
            ("%m/%d/%y %I:%M:%S %p", "02/08/13 03:04:05 PM"),
            ("%a, %d %b %Y %H:%M:%S %z", "Fri, 08 Feb 2013 16:04:05 +0100"),
            ("%d/%b/%Y:%H:%M:%S %z", "08/Feb/2013:10:04:05 -0500"),
            ("%Y%m%dT%H%M%S", "20130208T150405"),
            ("%G-W%V-%u %T", "2013-W06-5 15:04:05"),
            ("%Y %j %T", "2013 039 15:04:05"),
            ("%s", "1360335845"),
            ("%Y-%m-%dT%H:%M:%S%.f%#z", "2013-02-08T15:04:05Z"),
            ("%+", "2013-02-08T15:04:05+00:00"),
            ("%c", "Fri Feb  8 15:04:05 2013"),
            ("Tag %d %% %m %Y %T", "Tag 8 % 2 2013 15:04:05"),
        ] {
            assert_eq!(read(text, written, "").as_deref(), Some("2013-02-08T15:04:05Z"), "{text}: {written}");
        }
        assert_eq!(read("%F", "2013-02-08", "").as_deref(), Some("2013-02-08T00:00:00Z"));
        assert_eq!(read("%F %H", "2013-02-08 15", "").as_deref(), Some("2013-02-08T15:00:00Z"));
        assert_eq!(read("%F %T%.f", "2013-02-08 15:04:05.1234567", "").as_deref(), Some("2013-02-08T15:04:05.123456Z"));
        assert_eq!(read("%F %T", "1969-12-31 23:59:60", "").as_deref(), Some("1970-01-01T00:00:00Z"));
    }

    #[test]
    fn what_is_no_such_time() {
        for written in
            ["", "31.02.2013 10:00", "08.02.2013", "08.02.2013 10:00 Uhr", "08.02.2013 24:00", "٠٨.02.2013 10:00"]
        {
            assert_eq!(read("%d.%m.%Y %H:%M", written, ""), None, "{written}");
        }
        assert_eq!(read("%a %d.%m.%Y", "Mon 08.02.2013", ""), None, "it was a Friday");
    }

    #[test]
    fn a_zone_is_for_texts_without_an_offset() {
        let berlin = |written| read("%F %T", written, "Europe/Berlin");
        assert_eq!(berlin("2013-02-08 15:04:05").as_deref(), Some("2013-02-08T14:04:05Z"));
        assert_eq!(berlin("2013-08-08 15:04:05").as_deref(), Some("2013-08-08T13:04:05Z"));
        // 02:30 comes twice on this day, and never on that.
        assert_eq!(berlin("2013-10-27 02:30:00").as_deref(), Some("2013-10-27T00:30:00Z"));
        assert_eq!(berlin("2013-10-27 03:00:00").as_deref(), Some("2013-10-27T02:00:00Z"));
        assert_eq!(berlin("2013-03-31 02:30:00").as_deref(), Some("2013-03-31T01:30:00Z"));
        assert_eq!(berlin("2013-03-31 03:30:00").as_deref(), Some("2013-03-31T01:30:00Z"));
        // Samoa left out the whole day.
        let apia = read("%F %T", "2011-12-30 10:00:00", "Pacific/Apia");
        assert_eq!(apia.as_deref(), Some("2011-12-30T20:00:00Z"));
        let offset = format("%F %T %z", "Europe/Berlin");
        assert!(offset.has_offset() && !format("%F %T", "").has_offset() && format("%s", "").has_offset());
        assert_eq!(offset.parse("1970-01-01 00:00:00 -0100"), Some(3_600_000_000));
    }

    #[test]
    fn formats_that_can_t_say_when_are_none() {
        let error = |text| TextFormat::new(text, None).expect_err(text);
        assert_eq!(error("%d.%Q.%Y"), FormatError::Unknown("%Q".to_owned()));
        assert_eq!(error("%%%d.%.q"), FormatError::Unknown("%.q".to_owned()));
        assert_eq!(error("%d.%m.%"), FormatError::Unknown("%".to_owned()));
        assert_eq!(error("%F %T %Z"), FormatError::ZoneName);
        for date in ["", "%H:%M:%S", "%m-%d %T", "%Y-%m", "%A %T", "%y", "yyyy-MM-dd"] {
            assert_eq!(error(date), FormatError::NoDate(date.to_owned()));
        }
        for time in ["%F %I:%M", "%F %M", "%F %H %S", "%F %p", "%F .%f"] {
            assert_eq!(error(time), FormatError::NoTime(time.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(us in -62_135_596_800_000_000_i64..253_402_300_800_000_000) {
            let moment = DateTime::<Utc>::from_timestamp_micros(us).expect("a moment");
            for text in ["%d.%m.%Y %H:%M:%S%.f", "%Y%m%d%H%M%S%.6f", "%G-W%V-%u %I:%M:%S%.f %p", "%s%.f"] {
                if us < 0 && text.starts_with("%s") {
                    // A count of seconds is read without a sign.
                    continue;
                }
                let written = moment.format(text).to_string();
                prop_assert_eq!(format(text, "").parse(&written), Some(us), "{}", written);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,30}", written in ".{0,30}", zone in prop::sample::select(&chrono_tz::TZ_VARIANTS[..])) {
            if let Ok(format) = TextFormat::new(&text, Some(zone)) {
                format.parse(&written);
            }
            format("%Y-%m-%d %H", zone.name()).parse(&written);
        }

        #[test]
        fn every_local_time_is_some_moment(us in 0_i64..4_000_000_000_000_000, zone in prop::sample::select(&chrono_tz::TZ_VARIANTS[..])) {
            let local = DateTime::<Utc>::from_timestamp_micros(us).expect("a moment").naive_utc();
            let moment = in_zone(local, zone).expect("a moment");
            let apart = (zone.from_utc_datetime(&moment.naive_utc()).naive_local() - local).num_hours();
            prop_assert!((0..=24).contains(&apart), "{local} in {zone} is {moment}");
        }
    }
}
