//! Steps as written, checked against the stream that they take: which kind of step it is, its
//! function, its columns, the columns that come out.

use super::bind::{Component, bind, did_you_mean};
use super::quantity::{duration_us, gcd};
use super::spec::{AsSpec, At, StepSpec, Text, WindowSpec};
use super::stateful::stateful_map;
use super::{Aggregate, Apply, Operator, WINDOW_COLUMNS, Window, WindowKind, call};
use crate::error::Invalid;
use crate::function::Kind;
use crate::types::{DataType, Field};

/// The stream that a step takes.
pub(super) struct Stream<'a> {
    pub(super) columns: &'a [Field],
    pub(super) timed: bool,
}

/// What a step does, the columns it gives, and what it is called if the file does not say.
pub(super) struct Step {
    pub(super) operator: Operator,
    pub(super) columns: Vec<Field>,
    pub(super) name: String,
}

/// Finds a component by its name in `[functions]`.
pub(super) type Find<'a> = dyn FnMut(&str) -> Result<Component, crate::Error> + 'a;

pub(super) fn step(text: &Text, spec: &At<StepSpec>, stream: &Stream<'_>, find: &mut Find<'_>) -> crate::Result<Step> {
    let inner = spec.get_ref();
    super::join::refuse_parts(text, inner)?;
    let given: Vec<(Kind, &At<String>)> = [
        (Kind::Mapper, inner.map.as_ref()),
        (Kind::Filter, inner.filter.as_ref()),
        (Kind::FlatMapper, inner.flat_map.as_ref()),
    ]
    .into_iter()
    .filter_map(|(kind, at)| at.map(|at| (kind, at)))
    .collect();
    let in_windows = inner.window.is_some() || inner.aggregate.is_some();
    let windowed = in_windows || (inner.key_by.is_some() && inner.stateful_map.is_none());
    if let (Some(at), None) = (&inner.ttl, &inner.stateful_map) {
        return Err(text.wrong(at, "`ttl` says how long a state lives, and only a `stateful-map` has states").into());
    }
    match (given.as_slice(), &inner.stateful_map, windowed) {
        ([(kind, at)], None, false) => apply(text, inner, *kind, at, stream, find),
        ([], Some(at), false) => stateful_map(text, inner, at, stream, find),
        ([], None, true) => window(text, spec, stream, find),
        _ => Err(text
            .wrong(spec, "a step does one thing")
            .hint(
                "give it one of `map`, `filter` and `flat-map`, or `stateful-map` (with `key-by`), or `window` with `aggregate` (and `key-by`)",
            )
            .into()),
    }
}

pub(super) fn apply(
    text: &Text,
    spec: &StepSpec,
    kind: Kind,
    at: &At<String>,
    stream: &Stream<'_>,
    find: &mut Find<'_>,
) -> crate::Result<Step> {
    let Applied { apply, columns, name, .. } = applied(text, spec, kind, at, stream, find)?;
    let operator = match kind {
        Kind::Mapper => Operator::Map(apply),
        Kind::Filter => Operator::Filter(apply),
        Kind::FlatMapper | Kind::Aggregate | Kind::StatefulMapper | Kind::GroupMapper => Operator::FlatMap(apply),
    };
    Ok(Step { operator, columns, name })
}

/// A function of a step whose outputs are added to its rows.
pub(super) struct Applied {
    pub(super) apply: Apply,
    /// What a call of no rows gave: a state that has seen nothing.
    pub(super) empty: Vec<arrow_array::ArrayRef>,
    /// The columns of the rows that come out.
    pub(super) columns: Vec<Field>,
    /// The function's name.
    pub(super) name: String,
}

/// Binds the function of a step whose outputs are added to its rows.
pub(super) fn applied(
    text: &Text,
    spec: &StepSpec,
    kind: Kind,
    at: &At<String>,
    stream: &Stream<'_>,
    find: &mut Find<'_>,
) -> crate::Result<Applied> {
    let mut call = call::parse(at.get_ref()).map_err(|message| text.wrong(at, message))?;
    for (name, value) in spec.with.iter().flat_map(|with| with.get_ref()) {
        let Some(value) = call::scalar_text(value) else {
            let with = spec.with.as_ref().map_or(at.span(), At::span);
            return Err(Invalid::new(format!("parameter `{name}` is a list or a table; a parameter is one value"))
                .at(text.place(with.start))
                .into());
        };
        call.parameters.push((name.clone(), value));
    }
    let component = found(text, at, &call.component, find)?;
    let (bound, empty) =
        bind(&component, &call, kind, stream.columns).map_err(|i| i.at(text.place(at.span().start)))?;

    let signature = bound.function.signature();
    let strict = bound.arguments.iter().any(|a| a.strict);
    let mut outputs = signature.outputs.clone();
    // A row that passes a map by has no outputs; of a flat-map it has no rows.
    if kind == Kind::Mapper && strict {
        outputs.iter_mut().for_each(|field| field.nullable = true);
    }
    if let Some(rename) = &spec.rename {
        let names = match rename.get_ref() {
            AsSpec::One(name) => std::slice::from_ref(name),
            AsSpec::Many(names) => names.as_slice(),
        };
        if names.len() != outputs.len() {
            return Err(text
                .wrong(
                    rename,
                    format!(
                        "`as` has {} for {} of `{}`",
                        counted(names.len(), "name"),
                        counted(outputs.len(), "output"),
                        bound.label
                    ),
                )
                .into());
        }
        outputs.iter_mut().zip(names).for_each(|(field, name)| field.name.clone_from(name));
    }
    if let Some(twice) = twice(&outputs) {
        return Err(text.wrong(at, format!("two outputs are named `{twice}`")).hint("rename them with `as`").into());
    }

    // An output replaces the column of its name where that stands; the others come last.
    let replaced = |column: &Field| outputs.iter().find(|o| o.name == column.name).unwrap_or(column).clone();
    let mut columns: Vec<Field> = stream.columns.iter().map(replaced).collect();
    columns.extend(outputs.iter().filter(|o| stream.columns.iter().all(|c| c.name != o.name)).cloned());
    Ok(Applied { apply: Apply { call: bound, outputs }, empty, columns, name: call.function })
}

fn window(text: &Text, spec: &At<StepSpec>, stream: &Stream<'_>, find: &mut Find<'_>) -> crate::Result<Step> {
    let inner = spec.get_ref();
    let Some(window) = &inner.window else {
        return Err(text
            .wrong(spec, "the rows of a stream have no end, so an aggregate needs a window")
            .hint("write `window = { tumbling = \"1h\" }`")
            .into());
    };
    let Some(calls) = inner.aggregate.as_ref().filter(|a| !a.get_ref().is_empty()) else {
        return Err(text
            .wrong(window, "nothing is computed of this window")
            .hint("write `aggregate = { rows = \"stats.count()\" }`")
            .into());
    };
    if let Some(at) = &inner.with {
        return Err(text
            .wrong(at, "`with` is for one function; aggregates have their parameters in the call")
            .hint("write `\"stats.quantile(delay, q = 0.95)\"`")
            .into());
    }
    if let Some(at) = &inner.rename {
        return Err(text.wrong(at, "aggregates are named by their keys, so `as` says nothing").into());
    }
    if !stream.timed {
        return Err(text
            .wrong(window, "a window needs event time, and the source has none")
            .hint("write `event-time = { column = \"..\", out-of-order = \"..\" }` under the source")
            .into());
    }
    let kind = window_kind(text, window)?;
    let key = key(text, inner, stream)?;

    let mut calls: Vec<_> = calls.get_ref().iter().collect();
    calls.sort_by_key(|(_, at)| at.span().start);
    let mut aggregates = Vec::new();
    for (name, at) in calls {
        let call = call::parse(at.get_ref()).map_err(|message| text.wrong(at, message))?;
        let component = found(text, at, &call.component, find)?;
        let (bound, empty) =
            bind(&component, &call, Kind::Aggregate, stream.columns).map_err(|i| i.at(text.place(at.span().start)))?;
        let mut outputs = bound.function.signature().outputs.clone();
        match outputs.as_mut_slice() {
            [one] => one.name.clone_from(name),
            many => many.iter_mut().for_each(|field| field.name = format!("{name}_{}", field.name)),
        }
        aggregates.push(Aggregate { call: bound, outputs, empty });
    }

    let mut columns: Vec<Field> =
        WINDOW_COLUMNS.iter().map(|name| Field::new(*name, DataType::Timestamp, false)).collect();
    columns.extend(key.iter().cloned());
    columns.extend(aggregates.iter().flat_map(|a| a.outputs.iter().cloned()));
    if let Some(twice) = twice(&columns) {
        return Err(text
            .wrong(spec, format!("two columns of the result are named `{twice}`"))
            .hint("the result has window_start, window_end, the key and the aggregates; rename an aggregate")
            .into());
    }
    Ok(Step { operator: Operator::Window(Window { key, kind, aggregates }), columns, name: "window".to_string() })
}

pub(super) fn key(text: &Text, spec: &StepSpec, stream: &Stream<'_>) -> Result<Vec<Field>, Invalid> {
    let mut key: Vec<Field> = Vec::new();
    for at in spec.key_by.iter().flat_map(|at| at.get_ref()) {
        let name = at.get_ref();
        let Some(field) = stream.columns.iter().find(|c| c.name == *name) else {
            let all: Vec<_> = stream.columns.iter().map(|c| c.name.as_str()).collect();
            return Err(text.wrong(at, format!("there is no column `{name}`")).hint(did_you_mean(name, &all)));
        };
        if key.contains(field) {
            return Err(text.wrong(at, format!("`{name}` is in the key twice")));
        }
        key.push(field.clone());
    }
    Ok(key)
}

/// The most windows that one row may be in.
const WINDOWS_PER_ROW_MAX: i64 = 100_000;

pub(super) fn window_kind(text: &Text, spec: &At<WindowSpec>) -> Result<WindowKind, Invalid> {
    let inner = spec.get_ref();
    let kinds = [
        ("tumbling", &inner.tumbling),
        ("hopping", &inner.hopping),
        ("cumulating", &inner.cumulating),
        ("session", &inner.session),
    ];
    let given: Vec<_> = kinds.into_iter().filter_map(|(name, at)| Some((name, at.as_ref()?))).collect();
    let [(kind, size)] = given.as_slice() else {
        let what = if given.is_empty() { "has no kind" } else { "has more than one kind" };
        return Err(text.wrong(spec, format!("this window {what}")).hint(
            "write `{ tumbling = \"1h\" }`, `{ hopping = \"1h\", step = \"5m\" }`, `{ cumulating = \"1d\", step = \"1h\" }` or `{ session = \"30m\" }`",
        ));
    };
    if *kind == "session" {
        let gap_us = above_zero(text, size, "a gap", "it")?;
        return match inner.step.as_ref().or(inner.offset.as_ref()) {
            Some(at) => {
                Err(text.wrong(at, "sessions start and end with their rows, so they have no step and no offset"))
            }
            None => Ok(WindowKind::Session { gap_us }),
        };
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
    let step_us = above_zero(text, step, "a step", "it")?;
    let (size_text, step_text) = (size.get_ref(), step.get_ref());
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

pub(super) fn above_zero(text: &Text, at: &At<String>, what: &str, whose: &str) -> Result<i64, Invalid> {
    match duration_us(at.get_ref()).map_err(|message| text.wrong(at, message))? {
        us if us > 0 => Ok(us),
        _ => Err(text.wrong(at, format!("{what} of `{}` holds nothing; {whose} must be above zero", at.get_ref()))),
    }
}

fn found(text: &Text, at: &At<String>, name: &str, find: &mut Find<'_>) -> crate::Result<Component> {
    find(name).map_err(|error| match error {
        crate::Error::Invalid(mut invalid) if invalid.place.is_none() => {
            invalid.place = Some(text.place(at.span().start));
            crate::Error::Invalid(invalid)
        }
        other => other,
    })
}

fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn twice(fields: &[Field]) -> Option<&str> {
    let mut seen = std::collections::HashSet::new();
    fields.iter().find(|f| !seen.insert(&f.name)).map(|f| f.name.as_str())
}
