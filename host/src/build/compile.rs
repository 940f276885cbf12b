//! A function in a language other than Rust, from its folder to its component.
//!
//! Each language is a file here: which program compiles, how it is called, what to install where it
//! is not there. A compiler gives a core module, which is wrapped as Rust's is, or a component.

mod c;
mod go;
mod javascript;
mod python;
mod zig;

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::cache::{self, Place};
use super::language::{Engine, Language, Source};
use super::{componentize, encode, sdk};
use crate::error::{Error, Result};
use crate::sandbox::language;

/// A compiler that was found, and how it is called.
trait Compiler {
    /// The program, for the cache: another one makes another component.
    fn program(&self) -> &Path;
    /// Compiles into the file. `sdk` has the SDK's files; `scratch` is for whatever else is made.
    fn compile(&self, source: &Source, sdk: &Path, scratch: &Path, output: &Path) -> Result<()>;
}

fn find(source: &Source) -> Result<Box<dyn Compiler>> {
    match source.language {
        Language::C | Language::Cpp => c::find(source),
        Language::Python => python::find(source),
        Language::JavaScript | Language::TypeScript => javascript::find(source),
        Language::Go => go::find(source),
        Language::Zig => zig::find(source),
        Language::Rust => Err(Error::Bug("Rust is built by cargo".to_owned())),
    }
}

/// Builds what is not built already, and returns where the component is.
pub(super) fn component(source: &Source, out: &dyn Fn(&str)) -> Result<PathBuf> {
    let started = Instant::now();
    let place = Place::of(source);
    let compiler = find(source)?;
    let digest = cache::digest(source, compiler.program(), sdk::files(source.language))?;
    if place.is_fresh(&digest) {
        return Ok(place.component);
    }
    out(&format!("building {}", source.shown.display()));
    let sdk = place.folder.join("sdk");
    sdk::write(source.language, &sdk)?;
    let io = |e: std::io::Error| Error::Build {
        message: format!("can't build {} in {}: {e}", source.shown.display(), place.folder.display()),
        hint: None,
    };
    // Of this process alone: others may build the same folder.
    let scratch = place.folder.join(format!("build-{}", std::process::id()));
    std::fs::create_dir_all(&scratch).map_err(io)?;
    let output = scratch.join("output.wasm");
    let compiled = compiler
        .compile(source, &sdk, &scratch, &output)
        .and_then(|()| std::fs::read(&output).map_err(io))
        .and_then(|bytes| wrap(source, bytes));
    // What is left of it is in nobody's way.
    drop(std::fs::remove_dir_all(&scratch));
    place.keep(&compiled?, &digest)?;
    out(&format!("built {} in {:.1} s", source.shown.display(), started.elapsed().as_secs_f64()));
    Ok(place.component)
}

/// Copies the files that the component is made of.
fn copy(source: &Source, to: &Path) -> Result<()> {
    let copied = cache::sources(&source.folder).and_then(|files| {
        files.iter().try_for_each(|file| {
            let target = to.join(file.strip_prefix(&source.folder).unwrap_or(file));
            target.parent().map_or(Ok(()), std::fs::create_dir_all)?;
            std::fs::copy(file, target).map(drop)
        })
    });
    copied.map_err(|e| Error::Build {
        message: format!("can't copy {} to {}: {e}", source.shown.display(), to.display()),
        hint: None,
    })
}

fn wrap(source: &Source, bytes: Vec<u8>) -> Result<Vec<u8>> {
    let said = match (source.language, source.engine) {
        (Language::JavaScript | Language::TypeScript, Engine::StarlingMonkey) => "javascript/starlingmonkey",
        (language, _) => language.name(),
    };
    let component = match encode::Kind::of(&bytes) {
        Some(encode::Kind::Component) => Ok(bytes),
        _ => componentize(&bytes),
    };
    component.map(|component| language::mark(component, said)).map_err(|e| Error::Build {
        message: format!("{} does not make a component: {e}", source.shown.display()),
        hint: e.hint().map(str::to_owned),
    })
}
