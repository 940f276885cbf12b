//! What cargo knows of a folder, and the build itself.
//!
//! In comes a folder, out goes the path of the core module of that folder's package. Cargo decides
//! what is up to date. Asking it takes 0.2 s on a busy machine, so nothing here second-guesses it.
//!
//! Where the target folder lies outside the workspace (`CARGO_TARGET_DIR`), each workspace gets a
//! folder of its own in it: cargo names a wasm library by the crate alone and takes the one of
//! another checkout for fresh, so a pipeline would silently run somebody else's function.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64;

use super::toolchain::{ADD_TARGET, TARGET, add_target, cargo, no_cargo, target_is_missing};
use super::tools::WIDE_LOOPS;
use crate::error::{Error, Invalid, Result};

/// What a function is compiled with, beside what the user's own configuration says. Every engine that runs components has
/// 128-bit SIMD; it is off in rustc's default only for the sake of old browsers.
fn flags() -> String {
    format!(r#"target.wasm32-unknown-unknown.rustflags=["-Ctarget-feature=+simd128", "-Cllvm-args={WIDE_LOOPS}"]"#)
}

/// How long a build may take before it is spoken of.
const PATIENCE: Duration = Duration::from_secs(1);

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
        let output = cargo(&folder)
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
            if target_is_missing(&self.folder) {
                add_target(&self.folder, out);
            }
        }
        let mut command = cargo(&self.folder);
        command.args(["build", "--release", "--target", TARGET, "--message-format=json-render-diagnostics"]);
        command.arg("--config").arg(flags());
        if self.own_target_dir {
            command.arg("--target-dir").arg(&self.target_dir);
        }
        if !first {
            // Warnings and errors still come; what goes is a line about having nothing to do.
            command.arg("--quiet");
        }
        let mut child = command.stdout(Stdio::piped()).spawn().map_err(|e| no_cargo(&self.shown, &e))?;
        let core = child.stdout.take().and_then(|stdout| self.listen(stdout, !first, out));
        let status = child.wait().map_err(|e| no_cargo(&self.shown, &e))?;
        if !status.success() {
            let hint = target_is_missing(&self.folder)
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
}

#[cfg(test)]
mod tests {
    use super::*;

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
