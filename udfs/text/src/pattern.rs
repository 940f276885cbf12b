//! `extract`, `matches` and `replace`: regular expressions.
//!
//! The pattern is compiled once for an instance. Matching takes time linear in the text, whatever
//! the pattern: there is no backtracking without bound. Left out, for size: classes by Unicode
//! property (`\p{Greek}`); `\w`, `\d`, `\s`, `\b` and `(?i)` go by Unicode.

use std::borrow::Cow;

use regex::Regex;

/// What a group of the pattern matched, where the pattern first matches; null where it does not
/// match, or where the group takes no part in the match.
#[weir::map]
pub fn extract<'a>(
    text: &'a str,
    /// A regular expression, such as `user=(\w+)`.
    #[param]
    pattern: &Regex,
    /// The number of the group: 0 is the whole match, 1 what the first parentheses enclose.
    #[param(default = 1)]
    group: i32,
) -> Result<Option<&'a str>, NoSuchGroup> {
    let group = usize::try_from(group).unwrap_or(usize::MAX);
    if group >= pattern.captures_len() {
        return Err(NoSuchGroup { groups: pattern.captures_len() - 1 });
    }
    if group == 0 {
        return Ok(pattern.find(text).map(|found| found.as_str()));
    }
    let groups = pattern.captures(text);
    Ok(groups.and_then(|groups| groups.get(group)).map(|found| found.as_str()))
}

/// The pattern has fewer groups than the one that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchGroup {
    groups: usize,
}

impl std::fmt::Display for NoSuchGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the pattern has groups 0 to {}", self.groups)
    }
}

/// Keeps the rows whose text the pattern matches somewhere; `^` and `$` make it match all of it.
#[weir::filter]
pub fn matches(
    text: &str,
    /** A regular expression. */
    #[param]
    pattern: &Regex,
) -> bool {
    pattern.is_match(text)
}

/// The text with every match of the pattern replaced.
#[weir::map]
pub fn replace<'a>(
    text: &'a str,
    /// A regular expression.
    #[param]
    pattern: &Regex,
    /// What to put there; `$1` or `${name}` stands for what a group matched, `$$` for a dollar sign.
    #[param(default = "")]
    by: &str,
) -> Cow<'a, str> {
    pattern.replace_all(text, by)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups() {
        let pattern = Regex::new(r"(\w+)@(?:(\w+)\.)?org").unwrap();
        assert_eq!(extract("to né@weir.org", &pattern, 1), Ok(Some("né")));
        assert_eq!(extract("to me@weir.org", &pattern, 0), Ok(Some("me@weir.org")));
        assert_eq!(extract("me@org", &pattern, 2), Ok(None));
        assert_eq!(extract("nobody", &pattern, 1), Ok(None));
        let error = extract("me@org", &pattern, 3).unwrap_err();
        assert_eq!(error.to_string(), "the pattern has groups 0 to 2");
        assert!(extract("me@org", &pattern, -1).is_err());
    }

    #[test]
    fn matching_and_replacing() {
        let digits = Regex::new(r"(\d)\d*").unwrap();
        assert!(matches("a12", &digits) && !matches("a", &digits));
        assert_eq!(replace("a12b3", &digits, "<$1>"), "a<1>b<3>");
        assert_eq!(replace("none", &digits, "x"), "none");
        assert!(Regex::new("(?i)É").is_ok_and(|pattern| matches("é", &pattern)));
    }
}
