//! When the windows of a step give results, and what becomes of rows that are late: `emit`,
//! `allowed-lateness`, `late`.

use crate::error::Invalid;
use crate::plan::quantity::duration_us;
use crate::plan::spec::{At, EmitSpec, StepSpec, Text};
use crate::plan::{Emit, Firing, Late, WindowKind};

/// Checks what a step says of when it gives results, for windows of this kind.
pub(super) fn firing(text: &Text, spec: &StepSpec, kind: WindowKind, timed: bool) -> Result<Firing, Invalid> {
    let emit = emit(text, spec, kind, timed)?;
    // Rows of these windows are taken whenever they come.
    let never_late = match kind {
        WindowKind::Count { .. } => Some("a count window takes rows as they come"),
        WindowKind::Global => Some("a global window never ends"),
        _ => None,
    };
    let allowed_us = match &spec.allowed_lateness {
        None => 0,
        Some(at) => {
            if let Some(why) = never_late {
                return Err(text.wrong(at, format!("{why}, so none is late, and `allowed-lateness` says nothing")));
            }
            match duration_us(at.get_ref()).map_err(|message| text.wrong(at, message))? {
                us if us >= 0 => us,
                _ => {
                    let message =
                        format!("`{}` is negative; a row can't be late before its window's end", at.get_ref());
                    return Err(text
                        .wrong(at, message)
                        .hint("how far rows may be out of order stands in the source's `event-time`"));
                }
            }
        }
    };
    let late = match spec.late.as_ref().map(|at| (at, at.get_ref().as_str())) {
        None | Some((_, "drop")) => Late::Drop,
        Some((at, "side")) => match never_late {
            Some(why) => return Err(text.wrong(at, format!("{why}, so there is no stream of late rows"))),
            None => Late::Side,
        },
        Some((at, other)) => {
            return Err(text
                .wrong(at, format!("`{other}` says nothing of late rows"))
                .hint("there are: `drop`, `side`"));
        }
    };
    Ok(Firing { emit, allowed_lateness_us: allowed_us, late })
}

fn emit(text: &Text, spec: &StepSpec, kind: WindowKind, timed: bool) -> Result<Emit, Invalid> {
    let Some(at) = &spec.emit else { return Ok(Emit::Final) };
    let emit = match at.get_ref() {
        EmitSpec::Word(word) => match word.as_str() {
            "final" => Emit::Final,
            "changes" => Emit::Changes,
            other => {
                return Err(text
                    .wrong(at, format!("`{other}` does not say when results are given"))
                    .hint("there are: `\"final\"`, `\"changes\"`, `{ every = \"10s\" }`"));
            }
        },
        EmitSpec::Every(every) => match duration_us(&every.every).map_err(|message| text.wrong(at, message))? {
            us if us > 0 => Emit::Every { us },
            _ => return Err(text.wrong(at, format!("every `{}` is no time between results", every.every))),
        },
    };
    if emit != Emit::Final && matches!(kind, WindowKind::Count { .. }) {
        return Err(text
            .wrong(at, "a count window gives its result when it is full, and `emit` can't change that")
            .hint("for a running value use `aggregate` without `window`, with `emit = \"changes\"`"));
    }
    if matches!(emit, Emit::Every { .. }) && !timed {
        return Err(text
            .wrong(at, "the time between results is event time, and this stream has none")
            .hint("write `event-time = { column = \"..\" }` under the source, or `emit = \"changes\"`"));
    }
    Ok(emit)
}

/// Aggregates without a window have to say that they give results as they change.
pub(super) fn without_window(text: &Text, spec: &At<StepSpec>) -> Result<WindowKind, Invalid> {
    match spec.get_ref().emit.as_ref().map(At::get_ref) {
        Some(EmitSpec::Word(word)) if word != "final" => Ok(WindowKind::Global),
        Some(EmitSpec::Every(_)) => Ok(WindowKind::Global),
        _ if spec.get_ref().group_map.is_some() => Err(text
            .wrong(spec, "the rows of a stream have no end, so a function of whole groups needs a window")
            .hint("write `window = { tumbling = \"1h\" }`")),
        _ => Err(text
            .wrong(spec, "the rows of a stream have no end, so an aggregate needs a window")
            .hint("write `window = { tumbling = \"1h\" }`, or `emit = \"changes\"` for a result whenever it changes")),
    }
}
