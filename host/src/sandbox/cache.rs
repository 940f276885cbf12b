//! Compiled code on disk, so that a component is compiled once and not at each start.
//!
//! To load native code is to run it, so the folder is private (mode 0700, owned by who runs this, no
//! link), and a file counts only with a code of its whole content (HMAC-SHA-256) under a key that
//! stands in the folder: what is torn, foreign or put under another name is compiled anew. Whoever can
//! read the key can write code, and could as well write this program's own files.
//!
//! | bytes of a file | |
//! | --- | --- |
//! | 16 | `weir-artifact-1\n` |
//! | 32 | HMAC-SHA-256 of the file's name and all that follows |
//! | rest | what wasmtime serialises |
//!
//! The name is the SHA-256 of the component, the engine (its version, settings and processor) and this
//! format.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use wasmtime::Engine;

use crate::error::{Error, Invalid, Result};

const MAGIC: &[u8; 16] = b"weir-artifact-1\n";
const KEY: &str = "key";
const SUFFIX: &str = "code";

/// A folder of compiled code.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
    key: [u8; 32],
    bytes_max: u64,
}

/// A file of a cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, without suffix.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// When it was last used.
    pub used: SystemTime,
}

impl Cache {
    /// Opens a folder, which is made if it is not there. What was used longest ago goes when there is
    /// more than `bytes_max`.
    pub fn open(folder: &Path, bytes_max: u64) -> Result<Self> {
        let failed = |e: io::Error| {
            Error::from(
                Invalid::new(format!("the cache {} can't be used: {e}", folder.display()))
                    .hint("set WEIR_CACHE to another folder, or to nothing to do without"),
            )
        };
        if let Some(parent) = folder.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(failed(e)),
            _ => check_private(folder)?,
        }
        let key = key(&folder.join(KEY)).map_err(failed)?;
        Ok(Self { folder: folder.to_path_buf(), key, bytes_max })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is in it, the last used first.
    pub fn entries(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for file in fs::read_dir(&self.folder)?.flatten() {
            let path = file.path();
            if path.extension().is_some_and(|e| e == SUFFIX) {
                let about = file.metadata()?;
                let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                entries.push(Entry { name, bytes: about.len(), used: about.modified()? });
            }
        }
        entries.sort_by(|a, b| b.used.cmp(&a.used).then_with(|| a.name.cmp(&b.name)));
        Ok(entries)
    }

    /// Removes all that is in it, and says how much that was.
    pub fn clear(&self) -> io::Result<(usize, u64)> {
        let entries = self.entries()?;
        for entry in &entries {
            fs::remove_file(self.path(&entry.name))?;
        }
        Ok((entries.len(), entries.iter().map(|e| e.bytes).sum()))
    }

    /// The code under that name, if it is there and is what was written.
    pub(super) fn load(&self, name: &str) -> Option<Vec<u8>> {
        let path = self.path(name);
        let mut file = File::open(&path).ok()?;
        let (mut magic, mut code, mut rest) = ([0; MAGIC.len()], [0; 32], Vec::new());
        file.read_exact(&mut magic).ok()?;
        file.read_exact(&mut code).ok()?;
        file.read_to_end(&mut rest).ok()?;
        if magic != *MAGIC || self.mac(name, &rest).verify_slice(&code).is_err() {
            // It is of no use to anybody.
            let _ = fs::remove_file(&path);
            return None;
        }
        // When it was used decides how long it stays; that it can't be noted is no reason not to use it.
        let _ = file.set_modified(SystemTime::now());
        Some(rest)
    }

    /// Keeps code under a name.
    pub(super) fn store(&self, name: &str, code: &[u8]) -> io::Result<()> {
        let path = self.path(name);
        let new = self.folder.join(format!("{name}.{}.tmp", std::process::id()));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        let mac = self.mac(name, code).finalize().into_bytes();
        file.write_all(MAGIC)?;
        file.write_all(&mac)?;
        file.write_all(code)?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        self.shrink(name)
    }

    fn shrink(&self, but: &str) -> io::Result<()> {
        let mut bytes = 0;
        for entry in self.entries()? {
            bytes += entry.bytes;
            if bytes > self.bytes_max && entry.name != but {
                fs::remove_file(self.path(&entry.name))?;
            }
        }
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.{SUFFIX}"))
    }

    fn mac(&self, name: &str, rest: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of any length is one");
        mac.update(name.as_bytes());
        mac.update(rest);
        mac
    }
}

/// What a component's code is called, compiled for this engine.
pub(super) fn name(digest: &str, engine: &Engine) -> String {
    let mut hasher = Digesting(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.0.update(MAGIC);
    hasher.0.update(digest);
    super::artifact::hex(&hasher.0.finalize())
}

/// All that is hashed, digested: 64 bits of it would be few.
struct Digesting(Sha256);

impl Hasher for Digesting {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

fn check_private(folder: &Path) -> Result<()> {
    let refuse = |why: String| {
        Err(Invalid::new(format!("the cache {} {why}", folder.display()))
            .hint("code in it would be run: let it be a folder of your own that nobody else may enter (chmod 700)")
            .into())
    };
    let about = match fs::symlink_metadata(folder) {
        Ok(about) => about,
        Err(e) => return refuse(format!("can't be looked at: {e}")),
    };
    let (owner, me) = (about.uid(), rustix::process::geteuid().as_raw());
    let mode = about.permissions().mode() & 0o777;
    match () {
        () if !about.is_dir() => refuse("is no folder".into()),
        () if owner != me => refuse(format!("belongs to user {owner}, and this is user {me}")),
        () if mode & 0o077 != 0 => refuse(format!("may be entered by others (mode {mode:03o})")),
        () => Ok(()),
    }
}

/// The key of a folder, made when there is none.
fn key(path: &Path) -> io::Result<[u8; 32]> {
    for _ in 0..2 {
        match fs::read(path) {
            Ok(bytes) => {
                if let Ok(key) = <[u8; 32]>::try_from(bytes) {
                    return Ok(key);
                }
                // Torn: what was written under it counts no more.
                fs::remove_file(path)?;
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
        let mut key = [0; 32];
        File::open("/dev/urandom")?.read_exact(&mut key)?;
        let new = path.with_extension(format!("{}.tmp", std::process::id()));
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?.write_all(&key)?;
        // Of several that start at once one key stands: a link is refused where there is a file.
        match fs::hard_link(&new, path) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
            _ => fs::remove_file(&new)?,
        }
    }
    fs::read(path)?.try_into().map_err(|_| io::Error::other("its key is torn"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(folder: &Path) -> Cache {
        Cache::open(folder, 1 << 20).expect("a cache")
    }

    #[test]
    fn what_is_kept_is_found_again_also_by_the_next_process() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().join("cache");
        cache(&folder).store("a", b"code").expect("it is kept");
        assert_eq!(cache(&folder).load("a").as_deref(), Some(b"code".as_slice()));
        assert_eq!(cache(&folder).load("b"), None);
        assert_eq!(cache(&folder).clear().expect("it is cleared"), (1, 4 + 48));
        assert_eq!(cache(&folder).load("a"), None);
    }

    #[test]
    fn what_was_not_written_by_it_is_never_loaded() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = cache(&folder.path().join("cache"));
        let path = cache.path("a");
        cache.store("a", b"some code").expect("it is kept");
        let whole = fs::read(&path).expect("a file");
        for at in 0..whole.len() {
            let mut bad = whole.clone();
            bad[at] ^= 1;
            fs::write(&path, &bad).expect("a file");
            assert_eq!(cache.load("a"), None, "byte {at}");
            assert!(!path.exists(), "what is of no use is gone");
            fs::write(&path, &whole[..at]).expect("a file");
            assert_eq!(cache.load("a"), None, "cut at {at}");
        }
        fs::write(cache.path("b"), &whole).expect("a file");
        assert_eq!(cache.load("b"), None, "under another name");
        let other = self::cache(&folder.path().join("other"));
        fs::write(other.path("a"), &whole).expect("a file");
        assert_eq!(other.load("a"), None, "of another cache");
    }

    #[test]
    fn a_folder_that_others_may_enter_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = folder.path().join("open");
        DirBuilder::new().mode(0o700).create(&open).expect("a folder");
        fs::set_permissions(&open, fs::Permissions::from_mode(0o750)).expect("a mode");
        let error = Cache::open(&open, 0).expect_err("others may enter");
        assert!(error.to_string().ends_with("may be entered by others (mode 750)"), "{error}");
        let link = folder.path().join("link");
        let own = folder.path().join("own");
        cache(&own);
        std::os::unix::fs::symlink(&own, &link).expect("a link");
        assert!(Cache::open(&link, 0).expect_err("a link").to_string().ends_with("is no folder"));
        let foreign = Cache::open(Path::new("/proc/1"), 0);
        assert!(foreign.is_err());
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = Cache::open(&folder.path().join("cache"), 250).expect("a cache");
        let at = |name: &str, second| {
            let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second);
            File::options().write(true).open(cache.path(name)).and_then(|f| f.set_modified(time)).expect("a time");
        };
        cache.store("a", &[0; 52]).expect("it is kept");
        cache.store("b", &[0; 52]).expect("it is kept");
        at("a", 1000);
        at("b", 2000);
        cache.load("a").expect("it is there");
        cache.store("c", &[0; 52]).expect("it is kept");
        let left: Vec<_> = cache.entries().expect("a list").into_iter().map(|e| e.name).collect();
        assert_eq!(left.len(), 2, "{left:?}");
        assert!(!left.contains(&"b".to_string()), "{left:?}");
    }
}
