//! JSON whose numbers are exactly those that are written.
//!
//! serde_json reads a fraction to the last bit or the one before it, unless a feature is on that makes
//! it slower for everybody. Cases compare values bit by bit, so their numbers are read by the standard
//! library.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

/// Reads a text.
pub fn parse(text: &str) -> serde_json::Result<Value> {
    let text = text.trim();
    match text.as_bytes().first() {
        Some(b'{') => {
            let pairs: Pairs<'_> = serde_json::from_str(text)?;
            let values = pairs.0.into_iter().map(|(name, raw)| Ok((name, parse(raw.get())?)));
            Ok(Value::Object(values.collect::<serde_json::Result<Map<_, _>>>()?))
        }
        Some(b'[') => {
            let raws: Vec<&RawValue> = serde_json::from_str(text)?;
            Ok(Value::Array(raws.into_iter().map(|raw| parse(raw.get())).collect::<serde_json::Result<_>>()?))
        }
        _ => match serde_json::from_str(text)? {
            Value::Number(number) if number.is_f64() => {
                let exact = text.parse().ok().and_then(Number::from_f64);
                Ok(Value::Number(exact.unwrap_or(number)))
            }
            other => Ok(other),
        },
    }
}

/// An object's values as they are written, in their order.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_that_are_written() {
        let text = r#"{"b":[940.5957585999224,0.34574339945182864],"a":{"n":-9223372036854775808},"t":"é\n","x":null}"#;
        assert_eq!(parse(text).unwrap().to_string(), text);
        assert!(parse("{\"a\": 1,}").is_err());
    }
}
