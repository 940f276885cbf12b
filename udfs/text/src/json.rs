//! `json_field` and `json_number`: one value out of a JSON text.
//!
//! Only the way to that value is followed; the rest of the text is checked, but not kept. The text
//! has to be JSON from end to end, or its row fails.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The way to a value: names of fields, and numbers of array items from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<String>);

impl FromStr for Path {
    type Err = Infallible;

    /// A JSON pointer (RFC 6901) if it starts with a slash, or else names with dots between them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let steps = match text.strip_prefix('/') {
            Some(pointer) => pointer.split('/').map(|step| step.replace("~1", "/").replace("~0", "~")).collect(),
            None if text.is_empty() => Vec::new(),
            None => text.split('.').map(str::to_owned).collect(),
        };
        Ok(Self(steps))
    }
}

/// The value at a path in a JSON text: a string's content, or any other value as it is written
/// there. Null where there is no such value or where it is `null`. A text that is not JSON fails its
/// row.
#[weir::map]
pub fn json_field<'a>(
    text: &'a str,
    /// Names with dots between them (`user.tags.0`), or a JSON pointer (`/user/tags/0`).
    #[param]
    path: &Path,
) -> Result<Option<Cow<'a, str>>, serde_json::Error> {
    match find(text, path)? {
        None | Some("null") => Ok(None),
        Some(value) if value.starts_with('"') => serde_json::from_str(value).map(|Text(text)| Some(text)),
        Some(value) => Ok(Some(Cow::Borrowed(value))),
    }
}

/// The number at a path in a JSON text. Null where there is no such value or where it is `null`. A
/// text that is not JSON, and a value that is not a number, fail their row.
#[weir::map]
pub fn json_number(
    text: &str,
    /// Names with dots between them (`user.age`), or a JSON pointer (`/user/age`).
    #[param]
    path: &Path,
) -> Result<Option<f64>, serde_json::Error> {
    find(text, path)?.map_or(Ok(None), serde_json::from_str)
}

/// The value at the path, as it is written in the text.
fn find<'a>(text: &'a str, path: &Path) -> Result<Option<&'a str>, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let found = Seek(&path.0).deserialize(&mut json)?;
    json.end()?;
    Ok(found.map(RawValue::get))
}

/// A string that is borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Goes on to the value that the steps lead to.
#[derive(Clone, Copy)]
struct Seek<'p>(&'p [String]);

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        match self.0 {
            [] => <&RawValue>::deserialize(deserializer).map(Some),
            _ => deserializer.deserialize_any(self),
        }
    }
}

/// A scalar on the way is a dead end.
macro_rules! dead_ends {
    ($($visit:ident: $scalar:ty),+) => {
        $(fn $visit<E: Error>(self, _: $scalar) -> Result<Self::Value, E> {
            Ok(None)
        })+
    };
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    /// Of several fields of the name the last counts, as in most readers.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(here) = map.next_key_seed(Is(self.0.first()))? {
            match here {
                true => found = map.next_value_seed(Seek(self.0.get(1..).unwrap_or_default()))?,
                false => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let wanted = self.0.first().and_then(|step| step.parse().ok());
        let mut found = None;
        for index in 0usize.. {
            let more = match wanted == Some(index) {
                true => items.next_element_seed(Seek(&self.0[1..]))?.map(|value| found = value),
                false => items.next_element::<IgnoredAny>()?.map(drop),
            };
            if more.is_none() {
                break;
            }
        }
        Ok(found)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    dead_ends! { visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str }
}

/// Whether a field has the name, without keeping its own.
struct Is<'p>(Option<&'p String>);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<bool, E> {
        Ok(self.0.is_some_and(|wanted| wanted == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#" {"user": {"name": "n\u00e9", "id": 12345678901234567890, "tags": ["a", {"b/c": 1.50}]},
        "no": null, "yes": true, "a": 1, "a": 2} "#;

    fn field(path: &str) -> Option<Cow<'static, str>> {
        json_field(TEXT, &path.parse().unwrap()).unwrap()
    }

    #[test]
    fn fields_by_path() {
        assert_eq!(field("user.name").as_deref(), Some("né"));
        assert_eq!(field("user.id").as_deref(), Some("12345678901234567890"));
        assert_eq!(field("/user/tags/0").as_deref(), Some("a"));
        assert_eq!(field("/user/tags/1/b~1c").as_deref(), Some("1.50"));
        assert_eq!(field("user.tags").as_deref(), Some(r#"["a", {"b/c": 1.50}]"#));
        assert_eq!(field("yes").as_deref(), Some("true"));
        assert_eq!(field("a").as_deref(), Some("2"));
        assert_eq!(field("").as_deref(), Some(TEXT.trim()));
        for missing in ["no", "nobody", "user.name.first", "user.tags.2", "user.tags.x", "yes.no", "no.no", "user.id.0"]
        {
            assert_eq!(field(missing), None, "{missing}");
        }
    }

    #[test]
    fn numbers_by_path() {
        let number = |path: &str| json_number(TEXT, &path.parse().unwrap());
        assert_eq!(number("/user/tags/1/b~1c").unwrap(), Some(1.5));
        assert_eq!(number("user.id").unwrap(), Some(12_345_678_901_234_567_890.0));
        assert_eq!((number("no").unwrap(), number("nobody").unwrap()), (None, None));
        assert!(number("user.name").unwrap_err().to_string().contains("invalid type: string"));
    }

    #[test]
    fn what_is_not_json_fails() {
        let path = "a".parse().unwrap();
        for text in ["", "{", r#"{"a": 1} x"#, r#"{"a": 1, "b": }"#, "a", r#"{"b": "\x"}"#] {
            assert!(json_field(text, &path).is_err(), "{text}");
        }
        assert!(json_field(&"[".repeat(100_000), &path).is_err());
        assert!(json_field(&format!("{{\"a\": {}", "[".repeat(100_000)), &path).is_err());
    }
}
