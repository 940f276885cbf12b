//! What processes say to each other beside rows: a mark, a length in four bytes (little-endian), JSON.

use std::io::{self, ErrorKind, Read, Write};

use serde::{Deserialize, Serialize};

use super::identity::Identity;
use crate::error::Error;
use crate::report::Report;

/// What every message starts with; the last byte changes with the messages.
const MARK: [u8; 5] = *b"weir1";

/// Longer ones are not ours.
const BYTES_MAX: u32 = 64 << 20;

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Message {
    /// The first thing that who connects says.
    Hello { process: usize, purpose: Purpose },
    /// What this process runs.
    Identity(Identity),
    /// It runs something else than who is told, who says what differs.
    Refused(String),
    /// What has to be written can be.
    Ready,
    /// This process is there.
    Beat,
    /// It was asked to end before the input does.
    Stop,
    /// Nobody reads what it writes any more.
    Closed,
    /// It has failed.
    Failed(String),
    /// It has come to the end, and did this.
    Done(Box<Report>),
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Purpose {
    /// Messages.
    Control,
    /// Timely's bytes.
    Rows,
}

impl Message {
    /// That this process has failed with an error.
    pub(super) fn failure(error: &Error) -> Self {
        let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
        let text = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
        Self::Failed(text)
    }

    pub(super) fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let text = serde_json::to_vec(self)?;
        let length = u32::try_from(text.len()).map_err(|_| io::Error::from(ErrorKind::InvalidInput))?;
        // In one piece: two writers never mix, and a packet is enough for most.
        to.write_all(&[&MARK[..], &length.to_le_bytes(), &text].concat())
    }

    pub(super) fn read(from: &mut impl Read) -> io::Result<Self> {
        let wrong = |what: &str| io::Error::new(ErrorKind::InvalidData, what.to_owned());
        let (mut mark, mut length) = ([0; MARK.len()], [0; 4]);
        from.read_exact(&mut mark)?;
        if mark != MARK {
            return Err(wrong("this is no weir, or one of another version"));
        }
        from.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length);
        if length > BYTES_MAX {
            return Err(wrong("a message is too long"));
        }
        let mut text = Vec::new();
        from.take(u64::from(length)).read_to_end(&mut text)?;
        if text.len() < length as usize {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_slice(&text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_as_they_were() {
        let mut bytes = Vec::new();
        Message::Hello { process: 2, purpose: Purpose::Rows }.write(&mut bytes).expect("written");
        Message::Failed("it went wrong".into()).write(&mut bytes).expect("written");
        let mut from = bytes.as_slice();
        let hello = Message::read(&mut from).expect("a message");
        assert!(matches!(hello, Message::Hello { process: 2, purpose: Purpose::Rows }), "{hello:?}");
        let failed = Message::read(&mut from).expect("a message");
        assert!(matches!(&failed, Message::Failed(why) if why == "it went wrong"), "{failed:?}");
        assert!(from.is_empty());
    }

    #[test]
    fn what_is_not_ours_is_an_error() {
        let mut bytes = Vec::new();
        Message::Beat.write(&mut bytes).expect("written");
        let cut = Message::read(&mut &bytes[..bytes.len() - 1]).expect_err("it is cut");
        assert_eq!(cut.kind(), ErrorKind::UnexpectedEof);
        let http = Message::read(&mut &b"GET / HTTP/1.1\r\n\r\n"[..]).expect_err("no weir");
        assert!(http.to_string().contains("no weir"), "{http}");
        let long = [&MARK[..], &u32::MAX.to_le_bytes()].concat();
        assert_eq!(Message::read(&mut long.as_slice()).expect_err("too long").kind(), ErrorKind::InvalidData);
    }
}
