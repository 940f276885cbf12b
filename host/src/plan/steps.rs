//! Steps as written, checked against the stream that they take: which kind of step it is, its
//! function, its columns, the columns that come out.

use super::bind::{Component, bind};
use super::spec::{AsSpec, At, StepSpec, Text};
use super::stateful::stateful_map;
use super::window::window;
use super::{Apply, Operator, call};
use crate::error::Invalid;
use crate::function::Kind;
use crate::types::Field;

/// The stream that a step takes.
pub(super) struct Stream<'a> {
    pub(super) columns: &'a [Field],
    pub(super) timed: bool,
    /// Why its rows can't be folded before they change workers, if they can't.
    pub(super) spread: Option<&'static str>,
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
    let in_windows = inner.window.is_some() || inner.aggregate.is_some() || inner.group_map.is_some();
    let windowed = in_windows || (inner.key_by.is_some() && inner.stateful_map.is_none());
    if let (Some(at), None) = (&inner.ttl, &inner.stateful_map) {
        return Err(text.wrong(at, "`ttl` says how long a state lives, and only a `stateful-map` has states").into());
    }
    let firing = [&inner.allowed_lateness, &inner.late].map(|at| at.as_ref().map(At::span));
    let firing = firing.into_iter().flatten().chain(inner.emit.as_ref().map(At::span)).next();
    if let Some(span) = firing.filter(|_| !windowed) {
        let message = "this step has no window, so it has nothing to say of when results are given";
        return Err(Invalid::new(message).at(text.place(span.start)).into());
    }
    if let (Some(at), false) = (&inner.two_phase, windowed) {
        return Err(text.wrong(at, "only an aggregation has phases, and this step is none").into());
    }
    if let Some(how) = &inner.partition {
        return match (given.is_empty() && inner.stateful_map.is_none() && inner.join.is_none(), windowed) {
            (true, false) => Ok(super::partition::partition(text, how, stream)?),
            _ => Err(text.wrong(how, "spreading rows is a step of its own").hint("write another `[[steps]]`").into()),
        };
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

pub(super) fn found(text: &Text, at: &At<String>, name: &str, find: &mut Find<'_>) -> crate::Result<Component> {
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

pub(super) fn twice(fields: &[Field]) -> Option<&str> {
    let mut seen = std::collections::HashSet::new();
    fields.iter().find(|f| !seen.insert(&f.name)).map(|f| f.name.as_str())
}
