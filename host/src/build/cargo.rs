//! What cargo knows of a folder, and the build itself.
//!
//! In comes a folder, out goes the path of the core module of that folder's package. Cargo decides
//! what is up to date; asking it costs about 50 ms, so nothing here second-guesses it.
//!
//! Where the target folder lies outside the workspace (`CARGO_TARGET_DIR`), each workspace gets a
//! folder of its own in it: cargo names a wasm library by the crate alone and takes the one of
//! another checkout for fresh, so a pipeline would silently run somebody else's function.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64;

use crate::error::{Error, Invalid, Result};

const TARGET: &str = "wasm32-unknown-unknown";
/// How long a build may take before it is spoken of.
const PATIENCE: Duration = Duration::from_secs(1);
const ADD_TARGET: &str = "rustup target add wasm32-unknown-unknown";

/// A folder that cargo can build into a function.
pub(super) struct Project {
    /// As the user wrote it, for messages.
    shown: PathBuf,
    folder: PathBuf,
    manifest: PathBuf,
    target_dir: PathBuf,
    /// Whether cargo has to be told the target folder.
    own_target_dir: bool,
    library: String,
}

/// A compiled core module.
pub(super) struct Core {
    pub(super) path: PathBuf,
    /// Whether it was compiled just now.
    pub(super) compiled: bool,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    /// For a library its crate types; an example that is one has the kind `example`.
    kind: Vec<String>,
}

/// One line of `cargo build --message-format=json`, as far as it matters here.
#[derive(Deserialize)]
struct Message {
    reason: String,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
    #[serde(default)]
    fresh: bool,
}

impl Target {
    fn is_cdylib(&self) -> bool {
        self.kind.iter().any(|t| t == "cdylib")
    }
}

impl Package {
    fn library(&self) -> Option<&str> {
        self.targets.iter().find(|t| t.is_cdylib()).map(|t| t.name.as_str())
    }
}

impl Project {
    /// Asks cargo about the folder.
    pub(super) fn of(shown: &Path) -> Result<Self> {
        let folder = shown
            .canonicalize()
            .map_err(|e| Invalid::new(format!("can't open the function's folder {}: {e}", shown.display())))?;
        let manifest = folder.join("Cargo.toml");
        if !manifest.is_file() {
            return Err(Invalid::new(format!("{} has no Cargo.toml", shown.display()))
                .hint("a folder is built as a Rust crate; for another language, build the component and give its .wasm")
                .into());
        }
        let output = command(&folder)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .output()
            .map_err(|e| no_cargo(shown, &e))?;
        if !output.status.success() {
            // Cargo's own words say best what is wrong with a manifest.
            drop(std::io::stderr().write_all(&output.stderr));
            return Err(Error::Build {
                message: format!("cargo can't read {}", shown.join("Cargo.toml").display()),
                hint: None,
            });
        }
        let metadata: Metadata = serde_json::from_slice(&output.stdout)
            .map_err(|e| Error::Bug(format!("`cargo metadata` for {} is not understood: {e}", shown.display())))?;
        Self::from_metadata(shown, folder, manifest, metadata)
    }

    fn from_metadata(shown: &Path, folder: PathBuf, manifest: PathBuf, metadata: Metadata) -> Result<Self> {
        let Some(package) = metadata.packages.iter().find(|p| p.manifest_path == manifest) else {
            let members: Vec<_> =
                metadata.packages.iter().filter(|p| p.library().is_some()).map(|p| p.name.as_str()).collect();
            return Err(Invalid::new(format!("{} is a workspace, not a function", shown.display()))
                .hint(format!("give the folder of one of its functions: {}", members.join(", ")))
                .into());
        };
        let Some(library) = package.library() else {
            return Err(Invalid::new(format!(
                "the crate in {} has no library that WebAssembly can load",
                shown.display()
            ))
            .hint("add to its Cargo.toml: [lib] crate-type = [\"cdylib\", \"rlib\"]")
            .into());
        };
        // Both would be compiled to the same file, and cargo would take one for the other.
        let twin =
            metadata.packages.iter().find(|p| p.library() == Some(library) && p.manifest_path != package.manifest_path);
        if let Some(twin) = twin {
            return Err(Invalid::new(format!(
                "the packages `{}` and `{}` of one workspace both call their library `{library}`",
                package.name, twin.name
            ))
            .hint("give one of them another `[lib] name`")
            .into());
        }
        let own_target_dir = !metadata.target_directory.starts_with(&metadata.workspace_root);
        let target_dir = if own_target_dir {
            let root = &metadata.workspace_root;
            let name = root.file_name().unwrap_or_default().to_string_lossy();
            let hash = xxh3_64(root.as_os_str().as_encoded_bytes()) >> 32;
            metadata.target_directory.join("weir").join(format!("{name}-{hash:08x}"))
        } else {
            metadata.target_directory.clone()
        };
        let library = library.to_owned();
        Ok(Self { shown: shown.to_owned(), folder, manifest, target_dir, own_target_dir, library })
    }

    /// Lets cargo compile what is not up to date.
    pub(super) fn build(&self, out: &dyn Fn(&str)) -> Result<Core> {
        let expected = self.target_dir.join(TARGET).join("release").join(format!("{}.wasm", self.library));
        let first = !expected.exists();
        if first {
            out(&format!("building {}", self.shown.display()));
            if self.target_is_missing() {
                self.add_target(out);
            }
        }
        let mut cargo = command(&self.folder);
        cargo.args(["build", "--release", "--target", TARGET, "--message-format=json-render-diagnostics"]);
        if self.own_target_dir {
            cargo.arg("--target-dir").arg(&self.target_dir);
        }
        if !first {
            // Warnings and errors still come; what goes is a line about having nothing to do.
            cargo.arg("--quiet");
        }
        let mut child = cargo.stdout(Stdio::piped()).spawn().map_err(|e| no_cargo(&self.shown, &e))?;
        let core = child.stdout.take().and_then(|stdout| self.listen(stdout, !first, out));
        let status = child.wait().map_err(|e| no_cargo(&self.shown, &e))?;
        if !status.success() {
            let hint = self
                .target_is_missing()
                .then(|| format!("Rust can't compile for WebAssembly here yet; run: {ADD_TARGET}"));
            return Err(Error::Build { message: format!("{} does not compile", self.shown.display()), hint });
        }
        core.ok_or_else(|| Error::Bug(format!("cargo built {} without naming a .wasm", self.shown.display())))
    }

    /// Reads cargo's messages to their end for the core module. A `quiet` build that turns out to
    /// take a while is told of.
    fn listen(&self, stdout: ChildStdout, quiet: bool, out: &dyn Fn(&str)) -> Option<Core> {
        let (line, lines) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || {
                let all = BufReader::new(stdout).lines().map_while(std::io::Result::ok);
                all.map_while(|text| line.send(text).ok()).for_each(drop);
            });
            let mut core = None;
            let mut tell_at = quiet.then(|| Instant::now() + PATIENCE);
            loop {
                let wait = tell_at.map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()));
                match lines.recv_timeout(wait) {
                    Ok(text) => core = self.artifact(&text).or(core),
                    Err(RecvTimeoutError::Disconnected) => return core,
                    Err(RecvTimeoutError::Timeout) => {
                        out(&format!("building {}", self.shown.display()));
                        tell_at = None;
                    }
                }
            }
        })
    }

    /// The core module that a line of cargo's messages tells of.
    fn artifact(&self, line: &str) -> Option<Core> {
        let message: Message = serde_json::from_str(line).ok()?;
        if message.reason != "compiler-artifact"
            || message.manifest_path.as_deref() != Some(&self.manifest)
            || !message.target.is_some_and(|t| t.is_cdylib())
        {
            return None;
        }
        let path = message.filenames.into_iter().find(|f| f.extension().is_some_and(|e| e == "wasm"))?;
        Some(Core { path, compiled: !message.fresh })
    }

    /// Whether the folder's toolchain has no standard library for the target. Where that can't be
    /// found out it is taken to have one: cargo will say what is wrong.
    fn target_is_missing(&self) -> bool {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let output = Command::new(rustc)
            .current_dir(&self.folder)
            .args(["--print", "target-libdir", "--target", TARGET])
            .output();
        output.is_ok_and(|o| o.status.success() && !Path::new(String::from_utf8_lossy(&o.stdout).trim()).is_dir())
    }

    /// Tries to add the target. A failure is not the end: a toolchain from elsewhere may build the
    /// standard library itself, and if it can't, cargo's error gets the hint.
    fn add_target(&self, out: &dyn Fn(&str)) {
        out(&format!("Rust can't compile for WebAssembly here yet: running {ADD_TARGET}"));
        let added = Command::new("rustup")
            .current_dir(&self.folder)
            .args(["target", "add", TARGET])
            .stdout(Stdio::null())
            .status();
        if !added.is_ok_and(|status| status.success()) {
            out(&format!("{ADD_TARGET} did not work"));
        }
    }
}

/// `cargo` in the folder, so that its configuration and its toolchain count.
fn command(folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder).stdin(Stdio::null());
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_outer(name)) {
        command.env_remove(name);
    }
    command
}

/// Whether a variable speaks of an outer cargo (`cargo run`, `cargo test`, a build script) or of
/// the host's compiler, and must not reach the build of a guest.
fn is_outer(name: &OsString) -> bool {
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

fn no_cargo(shown: &Path, error: &std::io::Error) -> Error {
    Error::Build {
        message: format!("can't run cargo to build {}: {error}", shown.display()),
        hint: Some("install Rust from https://rustup.rs, or give a component that is already built (.wasm)".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outer_build_does_not_leak_into_the_inner_one() {
        let outer = |name: &str| is_outer(&name.into());
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

    fn project(target: &str, packages: &[(&str, &str, &str)]) -> Result<Project> {
        let packages = packages
            .iter()
            .map(|(folder, library, crate_type)| Package {
                name: (*folder).to_owned(),
                manifest_path: format!("/w/{folder}/Cargo.toml").into(),
                targets: vec![Target { name: (*library).to_owned(), kind: vec![(*crate_type).to_owned()] }],
            })
            .collect();
        let metadata = Metadata { packages, target_directory: target.into(), workspace_root: "/w".into() };
        Project::from_metadata(Path::new("one"), "/w/one".into(), "/w/one/Cargo.toml".into(), metadata)
    }

    #[test]
    fn a_target_folder_outside_the_workspace_is_not_shared_with_other_checkouts() {
        let inside = project("/w/target", &[("one", "one", "cdylib")]).unwrap();
        assert_eq!((inside.target_dir.to_str(), inside.own_target_dir), (Some("/w/target"), false));
        let outside = project("/t", &[("one", "one", "cdylib")]).unwrap();
        assert!(outside.own_target_dir && outside.target_dir.starts_with("/t/weir"), "{:?}", outside.target_dir);
    }

    #[test]
    fn what_is_no_function_is_refused_with_what_would_be_right() {
        let refused = |packages: &[_]| project("/w/target", packages).err().unwrap();
        let rlib = refused(&[("one", "one", "lib")]);
        assert!(rlib.hint().unwrap().contains("cdylib"), "{rlib}");
        let workspace = refused(&[("two", "two", "cdylib"), ("three", "three", "lib")]);
        assert!(workspace.hint().unwrap().ends_with("its functions: two"), "{:?}", workspace.hint());
        let twins = refused(&[("one", "same", "cdylib"), ("two", "same", "cdylib")]);
        assert!(twins.to_string().contains("both call their library `same`"), "{twins}");
    }

    #[test]
    fn only_the_packages_own_library_counts() {
        let project = project("/w/target", &[("one", "one", "cdylib")]).unwrap();
        let line = |manifest: &str, crate_type: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"{manifest}","fresh":true,"filenames":["/t/libone.rlib","/t/one.wasm"],
                    "target":{{"name":"one","kind":["{crate_type}"],"crate_types":["cdylib"]}}}}"#
            )
        };
        let core = project.artifact(&line("/w/one/Cargo.toml", "cdylib")).unwrap();
        assert_eq!((core.path.to_str(), core.compiled), (Some("/t/one.wasm"), false));
        assert!(project.artifact(&line("/w/two/Cargo.toml", "cdylib")).is_none());
        assert!(project.artifact(&line("/w/one/Cargo.toml", "example")).is_none());
        assert!(project.artifact("what a build script printed").is_none());
    }
}
