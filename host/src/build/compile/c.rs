//! C and C++: by a clang that has a C library for WebAssembly, or by zig, which brings its own.

use std::path::{Path, PathBuf};

use super::super::language::{Language, Source};
use super::super::tools;
use super::Compiler;
use crate::error::Result;

/// What brings a compiler and its library.
const INSTALL: &str = "pip install ziglang==0.17.1, or apt-get install clang lld wasi-libc libclang-rt-dev-wasm32";

struct C {
    program: PathBuf,
    zig: bool,
}

pub(super) fn find(source: &Source) -> Result<Box<dyn Compiler>> {
    let clang = match source.language {
        Language::Cpp => ["clang++", "clang++-19", "clang++-20", "clang++-18"],
        _ => ["clang", "clang-19", "clang-20", "clang-18"],
    };
    // Not every clang has the library.
    let clang = clang.iter().filter_map(|name| tools::find(&source.folder, &[name])).find(|clang| {
        let mut asked = tools::command(&source.folder, clang);
        let output = asked.args(["--target=wasm32-wasi", "-print-file-name=crt1-reactor.o"]).output();
        output.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_absolute())
    });
    if let Some(program) = clang {
        return Ok(Box::new(C { program, zig: false }));
    }
    match tools::find(&source.folder, &["zig", "python-zig"]) {
        Some(program) => Ok(Box::new(C { program, zig: true })),
        None => Err(tools::missing(&source.shown, "a C compiler for WebAssembly", INSTALL)),
    }
}

impl Compiler for C {
    fn program(&self) -> &Path {
        &self.program
    }

    fn compile(&self, source: &Source, sdk: &Path, _: &Path, output: &Path) -> Result<()> {
        let mut command = tools::command(&source.folder, &self.program);
        if self.zig {
            command.arg(if source.language == Language::Cpp { "c++" } else { "cc" }).args(["-target", "wasm32-wasi"]);
        } else {
            command.args(["--target=wasm32-wasi", "-Wl,--stack-first"]);
        }
        if source.language == Language::Cpp {
            // There is nothing to unwind the stack with.
            command.args(["-fno-exceptions", "-fno-rtti", "-std=c++20"]);
        }
        command
            .args(["-O2", "-g0", "-Wall", "-msimd128", "-mexec-model=reactor", "-Wl,-z,stack-size=262144"])
            .arg("-I")
            .arg(sdk)
            .args(&source.flags)
            .arg(&source.main)
            .arg("-o")
            .arg(output);
        tools::run(&source.shown, &mut command)
    }
}
