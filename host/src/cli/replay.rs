//! Dead letters, called again: which file, which component, what came of it.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir::error::{Error, Invalid, Result};
use weir::function::Fault;
use weir::letter::{Letter, Outcome, Stored, native_test, stored};
use weir::sandbox::{Artifact, Limits, Runtime};

use super::args::Replay;
use super::{cache, print};

/// Replays a file's letters, or one of them.
pub(super) fn replay(args: &Replay) -> Result<()> {
    let letters = stored(&args.letters)?;
    let chosen: Vec<_> = letters.iter().filter(|l| args.line.is_none_or(|n| l.number == n.get())).collect();
    if chosen.is_empty() {
        let message = format!("{} has {} letters", args.letters.display(), letters.len());
        return Err(Invalid::new(message).hint("--line takes the number of a line, or of a row, from 1").into());
    }
    let mut components = Components { args, runtime: cache::runtime(&print::note)?, loaded: HashMap::new() };
    let (mut failed, mut skipped) = (0, 0);
    for Stored { place, line, .. } in &chosen {
        let letter = Letter::parse(place, line)?;
        if args.native {
            print::out(&native_test(&letter)?)?;
            continue;
        }
        // In a whole file letters of what was no call are passed by.
        if letter.call.is_none() && args.line.is_none() {
            skipped += 1;
            continue;
        }
        letter.made()?;
        let outcome = letter.replay(&components.of(&letter)?)?;
        failed += usize::from(outcome.reason().is_some());
        print::out(&described(place, &letter, &outcome))?;
    }
    if skipped > 0 {
        print::note(&format!("{skipped} letters have no call to make again: records that could not be read"));
    }
    match failed {
        0 => Ok(()),
        n => Err(Error::Function(format!("{n} of {} calls failed again", chosen.len() - skipped))),
    }
}

/// Components, each loaded once for the limits it ran under.
struct Components<'a> {
    args: &'a Replay,
    runtime: Arc<Runtime>,
    loaded: HashMap<(PathBuf, String), Arc<Artifact>>,
}

impl Components<'_> {
    fn of(&mut self, letter: &Letter) -> Result<Arc<Artifact>> {
        let path = match (&self.args.component, &letter.component) {
            (Some(path), _) => path.clone(),
            (None, Some(path)) => beside(&self.args.letters, path),
            (None, None) => {
                return Err(Invalid::new("the letter does not say where its component was").hint(HINT).into());
            }
        };
        let limits = letter.limits()?;
        let key = (path.clone(), format!("{limits:?}"));
        if let Some(artifact) = self.loaded.get(&key) {
            return Ok(Arc::clone(artifact));
        }
        let artifact = self.load(&path, &limits)?;
        if self.args.component.is_none() && letter.digest.as_deref().is_some_and(|digest| digest != artifact.digest()) {
            return Err(Invalid::new(format!(
                "{} is not the component that failed: it has changed since",
                path.display()
            ))
            .hint(HINT)
            .into());
        }
        self.loaded.insert(key, Arc::clone(&artifact));
        Ok(artifact)
    }

    fn load(&self, path: &Path, limits: &Limits) -> Result<Arc<Artifact>> {
        let wasm = weir::build::load(path, &print::note)?;
        Artifact::load(&self.runtime, &path.display().to_string(), &wasm, limits)
    }
}

const HINT: &str = "name one to take instead: --component PATH";

/// A path of a letter: as it stands, or beside the file of letters.
fn beside(letters: &Path, path: &str) -> PathBuf {
    let path = Path::new(path);
    let there = letters.parent().unwrap_or(Path::new("")).join(path.file_name().unwrap_or_default());
    if path.exists() || !there.exists() { path.to_path_buf() } else { there }
}

fn described(place: &str, letter: &Letter, outcome: &Outcome) -> String {
    let mut out = format!("{place}: step `{}`, {}", letter.step, letter.function.as_deref().unwrap_or("a function"));
    if let (Some(source), Some(position)) = (&letter.source, letter.position) {
        let _ = write!(out, " on record {position} of {source}");
    }
    let _ = writeln!(out, "\n    then: {}", letter.reason);
    match outcome {
        Outcome::Gave(columns) => {
            let columns: Vec<_> = columns.iter().map(|(name, values)| format!("{name} = {values}")).collect();
            let _ = writeln!(out, "    now:  succeeded: {}", columns.join(", "));
        }
        Outcome::RowError(message) => {
            let same = if *message == letter.reason { "the same" } else { message };
            let _ = writeln!(out, "    now:  {same}");
        }
        Outcome::Fault(fault) => {
            let reason = fault.to_string();
            let same = if reason == letter.reason { "the same" } else { reason.as_str() };
            let _ = writeln!(out, "    now:  {same}");
            let Fault { log, backtrace, .. } = fault;
            for frame in backtrace {
                let _ = writeln!(out, "        at {frame}");
            }
            for line in log {
                let _ = writeln!(out, "        log: {line}");
            }
        }
    }
    let call = letter.call.as_ref();
    if call.is_some_and(|call| !call.tried) {
        let _ = writeln!(out, "    it was not tried then: too many rows before it had run out of time");
    } else if let Some(rows) = call.map(|call| call.rows).filter(|rows| *rows > 1) {
        let _ = writeln!(out, "    it was called with {rows} rows then, and alone now");
    }
    out
}
