//! Where built components stand, and whether one is up to date.
//!
//! A component is as good as new while nothing has changed that it is made of: the files of its
//! folder, the SDK that comes with Weir, and the program that compiles. These make a digest, which is
//! kept beside the component. Tools whose output differs from run to run are so run once.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::language::Source;
use crate::error::{Error, Result};

/// Folders that are made, not written.
const MADE: [&str; 6] = ["target", "node_modules", "venv", "__pycache__", "zig-out", "zig-cache"];

/// What makes components: another number here makes all of them again.
const MAKER: &str = concat!(env!("CARGO_PKG_VERSION"), " 6");

/// A component's place.
pub(super) struct Place {
    /// The folder for everything that a build makes.
    pub(super) folder: PathBuf,
    pub(super) component: PathBuf,
    digest: PathBuf,
}

impl Place {
    /// `target/weir` of the source folder; with `WEIR_TARGET_DIR` one there for each source folder.
    pub(super) fn of(source: &Source) -> Self {
        let folder = match std::env::var_os("WEIR_TARGET_DIR") {
            Some(all) => {
                let hash = xxhash_rust::xxh3::xxh3_64(source.folder.as_os_str().as_encoded_bytes()) >> 32;
                PathBuf::from(all).join(format!("{}-{hash:08x}", source.name))
            }
            None => source.folder.join("target").join("weir"),
        };
        let folder = std::path::absolute(&folder).unwrap_or(folder);
        Self {
            component: folder.join(format!("{}.component.wasm", source.name)),
            digest: folder.join(format!("{}.digest", source.name)),
            folder,
        }
    }

    /// Whether the component there was made of what has this digest.
    pub(super) fn is_fresh(&self, digest: &str) -> bool {
        self.component.is_file() && std::fs::read_to_string(&self.digest).is_ok_and(|kept| kept == digest)
    }

    /// Keeps a component. The digest is written last: without it the component counts for nothing.
    pub(super) fn keep(&self, bytes: &[u8], digest: &str) -> Result<()> {
        let written = std::fs::create_dir_all(&self.folder)
            .and_then(|()| match std::fs::remove_file(&self.digest) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
                _ => Ok(()),
            })
            .and_then(|()| super::write_atomic(&self.component, bytes))
            .and_then(|()| super::write_atomic(&self.digest, digest.as_bytes()));
        written.map_err(|e| Error::Build {
            message: format!("can't write {}: {e}", self.component.display()),
            hint: Some("set WEIR_TARGET_DIR to a folder that can be written".into()),
        })
    }
}

/// The digest of all that goes into a component.
pub(super) fn digest(source: &Source, tool: &Path, sdk: &[(&str, &str)]) -> Result<String> {
    let mut digest = Sha256::new();
    let mut add = |part: &[u8]| {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    };
    add(MAKER.as_bytes());
    add(format!("{:?} {:?} {:?} {:?}", source.language, source.engine, source.main, source.flags).as_bytes());
    add(tool.as_os_str().as_encoded_bytes());
    if let Ok(metadata) = std::fs::metadata(tool) {
        add(&metadata.len().to_le_bytes());
    }
    for (name, text) in sdk {
        add(name.as_bytes());
        add(text.as_bytes());
    }
    let files = sources(&source.folder);
    for file in files.map_err(|e| Error::invalid(format!("can't read {}: {e}", source.shown.display())))? {
        let bytes = std::fs::read(&file).map_err(|e| Error::invalid(format!("can't read {}: {e}", file.display())))?;
        add(file.strip_prefix(&source.folder).unwrap_or(&file).as_os_str().as_encoded_bytes());
        add(&bytes);
    }
    Ok(hex(&digest.finalize()))
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a `String` does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The files that a component is made of, in order.
pub(super) fn sources(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    list(folder, &mut files)?;
    files.sort();
    Ok(files)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || MADE.contains(&name.as_ref()) {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            list(&path, files)?;
        } else if !name.ends_with(".jsonl") && !name.ends_with(".md") {
            // Test cases and words do not change a function.
            files.push(path);
        }
    }
    Ok(())
}
