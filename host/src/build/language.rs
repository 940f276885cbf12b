//! Which language a folder is written in, and what is to be compiled there.
//!
//! In comes a folder; out goes a [`Source`]. A `weir.toml` says it; without one the manifest of the
//! language does, or the one source file that there is. Nothing is compiled here.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Error, Invalid, Result};

/// The languages that have an SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Compiled by cargo.
    Rust,
    /// CPython in the component, by componentize-py.
    Python,
    /// QuickJS in the component, by componentize-qjs.
    JavaScript,
    /// The same, its types taken off by esbuild.
    TypeScript,
    /// By clang or zig.
    C,
    /// By clang++ or zig.
    #[serde(rename = "c++", alias = "cpp")]
    Cpp,
    /// By the Go compiler.
    Go,
    /// By zig.
    Zig,
}

/// What a folder has to say of how it is built: its `weir.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    lang: Option<Language>,
    main: Option<PathBuf>,
    engine: Option<Engine>,
    #[serde(default)]
    flags: Vec<String>,
}

/// What runs JavaScript in the component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Engine {
    /// Small, and quick to start.
    #[default]
    QuickJs,
    /// Firefox's: faster, ten times as large.
    StarlingMonkey,
}

/// A folder whose language is known.
#[derive(Debug)]
pub(super) struct Source {
    /// As the user wrote it, for messages.
    pub(super) shown: PathBuf,
    /// Where it is.
    pub(super) folder: PathBuf,
    /// What the component is called.
    pub(super) name: String,
    pub(super) language: Language,
    /// The file that is compiled, within the folder; for Rust and Go the folder's own.
    pub(super) main: PathBuf,
    pub(super) engine: Engine,
    /// More arguments for the compiler.
    pub(super) flags: Vec<String>,
}

impl Language {
    /// All of them, in the order of messages.
    pub const ALL: [Self; 8] =
        [Self::Rust, Self::Python, Self::JavaScript, Self::TypeScript, Self::C, Self::Cpp, Self::Go, Self::Zig];

    /// As it is written in `weir.toml` and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::JavaScript => "javascript",
            Self::TypeScript => "typescript",
            Self::C => "c",
            Self::Cpp => "c++",
            Self::Go => "go",
            Self::Zig => "zig",
        }
    }

    /// The endings of its source files; none where a manifest is needed.
    fn endings(self) -> &'static [&'static str] {
        match self {
            Self::Rust | Self::Go => &[],
            Self::Python => &["py"],
            Self::JavaScript => &["js", "mjs"],
            Self::TypeScript => &["ts"],
            Self::C => &["c"],
            Self::Cpp => &["cpp", "cc", "cxx"],
            Self::Zig => &["zig"],
        }
    }

    fn of_file(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?;
        Self::ALL.into_iter().find(|language| language.endings().contains(&ending))
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Language {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let short = match text {
            "py" => "python",
            "js" => "javascript",
            "ts" => "typescript",
            "cpp" => "c++",
            "rs" => "rust",
            other => other,
        };
        Self::ALL
            .into_iter()
            .find(|language| language.name() == short)
            .ok_or_else(|| format!("there is no SDK for `{text}`, but for {}", Self::ALL.map(Self::name).join(", ")))
    }
}

impl Source {
    /// Looks at the folder.
    pub(super) fn of(shown: &Path) -> Result<Self> {
        let folder = shown
            .canonicalize()
            .map_err(|e| Invalid::new(format!("can't open the function's folder {}: {e}", shown.display())))?;
        let manifest = manifest(shown, &folder)?;
        let (language, main) = match (manifest.lang, manifest.main) {
            (Some(language @ (Language::Rust | Language::Go)), _) => (language, PathBuf::new()),
            (language, Some(main)) => {
                if !folder.join(&main).is_file() {
                    return Err(Error::invalid(format!("{} has no file {}", shown.display(), main.display())));
                }
                let guess = language.or_else(|| Language::of_file(&main));
                (guess.ok_or_else(|| unknown(shown))?, main)
            }
            (language, None) => guess(shown, &folder, language)?,
        };
        let name = folder.file_name().map_or_else(|| "function".into(), |name| name.to_string_lossy().into_owned());
        let (engine, flags) = (manifest.engine.unwrap_or_default(), manifest.flags);
        Ok(Self { shown: shown.to_owned(), folder, name, language, main, engine, flags })
    }
}

fn manifest(shown: &Path, folder: &Path) -> Result<Manifest> {
    let text = match std::fs::read_to_string(folder.join("weir.toml")) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Manifest::default()),
        Err(e) => {
            return Err(Error::invalid(format!("can't read {}: {e}", shown.join("weir.toml").display())));
        }
    };
    toml::from_str(&text).map_err(|e| {
        Invalid::new(format!("{}: {}", shown.join("weir.toml").display(), e.message()))
            .hint("its keys are lang, main, engine and flags")
            .into()
    })
}

/// By the manifest of a language, or the one file that is source; `main` and `lib` count before others.
fn guess(shown: &Path, folder: &Path, language: Option<Language>) -> Result<(Language, PathBuf)> {
    if language.is_none() {
        if folder.join("Cargo.toml").is_file() {
            return Ok((Language::Rust, PathBuf::new()));
        }
        if folder.join("go.mod").is_file() {
            return Ok((Language::Go, PathBuf::new()));
        }
    }
    let entries =
        std::fs::read_dir(folder).map_err(|e| Error::invalid(format!("can't list {}: {e}", shown.display())))?;
    let mut files: Vec<(Language, PathBuf)> = entries
        .flatten()
        .filter(|entry| entry.path().is_file() && !entry.file_name().to_string_lossy().starts_with('.'))
        .filter_map(|entry| {
            let path = PathBuf::from(entry.file_name());
            // Types of TypeScript, and tests, are no functions.
            let text = path.to_string_lossy().into_owned();
            let other =
                text.ends_with(".d.ts") || text.starts_with("test_") || text.contains(".test.") || text == "build.zig";
            Language::of_file(&path)
                .filter(|of| !other && language.is_none_or(|wanted| wanted == *of))
                .map(|of| (of, path))
        })
        .collect();
    files.sort_by(|a, b| a.1.cmp(&b.1));
    let main = |name: &str| files.iter().find(|(_, path)| path.file_stem().is_some_and(|stem| stem == name)).cloned();
    if let Some(found) = main("functions").or_else(|| main("main")) {
        return Ok(found);
    }
    match files.len() {
        0 => Err(unknown(shown)),
        1 => Ok(files.remove(0)),
        _ => {
            let names: Vec<_> = files.iter().map(|(_, path)| path.display().to_string()).collect();
            Err(Invalid::new(format!("{} has several source files: {}", shown.display(), names.join(", ")))
                .hint("say in weir.toml which one has the functions: main = \"..\"")
                .into())
        }
    }
}

fn unknown(shown: &Path) -> Error {
    Invalid::new(format!("{} is no function: it has no source in a language that is known", shown.display()))
        .hint(format!(
            "a Cargo.toml, a go.mod or a source file says the language, or a weir.toml: lang = \"..\" ({}); for another language, build the component and give its .wasm",
            Language::ALL.map(Language::name).join(", ")
        ))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn found(files: &[(&str, &str)]) -> (Language, String) {
        let folder = folder(files);
        let source = Source::of(folder.path()).unwrap();
        (source.language, source.main.display().to_string())
    }

    #[test]
    fn a_folder_s_files_say_its_language() {
        assert_eq!(found(&[("Cargo.toml", ""), ("build.py", "")]), (Language::Rust, String::new()));
        assert_eq!(found(&[("go.mod", ""), ("x.go", "")]), (Language::Go, String::new()));
        assert_eq!(found(&[("x.py", ""), ("test_x.py", "")]), (Language::Python, "x.py".into()));
        assert_eq!(found(&[("build.zig", ""), ("x.zig", "")]), (Language::Zig, "x.zig".into()));
        assert_eq!(found(&[("a.js", ""), ("functions.ts", "")]), (Language::TypeScript, "functions.ts".into()));
        assert_eq!(
            found(&[("weir.toml", "lang = \"c++\"\n"), ("a.cc", ""), ("b.c", "")]),
            (Language::Cpp, "a.cc".into())
        );
        assert_eq!(found(&[("weir.toml", "main = \"b.c\"\n"), ("a.cc", ""), ("b.c", "")]), (Language::C, "b.c".into()));
    }

    #[test]
    fn what_is_no_function_is_refused_with_what_would_be_right() {
        let refused = |files: &[_]| Source::of(folder(files).path()).unwrap_err();
        assert!(refused(&[]).hint().unwrap().contains("typescript"));
        assert!(refused(&[("a.c", ""), ("b.c", "")]).hint().unwrap().contains("main = "));
        assert!(refused(&[("weir.toml", "language = \"c\"")]).to_string().contains("unknown field"));
    }
}
