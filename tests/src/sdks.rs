//! The SDKs' own tests, in their own languages and without a component; and what functions in them say where they
//! ask for what there is not.
//!
//! What runs them is installed as for `conformance.rs`; C is compiled by what compiles Rust's own C.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::conformance::{TESTS, TOOLS, weir};

/// Runs a program of the compilers' in an SDK's folder; it has to end well, and to say this.
#[track_caller]
fn runs(folder: &str, program: &str, arguments: &[&str], says: &str) {
    let folder = Path::new(TESTS).join("../guest-sdk").join(folder);
    let mut command = Command::new(program);
    command.current_dir(folder).args(arguments).env("PATH", &*TOOLS).env("PYTHONDONTWRITEBYTECODE", "1");
    command.env_remove("GOFLAGS").env("GOTOOLCHAIN", "local").stdin(Stdio::null());
    let ran = command.output().unwrap_or_else(|e| panic!("{program} does not run: {e}"));
    let said = [ran.stdout, ran.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(ran.status.success() && said.contains(says), "{said}");
}

#[test]
fn python() {
    runs("python", "python3", &["-m", "unittest", "discover", "tests"], "\nOK");
}

#[test]
fn javascript() {
    runs("javascript/tests", "node", &["--import", "./modules.js", "--test", "weir.test.js"], "# fail 0");
}

#[test]
fn types_of_typescript() {
    runs("javascript/tests", "tsc", &["--project", "."], "");
}

#[test]
fn go() {
    runs("go", "go", &["test", "-count=1", "."], "ok");
}

#[test]
fn c() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("weir_test").to_string_lossy().into_owned();
    // Imports and exports are for WebAssembly.
    let flags = ["-Wall", "-Wno-attributes", "-I", "..", "weir_test.c", "-o", &program];
    runs("c/tests", "cc", &flags, "");
    runs("c/tests", &program, &[], "ok");
}

#[test]
fn zig() {
    let cache = tempfile::tempdir().expect("a folder");
    let cache = cache.path().to_string_lossy().into_owned();
    let modules = ["--dep", "weir", "-Mroot=weir_test.zig", "-Mweir=../weir/weir.zig"];
    runs("zig/tests", "python-zig", &[&["test", "--cache-dir", &cache], &modules[..]].concat(), "tests passed");
}

/// The template's types are right, with the SDK where a build has put it.
#[test]
fn a_new_function_in_typescript_has_the_right_types() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("typed").to_string_lossy().into_owned();
    let made = weir(&["new", &path, "--lang", "typescript"], &TOOLS);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut build = Command::new(&*crate::command::WEIR);
    let built = build.args(["build", &path]).env("PATH", &*TOOLS).env_remove("WEIR_TARGET_DIR").output();
    let built = built.expect("weir runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let check = |path: &str| {
        let ran = Command::new("tsc").args(["--project", path]).env("PATH", &*TOOLS).output().expect("tsc runs");
        (ran.status.success(), String::from_utf8_lossy(&ran.stdout).into_owned())
    };
    let (right, said) = check(&path);
    assert!(right, "{said}");
    let source = folder.path().join("typed/functions.ts");
    let text = std::fs::read_to_string(&source).expect("the template");
    std::fs::write(&source, text.replace("? \"dear\"", "? 1")).expect("a source");
    let (right, said) = check(&path);
    assert!(!right && said.contains("functions.ts"), "{said}");
}

/// A language's `tests.jsonl` beside the kit's functions: what it has not says so, and what goes wrong has a message.
#[track_caller]
fn says_what_it_lacks(language: &str) {
    let ran = weir(&["test", &format!("conformance/{language}")], &TOOLS);
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success() && out.contains("0 failed"), "{out}\n{err}");
}

#[test]
fn python_says_what_it_lacks() {
    says_what_it_lacks("python");
}

#[test]
fn javascript_says_what_it_lacks() {
    says_what_it_lacks("javascript");
}

#[test]
fn go_says_what_it_lacks() {
    says_what_it_lacks("go");
}

#[test]
fn zig_says_why_it_panics() {
    says_what_it_lacks("zig");
}
