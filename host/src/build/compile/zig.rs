//! Zig: its own compiler, for WASI, of which the adapter takes away what a function uses of it. The root of the
//! program is the SDK's, with the user's file as a module: so panics and log lines go where they should.
//!
//! The user's code keeps its safety checks, which end in a panic with a message; the SDK's loops have none.

use std::path::{Path, PathBuf};

use super::super::language::Source;
use super::super::tools;
use super::Compiler;
use crate::error::Result;

const INSTALL: &str = "pip install ziglang==0.17.1, or Zig 0.17 from https://ziglang.org/download";

struct Zig {
    program: PathBuf,
}

pub(super) fn find(source: &Source) -> Result<Box<dyn Compiler>> {
    // The latter is what PyPI's package calls it.
    match tools::find(&source.folder, &["zig", "python-zig"]) {
        Some(program) => Ok(Box::new(Zig { program })),
        None => Err(tools::missing(&source.shown, "Zig", INSTALL)),
    }
}

impl Compiler for Zig {
    fn program(&self) -> &Path {
        &self.program
    }

    fn compile(&self, source: &Source, sdk: &Path, scratch: &Path, output: &Path) -> Result<()> {
        let sdk = sdk.join("weir");
        let module = |name: &str, main: &Path| format!("-M{name}={}", main.display());
        let mut command = tools::command(&source.folder, &self.program);
        command
            .args(["build-exe", "-target", "wasm32-wasi", "-mcpu", "generic+simd128", "-mexec-model=reactor"])
            .args(["-fno-entry", "-rdynamic", "-fsingle-threaded", "--stack", "262144"])
            .args(["--dep", "weir", "--dep", "functions", "-O", "fast"])
            .arg(module("root", &sdk.join("root.zig")))
            .args(["--dep", "weir", "-O", "safe"])
            .args(&source.flags)
            .arg(module("functions", &source.folder.join(&source.main)))
            .args(["-O", "fast"])
            .arg(module("weir", &sdk.join("weir.zig")))
            .arg("--cache-dir")
            .arg(scratch.join("cache"))
            .arg(format!("-femit-bin={}", output.display()));
        tools::run(&source.shown, &mut command)
    }
}
