//! What a join comes to, by its definition: every left row is held against every right row.

use serde_json::{Map, Value, json};

use super::scenario::{Pairing, Row, Scenario, time};

/// A row that is judged by the watermark of its partition just before it.
#[derive(Clone)]
struct Judged<'a> {
    row: &'a Row,
    watermark: i64,
    /// Its partition, and its number there.
    place: (usize, usize),
}

/// A pair with its time and its window.
struct Pair<'a> {
    time: i64,
    window: Option<(i64, i64)>,
    left: &'a Row,
    right: Option<&'a Row>,
}

/// The output, and how many rows come too late.
pub(super) fn run(scenario: &Scenario) -> (String, u64) {
    let [lefts, rights] = [0, 1].map(|side| judged(&scenario.sides[side], scenario.bounds_s[side]));
    let on_time = |row: &Judged<'_>| !windows_of(scenario.pairing, row).is_empty();
    let late = lefts.iter().chain(&rights).filter(|row| !on_time(row)).count();
    let mut pairs = Vec::new();
    let mut windows: Vec<(i64, i64)> = lefts.iter().flat_map(|row| windows_of(scenario.pairing, row)).collect();
    windows.sort_unstable_by_key(|(start, end)| (*end, *start));
    windows.dedup();
    for window in windows {
        let within = |row: &&Judged<'_>| windows_of(scenario.pairing, row).contains(&window);
        let mut here: Vec<&Judged<'_>> = lefts.iter().filter(within).collect();
        here.sort_by_key(|left| (key(scenario, left.row, 0), left.row.at, left.place));
        for left in here {
            let mut partners: Vec<&Judged<'_>> =
                rights.iter().filter(|right| goes_with(scenario, left, right, window)).collect();
            partners.sort_by_key(|right| (right.row.at, right.place));
            let alone = partners.is_empty() && scenario.left_join;
            let partners = partners.into_iter().map(|right| Some(right.row)).chain(alone.then_some(None));
            pairs.extend(partners.map(|right| match scenario.pairing {
                Pairing::Within { .. } => {
                    let time = right.map_or(left.row.at, |right| right.at.max(left.row.at)) * 1_000_000;
                    Pair { time, window: None, left: left.row, right }
                }
                // The last microsecond of the window.
                _ => Pair { time: window.1 * 1_000_000 - 1, window: Some(window), left: left.row, right },
            }));
        }
    }
    let output = match scenario.then_s {
        None => pairs.iter().map(|pair| line(scenario, pair)).collect(),
        Some(size_s) => grouped(&pairs, size_s * 1_000_000),
    };
    (output, late as u64)
}

fn judged(partitions: &[Vec<Row>], bound: i64) -> Vec<Judged<'_>> {
    let mut all = Vec::new();
    for (partition, rows) in partitions.iter().enumerate() {
        let mut watermark = i64::MIN;
        for (number, row) in rows.iter().enumerate() {
            all.push(Judged { row, watermark, place: (partition, number) });
            watermark = watermark.max(row.at - bound);
        }
    }
    all
}

/// The windows that a row is in and not late for. Within an interval, a left row is a window of its
/// own: the instant that it is at.
fn windows_of(pairing: Pairing, Judged { row, watermark, .. }: &Judged<'_>) -> Vec<(i64, i64)> {
    let at = row.at;
    let mut windows: Vec<(i64, i64)> = match pairing {
        Pairing::Within { .. } => return if at < *watermark { vec![] } else { vec![(at, at)] },
        Pairing::Tumbling { size, offset } => all(size, offset).map(|start| (start, start + size)).collect(),
        Pairing::Hopping { size, step, offset } => all(step, offset).map(|start| (start, start + size)).collect(),
        Pairing::Cumulating { size, step, offset } => {
            all(size, offset).flat_map(|start| (1..=size / step).map(move |n| (start, start + n * step))).collect()
        }
    };
    windows.retain(|(start, end)| *start <= at && at < *end && end > watermark);
    windows
}

/// Where windows start that follow each other at this distance, wide around every time there is.
fn all(step: i64, offset: i64) -> impl Iterator<Item = i64> {
    let n = 400 / step + 2;
    (-n..n).map(move |i| i * step + offset % step)
}

fn goes_with(scenario: &Scenario, left: &Judged<'_>, right: &Judged<'_>, window: (i64, i64)) -> bool {
    let has_key = scenario.key.iter().all(|(name, _)| *name != "k" || left.row.k.is_some());
    let near = match scenario.pairing {
        Pairing::Within { before, after } => {
            (left.row.at - before..=left.row.at + after).contains(&right.row.at) && right.row.at >= right.watermark
        }
        pairing => windows_of(pairing, right).contains(&window),
    };
    has_key && near && key(scenario, left.row, 0) == key(scenario, right.row, 1)
}

/// The key of a row; nulls come first.
fn key<'a>(scenario: &Scenario, row: &'a Row, side: usize) -> Vec<(Option<&'a str>, i64)> {
    let column = |(left, right): &(&str, &str)| match [*left, *right][side] {
        "k" => (row.k, 0),
        _ => (None, row.c),
    };
    scenario.key.iter().map(column).collect()
}

fn line(scenario: &Scenario, pair: &Pair<'_>) -> String {
    let mut line = Map::new();
    if let Some((start, end)) = pair.window {
        line.insert("window_start".into(), json!(time(start)));
        line.insert("window_end".into(), json!(time(end)));
    }
    let Row { at, k, c, id } = pair.left;
    line.extend(
        [("at", json!(time(*at))), ("k", json!(k)), ("c", json!(c)), ("id", json!(id))].map(|(n, v)| (n.into(), v)),
    );
    let of_right: [(&str, Value); 4] = [
        ("at", json!(pair.right.map(|right| time(right.at)))),
        ("k", json!(pair.right.and_then(|right| right.k))),
        ("d", json!(pair.right.map(|right| right.c))),
        ("id", json!(pair.right.map(|right| &right.id))),
    ];
    let is_key = |name: &str| scenario.key.iter().any(|(_, right)| *right == name);
    line.extend(of_right.into_iter().filter(|(name, _)| !is_key(name)).map(|(name, v)| (format!("r_{name}"), v)));
    format!("{}\n", Value::from(line))
}

/// The pairs by tumbling windows of so many microseconds and by `c`: in the order that they came.
fn grouped(pairs: &[Pair<'_>], size: i64) -> String {
    let start = |pair: &Pair<'_>| pair.time.div_euclid(size) * size;
    let mut groups: Vec<(i64, i64)> = pairs.iter().map(|pair| (start(pair), pair.left.c)).collect();
    groups.sort_unstable();
    groups.dedup();
    let mut text = String::new();
    for group in groups {
        let rows = || pairs.iter().filter(|pair| (start(pair), pair.left.c) == group);
        let lefts: Vec<&str> = rows().map(|pair| pair.left.id.as_str()).collect();
        let rights: Vec<&str> = rows().filter_map(|pair| Some(pair.right?.id.as_str())).collect();
        let rights = (!rights.is_empty()).then(|| rights.join(","));
        let [from, to] = [group.0, group.0 + size].map(|us| time(us.div_euclid(1_000_000)));
        let line =
            json!({"window_start": from, "window_end": to, "c": group.1, "lefts": lefts.join(","), "rights": rights});
        text.push_str(&format!("{line}\n"));
    }
    text
}
