//! `upper`, `lower`, `trim` and `length`.
//!
//! Changing the case is done on the text of all rows at once where it is all ASCII, which is most
//! of the time and some ten times as fast; otherwise row by row, by Unicode's rules.

use weir::{TextBuilder, Texts};

/// The text in capital letters, by Unicode's rules (`ß` becomes `SS`), in no language's own way.
#[weir::map(columns)]
pub fn upper(text: Texts<'_>) -> TextBuilder {
    cased(text, str::to_ascii_uppercase, str::to_uppercase)
}

/// The text in small letters, by Unicode's rules, in no language's own way.
#[weir::map(columns)]
pub fn lower(text: Texts<'_>) -> TextBuilder {
    cased(text, str::to_ascii_lowercase, str::to_lowercase)
}

fn cased(texts: Texts<'_>, ascii: fn(&str) -> String, unicode: fn(&str) -> String) -> TextBuilder {
    let all = texts.text();
    if all.is_ascii() {
        return texts.with_text(ascii(all));
    }
    let mut cased = TextBuilder::with_capacity(texts.len(), all.len());
    for text in texts.iter() {
        match text.is_ascii() {
            true => cased.push(&ascii(text)),
            false => cased.push(&unicode(text)),
        }
    }
    cased
}

/// The text without the white space at its ends.
#[weir::map]
pub fn trim(text: &str) -> &str {
    text.trim()
}

/// How many characters (Unicode code points) the text has.
#[weir::map]
pub fn length(text: &str) -> i64 {
    text.chars().count() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_lengths() {
        assert_eq!(trim(" \u{a0}a b\n"), "a b");
        assert_eq!((length(""), length("né")), (0, 2));
    }
}
