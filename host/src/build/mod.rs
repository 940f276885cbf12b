//! A function from its source: a folder goes in, a component comes out.
//!
//! A Rust crate is compiled by cargo for `wasm32-unknown-unknown`, a target that can reach nothing;
//! other languages by their own compilers (`compile/`), with the SDK's files, which come with Weir. A core
//! module is wrapped into a component by the type information in it, or by the names of its exports.
//! The component is written only when its bytes change, so whoever caches by content or by time
//! keeps the cache.
//!
//! What the compiler says goes to stderr. Nothing is ever written into the source folder but its
//! `target`, stdout is never touched, and nothing is run but the language's own tools.

mod adapter;
mod cache;
mod cargo;
mod compile;
mod encode;
mod language;
mod sdk;
mod strip;
mod template;
mod toolchain;
mod tools;
mod world;

use std::path::{Path, PathBuf};
use std::time::Instant;

pub use cache::sha256 as digest;
pub use encode::{componentize, write_atomic};
pub use language::Language;
pub use template::template;

use crate::error::{Error, Invalid, Result};

/// Builds the function in `folder`, if it is not built already, and returns where its component
/// is. `out` takes a line for the user whenever something takes time.
///
/// The environment's `CARGO` and `CARGO_TARGET_DIR` and the folder's `.cargo/config.toml` and
/// `rust-toolchain.toml` count, just as for `cargo build` in the folder; `RUSTFLAGS` does not,
/// because it is meant for the host (`CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS` is for us).
///
/// # Errors
/// [`Error::Invalid`] where the folder is no function, [`Error::Build`] where it does not compile.
pub fn component(folder: &Path, out: &dyn Fn(&str)) -> Result<PathBuf> {
    let source = language::Source::of(folder)?;
    if source.language != Language::Rust {
        return compile::component(&source, out);
    }
    let started = Instant::now();
    let project = cargo::Project::of(folder)?;
    let core = project.build(out)?;
    let module = std::fs::read(&core.path)
        .map_err(|e| Error::Build { message: format!("can't read {}: {e}", core.path.display()), hint: None })?;
    let bytes = componentize(&module).map_err(|e| Error::Build {
        message: format!("{} does not make a component: {e}", folder.display()),
        hint: e.hint().map(str::to_owned),
    })?;
    let target = core.path.with_extension("component.wasm");
    if std::fs::read(&target).ok().as_deref() != Some(&bytes) {
        write_atomic(&target, &bytes).map_err(|e| Error::Build {
            message: format!("can't write {}: {e}", target.display()),
            hint: Some("set CARGO_TARGET_DIR to a folder that can be written".into()),
        })?;
    }
    if core.compiled {
        out(&format!("built {} in {:.1} s", folder.display(), started.elapsed().as_secs_f64()));
    }
    Ok(target)
}

/// The files that a function's component is made of, in order.
///
/// # Errors
/// [`Error::Invalid`] where the folder can't be read.
pub fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    cache::sources(folder).map_err(|e| Error::invalid(format!("can't read {}: {e}", folder.display())))
}

/// The bytes of the component at `path`: a folder is built first, a core module is wrapped, a
/// component is taken as it is.
///
/// # Errors
/// As [`component`] and [`componentize`]; [`Error::Invalid`] where there is no such file.
pub fn load(path: &Path, out: &dyn Fn(&str)) -> Result<Vec<u8>> {
    let built;
    let file = if path.is_dir() {
        built = component(path, out)?;
        &built
    } else {
        path
    };
    let bytes = std::fs::read(file).map_err(|e| {
        Invalid::new(format!("can't read the component {}: {e}", file.display()))
            .hint("give a .wasm file, or the folder of a function's source")
    })?;
    match encode::Kind::of(&bytes) {
        Some(encode::Kind::Component) => Ok(bytes),
        Some(encode::Kind::Module) => componentize(&bytes).map_err(|e| {
            let invalid = Invalid::new(format!("{}: {e}", file.display()));
            match e.hint() {
                Some(hint) => invalid.hint(hint).into(),
                None => invalid.into(),
            }
        }),
        None => Err(Invalid::new(format!("{} is not a WebAssembly file", file.display()))
            .hint("give a .wasm file, or the folder of a function's source")
            .into()),
    }
}

#[cfg(test)]
mod tests;
