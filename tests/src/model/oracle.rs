//! The model: what a pipeline is to give, worked out row by row from its definition.
//!
//! Rows are taken in the order that the host promises: epoch by epoch, in each partition by
//! partition, in each as they stand there. A row is late when its window ended at or before the
//! highest time that its own partition had before it, less the bound.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::scenario::{Kind, Row, Scenario, Step, Window, time};

/// What comes of a pipeline.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The lines of the sink.
    pub(super) output: String,
    /// Rows that came too late.
    pub(super) late: u64,
    /// (function, source, position) of each row that failed, sorted.
    pub(super) failed: Vec<(String, String, u64)>,
}

impl Outcome {
    /// The first difference.
    pub(super) fn same_as(&self, found: &Self) -> Result<(), String> {
        if self.late != found.late {
            return Err(format!("{} late rows, expected {}", found.late, self.late));
        }
        if self.failed != found.failed {
            return Err(format!("failed rows {:?}, expected {:?}", found.failed, self.failed));
        }
        let (mut expected, mut lines) = (self.output.lines(), found.output.lines());
        for line in 1.. {
            match (expected.next(), lines.next()) {
                (None, None) => break,
                (expected, found) if expected != found => {
                    return Err(format!("line {line}:\n  expected {expected:?}\n  found    {found:?}"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A row on its way, with where it came from.
#[derive(Clone)]
struct Moving {
    row: Row,
    copy: Option<i64>,
    before: Option<String>,
    source: String,
    position: u64,
    watermark: i64,
}

/// A window's end and start and its key, in the order of results: nulls first.
type Group = (i64, i64, (Option<Vec<u8>>, Option<i64>, Option<i64>));

pub(super) fn run(scenario: &Scenario, epoch_rows: usize) -> Outcome {
    let mut outcome = Outcome::default();
    let mut moving = in_order(scenario, epoch_rows);
    for step in &scenario.steps {
        moving = match *step {
            Step::Tally(key, ttl, at) => tallied(key, ttl, at, moving, &mut outcome),
            _ => moving.into_iter().flat_map(|row| take(*step, row, &mut outcome)).collect(),
        };
    }
    match scenario.window {
        None => moving.iter().for_each(|row| outcome.output.push_str(&plain_line(scenario, row))),
        Some(window) if window.kind == Kind::Session => sessions(window, moving, &mut outcome),
        Some(window) => windowed(window, moving, &mut outcome),
    }
    outcome.failed.sort();
    outcome
}

fn in_order(scenario: &Scenario, epoch_rows: usize) -> Vec<Moving> {
    let mut all = Vec::new();
    for (partition, rows) in scenario.partitions.iter().enumerate() {
        let mut highest: Option<i64> = None;
        for (position, row) in rows.iter().enumerate() {
            let watermark = highest.map_or(i64::MIN, |highest| highest - scenario.out_of_order_s);
            highest = highest.max(Some(row.at));
            let source = format!("in-{partition}.csv");
            let moving =
                Moving { row: row.clone(), copy: None, before: None, source, position: position as u64, watermark };
            all.push(((position / epoch_rows, partition, position), moving));
        }
    }
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, moving)| moving).collect()
}

/// The rows that a step makes of one.
fn take(step: Step, mut moving: Moving, outcome: &mut Outcome) -> Vec<Moving> {
    let mut fails = |function: &str| {
        outcome.failed.push((function.to_owned(), moving.source.clone(), moving.position));
        Vec::new()
    };
    match (step, moving.row.n) {
        (Step::Even, Some(n)) if n % 2 == 0 => vec![moving],
        (Step::Even, _) => vec![],
        (Step::Picky, Some(..0)) => fails("lab.picky"),
        (Step::Picky, Some(..100)) => vec![moving],
        (Step::Picky, _) => vec![],
        (Step::Double, n) => {
            moving.row.n = n.map(|n| 2 * n);
            vec![moving]
        }
        (Step::Panics(at), Some(n)) if n == at => fails("lab.panics_on"),
        (Step::Panics(_), _) => vec![moving],
        (Step::Tally(..), _) => unreachable!("it looks at more than a row"),
        (Step::Repeat, _) => (0..moving.row.c).map(|copy| Moving { copy: Some(copy), ..moving.clone() }).collect(),
    }
}

fn windowed(window: Window, moving: Vec<Moving>, outcome: &mut Outcome) {
    let mut groups: BTreeMap<Group, Vec<Moving>> = BTreeMap::new();
    for moving in moving {
        let Row { at, n, .. } = moving.row;
        let mut windows = window.around(at);
        windows.retain(|(_, end)| *end > moving.watermark);
        if windows.is_empty() {
            outcome.late += 1;
            continue;
        }
        if window.picky && n.is_some_and(|n| n < 0) {
            outcome.failed.push(("lab.sum_picky".to_owned(), moving.source, moving.position));
            continue;
        }
        for (start, end) in windows {
            groups.entry((end, start, key_of(window, &moving.row))).or_default().push(moving.clone());
        }
    }
    for ((end, start, ..), mut rows) in groups {
        // What panes have in common is merged in the order of time, and behind it what came too late
        // for the windows before.
        rows.sort_by_key(|m| {
            let seen_from = window.around(m.row.at).into_iter().map(|(_, end)| end).find(|end| *end > m.watermark);
            ((m.row.at - window.offset_s).div_euclid(window.pane()), seen_from)
        });
        outcome.output.push_str(&result(window, start, end, &rows));
    }
}

/// A session of a key, and its rows; those of sessions that it has been made one with follow.
struct Session {
    start: i64,
    end: i64,
    rows: Vec<Vec<Moving>>,
}

fn sessions(window: Window, moving: Vec<Moving>, outcome: &mut Outcome) {
    let gap = window.size_s;
    let mut keys: BTreeMap<_, Vec<Session>> = BTreeMap::new();
    for moving in moving {
        let (at, watermark) = (moving.row.at, moving.watermark);
        // A row that fails was never here: it opens and extends nothing.
        let fails = window.picky && moving.row.n.is_some_and(|n| n < 0);
        let known = keys.entry(key_of(window, &moving.row)).or_default();
        let meets = |s: &Session| s.end > watermark && s.start <= at + gap && at <= s.end;
        if at + gap <= watermark && !known.iter().any(meets) {
            outcome.late += 1;
            continue;
        }
        if fails {
            outcome.failed.push(("lab.sum_picky".to_owned(), moving.source, moving.position));
            continue;
        }
        let (mut found, others): (Vec<_>, Vec<_>) = known.drain(..).partition(meets);
        found.sort_by_key(|s| s.start);
        let mut session = Session {
            start: found.iter().map(|s| s.start).fold(at, i64::min),
            end: found.iter().map(|s| s.end).fold(at + gap, i64::max),
            rows: found.into_iter().flat_map(|s| s.rows).collect(),
        };
        if session.rows.is_empty() {
            session.rows.push(Vec::new());
        }
        session.rows[0].push(moving);
        known.extend(others);
        known.push(session);
    }
    let mut all: Vec<_> = keys.into_iter().flat_map(|(key, s)| s.into_iter().map(move |s| (key.clone(), s))).collect();
    all.sort_by(|(a, x), (b, y)| (x.end, a, x.start).cmp(&(y.end, b, y.start)));
    for (_, Session { start, end, rows }) in all {
        outcome.output.push_str(&result(window, start, end, &rows.concat()));
    }
}

/// What `lab.tally` gives, by its definition: a count and the last text of each key, both of rows that
/// did not fail, and forgotten when the row's watermark is so far behind the key's highest time.
fn tallied(key: &[&str], ttl: Option<i64>, at: i64, moving: Vec<Moving>, outcome: &mut Outcome) -> Vec<Moving> {
    let mut known: BTreeMap<_, (i64, i64, Option<String>)> = BTreeMap::new();
    let mut out = Vec::new();
    for row in moving {
        let (last, rows, before) = known.entry(columns_of(key, &row.row)).or_insert((i64::MIN, 0, None));
        if ttl.is_some_and(|ttl| last.saturating_add(ttl) <= row.watermark) {
            (*rows, *before) = (0, None);
        }
        *last = row.row.at.max(*last);
        let Some(n) = row.row.n else { continue };
        if n < 0 || n == at {
            outcome.failed.push(("lab.tally".to_owned(), row.source, row.position));
            continue;
        }
        *rows += 1;
        let copies = if n % 7 == 0 { 0 } else { 1 + usize::from(n % 5 == 0) };
        let tally = Row { n: Some(*rows), ..row.row.clone() };
        let tally = Moving { before: before.replace(row.row.id.clone()), row: tally, ..row };
        out.extend(std::iter::repeat_n(tally, copies));
    }
    out
}

/// The key of a row, in the order of results.
fn key_of(window: Window, row: &Row) -> (Option<Vec<u8>>, Option<i64>, Option<i64>) {
    columns_of(window.key, row)
}

fn columns_of(key: &[&str], row: &Row) -> (Option<Vec<u8>>, Option<i64>, Option<i64>) {
    let of = |name: &str| key.contains(&name);
    let k = row.k.filter(|_| of("k")).map(|k| k.as_bytes().to_vec());
    (k, row.n.filter(|_| of("n")), of("c").then_some(row.c))
}

/// The line of a window and key.
fn result(window: Window, start: i64, end: i64, rows: &[Moving]) -> String {
    let mut line = Line::default();
    line.add("window_start", json!(time(start)));
    line.add("window_end", json!(time(end)));
    let first = &rows[0].row;
    for key in window.key {
        line.add(key, column(first, key));
    }
    let ids: Vec<&str> = rows.iter().map(|m| m.row.id.as_str()).collect();
    line.add("ids", json!(ids.join(",")));
    let numbers = || rows.iter().filter_map(|m| m.row.n);
    line.add("range_least", json!(numbers().min()));
    line.add("range_greatest", json!(numbers().max()));
    if window.picky {
        line.add("sum", json!(numbers().sum::<i64>()));
    }
    line.end()
}

/// A row that went through no window.
fn plain_line(scenario: &Scenario, moving: &Moving) -> String {
    let mut columns = vec!["at", "k", "id", "n", "c"];
    for step in &scenario.steps {
        // What a step gives replaces the column of its name, or stands behind what was there.
        let given = match step {
            Step::Even | Step::Picky => continue,
            Step::Double | Step::Panics(_) => "n",
            Step::Repeat => "copy",
            Step::Tally(..) => "before",
        };
        if !columns.contains(&given) {
            columns.push(given);
        }
    }
    let mut line = Line::default();
    for name in columns {
        let value = match name {
            "copy" => json!(moving.copy),
            "before" => json!(moving.before),
            _ => column(&moving.row, name),
        };
        line.add(name, value);
    }
    line.end()
}

fn column(row: &Row, name: &str) -> Value {
    match name {
        "at" => json!(time(row.at)),
        "k" => json!(row.k),
        "id" => json!(row.id),
        "n" => json!(row.n),
        _ => json!(row.c),
    }
}

/// A line of JSON whose members keep their order.
#[derive(Default)]
struct Line(String);

impl Line {
    fn add(&mut self, name: &str, value: Value) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push_str(&format!("{name:?}:{value}"));
    }

    fn end(mut self) -> String {
        self.0.push_str("}\n");
        self.0
    }
}
