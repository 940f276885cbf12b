//! `[state]` as written: where the state of steps is kept beside memory.

use super::quantity::size_bytes;
use super::spec::{At, StateSpec, Text};
use super::streams::relative;
use super::{Node, Operator, WindowKind};
use crate::error::Invalid;
use crate::state::{Settings, check_redis_url};

/// What is kept in memory where nothing is said.
const MEMORY_BYTES: usize = 256 << 20;

/// Less holds no batch of keys.
const MEMORY_BYTES_MIN: usize = 1 << 20;

pub(super) fn state(text: &Text, spec: Option<&At<StateSpec>>) -> Result<Settings, Invalid> {
    let Some(at) = spec else { return Ok(Settings::Memory) };
    let StateSpec { disk, redis, prefix, memory } = at.get_ref();
    let memory_bytes = match memory {
        None => MEMORY_BYTES,
        Some(at) => match size_bytes(at.get_ref()).map_err(|message| text.wrong(at, message))? {
            bytes if bytes < MEMORY_BYTES_MIN => {
                let message = format!("`{}` holds no batch of keys; the least is 1MiB", at.get_ref());
                return Err(text.wrong(at, message));
            }
            bytes => bytes,
        },
    };
    match (disk, redis) {
        (Some(_), Some(at)) => {
            Err(text.wrong(at, "state is kept on disk or in Redis, not in both").hint("take one of them out"))
        }
        (None, None) => Err(text.wrong(at, "`[state]` does not say where state is kept").hint(
            "write `disk = \"state/\"` or `redis = \"redis://HOST:PORT\"`, or take `[state]` out to keep it in memory",
        )),
        (Some(disk), None) => {
            if let Some(at) = prefix {
                return Err(text.wrong(at, "a prefix is for names in Redis; on disk it says nothing"));
            }
            Ok(Settings::Disk { folder: relative(text, disk.get_ref()), memory_bytes })
        }
        (None, Some(at)) => {
            check_redis_url(at.get_ref()).map_err(|why| {
                text.wrong(at, format!("`redis` is no address of a server: {why}"))
                    .hint("write `redis://HOST:PORT`, or `redis://USER:PASSWORD@HOST:PORT/DATABASE`")
            })?;
            let prefix = prefix.as_ref().map_or("weir", |at| at.get_ref()).to_owned();
            Ok(Settings::Redis { url: at.get_ref().clone(), prefix, memory_bytes })
        }
    }
}

/// Why the state of a node is in memory, whatever `[state]` says; none where it is not.
pub(super) fn stays_in_memory(node: &Node) -> Option<&'static str> {
    match &node.operator {
        Operator::Window(window) if window.compute.group_map().is_some() => match window.kind {
            WindowKind::Session { .. } => Some("functions of whole groups over sessions"),
            WindowKind::Count { .. } => Some("functions of whole groups over so many rows"),
            _ => None,
        },
        _ => None,
    }
}

/// Why the state of a node that is on disk can't be in a checkpoint; none where it can.
pub(super) fn goes_into_no_checkpoint(node: &Node) -> Option<&'static str> {
    match &node.operator {
        // Rows of a key are on every worker, each in files of its own.
        Operator::Join(join) if join.broadcast => Some("joins with `broadcast`"),
        _ => None,
    }
}
