//! A stateful map as written: its key, its function, and how long a state lives.

use super::spec::{At, StepSpec, Text};
use super::steps::{Applied, Find, Step, Stream, applied};
use super::window::{above_zero, key};
use super::{Operator, StatefulMap};
use crate::function::Kind;

/// Checks the step that calls `at`. Without `key-by` all rows have one state.
pub(super) fn stateful_map(
    text: &Text,
    spec: &StepSpec,
    at: &At<String>,
    stream: &Stream<'_>,
    find: &mut Find<'_>,
) -> crate::Result<Step> {
    let key = key(text, spec, stream)?;
    let ttl_us = spec.ttl.as_ref().map(|ttl| above_zero(text, ttl, "a time to live", "it")).transpose()?;
    if let (Some(ttl), false) = (&spec.ttl, stream.timed) {
        return Err(text
            .wrong(ttl, "a `ttl` is in event time, and the source has none")
            .hint("write `event-time = { column = \"..\", out-of-order = \"..\" }` under the source")
            .into());
    }
    let Applied { apply, empty, columns, name } = applied(text, spec, Kind::StatefulMapper, at, stream, find)?;
    Ok(Step { operator: Operator::StatefulMap(StatefulMap { apply, key, ttl_us, empty }), columns, name })
}
