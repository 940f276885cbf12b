//! `split` and `words`: several rows out of one text.

/// One part of a text.
#[derive(Debug, PartialEq, Eq, weir::Row)]
pub struct Part<'a> {
    part: &'a str,
    index: i32,
}

/// One row for each part of the text between separators, with its number from 0. A text without a
/// separator is one part, an empty text one empty part; an empty separator takes the text apart into
/// its characters.
#[weir::flat_map]
pub fn split<'a>(
    text: &'a str,
    /// What stands between two parts.
    #[param(default = ",")]
    separator: &'a str,
) -> impl Iterator<Item = Part<'a>> {
    // Between characters, the standard library also finds an empty part before the first and after
    // the last.
    let parts = text.split(separator).filter(|part| !(separator.is_empty() && part.is_empty()));
    parts.zip(0..).map(|(part, index)| Part { part, index })
}

/// One word of a text.
#[derive(Debug, PartialEq, Eq, weir::Row)]
pub struct Word<'a> {
    word: &'a str,
}

/// One row for each word: what stands between white space, by Unicode's definition. None for a text
/// of white space alone.
#[weir::flat_map]
pub fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    text.split_whitespace().map(|word| Word { word })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        let parts = |text, separator| split(text, separator).map(|part| part.part).collect::<Vec<_>>();
        assert_eq!(parts("a,,né", ","), ["a", "", "né"]);
        assert_eq!(parts("", ","), [""]);
        assert_eq!(parts("a--b", "--"), ["a", "b"]);
        assert_eq!(parts("né", ""), ["n", "é"]);
        assert_eq!(split("a,b", ",").map(|part| part.index).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn white_space_is_unicode() {
        let words: Vec<&str> = words(" to\u{2003}be\n").map(|word| word.word).collect();
        assert_eq!(words, ["to", "be"]);
    }
}
