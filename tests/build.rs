//! Compiles every function crate for the tests, and writes down what there is.
//!
//! Crates and pipelines are listed from their folders, so that a deleted one does not live on. Out
//! go `guests.rs` (names and core modules) and `pipelines.rs` (a test for each pipeline folder).

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

/// What functions are compiled for: it can reach nothing.
const BARE: &str = "wasm32-unknown-unknown";

/// What a plain toolchain compiles for; its components import WASI.
const WASI: &str = "wasm32-wasip2";

/// The one guest that is compiled for WASI.
const WASI_GUEST: &str = "wasi";

/// A function crate.
struct Guest {
    name: String,
    package: String,
}

fn main() {
    let tests = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where the package is"));
    let root = tests.parent().expect("the workspace").to_path_buf();
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where output goes"));
    for watched in
        ["udfs", "guest-sdk/rust", "wit", "tests/guests", "tests/conformance/rust", "tests/pipelines", "Cargo.lock"]
    {
        println!("cargo::rerun-if-changed={}", root.join(watched).display());
    }
    println!("cargo::rerun-if-changed=build.rs");

    let folders = ["udfs", "tests/guests", "tests/conformance"];
    let guests: Vec<Guest> = folders.iter().flat_map(|folder| crates(&root.join(folder))).collect();
    let names: BTreeSet<&str> = guests.iter().map(|guest| guest.name.as_str()).collect();
    assert_eq!(names.len(), guests.len(), "two function crates have one name: {names:?}");
    let target = target_folder(&root, &out);
    let (wasi, bare): (Vec<&Guest>, Vec<&Guest>) = guests.iter().partition(|guest| guest.name == WASI_GUEST);
    compile(&root, &target, BARE, &bare);
    compile(&root, &target, WASI, &wasi);

    let mut list = String::from("&[\n");
    for (guest, triple) in bare.iter().map(|guest| (guest, BARE)).chain(wasi.iter().map(|guest| (guest, WASI))) {
        let file = format!("{}.wasm", guest.package.replace('-', "_"));
        let path = target.join(triple).join("release").join(file);
        assert!(path.is_file(), "cargo made no {}", path.display());
        let _ = writeln!(list, "    ({:?}, {:?}),", guest.name, path);
    }
    list.push_str("]\n");
    fs::write(out.join("guests.rs"), list).expect("the list of guests can be written");
    fs::write(out.join("pipelines.rs"), pipelines(&tests.join("pipelines"))).expect("the tests can be written");
}

/// The function crates in a folder.
fn crates(folder: &Path) -> Vec<Guest> {
    let manifests = subfolders(folder).into_iter().filter(|path| path.join("Cargo.toml").is_file());
    let guest = |path: PathBuf| {
        let manifest = fs::read_to_string(path.join("Cargo.toml")).expect("a manifest is text");
        let package = manifest.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
        Guest { name: name_of(&path), package: package.expect("a package has a name").to_owned() }
    };
    manifests.map(guest).collect()
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut folders: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A target folder of the guests' own: cargo holds the lock of the outer one while this runs. Where
/// that one is shared between checkouts each gets its own, because cargo tells the libraries of two
/// checkouts apart by nothing but their names.
fn target_folder(root: &Path, out: &Path) -> PathBuf {
    let outer = out.ancestors().find(|path| path.join("CACHEDIR.TAG").is_file()).unwrap_or(out);
    if outer.starts_with(root) {
        return outer.join("guests");
    }
    let mut hasher = DefaultHasher::new();
    root.hash(&mut hasher);
    outer.join(format!("guests-{:08x}", hasher.finish() as u32))
}

fn compile(root: &Path, target: &Path, triple: &str, guests: &[&Guest]) {
    if guests.is_empty() {
        return;
    }
    add_target(root, triple);
    let mut cargo = cargo(root);
    cargo.args(["build", "--release", "--locked", "--target", triple, "--target-dir"]).arg(target);
    for guest in guests {
        cargo.args(["--package", &guest.package]);
    }
    let status = cargo.status().expect("cargo runs");
    assert!(status.success(), "the functions for the tests do not compile; see above");
}

/// Makes sure that the standard library is there.
fn add_target(root: &Path, triple: &str) {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut libraries = Command::new(rustc);
    libraries.current_dir(root).args(["--print", "target-libdir", "--target", triple]);
    let there = libraries.output().is_ok_and(|o| Path::new(String::from_utf8_lossy(&o.stdout).trim()).is_dir());
    if there {
        return;
    }
    let added = Command::new("rustup").current_dir(root).args(["target", "add", triple]).stdout(Stdio::null()).status();
    assert!(
        added.is_ok_and(|status| status.success()),
        "Rust can't compile for WebAssembly here yet; run: rustup target add {triple}"
    );
}

/// Cargo, without what the outer one is told about this package and the host's compiler.
fn cargo(root: &Path) -> Command {
    const NAMES: [&str; 11] = [
        "RUSTFLAGS",
        "RUSTDOCFLAGS",
        "RUSTC_WORKSPACE_WRAPPER",
        "TARGET",
        "HOST",
        "OUT_DIR",
        "MAKEFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_MAKEFLAGS",
        "CARGO_PRIMARY_PACKAGE",
        "CARGO_CRATE_NAME",
    ];
    const PREFIXES: [&str; 5] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CFG_", "CARGO_FEATURE_", "CARGO_BUILD_"];
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).stdin(Stdio::null());
    for (name, _) in env::vars() {
        if NAMES.contains(&name.as_str()) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// A test for each pipeline folder.
fn pipelines(folder: &Path) -> String {
    let mut tests = String::new();
    for pipeline in subfolders(folder) {
        let name = name_of(&pipeline);
        let function = name.replace('-', "_");
        let _ = writeln!(tests, "#[test]\nfn {function}() {{\n    super::folder({name:?});\n}}\n");
    }
    tests
}
