//! Manifests: what belongs to a checkpoint, in a file that people can read.
//!
//! The first line is `weir-checkpoint 1 XXH3`: the format's version, and the checksum of all that
//! follows, in hexadecimal. What follows is JSON. Version 1 is the first; version 2 has files of state that is on
//! disk, and is written where there are some.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::shape::Shape;

const NAME: &str = "weir-checkpoint";
/// The formats that are read.
const VERSIONS: [u32; 2] = [1, 2];

/// What belongs to a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Manifest {
    /// Its number; each is one more than that before it.
    pub checkpoint: u64,
    /// The pipeline's name.
    pub pipeline: String,
    /// The version of weir that took it.
    pub weir: String,
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub taken_ms: u64,
    /// Workers that the run had.
    pub workers: usize,
    /// Whether the input had ended, and all results are final.
    pub complete: bool,
    /// What the pipeline's nodes were.
    pub shape: Vec<Shape>,
    /// Where the sources were.
    pub positions: Vec<Position>,
    /// The files with the nodes' state, oldest first.
    pub parts: Vec<PartRef>,
    /// What is final of the outputs.
    pub outputs: Vec<Output>,
}

/// A file with the sections of a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PartRef {
    /// Its name in the folder.
    pub file: String,
    /// The checkpoint that it was written for.
    pub checkpoint: u64,
    /// The worker that wrote it.
    pub worker: usize,
    /// Its length.
    pub bytes: u64,
    /// The sections in it.
    pub sections: Vec<SectionRef>,
    /// What belongs to these sections and is too large for a part.
    #[serde(default)]
    pub files: Vec<FileRef>,
}

/// What the names of files of state start with that were first written for a checkpoint.
pub(super) fn file_start(checkpoint: u64) -> String {
    format!("state-{checkpoint:08}-")
}

impl PartRef {
    /// Its length and that of the files that belong to it.
    pub fn all_bytes(&self) -> u64 {
        self.bytes + self.files.iter().map(|file| file.bytes).sum::<u64>()
    }

    /// How much of that was written for its checkpoint.
    pub fn new_bytes(&self) -> u64 {
        let start = file_start(self.checkpoint);
        self.bytes + self.files.iter().filter(|f| f.file.starts_with(&start)).map(|f| f.bytes).sum::<u64>()
    }
}

/// A file with state that is on disk: a part of the state of a node on a worker, which never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FileRef {
    /// Its name in the folder.
    pub file: String,
    /// The node.
    pub node: String,
    /// What the node calls it.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// The xxh3 of its bytes, in hexadecimal.
    pub sum: String,
}

/// A section of a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SectionRef {
    /// Its node.
    pub node: String,
    /// Whether it stands for itself.
    pub whole: bool,
}

/// Where a partition of a source was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Position {
    /// The source.
    pub source: String,
    /// The partition.
    pub partition: String,
    /// The number of its next record.
    pub record: u64,
    /// Whether it had ended.
    pub ended: bool,
    /// Its watermark; `i64::MIN` where there is none.
    pub watermark: i64,
    /// Batches that it had given.
    pub batches: u64,
}

/// What is final of an output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Output {
    /// The sink, or `dead-letters`.
    pub sink: String,
    /// The file that rows were written to, in the sink's folder.
    pub staged: String,
    /// What it is called when it is published.
    pub published: String,
    /// Whether it grows until the input has ended, and is published then; otherwise it is whole.
    pub grows: bool,
    /// Bytes of it that belong to this checkpoint.
    pub bytes: u64,
    /// Rows that this checkpoint adds.
    pub rows: u64,
}

impl Manifest {
    pub(super) fn encode(&self) -> Result<Vec<u8>, String> {
        let json = serde_json::to_string_pretty(self).map_err(|e| e.to_string())? + "\n";
        let version = VERSIONS[usize::from(self.parts.iter().any(|part| !part.files.is_empty()))];
        Ok(format!("{NAME} {version} {:016x}\n{json}", xxh3_64(json.as_bytes())).into_bytes())
    }

    /// A manifest from its bytes, or what is wrong with them.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let foreign = || "it is no manifest of a checkpoint".to_owned();
        let text = str::from_utf8(bytes).map_err(|_| foreign())?;
        let (first, json) = text.split_once('\n').ok_or_else(foreign)?;
        let mut words = first.split(' ');
        if words.next() != Some(NAME) {
            return Err(foreign());
        }
        let (version, sum) = (words.next().ok_or_else(foreign)?, words.next().ok_or_else(foreign)?);
        if VERSIONS.iter().all(|known| version != known.to_string()) {
            let [first, last] = VERSIONS;
            return Err(format!("its format is {version}, and this weir reads formats {first} and {last}"));
        }
        if sum != format!("{:016x}", xxh3_64(json.as_bytes())) {
            return Err("its checksum does not fit: it is torn, or bytes of it were changed".into());
        }
        serde_json::from_str(json).map_err(|e| format!("it can't be read: {e}"))
    }

    /// The parts that are needed, when these are added: of each node and worker the last whole section
    /// and all behind it.
    pub fn needed(before: &[PartRef], added: Vec<PartRef>) -> Vec<PartRef> {
        let mut parts: Vec<PartRef> = before.iter().cloned().chain(added).collect();
        let mut covered: Vec<(String, usize)> = Vec::new();
        for part in parts.iter_mut().rev() {
            part.sections.retain(|section| {
                let of = (section.node.clone(), part.worker);
                let needed = !covered.contains(&of);
                if needed && section.whole {
                    covered.push(of);
                }
                needed
            });
        }
        parts.retain(|part| !part.sections.is_empty());
        for PartRef { sections, files, .. } in &mut parts {
            files.retain(|file| sections.iter().any(|section| section.node == file.node));
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(checkpoint: u64, worker: usize, sections: &[(&str, bool)]) -> PartRef {
        let section = |(node, whole): &(&str, bool)| SectionRef { node: (*node).into(), whole: *whole };
        let file = format!("{checkpoint}-{worker}");
        let sections = sections.iter().map(section).collect();
        PartRef { file, checkpoint, worker, bytes: 1, sections, files: Vec::new() }
    }

    fn file(node: &str, name: &str) -> FileRef {
        FileRef { file: format!("{node}-{name}"), node: node.into(), name: name.into(), bytes: 1, sum: "0".into() }
    }

    fn manifest() -> Manifest {
        Manifest {
            checkpoint: 3,
            pipeline: "p".into(),
            weir: "0.1.0".into(),
            taken_ms: 7,
            workers: 2,
            complete: false,
            shape: Vec::new(),
            positions: Vec::new(),
            parts: vec![part(3, 0, &[("a", true)])],
            outputs: Vec::new(),
        }
    }

    #[test]
    fn what_is_written_is_read_and_what_was_changed_is_not() {
        let bytes = manifest().encode().unwrap();
        assert_eq!(Manifest::decode(&bytes).unwrap(), manifest());
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 7);
            assert!(Manifest::decode(&flipped).is_err(), "flipped at {at}");
            assert!(Manifest::decode(&bytes[..at]).is_err(), "cut after {at}");
        }
        assert_eq!(Manifest::decode(b"{}\n").unwrap_err(), "it is no manifest of a checkpoint");
    }

    #[test]
    fn parts_go_when_no_section_of_theirs_is_needed() {
        let whole = [("a", true), ("b", true)];
        let chain = [part(1, 0, &whole), part(1, 1, &whole), part(2, 0, &[("a", false), ("b", true)])];
        let needed = Manifest::needed(&chain, vec![part(3, 0, &[("a", false), ("b", false)])]);
        let files = |parts: &[PartRef]| parts.iter().map(|p| p.file.clone()).collect::<Vec<_>>();
        assert_eq!(files(&needed), ["1-0", "1-1", "2-0", "3-0"]);
        assert_eq!(needed[0].sections, part(1, 0, &[("a", true)]).sections);
        let needed = Manifest::needed(&needed, vec![part(4, 0, &[("a", true), ("b", false)])]);
        assert_eq!(files(&needed), ["1-1", "2-0", "3-0", "4-0"]);
        let needed = Manifest::needed(&needed, vec![part(5, 0, &whole), part(5, 1, &whole)]);
        assert_eq!(files(&needed), ["5-0", "5-1"]);
    }

    #[test]
    fn files_go_with_their_section() {
        let first = PartRef { files: vec![file("a", "1"), file("b", "1")], ..part(1, 0, &[("a", true), ("b", true)]) };
        let next = PartRef { files: vec![file("a", "1"), file("a", "2")], ..part(2, 0, &[("a", true)]) };
        let needed = Manifest::needed(&[first], vec![next.clone()]);
        assert_eq!(needed[0].files, [file("b", "1")]);
        assert_eq!(needed[1], next);
        let with_files = Manifest { parts: needed, ..manifest() };
        let bytes = with_files.encode().unwrap();
        assert!(bytes.starts_with(b"weir-checkpoint 2 "));
        assert_eq!(Manifest::decode(&bytes).unwrap(), with_files);
    }
}
