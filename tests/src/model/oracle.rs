//! The model: what a pipeline is to give, worked out row by row from its definition.
//!
//! Rows are taken in the order that the host promises: epoch by epoch, in each partition by
//! partition, in each as they stand there. A row is late when its window ended at or before the
//! highest time that its own partition had before it, less the bound.

mod windows;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::scenario::{Row, Scenario, Step, time};

/// What comes of a pipeline.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The lines of the sink.
    pub(super) output: String,
    /// The lines of the late rows, where they are a stream.
    pub(super) late_rows: String,
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
        same_lines("the output", &self.output, &found.output)?;
        same_lines("the late rows", &self.late_rows, &found.late_rows)
    }
}

fn same_lines(what: &str, expected: &str, found: &str) -> Result<(), String> {
    let (mut expected, mut lines) = (expected.lines(), found.lines());
    for line in 1.. {
        match (expected.next(), lines.next()) {
            (None, None) => break,
            (expected, found) if expected != found => {
                return Err(format!("{what}, line {line}:\n  expected {expected:?}\n  found    {found:?}"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A row on its way, with where it came from.
#[derive(Clone)]
pub(super) struct Moving {
    epoch: usize,
    /// Its place among the rows of a window.
    came: usize,
    row: Row,
    copy: Option<i64>,
    before: Option<String>,
    source: String,
    position: u64,
    watermark: i64,
}

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
        Some(window) => windows::run(scenario, window, moving, &watermarks(scenario, epoch_rows), &mut outcome),
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
            let (source, epoch) = (format!("in-{partition}.csv"), position / epoch_rows);
            let (row, place) = (row.clone(), position as u64);
            let moving = Moving { epoch, came: 0, row, copy: None, before: None, source, position: place, watermark };
            all.push(((epoch, partition, position), moving));
        }
    }
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, moving)| moving).collect()
}

/// The stream's watermark at the end of each epoch. A partition that has ended has an infinite one;
/// that it has is noticed where it is asked for more.
fn watermarks(scenario: &Scenario, epoch_rows: usize) -> Vec<i64> {
    let at = |epoch: usize| {
        let of = |rows: &Vec<Row>| match rows.len() / epoch_rows <= epoch {
            true => i64::MAX,
            false => {
                let seen = &rows[..(epoch + 1) * epoch_rows];
                seen.iter().map(|row| row.at - scenario.out_of_order_s).max().unwrap_or(i64::MIN)
            }
        };
        scenario.partitions.iter().map(of).min().unwrap_or(i64::MAX)
    };
    let last = scenario.partitions.iter().map(|rows| rows.len() / epoch_rows).max().unwrap_or(0);
    (0..=last).map(at).collect()
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

/// A key, in the order of results: nulls first.
type Key = (Option<Vec<u8>>, Option<i64>, Option<i64>);

fn columns_of(key: &[&str], row: &Row) -> Key {
    let of = |name: &str| key.contains(&name);
    let k = row.k.filter(|_| of("k")).map(|k| k.as_bytes().to_vec());
    (k, row.n.filter(|_| of("n")), of("c").then_some(row.c))
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
