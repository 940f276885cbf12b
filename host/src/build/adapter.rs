//! The adapter that takes WASI away: a module compiled for WASI preview 1 becomes one that imports
//! `weir:udf/host` alone. What it does stands in `adapter.wat`.
//!
//! An adapter has no data of its own, so the lines that it logs are written to memory number by
//! number; a line `;; SAY name text` there becomes a function that does it.

use std::fmt::Write;

use wit_component::{StringEncoding, embed_component_metadata};

use super::world;
use crate::error::{Error, Result};

/// What modules compiled for WASI preview 1 import.
pub(super) const WASI: &str = "wasi_snapshot_preview1";

/// The adapter, as a core module that says what it imports.
pub(super) fn module() -> Result<Vec<u8>> {
    let bug = |e: String| Error::Bug(format!("the adapter for WASI: {e}"));
    let text: String = include_str!("adapter.wat").lines().map(line).collect();
    let mut module = wat::parse_str(&text).map_err(|e| bug(e.to_string()))?;
    let (resolve, id) = world::resolve("adapter", &[world::HOST])?;
    embed_component_metadata(&mut module, &resolve, id, StringEncoding::UTF8, false)
        .map_err(|e| bug(format!("{e:#}")))?;
    Ok(module)
}

fn line(line: &str) -> String {
    match line.trim().strip_prefix(";; SAY ").and_then(|rest| rest.split_once(' ')) {
        Some((name, text)) => say(name, text),
        None => format!("{line}\n"),
    }
}

/// A function that logs the text as an error.
fn say(name: &str, text: &str) -> String {
    let mut body = format!("(func ${name} (local $p i32) (local.set $p (call $room)) (if (local.get $p) (then\n");
    for (i, eight) in text.as_bytes().chunks(8).enumerate() {
        let mut bytes = [0; 8];
        bytes[..eight.len()].copy_from_slice(eight);
        let number = i64::from_le_bytes(bytes);
        // Writing to a `String` does not fail.
        let _ = writeln!(body, "(i64.store offset={} (local.get $p) (i64.const {number}))", i * 8);
    }
    let _ = writeln!(body, "(call $log (i32.const 3) (local.get $p) (i32.const {})))))", text.len());
    body
}
