//! What a new function's folder begins with: its source, its cases, a pipeline. `weir new` writes it.
//!
//! A Rust crate gets a copy of its SDK as well, for cargo wants it somewhere; other languages get theirs
//! when they are built.

use super::language::Language;
use super::world::WIT;

/// A file's text, by its path under `guest-sdk/`.
macro_rules! sdk {
    ($path:literal) => {
        include_str!(concat!("../../../guest-sdk/", $path))
    };
}

/// The sources of the Rust SDK, by their paths in it.
macro_rules! rust {
    ($($path:literal),+ $(,)?) => { &[$(($path, include_str!(concat!("../../../guest-sdk/rust/", $path)))),+] };
}

const RUST: &[(&str, &str)] = rust![
    "macros/src/aggregate.rs",
    "macros/src/arguments.rs",
    "macros/src/default.rs",
    "macros/src/entry.rs",
    "macros/src/fields.rs",
    "macros/src/function.rs",
    "macros/src/group.rs",
    "macros/src/lib.rs",
    "macros/src/options.rs",
    "macros/src/parameters.rs",
    "macros/src/stateful.rs",
    "macros/src/types.rs",
    "src/accumulator.rs",
    "src/bindings.rs",
    "src/bits.rs",
    "src/boolean.rs",
    "src/columns.rs",
    "src/columns/input.rs",
    "src/columns/output.rs",
    "src/columns/texts.rs",
    "src/dispatch.rs",
    "src/fixed.rs",
    "src/group.rs",
    "src/host.rs",
    "src/input.rs",
    "src/lib.rs",
    "src/output.rs",
    "src/parameters.rs",
    "src/run.rs",
    "src/run/aggregate.rs",
    "src/run/filter.rs",
    "src/run/flat_map.rs",
    "src/run/group_map.rs",
    "src/run/map.rs",
    "src/run/stateful.rs",
    "src/testing.rs",
    "src/text.rs",
    "src/timestamp.rs",
    "src/value.rs",
];

/// The files of a new function in that language, by their paths in its folder.
pub fn template(language: Language, name: &str) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    let mut add = |path: &str, text: &str| files.push((path.to_owned(), text.to_owned()));
    add(".gitignore", sdk!("template/gitignore"));
    add("pipeline.toml", sdk!("template/pipeline.toml"));
    add("sales.csv", sdk!("template/sales.csv"));
    add("tests.jsonl", sdk!("template/tests.jsonl"));
    match language {
        Language::Rust => {
            add("Cargo.toml", &sdk!("rust/template/function.toml").replace("NAME", &crate_name(name)));
            add("src/lib.rs", sdk!("rust/template/src/lib.rs"));
            add("weir-guest/Cargo.toml", sdk!("rust/template/guest.toml"));
            add("weir-guest/macros/Cargo.toml", sdk!("rust/template/macros.toml"));
            add("weir-guest/wit/weir.wit", WIT);
            for (path, text) in RUST {
                add(&format!("weir-guest/{path}"), &text.replace("../../wit", "wit"));
            }
        }
        Language::Python => add("functions.py", sdk!("python/template/functions.py")),
        Language::JavaScript => {
            add("functions.js", sdk!("javascript/template/functions.js"));
            add("package.json", sdk!("javascript/template/package.json"));
        }
        Language::TypeScript => {
            add("functions.ts", sdk!("javascript/template/functions.ts"));
            add("package.json", sdk!("javascript/template/package.json"));
            add("tsconfig.json", sdk!("javascript/template/tsconfig.json"));
        }
        Language::C => add("functions.c", sdk!("c/template/functions.c")),
        Language::Cpp => add("functions.cpp", sdk!("c/template/functions.cpp")),
        Language::Go => {
            add("functions.go", sdk!("go/template/functions.go"));
            add("go.mod", &sdk!("go/template/go.mod.txt").replace("NAME", &crate_name(name)));
        }
        Language::Zig => add("functions.zig", sdk!("zig/template/functions.zig")),
    }
    files
}

/// A name that cargo and Go take: letters, digits and hyphens, a letter first.
fn crate_name(name: &str) -> String {
    let safe: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    match safe.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => safe,
        _ => format!("f-{safe}"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn list(folder: &Path, files: &mut Vec<String>, root: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                list(&path, files, root);
            } else {
                files.push(path.strip_prefix(root).unwrap().display().to_string());
            }
        }
    }

    #[test]
    fn a_new_crate_gets_all_of_the_sdk() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-sdk/rust");
        let mut files = Vec::new();
        list(&root.join("src"), &mut files, &root);
        list(&root.join("macros/src"), &mut files, &root);
        files.sort();
        let mut listed: Vec<_> = RUST.iter().map(|(path, _)| (*path).to_owned()).collect();
        listed.sort();
        assert_eq!(listed, files);
    }

    #[test]
    fn versions_are_those_of_the_sdk() {
        let workspace = include_str!("../../../Cargo.toml");
        for manifest in [sdk!("rust/template/guest.toml"), sdk!("rust/template/macros.toml")] {
            for line in manifest.lines().filter(|l| l.contains("features = ")) {
                let version = line.split('"').nth(1).unwrap();
                let name = line.split(' ').next().unwrap();
                let wanted = format!("{name} = {{ version = \"{version}\"");
                assert!(workspace.contains(&wanted), "{wanted}");
            }
        }
    }
}
