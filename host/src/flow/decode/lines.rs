//! Framing by newlines: one record a line, blank lines passed over.
//!
//! In comes a chunk that starts at a line's first byte; out go the frames of its lines, without
//! `\n` or `\r\n`. The last line needs no newline. It never looks into a line.

use super::{Framed, Frames, Tail};

/// Frames lines until there are `rows` records.
pub(super) fn frame(chunk: &[u8], tail: Tail, rows: usize, frames: &mut Frames, max: usize) -> Framed {
    while frames.records.len() < rows && !frames.cut {
        let start = frames.consumed;
        let (end, next) = match memchr::memchr(b'\n', &chunk[start..]) {
            Some(at) => (start + at, start + at + 1),
            None if chunk.len() - start > max => (chunk.len(), chunk.len()),
            None if tail == Tail::End && start < chunk.len() => (chunk.len(), chunk.len()),
            None => return Framed::NeedsMore,
        };
        if end - start > max {
            frames.push_long(chunk, start, max, "the line is too long");
            continue;
        }
        let line = &chunk[start..end];
        if line.trim_ascii().is_empty() {
            frames.consumed = next;
            continue;
        }
        let end = if line.ends_with(b"\r") { end - 1 } else { end };
        frames.push(start, end, next);
    }
    Framed::Enough
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines<'a>(chunk: &'a [u8], tail: Tail, max: usize, frames: &mut Frames) -> Vec<&'a [u8]> {
        frame(chunk, tail, 100, frames, max);
        frames.records.iter().map(|f| &chunk[f.start..f.end]).collect()
    }

    #[test]
    fn blank_lines_are_no_records_and_the_last_line_needs_no_newline() {
        let mut frames = Frames::default();
        let chunk = b"a\r\n\n  \r\nb\nc";
        assert_eq!(lines(chunk, Tail::Open, 99, &mut frames), [b"a", b"b"]);
        assert_eq!(frames.consumed, 10);
        assert_eq!(lines(chunk, Tail::End, 99, &mut frames), [b"a", b"b", b"c"]);
        assert_eq!(frames.consumed, chunk.len());
    }

    #[test]
    fn a_long_line_is_bad_whether_its_end_is_seen_or_not() {
        for chunk in [&b"ok\n123456789\nok"[..], b"ok\n123456789"] {
            let mut frames = Frames::default();
            assert_eq!(lines(chunk, Tail::Open, 5, &mut frames), [&b"ok"[..], b"12345"]);
            assert!(frames.cut);
            assert_eq!(frames.faults[0].record, 1);
            assert!(frames.faults[0].reason.contains("too long"), "{}", frames.faults[0].reason);
        }
    }
}
