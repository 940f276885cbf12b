//! A partition of records: a file, or standard input.
//!
//! In come blocks of bytes; out go decoded rows, with the number and line of each record. It holds
//! one chunk of bytes at a time, which starts where a record does. Where the bytes end in an error
//! (a truncated gzip, a disk that fails) the whole records before it are given first. It never
//! waits for standard input and never looks into a record; that is the decoder's.

use std::io;

use memchr::memchr_iter;

use super::input::{Filled, Input};
use super::{BadRecord, CsvFormat, Decoded, Format, Next, Partition};
use crate::error::{Error, Result};
use crate::flow::decode::{Decoder, Frame, Framed, Frames, RECORD_BYTES_MAX, Tail, header, infer};
use crate::types::Field;

/// Bytes after which a chunk is given although fewer rows are in it than were asked for.
const CHUNK_BYTES: usize = 8 << 20;
/// Bytes of a bad record that are kept.
const TEXT_BYTES_MAX: usize = 4 << 10;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A partition of records.
#[derive(Debug)]
pub(super) struct Records {
    name: String,
    input: Input,
    format: Format,
    /// The columns of the source; without a header they are those of a record, in order.
    all: Vec<Field>,
    needed: Vec<Field>,
    /// Nothing before the header is read.
    decoder: Option<Decoder>,
    frames: Frames,
    /// What was read; the chunk is what is behind `start`.
    buffer: Vec<u8>,
    start: usize,
    tail: Tail,
    failed: Option<io::Error>,
    /// The rest of a line that was too long is passed over.
    dropping: bool,
    /// The number of the chunk's first record, from 0, and its line, from 1.
    position: u64,
    line: u64,
    /// Records before this one are passed over.
    from: u64,
}

impl Records {
    pub(super) fn new(name: String, input: Input, format: Format, all: Vec<Field>, needed: Vec<Field>) -> Self {
        Self {
            name,
            input,
            format,
            all,
            needed,
            decoder: None,
            frames: Frames::default(),
            buffer: Vec::new(),
            start: 0,
            tail: Tail::Open,
            failed: None,
            dropping: false,
            position: 0,
            line: 1,
            from: 0,
        }
    }

    /// Reads on. After an error comes what was read before it, and only then the error.
    fn fill(&mut self) -> Result<Filled> {
        if self.failed.is_none() {
            // Moving what is left costs nothing much if it is the smaller part.
            if self.start * 2 >= self.buffer.len() {
                self.buffer.drain(..self.start);
                self.start = 0;
            }
            let held = self.buffer.len();
            match self.input.fill(&mut self.buffer) {
                Ok(Filled::End) => self.tail = Tail::End,
                Ok(filled) => return Ok(filled),
                Err(e) => self.failed = Some(e),
            }
            if self.failed.is_some() && self.buffer.len() > held {
                return Ok(Filled::Some);
            }
        }
        if self.frames.records.is_empty()
            && let Some(e) = self.failed.take()
        {
            let read = format!("{} records and {} bytes of it were read", self.position, self.input.bytes());
            self.tail = Tail::End;
            self.clear();
            return Err(Error::source_io(format!("can't read on in `{}`: {read}", self.name), e));
        }
        Ok(Filled::End)
    }

    /// Reads the byte order mark and the header, and makes the decoder; says so once it is there.
    fn begin(&mut self) -> Result<Filled> {
        loop {
            let mark = &self.chunk()[..self.chunk().len().min(BYTE_ORDER_MARK.len())];
            if mark.len() == BYTE_ORDER_MARK.len() || !BYTE_ORDER_MARK.starts_with(mark) || self.tail == Tail::End {
                let skip = if mark == BYTE_ORDER_MARK { mark.len() } else { 0 };
                if let Some((decoder, next)) = self.decoder(skip)? {
                    self.decoder = Some(decoder);
                    self.advance(next);
                    return Ok(Filled::Some);
                }
                if self.tail == Tail::End {
                    return Ok(Filled::End);
                }
            }
            match self.fill()? {
                Filled::Pending => return Ok(Filled::Pending),
                Filled::Some | Filled::End => {}
            }
        }
    }

    /// The decoder, and where the first record starts; nothing if the header is not there yet.
    fn decoder(&self, skip: usize) -> Result<Option<(Decoder, usize)>> {
        let Format::Csv(csv) = &self.format else { return Ok(Some((Decoder::json(self.needed.clone()), skip))) };
        if !csv.header {
            let names: Vec<String> = self.all.iter().map(|field| field.name.clone()).collect();
            return Ok(Some((self.csv(csv, &names)?, skip)));
        }
        match header(&self.chunk()[skip..], self.tail, csv) {
            Some((names, next)) => Ok(Some((self.csv(csv, &infer::names(names))?, skip + next))),
            None if self.chunk().len() > RECORD_BYTES_MAX => Err(Error::Source {
                message: format!("`{}` has no header: its first record does not end", self.name),
                cause: None,
            }),
            None => Ok(None),
        }
    }

    fn csv(&self, format: &CsvFormat, names: &[String]) -> Result<Decoder> {
        let places = self.needed.iter().map(|field| place(&self.name, names, &field.name));
        Ok(Decoder::csv(format, names.len(), self.needed.clone(), &places.collect::<Result<Vec<_>>>()?))
    }

    fn chunk(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Drops the whole chunk.
    fn clear(&mut self) {
        self.start = self.buffer.len();
    }

    /// Drops the chunk's first bytes.
    fn advance(&mut self, bytes: usize) {
        self.line += newlines(&self.chunk()[..bytes]);
        self.start += bytes;
    }

    /// Forgets the framed records, and their bytes.
    fn forget(&mut self) {
        self.position += self.frames.records.len() as u64;
        self.dropping |= self.frames.cut;
        self.advance(self.frames.consumed);
        match &mut self.decoder {
            Some(decoder) => decoder.clear(&mut self.frames),
            None => self.frames.clear(),
        }
    }

    /// Drops the rest of a line that was too long, as far as it is there.
    fn drop_rest(&mut self) {
        if self.dropping {
            match memchr::memchr(b'\n', self.chunk()) {
                Some(at) => {
                    self.advance(at + 1);
                    self.dropping = false;
                }
                None => self.clear(),
            }
        }
    }

    /// The rows of the framed records.
    fn decoded(&mut self, decoder: &mut Decoder) -> Result<Decoded> {
        let count = self.frames.records.len() as u64;
        let decoded = decoder.decode(&self.buffer[self.start..], &mut self.frames)?;
        let mut positions = Vec::with_capacity(decoded.batch.num_rows());
        let (mut next, mut bad) = (self.position, Vec::with_capacity(decoded.faults.len()));
        let (mut line, mut counted) = (self.line, 0);
        for fault in decoded.faults {
            let Frame { start, end } = self.frames.records[fault.record];
            let position = self.position + fault.record as u64;
            positions.extend(next..position);
            next = position + 1;
            line += newlines(&self.chunk()[counted..start]);
            counted = start;
            let text = text(&self.chunk()[start..end]);
            bad.push(BadRecord { position, line, text, reason: fault.reason });
        }
        positions.extend(next..self.position + count);
        Ok(Decoded { rows: decoded.batch, positions, bad })
    }
}

impl Partition for Records {
    fn next(&mut self, rows: usize) -> Result<Next> {
        self.forget();
        if self.decoder.is_none() {
            match self.begin()? {
                Filled::Some => {}
                Filled::Pending => return Ok(Next::Pending),
                Filled::End => return Ok(Next::End),
            }
        }
        // Taken out so that the chunk can be lent to it.
        let Some(mut decoder) = self.decoder.take() else { return Ok(Next::End) };
        let next = self.next_with(&mut decoder, rows.max(1));
        self.decoder = Some(decoder);
        next
    }

    fn skip_to(&mut self, position: u64) {
        self.from = position;
    }

    fn bytes(&self) -> u64 {
        self.input.bytes()
    }
}

impl Records {
    fn next_with(&mut self, decoder: &mut Decoder, rows: usize) -> Result<Next> {
        loop {
            self.drop_rest();
            let passed_over = usize::try_from(self.from.saturating_sub(self.position)).unwrap_or(usize::MAX);
            let wanted = if passed_over > 0 { rows.min(passed_over) } else { rows };
            let framed = match self.dropping {
                true => Framed::NeedsMore,
                false => decoder.frame(&self.buffer[self.start..], self.tail, wanted, &mut self.frames),
            };
            if passed_over > 0 || self.frames.records.is_empty() {
                // Also the blank lines between records, of which there may be many.
                self.forget();
                decoder.clear(&mut self.frames);
            }
            if self.frames.records.is_empty() && framed == Framed::Enough {
                continue;
            }
            if framed == Framed::Enough || self.chunk().len() >= CHUNK_BYTES && !self.frames.records.is_empty() {
                return self.decoded(decoder).map(Next::Rows);
            }
            let ended = self.tail == Tail::End;
            let filled = if ended { Filled::End } else { self.fill()? };
            match filled {
                Filled::Some => {}
                Filled::End if !ended && self.failed.is_none() => {}
                Filled::End | Filled::Pending if !self.frames.records.is_empty() => {
                    return self.decoded(decoder).map(Next::Rows);
                }
                Filled::End => return Ok(Next::End),
                Filled::Pending => return Ok(Next::Pending),
            }
        }
    }
}

/// The place of a column among the names of a header.
pub(super) fn place(file: &str, names: &[String], column: &str) -> Result<usize> {
    let error = |message| Err(Error::Source { message, cause: None });
    let mut found = names.iter().enumerate().filter(|(_, name)| *name == column).map(|(place, _)| place);
    match (found.next(), found.next()) {
        (Some(place), None) => Ok(place),
        (Some(_), Some(_)) => error(format!("`{file}` has two columns `{column}`")),
        (None, _) => error(format!("`{file}` has no column `{column}`; it has: {}", names.join(", "))),
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

/// The start of a bad record, as text.
fn text(record: &[u8]) -> String {
    let mut end = record.len().min(TEXT_BYTES_MAX);
    if end < record.len() {
        // Not within a character.
        while end > TEXT_BYTES_MAX - 4 && record[end] & 0xc0 == 0x80 {
            end -= 1;
        }
    }
    String::from_utf8_lossy(&record[..end]).into_owned()
}

#[cfg(test)]
mod tests;
