//! Every shape a function can have, in one component.

extern crate weir_guest as weir;

use std::num::ParseIntError;

/// Whether a flight was late, and by how much.
#[weir::map]
fn delay_class(dep_delay: Option<f64>, #[param(default = 15.0)] threshold: f64) -> DelayClass<'static> {
    match dep_delay {
        None => DelayClass { class: "cancelled", delayed: false, by: None },
        Some(minutes) if minutes > threshold => DelayClass { class: "late", delayed: true, by: Some(minutes) },
        Some(_) => DelayClass { class: "on time", delayed: false, by: None },
    }
}

#[derive(weir::Row)]
struct DelayClass<'a> {
    class: &'a str,
    delayed: bool,
    by: Option<f64>,
}

/// A product.
#[weir::map]
fn product(a: i64, b: f64) -> f64 {
    a as f64 * b
}

/// The number that a text spells.
#[weir::map(name = "parse", output = "number")]
fn parse_text(text: &str) -> Result<i64, ParseIntError> {
    text.parse()
}

/// Whether a flight left.
#[weir::filter]
fn departed(dep_time: Option<i64>) -> bool {
    dep_time.is_some()
}

/// The words of a text.
#[weir::flat_map]
fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    text.split_whitespace().map(|word| Word { word })
}

#[derive(weir::Row)]
struct Word<'a> {
    word: &'a str,
}

/// A product, column style.
#[weir::map(columns)]
fn scale(a: &[i64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(&a, b)| a as f64 * b).collect()
}

/// In upper case.
#[weir::map(columns)]
fn upper(text: weir::Texts<'_>) -> weir::TextBuilder {
    text.to_ascii_uppercase()
}

/// The mean.
#[derive(weir::Parameters)]
pub struct Mean;

/// A sum and a count.
#[derive(weir::Accumulator, Clone)]
pub struct MeanState {
    sum: f64,
    count: i64,
}

/// The mean of some numbers.
#[weir::aggregate]
impl Mean {
    fn create(&self) -> MeanState {
        MeanState { sum: 0.0, count: 0 }
    }

    fn accumulate(&self, state: &mut MeanState, value: f64) {
        state.sum += value;
        state.count += 1;
    }

    fn retract(&self, state: &mut MeanState, value: f64) {
        state.sum -= value;
        state.count -= 1;
    }

    fn merge(&self, state: &mut MeanState, other: MeanState) {
        state.sum += other.sum;
        state.count += other.count;
    }

    fn finish(&self, state: &MeanState) -> Option<f64> {
        (state.count > 0).then(|| state.sum / state.count as f64)
    }
}

/// What is left on an account.
#[weir::stateful_map]
fn balance(state: &mut i64, amount: i64) -> i64 {
    *state += amount;
    *state
}

/// The first row of each key.
#[weir::stateful_filter]
fn first(seen: &mut bool) -> bool {
    !std::mem::replace(seen, true)
}

/// A row for each new highest value.
#[weir::stateful_flat_map]
fn record(highest: &mut Option<f64>, value: f64) -> Option<f64> {
    let record = highest.is_none_or(|highest| value > highest);
    record.then(|| *highest.insert(value))
}

/// The middle of the sorted values.
#[weir::group_map]
fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

/// Each name once.
#[weir::group_flat_map]
fn names<'a>(name: &[&'a str]) -> Vec<Word<'a>> {
    let names: std::collections::BTreeSet<_> = name.iter().collect();
    names.into_iter().map(|word| Word { word }).collect()
}

weir::export!(
    delay_class,
    product,
    parse_text,
    departed,
    words,
    scale,
    upper,
    Mean,
    balance,
    first,
    record,
    median,
    names
);
