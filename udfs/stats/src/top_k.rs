//! `top_k`: the most frequent texts, by `misra_gries.rs`.

use std::cmp::Reverse;
use std::str::FromStr;

use crate::misra_gries::{MisraGries, Summary};
use crate::sketch::{Corrupt, sound};

/// How many counters a summary has: 1 to 65,536.
#[derive(Clone, Copy, Debug)]
pub struct Counters(MisraGries);

impl FromStr for Counters {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let summary = text.parse().ok().and_then(MisraGries::new);
        summary.map(Self).ok_or("the number of counters is an integer from 1 to 65536")
    }
}

/// The `k` most frequent texts as JSON, highest count first, equal counts in the order of the texts:
/// `[{"value":"EWR","count":120,"error":0}, ..]`. The true count is `count` to `count + error`, where
/// `error` is at most the number of rows divided by `counters + 1`, and 0 up to twice `counters`
/// different texts; a text that is left out for want of counters came at most `error` times
/// (Misra-Gries). Above that, counts depend on the order of the rows, within the error.
#[derive(Debug, weir::Parameters)]
pub struct TopK {
    /// How many texts to give at most.
    #[param(default = 10)]
    k: i32,
    /// How many counters to keep: more make the error smaller and each row slower.
    #[param(default = "256")]
    counters: Counters,
}

#[weir::aggregate]
impl TopK {
    fn create(&self) -> Vec<u8> {
        Vec::new()
    }

    fn accumulate(&self, summary: &mut Vec<u8>, value: &str) -> Result<(), Corrupt> {
        self.counters.0.insert(summary, value.as_bytes())
    }

    fn merge(&self, summary: &mut Vec<u8>, other: Vec<u8>) {
        sound(self.counters.0.merge(summary, &other));
    }

    fn finish(&self, summary: &[u8]) -> String {
        let mut summary = sound(Summary::read(summary));
        summary.counts.sort_unstable_by_key(|(key, count)| (Reverse(*count), key.text));
        summary.counts.truncate(self.k.max(0) as usize);
        json(&summary)
    }
}

fn json(summary: &Summary<'_>) -> String {
    let mut json = String::from("[");
    for (i, (key, count)) in summary.counts.iter().enumerate() {
        json.push_str(if i == 0 { "{\"value\":\"" } else { ",{\"value\":\"" });
        for c in String::from_utf8_lossy(key.text).chars() {
            match c {
                '"' | '\\' => json.extend(['\\', c]),
                ..' ' => json.push_str(&format!("\\u{:04x}", u32::from(c))),
                _ => json.push(c),
            }
        }
        json.push_str(&format!("\",\"count\":{count},\"error\":{}}}", summary.error));
    }
    json.push(']');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_come_first() {
        let top = TopK { k: 2, counters: "4".parse().unwrap() };
        let mut summary = top.create();
        assert_eq!(top.finish(&summary), "[]");
        ["b", "a", "\"\n", "é", "a", "b"].iter().for_each(|text| top.accumulate(&mut summary, text).unwrap());
        assert_eq!(top.finish(&summary), r#"[{"value":"a","count":2,"error":0},{"value":"b","count":2,"error":0}]"#);
        let all = TopK { k: 9, counters: "4".parse().unwrap() };
        let one = r#"{"value":"\"\u000a","count":1,"error":0}"#;
        assert!(all.finish(&summary).contains(one), "{}", all.finish(&summary));
    }

    #[test]
    fn what_the_counters_miss_is_stated() {
        let top = TopK { k: 1, counters: "1".parse().unwrap() };
        let (mut summary, mut other) = (top.create(), top.create());
        ["a", "a", "a", "b", "c"].iter().for_each(|text| top.accumulate(&mut summary, text).unwrap());
        assert_eq!(top.finish(&summary), r#"[{"value":"a","count":2,"error":1}]"#);
        ["a", "d"].iter().for_each(|text| top.accumulate(&mut other, text).unwrap());
        top.merge(&mut summary, other);
        assert_eq!(top.finish(&summary), r#"[{"value":"a","count":3,"error":1}]"#);
    }
}
