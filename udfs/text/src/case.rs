//! `upper`, `lower`, `trim` and `length`.
//!
//! Changing the case is done on the text of all rows at once where it is all ASCII, which is most
//! of the time and some ten times as fast; otherwise row by row, by Unicode's rules.

use weir::{TextBuilder, Texts};

/// The text in capital letters, by Unicode's rules (`ß` becomes `SS`), in no language's own way.
#[weir::map(columns)]
pub fn upper(text: Texts<'_>) -> TextBuilder {
    match text.is_ascii() {
        true => text.to_ascii_uppercase(),
        false => each(text, str::to_uppercase),
    }
}

/// The text in small letters, by Unicode's rules, in no language's own way.
#[weir::map(columns)]
pub fn lower(text: Texts<'_>) -> TextBuilder {
    match text.is_ascii() {
        true => text.to_ascii_lowercase(),
        false => each(text, str::to_lowercase),
    }
}

fn each(texts: Texts<'_>, change: fn(&str) -> String) -> TextBuilder {
    let mut changed = TextBuilder::with_capacity(texts.len(), texts.text().len());
    texts.iter().for_each(|text| changed.push(&change(text)));
    changed
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
    use weir::testing::{batch, map, rows};

    use super::*;

    #[test]
    fn cases() {
        for (texts, uppers, lowers) in [
            (["aZ9", "", "b"], ["AZ9", "", "B"], ["az9", "", "b"]),
            (["Straße", "", "ÉA"], ["STRASSE", "", "ÉA"], ["straße", "", "éa"]),
        ] {
            let (upper, lower) = (map::<upper>(batch(texts)).unwrap(), map::<lower>(batch(texts)).unwrap());
            assert_eq!(rows::<String>(&upper.output).unwrap(), uppers);
            assert_eq!(rows::<String>(&lower.output).unwrap(), lowers);
        }
    }

    #[test]
    fn ends_and_lengths() {
        assert_eq!(trim(" \u{a0}a b\n"), "a b");
        assert_eq!((length(""), length("né")), (0, 2));
    }
}
