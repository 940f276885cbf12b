//! Where a process's dead letters go: a file of lines, a Parquet file, or a folder of Parquet files.
//!
//! In come letters, in the order in which rows fail. A line is on its way before the pipeline goes on. A Parquet file is one
//! only when its end is written, so it can't grow from checkpoint to checkpoint: there each gets a file of its own.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::table::Table;
use crate::checkpoint::{Files, Output};
use crate::flow::cut::Staged;
use crate::flow::sink::DEAD_LETTERS;
use crate::plan::{DeadLetters, LettersForm};

/// What a run goes on behind.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::flow) struct Behind {
    /// The last checkpoint; 0 for none.
    pub(in crate::flow) checkpoint: u64,
    /// Bytes of a file of lines that belong to it.
    pub(in crate::flow) bytes: u64,
}

/// A place that is open.
pub(super) enum Place {
    Lines(Lines),
    File(Table),
    Parts(Parts),
}

impl Place {
    pub(super) fn open(letters: &DeadLetters, files: &Files, behind: Behind) -> io::Result<Self> {
        let path = &letters.path;
        Ok(match letters.form {
            LettersForm::Lines => Self::Lines(Lines::open(path, files, behind.bytes)?),
            LettersForm::Parquet => Self::File(Table::create(path, files)?),
            LettersForm::Parts => Self::Parts(Parts::open(path, files, behind.checkpoint)?),
        })
    }

    pub(super) fn write(&mut self, letter: &Map<String, Value>) -> io::Result<()> {
        match self {
            Self::Lines(lines) => lines.write(letter),
            Self::File(table) => table.write(letter),
            Self::Parts(parts) => parts.write(letter),
        }
    }

    /// What a checkpoint has to know: what is final of the letters once it is there.
    pub(super) fn cut(&mut self, checkpoint: u64) -> io::Result<Option<Staged>> {
        match self {
            Self::Lines(lines) => lines.cut().map(Some),
            // The plan has seen to it that there are no checkpoints.
            Self::File(_) => Ok(None),
            Self::Parts(parts) => parts.cut(checkpoint),
        }
    }

    pub(super) fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Lines(lines) => lines.file.flush(),
            Self::File(table) => table.finish().map(drop),
            Self::Parts(parts) => parts.finish(),
        }
    }
}

/// A file of lines, which a run that goes on cuts back to where the checkpoint was.
pub(super) struct Lines {
    name: String,
    file: BufWriter<File>,
    bytes: u64,
}

impl Lines {
    fn open(path: &Path, files: &Files, bytes: u64) -> io::Result<Self> {
        let file = match bytes {
            0 => files.create(path)?,
            bytes => files.append_behind(path, bytes)?,
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, file: BufWriter::new(file), bytes })
    }

    fn write(&mut self, letter: &Map<String, Value>) -> io::Result<()> {
        let mut line = serde_json::to_string(letter)?;
        line.push('\n');
        // A letter is on its way before its pipeline goes on: failures are rare, and worth it.
        self.bytes += line.len() as u64;
        self.file.write_all(line.as_bytes())?;
        self.file.flush()
    }

    fn cut(&mut self) -> io::Result<Staged> {
        self.file.flush()?;
        let file = self.file.get_ref().try_clone()?;
        Ok(Staged { output: output(&self.name, true, self.bytes, 0), file })
    }
}

/// A folder that gets a file with each checkpoint before which rows have failed. A run that goes on removes
/// those of later checkpoints.
pub(super) struct Parts {
    files: Files,
    folder: PathBuf,
    open: Option<Table>,
    /// The last checkpoint.
    last: u64,
}

/// The part that is being written.
const UNFINISHED: &str = "letters.unfinished";

impl Parts {
    fn open(folder: &Path, files: &Files, last: u64) -> io::Result<Self> {
        files.create_folder(folder)?;
        for name in files.names(folder)? {
            if name == UNFINISHED || number(&name).is_some_and(|of| of > last) {
                files.remove(&folder.join(name))?;
            }
        }
        Ok(Self { files: files.clone(), folder: folder.to_owned(), open: None, last })
    }

    fn write(&mut self, letter: &Map<String, Value>) -> io::Result<()> {
        let table = match &mut self.open {
            Some(table) => table,
            None => self.open.insert(Table::create(&self.folder.join(UNFINISHED), &self.files)?),
        };
        table.write(letter)
    }

    fn cut(&mut self, checkpoint: u64) -> io::Result<Option<Staged>> {
        self.last = checkpoint;
        let Some(mut table) = self.open.take() else { return Ok(None) };
        let (file, bytes, rows) = table.finish()?;
        let name = part(checkpoint);
        self.files.rename(&self.folder.join(UNFINISHED), &self.folder.join(&name))?;
        Ok(Some(Staged { output: output(&name, false, bytes, rows), file }))
    }

    /// What has failed behind the last checkpoint, for whoever wants to see it. It fails again in a run that goes on.
    fn finish(&mut self) -> io::Result<()> {
        self.cut(self.last + 1).map(drop)
    }
}

fn part(checkpoint: u64) -> String {
    format!("letters-{checkpoint:08}.parquet")
}

fn number(name: &str) -> Option<u64> {
    name.strip_prefix("letters-")?.strip_suffix(".parquet")?.parse().ok()
}

/// Letters have their name at once: what a reader may see of them before a checkpoint is what has failed.
fn output(name: &str, grows: bool, bytes: u64, rows: u64) -> Output {
    let (staged, published) = (name.to_owned(), name.to_owned());
    Output { sink: DEAD_LETTERS.to_owned(), staged, published, grows, bytes, rows }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::letter::stored;

    fn letter(n: u64) -> Map<String, Value> {
        let Value::Object(letter) = json!({"step": "s", "reason": "r", "position": n}) else { unreachable!("one") };
        letter
    }

    fn positions(path: &Path) -> Vec<u64> {
        let position = |line: &str| serde_json::from_str::<Value>(line).unwrap()["position"].as_u64().unwrap();
        stored(path).unwrap().iter().map(|stored| position(&stored.line)).collect()
    }

    fn open(path: &Path, form: LettersForm, behind: Behind) -> Place {
        Place::open(&DeadLetters { path: path.to_owned(), form }, &Files::default(), behind).unwrap()
    }

    #[test]
    fn a_part_of_a_later_checkpoint_goes_and_its_letters_come_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("letters");
        let mut place = open(&path, LettersForm::Parts, Behind::default());
        place.write(&letter(1)).unwrap();
        let first = place.cut(1).unwrap().expect("a part");
        assert_eq!((first.output.rows, first.output.published.as_str()), (1, "letters-00000001.parquet"));
        assert!(place.cut(2).unwrap().is_none(), "nothing has failed");
        place.write(&letter(2)).unwrap();
        place.cut(3).unwrap().expect("a part");
        place.write(&letter(3)).unwrap();
        place.finish().unwrap();
        assert_eq!(positions(&path), [1, 2, 3]);
        let mut place = open(&path, LettersForm::Parts, Behind { checkpoint: 2, bytes: 0 });
        assert_eq!(positions(&path), [1]);
        // Killed before the next checkpoint: there is no part, and what there is of it goes.
        place.write(&letter(2)).unwrap();
        drop(place);
        open(&path, LettersForm::Parts, Behind { checkpoint: 2, bytes: 0 });
        assert_eq!(positions(&path), [1]);
        assert!(!path.join(UNFINISHED).exists());
        open(&path, LettersForm::Parts, Behind::default());
        assert!(positions(&path).is_empty());
    }

    #[test]
    fn a_file_is_whole_when_it_is_finished_also_without_letters() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("letters.parquet");
        for n in [0, 1, 5_000] {
            let mut place = open(&path, LettersForm::Parquet, Behind::default());
            (0..n).for_each(|n| place.write(&letter(n)).unwrap());
            place.finish().unwrap();
            assert_eq!(positions(&path), (0..n).collect::<Vec<_>>());
        }
        std::fs::write(&path, b"PAR1 and no more").unwrap();
        let error = stored(&path).expect_err("it is torn").to_string();
        assert!(error.contains("letters.parquet: this is no file of dead letters: "), "{error}");
    }

    #[test]
    fn a_disk_that_fails_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let to = DeadLetters { path: folder.path().join("letters.parquet"), form: LettersForm::Parquet };
        let mut place = Place::open(&to, &Files::failing_at(2), Behind::default()).unwrap();
        place.write(&letter(1)).unwrap();
        assert_eq!(place.finish().expect_err("it fails").to_string(), "the disk was made to fail");
    }
}
