//! From a core module to a component.
//!
//! In come the bytes of a core module, out go those of a component whose imports and exports are
//! the ones of the world that the module was compiled for. Which world that is stands in the
//! module itself: in the `component-type` sections that bindings left, or in the names of its
//! exports. A module that was compiled for WASI gets the adapter that takes it away; one that needs
//! anything else is refused.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata, metadata};

use super::adapter;
use super::strip::strip;
use super::world::{self, Module};

use crate::error::{Error, Invalid, Result};

/// What a WebAssembly file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A core module.
    Module,
    /// A component.
    Component,
}

impl Kind {
    /// By the first eight bytes: the magic number, the version and the layer.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        match bytes.get(..8)? {
            [0, b'a', b's', b'm', 1, 0, 0, 0] => Some(Self::Module),
            [0, b'a', b's', b'm', _, _, 1, 0] => Some(Self::Component),
            _ => None,
        }
    }
}

/// Wraps a core module into a component. The same module always gives the same bytes.
///
/// # Errors
/// [`Error::Invalid`] where the module does not say which functions it has, or needs more than a
/// function can have.
pub fn componentize(module: &[u8]) -> Result<Vec<u8>> {
    let found = Module::parse(module).map_err(|e| broken(&e))?;
    let stripped = strip(module).map_err(|e| broken(&e))?;
    let module = stripped.as_slice();
    let typed = metadata::decode(module).map_err(|e| broken(&format!("{e:#}")))?.0.is_some();
    let embedded;
    let module = if typed {
        module
    } else {
        embedded = with_world(module, &found)?;
        &embedded
    };
    let mut encoder = ComponentEncoder::default();
    encoder.validate(true).module(module).map_err(|e| broken(&format!("{e:#}")))?;
    if found.imports.iter().any(|from| from == adapter::WASI) {
        encoder.adapter(adapter::WASI, &adapter::module()?).map_err(|e| broken(&format!("{e:#}")))?;
    }
    encoder.encode().map_err(|e| broken(&format!("{e:#}")))
}

/// The module with the description of its world that it came without.
fn with_world(module: &[u8], found: &Module) -> Result<Vec<u8>> {
    let Some(items) = found.world() else {
        return Err(Invalid::new("the core module does not say which functions it has")
            .hint("export functions by an SDK (`weir new`), by bindings for the world in wit/weir.wit, or by the names in wit/README.md")
            .into());
    };
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    let (resolve, id) = world::resolve("component", &items)?;
    let mut module = module.to_owned();
    embed_component_metadata(&mut module, &resolve, id, StringEncoding::UTF8, false)
        .map_err(|e| broken(&format!("{e:#}")))?;
    Ok(module)
}

fn broken(message: &str) -> Error {
    Error::invalid(format!("the core module can't be made a component: {message}"))
}

/// Writes a file so that readers see the old or the new content and nothing between, even where
/// several processes write it at once.
///
/// # Errors
/// What the system says, the temporary file beside it removed.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{}.tmp", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    let temporary = path.with_file_name(name);
    let written = std::fs::write(&temporary, bytes).and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        // The write's error is the one that matters.
        drop(std::fs::remove_file(&temporary));
    }
    written
}
