//! Compiled code that is kept between runs: where it is, what is in it, and the runtime that uses it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use weir::error::{Error, Result};
use weir::sandbox::{Cache, Compiler, Runtime};

use super::text::{self, Align};

/// What a cache may hold.
const BYTES_MAX: u64 = 1 << 30;

/// The subcommand that makes this program a compiler.
pub(super) const COMPILE: &str = "__compile";

/// A runtime that compiles in a process of its own and keeps what was compiled.
pub(super) fn runtime(note: &dyn Fn(&str)) -> Result<Arc<Runtime>> {
    let compiler = match std::env::current_exe() {
        Ok(program) => Compiler::Child { program, arguments: vec![COMPILE.to_owned()] },
        Err(e) => return Err(Error::Bug(format!("this program does not know where it is: {e}"))),
    };
    let cache = match folder().map(|folder| Cache::open(&folder, BYTES_MAX)) {
        None => None,
        Some(Ok(cache)) => Some(cache),
        // It costs time to do without, and nothing else.
        Some(Err(error)) => {
            note(&format!("warning: {error}; components are compiled anew"));
            None
        }
    };
    Runtime::with(compiler, cache)
}

/// Opens the cache for those who look into it.
pub(super) fn open() -> Result<Option<Cache>> {
    folder().map(|folder| Cache::open(&folder, BYTES_MAX)).transpose()
}

/// `WEIR_CACHE`, or where the user's caches are; none where `WEIR_CACHE` is empty.
fn folder() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name);
    match variable("WEIR_CACHE") {
        Some(folder) => (!folder.is_empty()).then(|| folder.into()),
        None => {
            let caches = variable("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
            let home = || variable("HOME").map(|home| Path::new(&home).join(".cache"));
            Some(caches.or_else(home)?.join("weir").join("artifacts"))
        }
    }
}

/// What is in a cache, the last used first.
pub(super) fn list(cache: &Cache) -> Result<String> {
    let entries = cache.entries().map_err(|e| failed(cache, e))?;
    let now = SystemTime::now();
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            let age = now.duration_since(entry.used).unwrap_or_default();
            vec![
                entry.name[..16.min(entry.name.len())].to_owned(),
                text::bytes(entry.bytes),
                text::duration(age) + " ago",
            ]
        })
        .collect();
    let bytes = entries.iter().map(|e| e.bytes).sum();
    let table = text::columns(&[Align::Left, Align::Right, Align::Right], &rows);
    let count = text::count(entries.len() as u64);
    Ok(format!("{table}{count} compiled, {} in {}\n", text::bytes(bytes), cache.folder().display()))
}

/// Empties a cache, and says what that was.
pub(super) fn clear(cache: &Cache) -> Result<String> {
    let (count, bytes) = cache.clear().map_err(|e| failed(cache, e))?;
    Ok(format!("{} removed, {} in {}\n", text::count(count as u64), text::bytes(bytes), cache.folder().display()))
}

fn failed(cache: &Cache, e: std::io::Error) -> Error {
    Error::sink_io(format!("the cache {} can't be used", cache.folder().display()), e)
}
