//! From a core module to a component.
//!
//! In come the bytes of a core module, out go those of a component whose imports and exports are
//! the ones of the world that the module was compiled for. Which world that is stands in the
//! module itself, in the `component-type` sections that the bindings left. Nothing is compiled
//! and no adapter is added: a module that needs a system interface is refused, with the way out.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use wit_component::{ComponentEncoder, metadata};

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
/// [`Error::Invalid`] where the module was not compiled against an interface, or needs more than
/// that interface offers.
pub fn componentize(module: &[u8]) -> Result<Vec<u8>> {
    let typed = metadata::decode(module).map_err(|e| broken(&e))?.0.is_some();
    if !typed {
        return Err(Invalid::new("the core module does not say which functions it has")
            .hint(
                "export functions with weir-guest's `weir::export!`, or with wit-bindgen for the world in wit/weir.wit",
            )
            .into());
    }
    let encode = || ComponentEncoder::default().module(module)?.validate(true).encode();
    encode().map_err(|e| broken(&e))
}

fn broken(error: &anyhow::Error) -> Error {
    let message = format!("{error:#}");
    let invalid = Invalid::new(format!("the core module can't be made a component: {message}"));
    if message.contains("wasi_snapshot_preview1") {
        invalid.hint("it needs a system interface: compile for wasm32-unknown-unknown instead of wasm32-wasip1").into()
    } else {
        invalid.into()
    }
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
