//! Where sinks write when checkpoints publish their rows, and the publishing.
//!
//! Rows are final when the manifest of a checkpoint says so. Then a file that is whole gets its name, and a
//! line in the folder's commit log, `_weir/commits.jsonl`: the checkpoint, the file, its rows and its
//! bytes. Publishing again changes nothing, so a run that goes on from a checkpoint starts with it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Output;
use crate::checkpoint::{self, Files, Manifest};
use crate::error::{Error, Result};
use crate::plan::{Operator, Plan};

/// What is weir's in a folder that a sink writes to.
pub(in crate::flow) const OURS: &str = "_weir";

/// What the dead letters are called among the outputs.
pub(in crate::flow) const DEAD_LETTERS: &str = "dead-letters";

/// The folders of sinks, by their names.
#[derive(Clone, Debug, Default)]
pub(in crate::flow) struct Places(BTreeMap<String, PathBuf>);

/// A line of the commit log.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Commit {
    checkpoint: u64,
    file: String,
    rows: u64,
    bytes: u64,
}

impl Places {
    /// Those of a plan.
    pub(in crate::flow) fn of(plan: &Plan) -> Self {
        let sinks = plan.nodes.iter().filter_map(|node| match &node.operator {
            Operator::Sink(sink) => match &sink.output {
                Output::File(path) => Some((node.name.clone(), folder_of(path))),
                Output::Folder(path) => Some((node.name.clone(), path.clone())),
                Output::Stdout | Output::Blackhole => None,
            },
            _ => None,
        });
        let letters = plan.dead_letters.iter().map(|letters| (DEAD_LETTERS.to_owned(), folder_of(&letters.path)));
        Self(sinks.chain(letters).collect())
    }

    /// Where a file of a sink is.
    pub(in crate::flow) fn path(&self, sink: &str, file: &str) -> PathBuf {
        self.0.get(sink).map_or_else(|| PathBuf::from(file), |folder| folder.join(file))
    }

    /// Publishes what a checkpoint covers.
    pub(in crate::flow) fn publish(&self, files: &Files, manifest: &Manifest) -> Result<()> {
        for output in &manifest.outputs {
            let Some(folder) = self.0.get(&output.sink) else { continue };
            if output.staged == output.published || output.grows && !manifest.complete {
                continue;
            }
            let (staged, published) = (folder.join(&output.staged), folder.join(&output.published));
            let failed = |e| Error::sink_io(format!("can't publish `{}`", published.display()), e);
            if staged.exists() {
                files.rename(&staged, &published).map_err(failed)?;
            } else if !published.exists() {
                let lost = io::Error::new(io::ErrorKind::NotFound, format!("{} is gone", staged.display()));
                return Err(failed(lost));
            }
            if !output.grows {
                log(files, folder, manifest.checkpoint, output).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Removes what a run that was killed has staged behind its last checkpoint; without one, also what an
    /// earlier run has published.
    pub(in crate::flow) fn tidy(&self, files: &Files, plan: &Plan, manifest: Option<&Manifest>) -> Result<()> {
        for node in &plan.nodes {
            let Operator::Sink(sink) = &node.operator else { continue };
            let Output::Folder(folder) = &sink.output else { continue };
            let failed = |e| Error::sink_io(format!("can't write to the folder `{}`", folder.display()), e);
            files.create_folder(&folder.join(OURS)).map_err(failed)?;
            if manifest.is_none() {
                self.replace(files, folder, &node.name)?;
            }
            for name in files.names(&folder.join(OURS)).map_err(failed)? {
                if name.starts_with("part-") {
                    files.remove(&folder.join(OURS).join(name)).map_err(failed)?;
                }
            }
        }
        Ok(())
    }

    /// Removes what an earlier run has published. A file that no run of ours has is in the way.
    fn replace(&self, files: &Files, folder: &Path, sink: &str) -> Result<()> {
        let failed = |e| Error::sink_io(format!("can't write to the folder `{}`", folder.display()), e);
        let log = folder.join(OURS).join(LOG);
        let text = if log.exists() { files.read(&log).map_err(failed)? } else { Vec::new() };
        let commits = text.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice::<Commit>(line).ok());
        for commit in commits {
            files.remove(&folder.join(commit.file)).map_err(failed)?;
        }
        if let Some(other) = files.names(folder).map_err(failed)?.iter().find(|name| name.starts_with("part-")) {
            let message = format!(
                "sink `{sink}`: the folder `{}` has {other}, which no run of weir has logged",
                folder.display()
            );
            return Err(Error::Sink { message, cause: None });
        }
        files.remove(&log).map_err(failed)
    }
}

const LOG: &str = "commits.jsonl";

fn folder_of(path: &Path) -> PathBuf {
    path.parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

/// Adds a file to its folder's commit log, where it is not there yet.
fn log(files: &Files, folder: &Path, checkpoint: u64, output: &checkpoint::Output) -> io::Result<()> {
    let path = folder.join(OURS).join(LOG);
    let mut file = File::options().create(true).truncate(false).read(true).write(true).open(path)?;
    // The last lines are enough: checkpoints ascend.
    let length = file.metadata()?.len();
    let from = length.saturating_sub(4096);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let whole = tail.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    let last = tail[..whole].split(|b| *b == b'\n').rev().find(|line| !line.is_empty());
    let last: Option<Commit> = last.and_then(|line| serde_json::from_slice(line).ok());
    if last.is_some_and(|last| last.checkpoint >= checkpoint) {
        return Ok(());
    }
    // A line that was being written when a run was killed.
    let end = from + whole as u64;
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    let checkpoint::Output { published, rows, bytes, .. } = output;
    let commit = Commit { checkpoint, file: published.clone(), rows: *rows, bytes: *bytes };
    let line = serde_json::to_string(&commit)? + "\n";
    files.write(&mut file, line.as_bytes())?;
    files.sync(&file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(checkpoint: u64) -> checkpoint::Output {
        let name = format!("part-{checkpoint}.jsonl");
        checkpoint::Output {
            sink: "sink".into(),
            staged: format!("{OURS}/{name}"),
            published: name,
            grows: false,
            bytes: 7,
            rows: 1,
        }
    }

    #[test]
    fn publishing_again_changes_nothing_and_a_torn_line_goes() {
        let place = tempfile::tempdir().unwrap();
        let (files, folder) = (Files::default(), place.path());
        files.create_folder(&folder.join(OURS)).unwrap();
        let text = || std::fs::read_to_string(folder.join(OURS).join(LOG)).unwrap();
        for checkpoint in [1, 1, 2] {
            log(&files, folder, checkpoint, &output(checkpoint)).unwrap();
        }
        let line = |n: u64| format!("{{\"checkpoint\":{n},\"file\":\"part-{n}.jsonl\",\"rows\":1,\"bytes\":7}}\n");
        assert_eq!(text(), line(1) + &line(2));
        std::fs::write(folder.join(OURS).join(LOG), line(1) + &line(2)[..20]).unwrap();
        log(&files, folder, 2, &output(2)).unwrap();
        assert_eq!(text(), line(1) + &line(2));
    }
}
