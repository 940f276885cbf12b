//! The programs that other languages' functions are built with: found, and run in the folder.
//!
//! A program is looked for where the language's own tools look: in a virtual environment or
//! `node_modules` beside the source or above it, then on `PATH`. What it prints reaches the user on
//! stderr, and where it fails in whole.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Result};

/// Where programs may stand beside a source folder.
const BESIDE: [&str; 3] = [".venv/bin", "venv/bin", "node_modules/.bin"];

/// LLVM takes WebAssembly for a machine that gains nothing from unrolling loops of vectors. But each turn costs a look at
/// whether the function has run too long, and what is live around it is kept in memory: so four vectors a turn.
pub(super) const WIDE_LOOPS: &str = "-force-vector-interleave=4";

/// The first of these programs that there is.
pub(super) fn find(folder: &Path, names: &[&str]) -> Option<PathBuf> {
    let beside = folder.ancestors().flat_map(|above| BESIDE.iter().map(move |bin| above.join(bin)));
    let active = std::env::var_os("VIRTUAL_ENV").map(|venv| PathBuf::from(venv).join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let places: Vec<PathBuf> = beside.chain(active).chain(path).collect();
    names.iter().find_map(|name| places.iter().map(|place| place.join(name)).find(|program| program.is_file()))
}

/// The error for a language whose tools are not there.
pub(super) fn missing(shown: &Path, what: &str, install: &str) -> Error {
    Error::Build {
        message: format!("{} needs {what}, which is not installed", shown.display()),
        hint: Some(format!("install it, beside the function or on PATH: {install}")),
    }
}

/// A command in the folder that gets no input.
pub(super) fn command(folder: &Path, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs it to its end. Warnings are passed on; where it fails, all that it said.
pub(super) fn run(shown: &Path, command: &mut Command) -> Result<()> {
    let program = Path::new(command.get_program()).file_name().map(OsStr::to_string_lossy).unwrap_or_default();
    let program = program.into_owned();
    let output = command.output().map_err(|e| Error::Build {
        message: format!("can't run {program} to build {}: {e}", shown.display()),
        hint: None,
    })?;
    let mut stderr = std::io::stderr();
    // There is nowhere to report it if stderr is gone.
    drop(stderr.write_all(&output.stderr));
    if output.status.success() {
        return Ok(());
    }
    drop(stderr.write_all(&output.stdout));
    Err(Error::Build { message: format!("{} does not compile ({program})", shown.display()), hint: None })
}
