//! `weir run --watch`: the pipeline as a process of its own, ended and started again whenever a file that
//! it is made of has changed.
//!
//! What is looked at are the pipeline file and the sources or components in its `[functions]`, every fifth of a second.
//! A run that has ended, well or not, is started again at the next change.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, SystemTime};

use rustix::process::{Pid, Signal, kill_process};
use weir::error::{Error, Result};

use super::{print, signals};

/// How long between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// Runs until a signal ends it.
pub(super) fn run(pipeline: &Path) -> Result<()> {
    let stop = signals::stop_flag()?;
    loop {
        let before = state(pipeline);
        let mut child = start()?;
        loop {
            if stop.load(Ordering::Relaxed) {
                end(&mut child)?;
                return Ok(());
            }
            let now = state(pipeline);
            if let Some(changed) = difference(&before, &now) {
                print::note(&format!("{} has changed", changed.display()));
                end(&mut child)?;
                break;
            }
            thread::sleep(PAUSE);
        }
    }
}

fn bug(what: &str, error: &std::io::Error) -> Error {
    Error::Bug(format!("the watched run {what}: {error}"))
}

/// The same command without being watched.
fn start() -> Result<Child> {
    let program = std::env::current_exe().map_err(|e| bug("has no program", &e))?;
    let arguments = std::env::args_os().skip(1).filter(|argument| argument != "--watch");
    Command::new(program).args(arguments).spawn().map_err(|e| bug("does not start", &e))
}

/// Asks the run to end as a signal would, and waits until it has.
fn end(child: &mut Child) -> Result<()> {
    if child.try_wait().map_err(|e| bug("is lost", &e))?.is_none()
        && let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw)
    {
        // It may have ended by itself in between.
        let _ = kill_process(pid, Signal::TERM);
    }
    child.wait().map(drop).map_err(|e| bug("is lost", &e))
}

type State = Vec<(PathBuf, Option<SystemTime>, u64)>;

/// The files that the pipeline is made of, with what changes when they do.
fn state(pipeline: &Path) -> State {
    let mut files = vec![pipeline.to_owned()];
    for path in functions(pipeline) {
        match weir::build::sources(&path) {
            Ok(sources) if path.is_dir() => files.extend(sources),
            _ => files.push(path),
        }
    }
    let stamp = |path: PathBuf| match std::fs::metadata(&path) {
        Ok(metadata) => (path, metadata.modified().ok(), metadata.len()),
        Err(_) => (path, None, 0),
    };
    files.into_iter().map(stamp).collect()
}

/// The paths in `[functions]`; none where the file can't be read, which the run tells of.
fn functions(pipeline: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(pipeline).unwrap_or_default();
    let table: toml::Table = toml::from_str(&text).unwrap_or_default();
    let Some(functions) = table.get("functions").and_then(toml::Value::as_table) else {
        return Vec::new();
    };
    let folder = pipeline.parent().unwrap_or(Path::new(""));
    let path =
        |entry: &toml::Value| entry.as_str().or_else(|| entry.get("path")?.as_str()).map(|path| folder.join(path));
    functions.values().filter_map(path).collect()
}

/// The first file that is not as it was.
fn difference<'a>(before: &'a State, now: &'a State) -> Option<&'a Path> {
    let changed = now.iter().find(|file| !before.contains(file));
    changed.or_else(|| before.iter().find(|file| !now.contains(file))).map(|(path, ..)| path.as_path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_seen_in_the_pipeline_and_in_its_functions_alone() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        std::fs::create_dir(folder.path().join("f")).unwrap();
        write("pipeline.toml", "[functions]\nf = \"f\"\ng = { path = \"g.wasm\" }\n");
        write("f/functions.py", "1");
        let pipeline = folder.path().join("pipeline.toml");
        let before = state(&pipeline);
        write("out.jsonl", "{}");
        assert_eq!(difference(&before, &state(&pipeline)), None);
        write("g.wasm", "new");
        assert!(difference(&before, &state(&pipeline)).unwrap().ends_with("g.wasm"));
        let before = state(&pipeline);
        write("f/functions.py", "22");
        assert!(difference(&before, &state(&pipeline)).unwrap().ends_with("functions.py"));
        std::fs::remove_file(folder.path().join("f/functions.py")).unwrap();
        assert!(difference(&before, &state(&pipeline)).unwrap().ends_with("functions.py"));
    }
}
