//! `[checkpoint]` as written: when checkpoints are taken, and what can't be in them.

use std::time::Duration;

use super::quantity::duration_us;
use super::spec::{At, CheckpointSpec, Text};
use super::streams::relative;
use super::{Node, Operator};
use crate::checkpoint::Settings;
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
    let CheckpointSpec { dir, every, keep } = spec.get_ref();
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
    if *state != state::Settings::Memory {
        let message = "checkpoints hold state that is in memory; with `[state]` it is elsewhere as well";
        return Err(text.wrong(spec, message).hint("take `[state]` out, or `[checkpoint]`"));
    }
    Ok(Some(Settings { folder: relative(text, dir.get_ref()), every, keep }))
}
