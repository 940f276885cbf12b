//! The reference functions of the conformance kit, in Rust. What they do stands in ../README.md.

use weir::{TextBuilder, Texts, Timestamp};

/// A value of every type.
#[derive(Debug, weir::Row)]
pub struct Every<'a> {
    b: Option<bool>,
    i: Option<i32>,
    l: Option<i64>,
    f: Option<f32>,
    d: Option<f64>,
    t: Option<Timestamp>,
    s: Option<&'a str>,
    y: Option<&'a [u8]>,
}

/// Every value as it came.
#[weir::map]
#[expect(clippy::too_many_arguments, reason = "there is one for each type")]
#[expect(clippy::many_single_char_names, reason = "the columns are called so")]
fn echo<'a>(
    b: Option<bool>,
    i: Option<i32>,
    l: Option<i64>,
    f: Option<f32>,
    d: Option<f64>,
    t: Option<Timestamp>,
    s: Option<&'a str>,
    y: Option<&'a [u8]>,
) -> Every<'a> {
    Every { b, i, l, f, d, t, s, y }
}

/// a times b.
#[weir::map(columns)]
fn product(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a * b).collect()
}

/// a by b, towards zero.
#[weir::map]
fn quotient(a: i64, b: i64) -> Result<i64, &'static str> {
    if b == 0 { Err("division by zero") } else { Ok(a.wrapping_div(b)) }
}

/// A text with a prefix and its length in bytes.
#[weir::map]
fn describe(
    text: &str,
    /// What stands before it.
    #[param]
    prefix: &str,
) -> String {
    format!("{prefix}{text}:{}", text.len())
}

/// The parameters, and the time.
#[derive(Debug, weir::Row)]
pub struct Settings {
    flag: bool,
    small: i32,
    large: i64,
    ratio: f64,
    since: Timestamp,
    name: String,
    now: Timestamp,
}

/// The parameters, and the time.
#[weir::map]
fn settings(
    row: i64,
    #[param(default = true)] flag: bool,
    #[param(default = -7)] small: i32,
    #[param(default = 9007199254740993)] large: i64,
    #[param(default = 0.1)] ratio: f64,
    #[param(default = "2013-02-08T12:30:00Z")] since: Timestamp,
    #[param(default = "né")] name: String,
) -> Settings {
    let _ = row;
    Settings { flag, small, large, ratio, since, name, now: weir::host::now() }
}

/// Whether a value is above the threshold.
#[weir::filter]
fn above(value: f64, #[param(default = 10.5)] threshold: f64) -> Result<bool, &'static str> {
    if value.is_nan() { Err("not a number") } else { Ok(value > threshold) }
}

/// A word of a text.
#[derive(Debug, weir::Row)]
pub struct Word<'a> {
    word: &'a str,
    position: i64,
}

/// What stands between spaces, with its place.
#[weir::flat_map]
fn words(text: &str) -> Result<impl Iterator<Item = Word<'_>>, &'static str> {
    if text == "!" {
        return Err("no words");
    }
    Ok(text.split(' ').filter(|word| !word.is_empty()).zip(0..).map(|(word, position)| Word { word, position }))
}

/// The mean of values that are not negative.
#[derive(Debug, weir::Parameters)]
pub struct Mean;

/// What a mean is made of.
#[derive(Clone, Debug, weir::Accumulator)]
pub struct MeanState {
    sum: f64,
    count: i64,
}

#[weir::aggregate]
impl Mean {
    fn create(&self) -> MeanState {
        MeanState { sum: 0.0, count: 0 }
    }

    fn accumulate(&self, state: &mut MeanState, value: f64) -> Result<(), &'static str> {
        if value < 0.0 {
            return Err("negative");
        }
        state.sum += value;
        state.count += 1;
        Ok(())
    }

    fn retract(&self, state: &mut MeanState, value: f64) -> Result<(), &'static str> {
        state.sum -= value;
        state.count -= 1;
        Ok(())
    }

    fn merge(&self, state: &mut MeanState, other: MeanState) {
        state.sum += other.sum;
        state.count += other.count;
    }

    fn finish(&self, state: &MeanState) -> Option<f64> {
        (state.count > 0).then(|| state.sum / state.count as f64)
    }
}

/// The first of the texts with most bytes.
#[derive(Debug, weir::Parameters)]
pub struct Longest;

/// The longest so far.
#[derive(Clone, Debug, weir::Accumulator)]
pub struct LongestState {
    text: Option<String>,
}

#[weir::aggregate]
impl Longest {
    fn create(&self) -> LongestState {
        LongestState { text: None }
    }

    fn accumulate(&self, state: &mut LongestState, text: &str) {
        if state.text.as_ref().is_none_or(|longest| text.len() > longest.len()) {
            state.text = Some(text.to_owned());
        }
    }

    fn merge(&self, state: &mut LongestState, other: LongestState) {
        if let Some(text) = other.text {
            self.accumulate(state, &text);
        }
    }

    fn finish(&self, state: &LongestState) -> Option<String> {
        state.text.clone()
    }
}

/// What is left on an account.
#[weir::stateful_map]
fn balance(state: &mut i64, amount: i64) -> Result<i64, &'static str> {
    *state += amount;
    if *state < 0 { Err("overdrawn") } else { Ok(*state) }
}

/// The middle of the sorted values.
#[weir::group_map]
fn median(value: &[f64]) -> Option<f64> {
    let mut sorted = value.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() % 2 {
        _ if sorted.is_empty() => None,
        1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

/// Prints each text, and refuses the batch.
#[weir::map(columns)]
fn complain(text: Texts<'_>) -> Result<TextBuilder, &'static str> {
    for text in text.iter() {
        weir::host::info(&format!("about to fail: {text}"));
    }
    if text.is_empty() { Ok(TextBuilder::with_capacity(0, 0)) } else { Err("complained") }
}

weir::export!(echo, product, quotient, describe, settings, above, words, Mean, Longest, balance, median, complain,);
