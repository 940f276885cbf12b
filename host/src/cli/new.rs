//! `weir new`: a folder with a function that builds and tests at once.

use std::path::Path;

use weir::build::{self, Language};
use weir::error::{Error, Invalid, Result};

/// Makes the folder, and says what can be done with it.
pub(super) fn make(folder: &Path, language: Language) -> Result<String> {
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if name.is_empty() {
        return Err(Error::invalid(format!("{} is no name for a folder", folder.display())));
    }
    let full = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if full {
        return Err(Invalid::new(format!("{} is there already, and not empty", folder.display()))
            .hint("give a folder that there is not")
            .into());
    }
    for (path, text) in build::template(language, &name) {
        let path = folder.join(path);
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, text));
        made.map_err(|e| Error::sink_io(format!("{} can't be written", path.display()), e))?;
    }
    Ok(format!(
        "{}: a function in {language}. Next:\n  weir test {0}                        runs its cases, {0}/tests.jsonl\n  weir run {0}/pipeline.toml --watch   runs it on {0}/sales.csv, and again when something changes\n",
        folder.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_made_once_and_never_overwritten() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().join("a-b");
        for (language, file) in [(Language::Python, "functions.py"), (Language::Rust, "weir-guest/src/lib.rs")] {
            drop(std::fs::remove_dir_all(&folder));
            assert!(make(&folder, language).unwrap().contains("weir test"));
            assert!(folder.join(file).is_file());
        }
        assert!(std::fs::read_to_string(folder.join("Cargo.toml")).unwrap().contains("name = \"a-b\""));
        assert!(make(&folder, Language::C).unwrap_err().to_string().contains("not empty"));
    }
}
