//! Every guest has a test: a function that no pipeline and no test names is dead weight.

use std::fs;
use std::path::Path;

use crate::guests;

#[test]
fn every_function_of_the_guests_is_used() {
    let mut texts = String::new();
    for folder in ["src", "pipelines"] {
        read_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut texts);
    }
    for guest in ["lab", "liar", "wasi"] {
        for function in guests::artifact(guest).functions() {
            let name = &function.name;
            let named = [format!("{guest}.{name}("), format!("{guest}.{name}\""), format!("\"{name}\"")];
            assert!(named.iter().any(|n| texts.contains(n)), "nothing uses `{guest}.{name}`");
        }
    }
}

/// The text of all sources and pipelines in a folder.
fn read_all(folder: &Path, texts: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        match path.extension().and_then(|e| e.to_str()) {
            _ if path.is_dir() => read_all(&path, texts),
            Some("rs" | "toml") => texts.push_str(&fs::read_to_string(&path).expect("text")),
            _ => {}
        }
    }
}
