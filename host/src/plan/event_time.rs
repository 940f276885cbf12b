//! When a source's rows happened, as written, checked against the source's columns.

use std::fmt::{Display, Write};

use super::bind::{did_you_mean, nearest};
use super::quantity::{duration_text, duration_us};
use super::spec::{At, EventTimeSpec, Text};
use super::streams::chosen;
use super::{EventTime, TimeOf};
use crate::error::Invalid;
use crate::flow::times::{FormatError, TextFormat, TimeFormat, Unit};
use crate::types::{DataType, Field};

impl EventTime {
    /// What `weir check` says of it.
    pub(super) fn line(&self) -> String {
        let mut line = match &self.of {
            TimeOf::Clock => return "event time: processing time, the clock's when a row is read".to_string(),
            TimeOf::Column { name, format: TimeFormat::Timestamp } => format!("event time: {name}"),
            TimeOf::Column { name, format: TimeFormat::Unix(unit) } => format!("event time: {name} as {}", unit.name()),
            TimeOf::Column { name, format: TimeFormat::Text(format) } => {
                let zone = format.zone().map(|zone| format!(" in {zone}")).unwrap_or_default();
                format!("event time: {name} as `{}`{zone}", format.as_str())
            }
        };
        let _ = write!(line, ", out of order by up to {}", duration_text(self.out_of_order_us));
        if let Some(us) = self.idle_after_us {
            let _ = write!(line, ", idle after {}", duration_text(us));
        }
        line
    }
}

pub(super) fn event_time(text: &Text, spec: &At<EventTimeSpec>, columns: &[Field]) -> Result<EventTime, Invalid> {
    let inner = spec.get_ref();
    if chosen(text, "processing", inner.processing.as_ref())? {
        return processing(text, inner);
    }
    let Some(column) = &inner.column else {
        return Err(text
            .wrong(spec, "this says neither which column the event time is, nor that the clock gives it")
            .hint("write `column = \"..\"` or `processing = true`"));
    };
    let name = column.get_ref();
    let Some(field) = columns.iter().find(|f| f.name == *name) else {
        let all: Vec<_> = columns.iter().map(|f| f.name.as_str()).collect();
        return Err(text.wrong(column, format!("there is no column `{name}`")).hint(did_you_mean(name, &all)));
    };
    let format = match &inner.format {
        None => no_format(text, column, field)?,
        Some(at) => format(text, at, inner.zone.as_ref(), field)?,
    };
    if let (Some(at), TimeFormat::Timestamp | TimeFormat::Unix(_)) = (&inner.zone, &format) {
        let message = format!("column `{name}` is {}, which is in UTC; a zone is for texts", field.type_name());
        let hint = format!("declare it in the source's schema as `{name} = \"text\"`, and say its `format`");
        return Err(text.wrong(at, message).hint(hint));
    }
    let out_of_order_us = match &inner.out_of_order {
        None => 0,
        Some(at) => duration(text, at, |us| us >= 0, "is negative; rows can't be early")?,
    };
    let idle_after = inner.idle_after.as_ref();
    let idle_after_us = idle_after
        .map(|at| duration(text, at, |us| us > 0, "is no time to wait; a partition would be idle between any two rows"))
        .transpose()?;
    Ok(EventTime { of: TimeOf::Column { name: name.clone(), format }, out_of_order_us, idle_after_us })
}

/// Time from the clock needs nothing else, and goes with nothing else.
fn processing(text: &Text, spec: &EventTimeSpec) -> Result<EventTime, Invalid> {
    let others = [
        ("column", &spec.column, "the clock gives the time, and no column"),
        ("format", &spec.format, "the clock gives the time, and no text"),
        ("zone", &spec.zone, "the clock gives the time, in UTC"),
        ("out-of-order", &spec.out_of_order, "the clock never goes back, so no row is out of order"),
        ("idle-after", &spec.idle_after, "the clock goes on while nothing comes, so no partition is idle"),
    ];
    match others.into_iter().find_map(|(name, given, why)| given.as_ref().map(|at| (name, at, why))) {
        None => Ok(EventTime { of: TimeOf::Clock, out_of_order_us: 0, idle_after_us: None }),
        Some((name, at, why)) => {
            Err(text.wrong(at, why).hint(format!("leave out `{name}`, or leave out `processing`")))
        }
    }
}

/// Without a format the column is a timestamp.
fn no_format(text: &Text, at: &At<String>, column: &Field) -> Result<TimeFormat, Invalid> {
    let hint = match column.data_type {
        DataType::Timestamp => return Ok(TimeFormat::Timestamp),
        DataType::Text => {
            "say how it is written, as in `format = \"%d.%m.%Y %H:%M:%S\"`, or declare it as `timestamp` in the source's schema if its texts are ISO 8601 times"
        }
        DataType::Int32 | DataType::Int64 | DataType::Float64 => "say what it counts, as in `format = \"unix-ms\"`",
        _ => "a time is a timestamp, a text with a format, or a number of seconds since 1970",
    };
    let message = format!("event time is a timestamp, but column `{}` is {}", column.name, column.type_name());
    Err(text.wrong(at, message).hint(hint))
}

fn format(text: &Text, at: &At<String>, zone: Option<&At<String>>, column: &Field) -> Result<TimeFormat, Invalid> {
    let (written, name) = (at.get_ref().as_str(), &column.name);
    let wrong = |message: &dyn Display| text.wrong(at, message.to_string());
    let is = format!("column `{name}` is {}", column.type_name());
    let unit = Unit::ALL.into_iter().find(|(unit, _)| *unit == written).map(|(_, unit)| unit);
    match (unit, column.data_type) {
        (Some(unit), DataType::Int32 | DataType::Int64 | DataType::Float64) => Ok(TimeFormat::Unix(unit)),
        (Some(_), _) => Err(wrong(&format!("{is}, and `{written}` is for numbers"))
            .hint("for numbers in texts declare it as `int64` in the source's schema")),
        (None, DataType::Timestamp) => {
            Err(wrong(&format!("{is}, and a format is for texts and numbers")).hint(format!(
                "leave out `format`; or, to read its texts by it, declare `{name} = \"text\"` in the source's schema"
            )))
        }
        (None, DataType::Text) => {
            let zone = zone.map(|at| self::zone(text, at).map(|zone| (at, zone))).transpose()?;
            let format = TextFormat::new(written, zone.map(|(_, zone)| zone));
            let format = format.map_err(|e| wrong(&e).hint(cure(&e)))?;
            match zone {
                Some((at, _)) if format.has_offset() => Err(text
                    .wrong(at, format!("what is written as `{written}` says itself how far it is from UTC"))
                    .hint("leave out `zone`")),
                _ => Ok(TimeFormat::Text(format)),
            }
        }
        (None, _) if !written.contains('%') => {
            let units: Vec<_> = Unit::ALL.iter().map(|(name, _)| *name).collect();
            Err(wrong(&format!("`{written}` is no format for numbers")).hint(did_you_mean(written, &units)))
        }
        (None, _) => Err(wrong(&format!("{is}, and `{written}` is for texts"))
            .hint(format!("declare `{name} = \"text\"` in the source's schema"))),
    }
}

fn cure(error: &FormatError) -> &'static str {
    match error {
        FormatError::Unknown(_) => {
            "the parts are those of strftime: %Y %m %d %H %M %S, %.f for a fraction, %z for an offset, %b for a month's name, .."
        }
        FormatError::ZoneName => {
            "read the offset with `%z`, or leave the name out and write `zone = \"Europe/Berlin\"`"
        }
        FormatError::NoDate(_) => "a date is `%Y-%m-%d`, `%d.%m.%y`, `%Y-%j`, `%s` or the like",
        FormatError::NoTime(_) => {
            "a time of day is `%H:%M:%S`, `%H:%M`, `%I:%M %p` or the like; without one it is midnight"
        }
        FormatError::Unreadable(_) => "put something between its parts",
    }
}

fn zone(text: &Text, at: &At<String>) -> Result<chrono_tz::Tz, Invalid> {
    let written = at.get_ref();
    written.parse().map_err(|_| {
        let all: Vec<_> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
        let hint = match nearest(written, &all) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "the names are those of the IANA database, as in `Europe/Berlin`".to_owned(),
        };
        text.wrong(at, format!("there is no time zone `{written}`")).hint(hint)
    })
}

fn duration(text: &Text, at: &At<String>, fits: fn(i64) -> bool, why: &str) -> Result<i64, Invalid> {
    match duration_us(at.get_ref()) {
        Ok(us) if fits(us) => Ok(us),
        Ok(_) => Err(text.wrong(at, format!("`{}` {why}", at.get_ref()))),
        Err(message) => Err(text.wrong(at, message)),
    }
}
