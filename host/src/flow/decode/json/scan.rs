//! Reading JSON, after RFC 8259, without building a tree.
//!
//! In comes one line of text; out come the members of its object and their values, borrowed from
//! the line. What nobody asked for is checked and passed over. Numbers are handed out as they are
//! spelled, so that nothing is lost on the way to their column. It never knows a column's type.

use std::borrow::Cow;

/// Objects and lists within each other, at most.
const DEPTH_MAX: usize = 128;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Boolean(bool),
    /// As it is spelled.
    Number(&'a str),
    /// What it says, escapes resolved.
    Text(Cow<'a, str>),
    /// An object or a list, as it is spelled.
    Nested(&'a str),
}

/// Why a text is no JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// What was expected, or what is wrong.
    pub(crate) what: &'static str,
    /// Where, in bytes from 0.
    pub(crate) at: usize,
}

impl Broken {
    /// It is JSON, but something else.
    pub(crate) const NO_OBJECT: &'static str = "no JSON object";
}

pub(super) type Result<T> = std::result::Result<T, Broken>;

/// A place in a text.
#[derive(Debug)]
pub(crate) struct Scan<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Calls `member` for every member of the object that the text is; it has to read the value
    /// or pass over it. Nothing may follow the object.
    #[inline]
    pub(crate) fn object(&mut self, mut member: impl FnMut(&mut Self, Cow<'a, str>) -> Result<()>) -> Result<()> {
        if self.peek() != Some(b'{') {
            return match self.skip() {
                Ok(()) => Err(Broken { what: Broken::NO_OBJECT, at: 0 }),
                Err(broken) => Err(broken),
            };
        }
        self.members(&mut member)?;
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.broken("more text behind the object")),
        }
    }

    /// The value here.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<Value<'a>> {
        match self.peek() {
            Some(b'"') => self.string().map(Value::Text),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b't') => self.literal("true").map(|()| Value::Boolean(true)),
            Some(b'f') => self.literal("false").map(|()| Value::Boolean(false)),
            Some(b'n') => self.literal("null").map(|()| Value::Null),
            Some(b'{' | b'[') => {
                let start = self.at;
                self.skip_nested(0)?;
                Ok(Value::Nested(&self.text[start..self.at]))
            }
            _ => Err(self.broken("expected a value")),
        }
    }

    /// Checks the value here and passes over it.
    pub(crate) fn skip(&mut self) -> Result<()> {
        self.skip_nested(0)
    }

    fn skip_nested(&mut self, depth: usize) -> Result<()> {
        if depth == DEPTH_MAX {
            return Err(self.broken("nested too deeply"));
        }
        match self.peek() {
            Some(b'{') => self.members(&mut |scan, _| scan.skip_nested(depth + 1)),
            Some(b'[') => {
                self.at += 1;
                if self.peek() == Some(b']') {
                    self.at += 1;
                    return Ok(());
                }
                loop {
                    self.skip_nested(depth + 1)?;
                    match self.peek() {
                        Some(b',') => self.at += 1,
                        Some(b']') => break self.at += 1,
                        _ => return Err(self.broken("expected `,` or `]`")),
                    }
                }
                Ok(())
            }
            _ => self.value().map(|_| ()),
        }
    }

    fn members(&mut self, member: &mut dyn FnMut(&mut Self, Cow<'a, str>) -> Result<()>) -> Result<()> {
        self.at += 1;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.broken("expected a name in quotes"));
            }
            let name = self.string()?;
            if self.peek() != Some(b':') {
                return Err(self.broken("expected `:`"));
            }
            self.at += 1;
            member(self, name)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break self.at += 1,
                _ => return Err(self.broken("expected `,` or `}`")),
            }
        }
        Ok(())
    }

    /// The next byte that is no blank.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(self.at) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    pub(super) fn broken(&self, what: &'static str) -> Broken {
        Broken { what, at: self.at }
    }

    fn literal(&mut self, literal: &str) -> Result<()> {
        if self.text.as_bytes()[self.at..].starts_with(literal.as_bytes()) {
            self.at += literal.len();
            Ok(())
        } else {
            Err(self.broken("expected a value"))
        }
    }

    #[inline]
    fn number(&mut self) -> Result<&'a str> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let digits = |mut at: usize| {
            while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            at
        };
        let whole = start + usize::from(bytes[start] == b'-');
        let mut end = digits(whole);
        let leading_zero = bytes.get(whole) == Some(&b'0') && end > whole + 1;
        let mut good = end > whole && !leading_zero;
        if bytes.get(end) == Some(&b'.') {
            let from = end + 1;
            end = digits(from);
            good &= end > from;
        }
        if let Some(b'e' | b'E') = bytes.get(end) {
            let from = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            end = digits(from);
            good &= end > from;
        }
        if !good {
            return Err(self.broken("no number"));
        }
        self.at = end;
        Ok(&self.text[start..end])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn accepts(text: &str) -> bool {
        Scan::new(text).object(|scan, _| scan.skip()).is_ok()
    }

    proptest! {
        #[test]
        fn it_accepts_what_serde_json_accepts(text in r#"\{("[ab]": ?|"|\\u00e9|\\ud83d\\ude00|\\n|\\x|[-0-9.eE+,:{}\[\] tn]|true|null|,"c":1){0,12}\}?"#) {
            let theirs = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text);
            // It refuses numbers that are no finite float64; for us that is for the column to say.
            if !theirs.as_ref().is_err_and(|e| e.to_string().contains("out of range")) {
                prop_assert_eq!(accepts(&text), theirs.is_ok(), "{:?}", theirs);
            }
        }

        #[test]
        fn texts_come_back_as_they_were(text in any::<String>(), escape in any::<bool>()) {
            let mut line = serde_json::to_string(&serde_json::json!({ "k": text })).expect("serialisable");
            if escape {
                let escaped: String = text.encode_utf16().map(|u| format!("\\u{u:04x}")).collect();
                line = format!("{{\"k\":\"{escaped}\"}}");
            }
            let mut found = Value::Null;
            Scan::new(&line).object(|scan, name| {
                assert_eq!(name, "k");
                found = scan.value()?;
                Ok(())
            }).expect("an object");
            prop_assert_eq!(found, Value::Text(Cow::Owned(text)));
        }
    }

    #[test]
    fn control_characters_and_halves_of_characters_are_refused() {
        assert!(accepts("{\"a\":\"\u{7f}\\u0001\"}"));
        for bad in [
            "{\"a\":\"\t\"}",
            "{\"a\":\"\\n\u{1}\"}",
            r#"{"a":"\ud800"}"#,
            r#"{"a":"\ud800\u0061"}"#,
            r#"{"a":"\u00"}"#,
        ] {
            let bad = bad.replace("\\\\", "\\");
            assert!(!accepts(&bad), "{bad}");
            assert!(serde_json::from_str::<serde_json::Value>(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = |n: usize| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
        assert!(accepts(&deep(100)));
        assert!(!accepts(&deep(100_000)));
    }
}
