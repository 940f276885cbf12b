//! `[checkpoint]` as written: when checkpoints are taken, and what can't be in them.

use std::time::Duration;

use super::quantity::duration_us;
use super::spec::{At, CheckpointSpec, Text};
use super::state::goes_into_no_checkpoint;
use super::streams::relative;
use super::{Node, Operator};
use crate::checkpoint::{Bucket, Location, Settings, is_url};
use crate::error::Invalid;
use crate::flow::sink::Output;
use crate::state;

/// From one to the next where nothing is said.
const EVERY: Duration = Duration::from_secs(10);

/// How many are kept where nothing is said.
const KEEP: usize = 3;

pub(super) fn checkpoint(
    text: &Text,
    spec: Option<&At<CheckpointSpec>>,
    nodes: &[Node],
    starts: &[usize],
    state: &state::Settings,
) -> Result<Option<Settings>, Invalid> {
    let at = |start: usize, message: String| Invalid::new(message).at(text.place(start));
    let Some(spec) = spec else {
        for (node, start) in nodes.iter().zip(starts) {
            if let Operator::Sink(sink) = &node.operator
                && let Output::Folder(_) = sink.output
            {
                let message = format!("sink `{}` gets a file with each checkpoint, and there are none", node.name);
                return Err(at(*start, message)
                    .hint("write `[checkpoint]` with `dir = \"checkpoints/\"`, or give the sink a `file`"));
            }
        }
        return Ok(None);
    };
    let CheckpointSpec { every, keep, .. } = spec.get_ref();
    let every = match every {
        None => EVERY,
        Some(every) => match duration_us(every.get_ref()).map_err(|message| text.wrong(every, message))? {
            us if us < 0 => return Err(text.wrong(every, "the time between checkpoints can't be negative")),
            us => Duration::from_micros(us.unsigned_abs()),
        },
    };
    let keep = match keep {
        None => KEEP,
        Some(keep) => match usize::try_from(*keep.get_ref()) {
            Ok(count) if count > 0 => count,
            _ => return Err(text.wrong(keep, "at least one checkpoint has to be kept")),
        },
    };
    for (node, start) in nodes.iter().zip(starts) {
        if let Operator::Source(source) = &node.operator
            && let Some(partition) = source.discovered.read_once()
        {
            let message =
                format!("source `{}` can't be read again where a checkpoint was: {partition} is read once", node.name);
            return Err(at(*start, message).hint("read from files, or take `[checkpoint]` out"));
        }
    }
    if let state::Settings::Redis { .. } = state {
        let message = "state in Redis goes on behind a checkpoint, so no run could go on from there";
        return Err(text.wrong(spec, message).hint("keep it on disk, or take `[state]` or `[checkpoint]` out"));
    }
    if *state != state::Settings::Memory {
        for (node, start) in nodes.iter().zip(starts) {
            if let Some(what) = goes_into_no_checkpoint(node) {
                let message = format!("step `{}`: {what} on disk go into no checkpoint", node.name);
                return Err(at(*start, message).hint("take `[state]` or `[checkpoint]` out"));
            }
        }
    }
    Ok(Some(Settings { location: location(text, spec.get_ref())?, every, keep }))
}

/// Where checkpoints are: a folder beside the pipeline, or a bucket with what is said of its server.
pub(super) fn location(text: &Text, spec: &CheckpointSpec) -> Result<Location, Invalid> {
    let CheckpointSpec { dir, endpoint, region, retry, .. } = spec;
    if !is_url(dir.get_ref()) {
        return match endpoint.as_ref().or(region.as_ref()).or(retry.as_ref()) {
            Some(at) => Err(text.wrong(at, "this is about object storage, and `dir` is a folder")),
            None => Ok(Location::Folder(relative(text, dir.get_ref()))),
        };
    }
    if cfg!(not(feature = "s3")) {
        return Err(text
            .wrong(dir, "this weir was built without object storage")
            .hint("build it with the feature `s3`"));
    }
    let bucket = Bucket::parse(dir.get_ref()).map_err(|(wrong, hint)| text.wrong(dir, wrong).hint(hint))?;
    let said = endpoint.as_ref().map(|at| at.get_ref().clone());
    let mut bucket =
        bucket.at(said).map_err(|(wrong, hint)| text.wrong_at(endpoint.as_ref(), dir, wrong).hint(hint))?;
    bucket.region = region.as_ref().map(|at| at.get_ref().clone());
    if let Some(retry) = retry {
        let us = duration_us(retry.get_ref()).map_err(|message| text.wrong(retry, message))?;
        let us =
            u64::try_from(us).map_err(|_| text.wrong(retry, "a request can't be made again for a negative time"))?;
        bucket.retry = Duration::from_micros(us);
    }
    Ok(Location::Bucket(bucket))
}
