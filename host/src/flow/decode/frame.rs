//! The records of a chunk: where each is, and which are known to be bad.
//!
//! In comes what a framer finds, record by record; out go places in the chunk. A record that is
//! too long is cut here, so that all formats cut alike. It never finds a record itself.

/// The longest record that is read: what is longer is bad, so that an open quote or a missing
/// newline costs neither memory nor the rest of the input.
pub(crate) const RECORD_BYTES_MAX: usize = 16 << 20;

/// Where the bytes handed to [`Decoder::frame`] end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// Wherever the last read ended; there may be more.
    Open,
    /// At the end of the input.
    End,
}

/// What has to happen after framing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framed {
    /// There are as many records as were asked for.
    Enough,
    /// Every whole record is framed; the next one needs more bytes.
    NeedsMore,
}

/// A record that can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Its place among the chunk's records.
    pub(crate) record: usize,
    /// Why.
    pub(crate) reason: String,
}

/// The bytes of one record in its chunk, without the end of the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The records of a chunk that have been framed so far.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// One for each record.
    pub(crate) records: Vec<Frame>,
    /// Those that are known to be bad already.
    pub(crate) faults: Vec<Fault>,
    /// Bytes of the chunk that are done with: the next record starts here.
    pub(crate) consumed: usize,
    /// The last record was cut at [`RECORD_BYTES_MAX`]; what is left of its line is to be dropped.
    pub(crate) cut: bool,
}

impl Frames {
    /// Forgets the chunk.
    pub(crate) fn clear(&mut self) {
        self.records.clear();
        self.faults.clear();
        self.consumed = 0;
        self.cut = false;
    }

    /// Adds a record.
    pub(super) fn push(&mut self, start: usize, end: usize, next: usize) {
        self.records.push(Frame { start, end });
        self.consumed = next;
    }

    /// Adds a record that is bad.
    pub(super) fn push_bad(&mut self, start: usize, end: usize, next: usize, reason: String) {
        self.faults.push(Fault { record: self.records.len(), reason });
        self.push(start, end, next);
    }

    /// Adds a record that is too long: its first line if that ends in time, or else as much of it
    /// as may be held.
    pub(super) fn push_long(&mut self, bytes: &[u8], start: usize, max: usize, why: &str) {
        let held = &bytes[start..bytes.len().min(start + max)];
        let (end, next) = match memchr::memchr(b'\n', held) {
            Some(at) => (start + at, start + at + 1),
            None => {
                self.cut = true;
                (start + held.len(), start + held.len())
            }
        };
        self.push_bad(start, end, next, format!("{why} (a record may have {} at most)", bytes_in_words(max)));
    }
}

/// `16 MiB`.
fn bytes_in_words(bytes: usize) -> String {
    if bytes >= 1 << 20 && bytes.is_multiple_of(1 << 20) {
        format!("{} MiB", bytes >> 20)
    } else {
        format!("{bytes} bytes")
    }
}
