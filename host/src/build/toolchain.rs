//! The programs of the Rust toolchain, run in a function's folder.
//!
//! A folder goes in; out comes a command that is ready but for its arguments, with an environment
//! that says nothing of an outer cargo, and the one target that functions are compiled for. What
//! is to be built is not known here.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::Error;

/// What functions are compiled for.
pub(super) const TARGET: &str = "wasm32-unknown-unknown";
/// How it is added to a toolchain.
pub(super) const ADD_TARGET: &str = "rustup target add wasm32-unknown-unknown";

/// `cargo` in the folder, so that its configuration and its toolchain count.
pub(super) fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder).stdin(Stdio::null());
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_outer(name)) {
        command.env_remove(name);
    }
    command
}

/// Whether a variable speaks of an outer cargo (`cargo run`, `cargo test`, a build script) or of
/// the host's compiler, and must not reach the build of a guest.
fn is_outer(name: &OsStr) -> bool {
    const NAMES: [&str; 9] = [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_BUILD_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "CARGO_CRATE_NAME",
        "CARGO_PRIMARY_PACKAGE",
        "CARGO_MAKEFLAGS",
        "RUSTC_WORKSPACE_WRAPPER",
        "OUT_DIR",
    ];
    const PREFIXES: [&str; 5] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CFG_", "CARGO_FEATURE_"];
    name.to_str().is_some_and(|name| NAMES.contains(&name) || PREFIXES.iter().any(|p| name.starts_with(p)))
}

pub(super) fn no_cargo(shown: &Path, error: &std::io::Error) -> Error {
    Error::Build {
        message: format!("can't run cargo to build {}: {error}", shown.display()),
        hint: Some("install Rust from https://rustup.rs, or give a component that is already built (.wasm)".into()),
    }
}

/// Whether the folder's toolchain has no standard library for the target. Where that can't be
/// found out it is taken to have one: cargo will say what is wrong.
pub(super) fn target_is_missing(folder: &Path) -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output =
        Command::new(rustc).current_dir(folder).args(["--print", "target-libdir", "--target", TARGET]).output();
    output.is_ok_and(|o| o.status.success() && !Path::new(String::from_utf8_lossy(&o.stdout).trim()).is_dir())
}

/// Tries to add the target. A failure is not the end: a toolchain from elsewhere may build the
/// standard library itself, and if it can't, cargo's error gets the hint.
pub(super) fn add_target(folder: &Path, out: &dyn Fn(&str)) {
    out(&format!("Rust can't compile for WebAssembly here yet: running {ADD_TARGET}"));
    let added =
        Command::new("rustup").current_dir(folder).args(["target", "add", TARGET]).stdout(Stdio::null()).status();
    if !added.is_ok_and(|status| status.success()) {
        out(&format!("{ADD_TARGET} did not work"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outer_build_does_not_leak_into_the_inner_one() {
        let outer = |name: &str| is_outer(name.as_ref());
        assert!(
            ["RUSTFLAGS", "CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "CARGO_BIN_EXE_weir"].map(outer).iter().all(|o| *o)
        );
        let kept = [
            "CARGO",
            "CARGO_HOME",
            "CARGO_TARGET_DIR",
            "CARGO_NET_OFFLINE",
            "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
            "RUSTUP_TOOLCHAIN",
            "RUSTC_WRAPPER",
            "PATH",
        ];
        assert!(kept.map(outer).iter().all(|o| !*o));
    }
}
