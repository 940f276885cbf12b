//! What checkpoints and staged outputs do with files: few operations, each of which may fail.
//!
//! All of them go through [`Files`], so that a test can let the n-th fail and see what becomes of
//! the run.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A way to the file system.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// Operations until one fails; none where nothing is made to fail.
    left: Option<Arc<AtomicU64>>,
}

impl Files {
    /// A file system whose n-th operation (from 1) and all behind it fail, as on a disk that has gone.
    pub fn failing_at(n: u64) -> Self {
        Self { left: Some(Arc::new(AtomicU64::new(n))) }
    }

    /// Counts an operation.
    fn operation(&self) -> io::Result<()> {
        let Some(left) = &self.left else { return Ok(()) };
        match left.fetch_update(Relaxed, Relaxed, |n| Some(n.saturating_sub(1))) {
            Ok(0 | 1) => Err(io::Error::other("the disk was made to fail")),
            _ => Ok(()),
        }
    }

    /// Makes a folder, and those above it.
    pub fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.operation()?;
        fs::create_dir_all(path)
    }

    /// Makes a file, or empties it.
    pub fn create(&self, path: &Path) -> io::Result<File> {
        self.operation()?;
        File::create(path)
    }

    /// Opens a file to write behind so many bytes; what follows them goes. A shorter file is an error.
    pub fn append_behind(&self, path: &Path, bytes: u64) -> io::Result<File> {
        self.operation()?;
        let mut file = File::options().create(bytes == 0).truncate(false).write(true).open(path)?;
        let length = file.metadata()?.len();
        if length < bytes {
            let message = format!("it has {length} bytes, and had {bytes} when the checkpoint was taken");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        file.set_len(bytes)?;
        file.seek(SeekFrom::Start(bytes))?;
        Ok(file)
    }

    /// Writes bytes.
    pub fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        self.operation()?;
        file.write_all(bytes)
    }

    /// Waits until a file is on the disk.
    pub fn sync(&self, file: &File) -> io::Result<()> {
        self.operation()?;
        file.sync_all()
    }

    /// Gives a file another name, in place of what has it, and waits until that is on the disk.
    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.operation()?;
        fs::rename(from, to)?;
        self.sync_folder(to.parent().unwrap_or(Path::new(".")))
    }

    /// Waits until the names in a folder are on the disk.
    pub fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.operation()?;
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        File::open(path)?.sync_all()
    }

    /// Removes a file, if it is there.
    pub fn remove(&self, path: &Path) -> io::Result<()> {
        self.operation()?;
        match fs::remove_file(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }

    /// Gives a file that never changes a second name, and waits until its bytes are on the disk. On another file
    /// system it is copied.
    pub fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.operation()?;
        if fs::hard_link(from, to).is_err() {
            fs::copy(from, to)?;
        }
        File::open(to)?.sync_all()
    }

    /// A file's bytes.
    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.operation()?;
        let mut bytes = Vec::new();
        File::open(path)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The names in a folder, in their order.
    pub fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        self.operation()?;
        let names = fs::read_dir(path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        let mut names = names.collect::<io::Result<Vec<String>>>()?;
        names.sort_unstable();
        Ok(names)
    }

    /// Makes a file of these bytes that is there as a whole or not at all.
    pub fn write_whole(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let scratch = path.with_extension("tmp");
        let mut file = self.create(&scratch)?;
        self.write(&mut file, bytes)?;
        self.sync(&file)?;
        self.rename(&scratch, path)
    }
}
