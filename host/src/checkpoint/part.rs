//! Parts: the sections of one worker in one file.
//!
//! | bytes | |
//! | --- | --- |
//! | 8 | `WEIRPART` |
//! | 4 | the format's version, 1; all numbers are little-endian |
//! | 8 | the length of the head |
//! | .. | the head, JSON: for each section its node, whether it is whole, its facts, and the names and lengths of its tables |
//! | .. | the tables, each an Arrow IPC stream |
//! | 8 | xxh3 of all bytes before |
//!
//! Version 1 is the first.

use std::io::Cursor;

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

const MAGIC: &[u8; 8] = b"WEIRPART";
const VERSION: u32 = 1;

/// What a node holds on one worker, or what of it has changed since the section before.
#[derive(Clone, Debug)]
pub struct Section {
    /// The node's name.
    pub node: String,
    /// Whether it stands for itself; otherwise those before it are needed as well.
    pub whole: bool,
    /// What is small.
    pub facts: Value,
    /// What is not.
    pub tables: Vec<Table>,
}

/// Rows of a section.
#[derive(Clone, Debug)]
pub struct Table {
    /// What they are, to the node.
    pub name: String,
    /// In their order.
    pub batches: Vec<RecordBatch>,
}

impl Section {
    /// The rows of a table; none if there is no such table.
    pub fn table(&self, name: &str) -> &[RecordBatch] {
        self.tables.iter().find(|t| t.name == name).map_or(&[], |t| &t.batches)
    }
}

#[derive(Serialize, Deserialize)]
struct Head {
    sections: Vec<HeadSection>,
}

#[derive(Serialize, Deserialize)]
struct HeadSection {
    node: String,
    whole: bool,
    facts: Value,
    tables: Vec<HeadTable>,
}

#[derive(Serialize, Deserialize)]
struct HeadTable {
    name: String,
    bytes: u64,
}

/// The bytes of a part.
pub(super) fn encode(sections: &[Section]) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    let mut head = Head { sections: Vec::new() };
    for Section { node, whole, facts, tables } in sections {
        let mut of = HeadSection { node: node.clone(), whole: *whole, facts: facts.clone(), tables: Vec::new() };
        for Table { name, batches } in tables {
            let start = body.len();
            if let Some(first) = batches.first() {
                let mut writer = StreamWriter::try_new(&mut body, &first.schema()).map_err(|e| e.to_string())?;
                batches.iter().try_for_each(|batch| writer.write(batch)).map_err(|e| e.to_string())?;
                writer.finish().map_err(|e| e.to_string())?;
            }
            of.tables.push(HeadTable { name: name.clone(), bytes: (body.len() - start) as u64 });
        }
        head.sections.push(of);
    }
    let head = serde_json::to_vec(&head).map_err(|e| e.to_string())?;
    let mut bytes = Vec::with_capacity(MAGIC.len() + 4 + 8 + head.len() + body.len() + 8);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&(head.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&head);
    bytes.append(&mut body);
    let sum = xxh3_64(&bytes);
    bytes.extend_from_slice(&sum.to_le_bytes());
    Ok(bytes)
}

/// The sections in a part's bytes, or what is wrong with them.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<Section>, String> {
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return Err("it is no part of a checkpoint".into());
    };
    let torn = || "it is torn: bytes are missing at its end".to_owned();
    let (version, rest) = rest.split_first_chunk::<4>().ok_or_else(torn)?;
    match u32::from_le_bytes(*version) {
        VERSION => {}
        other => return Err(format!("its format is {other}, and this weir reads format {VERSION}")),
    }
    let (rest, sum) = rest.split_last_chunk::<8>().ok_or_else(torn)?;
    if xxh3_64(&bytes[..bytes.len() - 8]) != u64::from_le_bytes(*sum) {
        return Err("its checksum does not fit: it is torn, or bytes of it were changed".into());
    }
    let (length, rest) = rest.split_first_chunk::<8>().ok_or_else(torn)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| torn())?;
    let (head, mut body) = rest.split_at_checked(length).ok_or_else(torn)?;
    let head: Head = serde_json::from_slice(head).map_err(|e| format!("its head can't be read: {e}"))?;
    let mut sections = Vec::with_capacity(head.sections.len());
    for HeadSection { node, whole, facts, tables: named } in head.sections {
        let mut tables = Vec::with_capacity(named.len());
        for HeadTable { name, bytes } in named {
            let length = usize::try_from(bytes).map_err(|_| torn())?;
            let (of, rest) = body.split_at_checked(length).ok_or_else(torn)?;
            body = rest;
            let batches = if of.is_empty() { Vec::new() } else { read(of)? };
            tables.push(Table { name, batches });
        }
        sections.push(Section { node, whole, facts, tables });
    }
    Ok(sections)
}

fn read(bytes: &[u8]) -> Result<Vec<RecordBatch>, String> {
    let wrong = |e: arrow_schema::ArrowError| format!("a table of it can't be read: {e}");
    let reader = StreamReader::try_new(Cursor::new(bytes), None).map_err(wrong)?;
    reader.collect::<Result<_, _>>().map_err(wrong)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::Int64Array;
    use serde_json::json;

    use super::*;
    use crate::types::{DataType, Field, arrow_schema};

    fn sections() -> Vec<Section> {
        let schema = arrow_schema(&[Field::new("n", DataType::Int64, false)]);
        let batch = |n: Vec<i64>| {
            RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(Int64Array::from(n))]).expect("a column")
        };
        let tables = vec![
            Table { name: "rows".into(), batches: vec![batch(vec![1, 2]), batch(vec![3])] },
            Table { name: "none".into(), batches: Vec::new() },
        ];
        vec![
            Section { node: "a".into(), whole: true, facts: json!({"watermark": i64::MIN}), tables },
            Section { node: "b".into(), whole: false, facts: Value::Null, tables: Vec::new() },
        ]
    }

    #[test]
    fn what_is_written_is_read() {
        let read = decode(&encode(&sections()).unwrap()).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].node.as_str(), read[0].whole, read[1].whole), ("a", true, false));
        assert_eq!(read[0].facts, json!({"watermark": i64::MIN}));
        assert_eq!(read[0].table("rows"), sections()[0].table("rows"));
        assert!(read[0].table("none").is_empty() && read[1].table("rows").is_empty());
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_found() {
        let bytes = encode(&sections()).unwrap();
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_err(), "cut after {length}");
        }
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            assert!(decode(&flipped).is_err(), "flipped at {at}");
        }
    }

    #[test]
    fn errors_say_what_is_wrong() {
        assert_eq!(decode(b"PK\x03\x04").unwrap_err(), "it is no part of a checkpoint");
        let mut later = encode(&sections()).unwrap();
        later[8] = 9;
        assert_eq!(decode(&later).unwrap_err(), "its format is 9, and this weir reads format 1");
    }
}
