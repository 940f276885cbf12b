//! Which windows a row is in: `window = { .. }`.

use crate::error::Invalid;
use crate::plan::WindowKind;
use crate::plan::quantity::{duration_us, gcd};
use crate::plan::spec::{Amount, At, Text, WindowSpec};

/// What a window may be.
const KINDS: &str = "write `{ tumbling = \"1h\" }`, `{ hopping = \"1h\", step = \"5m\" }`, \
    `{ cumulating = \"1d\", step = \"1h\" }`, `{ session = \"30m\" }`, `{ count = 100 }` or `{ global = true }`";

/// The most windows that one row may be in.
const WINDOWS_PER_ROW_MAX: i64 = 100_000;

pub(in crate::plan) fn window_kind(text: &Text, spec: &At<WindowSpec>) -> Result<WindowKind, Invalid> {
    let inner = spec.get_ref();
    let kinds = [
        ("tumbling", &inner.tumbling),
        ("hopping", &inner.hopping),
        ("cumulating", &inner.cumulating),
        ("session", &inner.session),
    ];
    let given: Vec<_> = kinds.into_iter().filter_map(|(name, at)| Some((name, at.as_ref()?))).collect();
    let (kind, size) = match (given.as_slice(), &inner.count, &inner.global) {
        ([one], None, None) => one,
        ([], Some(rows), None) => return count(text, inner, rows),
        ([], None, Some(yes)) => return global(text, inner, yes),
        (given, count, global) => {
            let none = given.is_empty() && count.is_none() && global.is_none();
            let what = if none { "has no kind" } else { "has more than one kind" };
            return Err(text.wrong(spec, format!("this window {what}")).hint(KINDS));
        }
    };
    if *kind == "session" {
        let gap_us = above_zero(text, size, "a gap", "it")?;
        let why = "sessions start and end with their rows, so they have no step and no offset";
        return neither(text, inner, why).map(|()| WindowKind::Session { gap_us });
    }
    let size_us = above_zero(text, size, "a window", "its size")?;
    let offset = |modulo_us: i64| match &inner.offset {
        None => Ok(0),
        Some(at) => Ok(duration_us(at.get_ref()).map_err(|message| text.wrong(at, message))?.rem_euclid(modulo_us)),
    };
    if *kind == "tumbling" {
        return match &inner.step {
            Some(at) => Err(text
                .wrong(at, "tumbling windows follow each other, so `step` says nothing")
                .hint("for windows that overlap write `hopping` in place of `tumbling`")),
            None => Ok(WindowKind::Tumbling { size_us, offset_us: offset(size_us)? }),
        };
    }
    let Some(step) = &inner.step else {
        return Err(text.wrong(spec, format!("a {kind} window needs a step")).hint("write `step = \"5m\"` beside it"));
    };
    let (step_us, step_text) = match step.get_ref() {
        Amount::Time(time) => (above(text, step, time, "a step", "it")?, time),
        Amount::Rows(rows) => {
            let message = format!("the step of {rows} is no duration, as the size is");
            return Err(text.wrong(step, message).hint("write `step = \"5m\"`"));
        }
    };
    let size_text = size.get_ref();
    if step_us > size_us {
        let lost = "rows between two windows would be in none";
        return Err(
            text.wrong(step, format!("the step of {step_text} is longer than the window of {size_text}: {lost}"))
        );
    }
    let pane_us = gcd(size_us, step_us);
    if size_us / pane_us > WINDOWS_PER_ROW_MAX {
        return Err(text.wrong(
            step,
            format!("windows of {size_text} every {step_text} are cut into more than {WINDOWS_PER_ROW_MAX} panes"),
        ));
    }
    match *kind {
        "hopping" => Ok(WindowKind::Hopping { size_us, step_us, offset_us: offset(step_us)? }),
        _ if size_us % step_us != 0 => Err(text
            .wrong(step, format!("steps of {step_text} do not fill a window of {size_text}"))
            .hint("the size of a cumulating window is a multiple of its step")),
        _ => Ok(WindowKind::Cumulating { size_us, step_us, offset_us: offset(size_us)? }),
    }
}

/// So many rows of a key.
fn count(text: &Text, spec: &WindowSpec, rows: &At<i64>) -> Result<WindowKind, Invalid> {
    if let Some(at) = &spec.offset {
        return Err(text.wrong(at, "count windows start with a key's first row, so they have no offset"));
    }
    let number = *rows.get_ref();
    if number < 1 {
        return Err(text.wrong(rows, format!("a window of {number} rows holds nothing; write a number above zero")));
    }
    let step = match spec.step.as_ref().map(|at| (at, at.get_ref())) {
        None => number,
        Some((_, Amount::Rows(step))) if (1..=number).contains(step) => *step,
        Some((at, Amount::Rows(step @ 1..))) => {
            let lost = "rows between two windows would be in none";
            return Err(
                text.wrong(at, format!("the step of {step} rows is longer than the window of {number}: {lost}"))
            );
        }
        Some((at, Amount::Rows(step))) => {
            return Err(text.wrong(at, format!("a step of {step} rows leads nowhere; write a number above zero")));
        }
        Some((at, Amount::Time(time))) => {
            let message = format!("the step of a count window is a number of rows, and {time:?} is none");
            return Err(text.wrong(at, message).hint("write `step = 10`"));
        }
    };
    if number / gcd(number, step) > WINDOWS_PER_ROW_MAX {
        let message =
            format!("windows of {number} rows every {step} are cut into more than {WINDOWS_PER_ROW_MAX} panes");
        return Err(text.wrong_at(spec.step.as_ref(), rows, message));
    }
    Ok(WindowKind::Count { rows: number.unsigned_abs(), step: step.unsigned_abs() })
}

/// All rows of a key.
fn global(text: &Text, spec: &WindowSpec, yes: &At<bool>) -> Result<WindowKind, Invalid> {
    if !*yes.get_ref() {
        return Err(text.wrong(yes, "`global = false` says nothing").hint(KINDS));
    }
    neither(text, spec, "a global window has all rows, so it has no step and no offset").map(|()| WindowKind::Global)
}

/// That a window has neither a step nor an offset.
fn neither(text: &Text, spec: &WindowSpec, why: &str) -> Result<(), Invalid> {
    match (&spec.step, &spec.offset) {
        (Some(at), _) => Err(text.wrong(at, why)),
        (None, Some(at)) => Err(text.wrong(at, why)),
        (None, None) => Ok(()),
    }
}

pub(in crate::plan) fn above_zero(text: &Text, at: &At<String>, what: &str, whose: &str) -> Result<i64, Invalid> {
    above(text, at, at.get_ref(), what, whose)
}

fn above<T>(text: &Text, at: &At<T>, written: &str, what: &str, whose: &str) -> Result<i64, Invalid> {
    match duration_us(written).map_err(|message| text.wrong(at, message))? {
        us if us > 0 => Ok(us),
        _ => Err(text.wrong(at, format!("{what} of `{written}` holds nothing; {whose} must be above zero"))),
    }
}
