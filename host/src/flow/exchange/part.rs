//! A part of a batch on its way to a worker.
//!
//! Between threads it moves as it is. Between processes it travels as one Arrow IPC stream, the marks as
//! further columns, with the batch's numbers behind it. Timely asks for the length before it asks for
//! the bytes, so they are made once and kept.

use std::cell::OnceCell;
use std::fmt;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, Field as ArrowField, Schema};
use serde::de::Visitor;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::flow::batch::{Batch, Marks, record_batch};

/// Bytes of the numbers behind the columns.
const NUMBERS: usize = 4 + 8 + 8 + 4 + 4 + 8 + 4 + 1 + 1;

pub(super) struct Part {
    batch: Batch,
    encoded: OnceCell<Vec<u8>>,
}

impl Part {
    pub(super) fn new(batch: Batch) -> Self {
        Self { batch, encoded: OnceCell::new() }
    }

    /// The worker that it goes to.
    pub(super) fn target(&self) -> u64 {
        u64::from(self.batch.target)
    }

    pub(super) fn into_batch(self) -> Batch {
        self.batch
    }

    fn encoded(&self) -> Result<&[u8], ArrowError> {
        if self.encoded.get().is_none() {
            // Nobody else is there who could have set it in between.
            drop(self.encoded.set(encode(&self.batch)?));
        }
        Ok(self.encoded.get().map(Vec::as_slice).unwrap_or_default())
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.encoded().map_err(S::Error::custom)?)
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(Bytes)
    }
}

struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = Part;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes of a batch")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Part, E> {
        decode(bytes).map(Part::new).map_err(E::custom)
    }
}

fn encode(batch: &Batch) -> Result<Vec<u8>, ArrowError> {
    let marks: [Option<ArrayRef>; 4] = [
        batch.marks.positions.clone().map(|a| Arc::new(a) as ArrayRef),
        batch.marks.times.clone().map(|a| Arc::new(a) as ArrayRef),
        batch.marks.watermarks.clone().map(|a| Arc::new(a) as ArrayRef),
        batch.marks.order.clone().map(|a| Arc::new(a) as ArrayRef),
    ];
    let mut fields: Vec<_> = batch.rows.schema().fields().iter().cloned().collect();
    let mut columns = batch.rows.columns().to_vec();
    for mark in marks.iter().flatten() {
        fields.push(Arc::new(ArrowField::new("", mark.data_type().clone(), false)));
        columns.push(Arc::clone(mark));
    }
    let all = record_batch(Arc::new(Schema::new(fields)), columns, batch.rows.num_rows());
    let mut bytes = Vec::with_capacity(all.get_array_memory_size() + 1024);
    let mut writer = StreamWriter::try_new(&mut bytes, &all.schema())?;
    writer.write(&all)?;
    writer.finish()?;
    drop(writer);
    bytes.extend(batch.partition.to_le_bytes());
    bytes.extend(batch.sequence.to_le_bytes());
    bytes.extend(batch.watermark.to_le_bytes());
    bytes.extend(batch.target.to_le_bytes());
    bytes.extend((batch.rows.num_columns() as u32).to_le_bytes());
    bytes.extend((batch.rows.num_rows() as u64).to_le_bytes());
    bytes.extend(marks.each_ref().map(|mark| u8::from(mark.is_some())));
    bytes.extend([u8::from(batch.idle), u8::from(batch.folded)]);
    Ok(bytes)
}

fn decode(bytes: &[u8]) -> Result<Batch, ArrowError> {
    let short = || ArrowError::IpcError("the bytes of a batch are cut".to_owned());
    let at = bytes.len().checked_sub(NUMBERS).ok_or_else(short)?;
    let (ipc, mut numbers) = bytes.split_at(at);
    let partition = u32::from_le_bytes(take(&mut numbers).ok_or_else(short)?);
    let sequence = u64::from_le_bytes(take(&mut numbers).ok_or_else(short)?);
    let watermark = i64::from_le_bytes(take(&mut numbers).ok_or_else(short)?);
    let target = u32::from_le_bytes(take(&mut numbers).ok_or_else(short)?);
    let count = u32::from_le_bytes(take(&mut numbers).ok_or_else(short)?) as usize;
    let row_count = u64::from_le_bytes(take(&mut numbers).ok_or_else(short)?) as usize;
    let present: [u8; 4] = take(&mut numbers).ok_or_else(short)?;
    let [idle, folded] = take(&mut numbers).ok_or_else(short)?;
    // One copy, out of Timely's memory; the columns are parts of it.
    let mut ipc = Buffer::from(ipc);
    let all = StreamDecoder::new().decode(&mut ipc)?.ok_or_else(short)?;
    let mut marks = all.columns().get(count..).unwrap_or_default().iter();
    let mut mark = |there: u8| (there != 0).then(|| marks.next().ok_or_else(short)).transpose();
    let [positions, times, watermarks, order] =
        [mark(present[0])?, mark(present[1])?, mark(present[2])?, mark(present[3])?];
    let marks = Marks {
        positions: positions.map(|a| a.as_primitive::<UInt64Type>().clone()),
        times: times.map(|a| a.as_primitive::<Int64Type>().clone()),
        watermarks: watermarks.map(|a| a.as_primitive::<Int64Type>().clone()),
        order: order.map(|a| a.as_binary::<i32>().clone()),
    };
    let fields: Vec<_> = all.schema().fields().iter().take(count).cloned().collect();
    let columns = all.columns().iter().take(count).cloned().collect();
    let rows: RecordBatch = record_batch(Arc::new(Schema::new(fields)), columns, row_count);
    Ok(Batch { partition, sequence, watermark, idle: idle != 0, target, folded: folded != 0, rows, marks })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::super::tests::batch;
    use super::*;

    #[test]
    fn a_batch_survives_the_wire() {
        for rows in [0, 1, 100] {
            let sent = batch(rows);
            let part = Part::new(sent.clone());
            let bytes = part.encoded().expect("encodes").to_vec();
            let got = decode(&bytes).expect("decodes");
            assert_eq!(got.rows, sent.rows);
            assert_eq!((got.marks.positions, got.marks.order), (sent.marks.positions, sent.marks.order));
            assert_eq!((got.partition, got.sequence, got.watermark, got.idle, got.folded), (3, 9, -7, true, false));
            assert!(got.marks.times.is_none());
            for cut in [0, NUMBERS - 1, NUMBERS, bytes.len() / 2] {
                assert!(decode(&bytes[..cut]).is_err(), "{cut} bytes");
            }
        }
    }

    #[test]
    fn a_batch_without_columns_keeps_its_number_of_rows() {
        let mut sent = batch(3);
        sent.rows = record_batch(Arc::new(Schema::empty()), Vec::new(), 3);
        sent.marks = Marks::default();
        let got = decode(Part::new(sent).encoded().expect("encodes")).expect("decodes");
        assert_eq!((got.rows.num_rows(), got.rows.num_columns()), (3, 0));
    }
}
