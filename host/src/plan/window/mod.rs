//! A window step as written, checked: its key, which windows a row is in, when they give results,
//! and what is computed of them.

mod firing;
mod kind;
mod plan;

pub(super) use kind::{above_zero, window_kind};
pub use plan::{Aggregate, Compute, Emit, Firing, Late, WINDOW_COLUMNS, WINDOW_EMIT, Window, WindowKind};

use super::bind::{bind, did_you_mean};
use super::spec::{At, StepSpec, Text};
use super::steps::{Find, Step, Stream, applied, found, twice};
use super::{Operator, call, two_phase};
use crate::error::Invalid;
use crate::function::Kind;
use crate::types::{DataType, Field};

pub(super) fn window(
    text: &Text,
    spec: &At<StepSpec>,
    stream: &Stream<'_>,
    find: &mut Find<'_>,
) -> crate::Result<Step> {
    let inner = spec.get_ref();
    let kind = match &inner.window {
        Some(window) => window_kind(text, window)?,
        None => firing::without_window(text, spec)?,
    };
    if !stream.timed && !matches!(kind, WindowKind::Count { .. } | WindowKind::Global) {
        return Err(text
            .wrong_at(inner.window.as_ref(), spec, "a window needs event time, and its stream has none")
            .hint("write `event-time = { column = \"..\", out-of-order = \"..\" }` under the source; results of global windows have none")
            .into());
    }
    let firing = firing::firing(text, inner, kind, stream.timed)?;
    let key = key(text, inner, stream)?;
    let compute = match &inner.group_map {
        Some(at) => groups(text, spec, at, kind, stream, find)?,
        None => Compute::Aggregates(aggregates(text, spec, stream, find)?),
    };

    let mut columns: Vec<Field> = Vec::new();
    if kind.has_bounds(stream.timed) {
        columns.extend(WINDOW_COLUMNS.iter().map(|name| Field::new(*name, DataType::Timestamp, false)));
    }
    columns.extend(key.iter().cloned());
    if firing.is_told() {
        columns.push(Field::new(WINDOW_EMIT, DataType::Text, false));
    }
    columns.extend(compute.aggregates().iter().flat_map(|a| a.outputs.iter().cloned()));
    columns.extend(compute.group_map().into_iter().flat_map(|apply| apply.outputs.iter().cloned()));
    if let Some(twice) = twice(&columns) {
        return Err(text
            .wrong(spec, format!("two columns of the result are named `{twice}`"))
            .hint("the result has window_start, window_end, the key and what is computed; rename what is computed")
            .into());
    }
    let phases = two_phase::phases(text, inner, kind, &compute, stream.spread)?;
    let window = Window { key, kind, firing, compute, phases };
    Ok(Step { operator: Operator::Window(window), columns, name: "window".to_string() })
}

/// A function of whole groups.
fn groups(
    text: &Text,
    spec: &At<StepSpec>,
    at: &At<String>,
    kind: WindowKind,
    stream: &Stream<'_>,
    find: &mut Find<'_>,
) -> crate::Result<Compute> {
    let inner = spec.get_ref();
    if let Some(aggregate) = &inner.aggregate {
        let message = "a window is for aggregates or for a function of whole groups, not for both";
        return Err(text.wrong(aggregate, message).hint("write a second step with `from`").into());
    }
    if kind == WindowKind::Global {
        return Err(text
            .wrong(at, "a global window never ends, so all rows of the stream would have to be kept for this function")
            .hint("write `window = { tumbling = \"1h\" }`, `{ session = \"30m\" }` or `{ count = 100 }`")
            .into());
    }
    Ok(Compute::Groups(applied(text, inner, Kind::GroupMapper, at, stream, find)?.apply))
}

/// The aggregates in the order of the file.
fn aggregates(
    text: &Text,
    spec: &At<StepSpec>,
    stream: &Stream<'_>,
    find: &mut Find<'_>,
) -> crate::Result<Vec<Aggregate>> {
    let inner = spec.get_ref();
    if let Some(at) = &inner.with {
        return Err(text
            .wrong(at, "`with` is for one function; aggregates have their parameters in the call")
            .hint("write `\"stats.quantile(delay, q = 0.95)\"`")
            .into());
    }
    if let Some(at) = &inner.rename {
        return Err(text.wrong(at, "aggregates are named by their keys, so `as` says nothing").into());
    }
    let Some(calls) = inner.aggregate.as_ref().filter(|a| !a.get_ref().is_empty()) else {
        return Err(text
            .wrong_at(inner.window.as_ref(), spec, "nothing is computed of this window")
            .hint("write `aggregate = { rows = \"stats.count()\" }`")
            .into());
    };
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
    Ok(aggregates)
}

/// The columns of a step's key.
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
