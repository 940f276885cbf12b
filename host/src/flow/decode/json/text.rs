//! JSON texts: what is between quotes, escapes resolved.
//!
//! Goes on where the scan stands, at the opening quote, and leaves it behind the closing one. A
//! text without escapes is borrowed from the line.

use std::borrow::Cow;

use super::scan::{Result, Scan};

impl<'a> Scan<'a> {
    #[inline]
    pub(super) fn string(&mut self) -> Result<Cow<'a, str>> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let mut at = start;
        while let Some(&b) = bytes.get(at) {
            match b {
                b'"' => {
                    self.at = at + 1;
                    return Ok(Cow::Borrowed(&self.text[start..at]));
                }
                b'\\' => return self.escaped(start, at).map(Cow::Owned),
                0..0x20 => {
                    self.at = at;
                    return Err(self.broken("control character in a text"));
                }
                _ => at += 1,
            }
        }
        Err(self.broken("text is not closed"))
    }

    /// The rest of a text whose first escape is at `at`.
    fn escaped(&mut self, start: usize, at: usize) -> Result<String> {
        let bytes = self.text.as_bytes();
        let mut out = self.text[start..at].to_owned();
        let mut at = at;
        loop {
            let from = at;
            while bytes.get(at).is_some_and(|b| !matches!(b, b'"' | b'\\' | 0..0x20)) {
                at += 1;
            }
            out.push_str(&self.text[from..at]);
            self.at = at;
            match bytes.get(at..).unwrap_or_default() {
                [b'"', ..] => {
                    self.at += 1;
                    return Ok(out);
                }
                [b'\\', b'u', ..] => out.push(self.unicode()?),
                [b'\\', escape, ..] => {
                    out.push(match escape {
                        b'"' | b'\\' | b'/' => char::from(*escape),
                        b'b' => '\u{8}',
                        b'f' => '\u{c}',
                        b'n' => '\n',
                        b'r' => '\r',
                        b't' => '\t',
                        _ => return Err(self.broken("unknown escape")),
                    });
                    self.at += 2;
                }
                [0..0x20, ..] => return Err(self.broken("control character in a text")),
                _ => return Err(self.broken("text is not closed")),
            }
            at = self.at;
        }
    }

    /// The character of a `\u` escape, or of two that are a surrogate pair.
    fn unicode(&mut self) -> Result<char> {
        let high = self.hex4()?;
        let code = if (0xd800..0xdc00).contains(&high) && self.text.as_bytes()[self.at..].starts_with(b"\\u") {
            let low = self.hex4()?;
            if !(0xdc00..0xe000).contains(&low) {
                return Err(self.broken("half a surrogate pair"));
            }
            0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)
        } else {
            high
        };
        char::from_u32(code).ok_or_else(|| self.broken("half a surrogate pair"))
    }

    fn hex4(&mut self) -> Result<u32> {
        let digits = self.text.as_bytes().get(self.at + 2..self.at + 6).ok_or_else(|| self.broken("unknown escape"))?;
        let mut code = 0;
        for digit in digits {
            let digit = char::from(*digit).to_digit(16).ok_or_else(|| self.broken("unknown escape"))?;
            code = code << 4 | digit;
        }
        self.at += 6;
        Ok(code)
    }
}
