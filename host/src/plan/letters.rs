//! Where dead letters are kept: `[dead-letters]`.

use std::path::{Path, PathBuf};

use super::spec::{At, DeadLettersSpec, Text};
use super::streams::relative;
use crate::error::Invalid;

/// Where rows that failed are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetters {
    /// The file or folder.
    pub path: PathBuf,
    /// What stands there.
    pub form: LettersForm,
}

/// What dead letters look like on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LettersForm {
    /// A file of JSON Lines.
    Lines,
    /// A Parquet file, which is whole when the run has ended.
    Parquet,
    /// A folder that gets a Parquet file with each checkpoint, and one when the run ends.
    Parts,
}

/// The path as it is written, and as it is seen from here.
pub(super) fn place(text: &Text, spec: &At<DeadLettersSpec>) -> Result<PathBuf, Invalid> {
    let inner = spec.get_ref();
    match (&inner.file, &inner.folder) {
        (Some(path), None) | (None, Some(path)) => Ok(relative(text, path.get_ref())),
        (None, None) => Err(text
            .wrong(spec, "`[dead-letters]` says nowhere where they are kept")
            .hint("write `file = \"dead-letters.jsonl\"`, or `folder = \"dead-letters\"` for Parquet")),
        (Some(_), Some(folder)) => Err(text
            .wrong(folder, "dead letters are kept in a file or in a folder, and here stand both")
            .hint("take one of them out")),
    }
}

/// What `[dead-letters]` says; with checkpoints, what is behind the last one has to go again.
pub(super) fn dead_letters(
    text: &Text,
    spec: Option<&At<DeadLettersSpec>>,
    checkpoints: bool,
) -> Result<Option<DeadLetters>, Invalid> {
    let Some(spec) = spec else { return Ok(None) };
    let (path, inner) = (place(text, spec)?, spec.get_ref());
    let parquet = match &inner.format {
        None => inner.folder.is_some() || is_parquet(&path),
        Some(format) => match format.get_ref().as_str() {
            "parquet" => true,
            "jsonl" => false,
            other => {
                return Err(text
                    .wrong(format, format!("`{other}` is no format of dead letters"))
                    .hint("there are: `jsonl`, `parquet`"));
            }
        },
    };
    let form = match (&inner.file, &inner.folder) {
        (_, Some(folder)) if !parquet => {
            return Err(text
                .wrong(folder, "a folder of dead letters has Parquet files, not JSON Lines")
                .hint("write `file = \"dead-letters.jsonl\"`: a file of lines goes on from checkpoints, too"));
        }
        (_, Some(_)) => LettersForm::Parts,
        (Some(file), None) if parquet && checkpoints => {
            return Err(text
                .wrong(file, "a Parquet file can't go on from a checkpoint: it is none before its end is written")
                .hint("write `folder = \"dead-letters\"`, which gets a file with each checkpoint"));
        }
        _ if parquet => LettersForm::Parquet,
        _ => LettersForm::Lines,
    };
    Ok(Some(DeadLetters { path, form }))
}

fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet"))
}
