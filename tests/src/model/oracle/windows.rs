//! The model of windows: for each window and key a list of its rows, looked at where an epoch ends.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Key, Line, Moving, Outcome, column, columns_of, plain_line};
use crate::model::scenario::{Emit, Kind, Scenario, Window, time};

/// What the windows of a step gather.
pub(super) fn run(scenario: &Scenario, window: Window, moving: Vec<Moving>, watermarks: &[i64], outcome: &mut Outcome) {
    let mut groups = Groups::default();
    let number = |(came, moving)| Moving { came, ..moving };
    let mut rows = moving.into_iter().enumerate().map(number).peekable();
    let mut before = i64::MIN;
    for (epoch, watermark) in watermarks.iter().enumerate() {
        while let Some(moving) = rows.next_if(|moving| moving.epoch == epoch) {
            let key = columns_of(window.key, &moving.row);
            // A row that fails was never here: it opens and extends nothing.
            let fails = window.picky && !window.whole && moving.row.n.is_some_and(|n| n < 0);
            if groups.is_late(window, &key, &moving) {
                outcome.late += 1;
                if window.side {
                    outcome.late_rows.push_str(&plain_line(scenario, &moving));
                }
            } else if fails {
                outcome.failed.push(("lab.sum_picky".to_owned(), moving.source.clone(), moving.position));
            } else {
                groups.take(window, key, moving);
            }
        }
        outcome.output.push_str(&groups.results(window, before, *watermark));
        before = *watermark;
    }
}

/// A window of a key.
struct Group {
    start: i64,
    end: i64,
    key: Key,
    rows: Vec<Moving>,
    /// Of a session that others have been made one with: those behind its own.
    joined: Vec<Vec<Moving>>,
    /// Whether it has changed since it was given early, and late.
    unseen: bool,
    amended: bool,
}

#[derive(Default)]
struct Groups {
    all: Vec<Group>,
    /// The rows of each key, for windows of so many.
    counted: BTreeMap<Key, Vec<Moving>>,
    full: Vec<(i64, Key, String)>,
}

impl Groups {
    fn is_late(&self, window: Window, key: &Key, moving: &Moving) -> bool {
        let watermark = moving.watermark.saturating_sub(window.lateness_s);
        match window.kind {
            Kind::Count(_) | Kind::Global => false,
            Kind::Session => {
                let at = moving.row.at;
                at + window.size_s <= watermark && !self.all.iter().any(|g| g.key == *key && g.meets(window, moving))
            }
            _ => window.around(moving.row.at).iter().all(|(_, end)| *end <= watermark),
        }
    }

    fn take(&mut self, window: Window, key: Key, moving: Moving) {
        let at = moving.row.at;
        match window.kind {
            Kind::Count(step) => {
                let rows = self.counted.entry(key.clone()).or_default();
                rows.push(moving);
                if rows.len() as i64 % step == 0 {
                    let last = &rows[rows.len().saturating_sub(window.size_s as usize)..];
                    let times = || last.iter().map(|m| m.row.at);
                    let (start, end) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
                    let end_text = time(end).replace('Z', ".000001Z");
                    self.full.push((end, key, line(window, Some((time(start), end_text)), None, last)));
                }
            }
            Kind::Session => {
                let mut found: Vec<Group> =
                    self.all.extract_if(.., |g| g.key == key && g.meets(window, &moving)).collect();
                found.sort_by_key(|g| g.start);
                let mut found = found.into_iter();
                let new = || Group::new(at, at + window.size_s, key);
                let mut group = found.next().unwrap_or_else(new);
                group.start = group.start.min(at);
                group.end = group.end.max(at + window.size_s);
                for other in found {
                    group.end = group.end.max(other.end);
                    group.joined.push(other.rows);
                    group.joined.extend(other.joined);
                }
                group.add(moving);
                self.all.push(group);
            }
            _ => {
                let watermark = moving.watermark.saturating_sub(window.lateness_s);
                for (start, end) in window.around(at).into_iter().filter(|(_, end)| *end > watermark) {
                    let is = |g: &&mut Group| g.end == end && g.start == start && g.key == key;
                    match self.all.iter_mut().find(is) {
                        Some(group) => group.add(moving.clone()),
                        None => {
                            let mut group = Group::new(start, end, key.clone());
                            group.add(moving.clone());
                            self.all.push(group);
                        }
                    }
                }
            }
        }
    }

    /// The lines that are given when the stream's watermark goes from one time to another.
    fn results(&mut self, window: Window, from: i64, to: i64) -> String {
        self.full.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        let mut text: String = self.full.drain(..).map(|(_, _, line)| line).collect();
        let early = match window.emit {
            Emit::Final => false,
            Emit::Every(seconds) => to.div_euclid(seconds) > from.div_euclid(seconds),
            Emit::Changes => true,
        };
        self.all.sort_by(|a, b| (a.end, &a.key, a.start).cmp(&(b.end, &b.key, b.start)));
        for group in &mut self.all {
            let changes = window.emit == Emit::Changes;
            let given = match group.end {
                end if end <= from => group.amended.then_some("late"),
                end if end <= to => (!changes || group.unseen).then_some("final"),
                _ => (early && group.unseen).then_some("early"),
            };
            if let Some(emission) = given {
                text.push_str(&group.line(window, emission));
            }
            group.amended = false;
            group.unseen &= !early;
        }
        text
    }
}

impl Group {
    fn new(start: i64, end: i64, key: Key) -> Self {
        Self { start, end, key, rows: Vec::new(), joined: Vec::new(), unseen: true, amended: true }
    }

    fn add(&mut self, moving: Moving) {
        self.rows.push(moving);
        (self.unseen, self.amended) = (true, true);
    }

    /// Whether a row belongs to this session.
    fn meets(&self, window: Window, moving: &Moving) -> bool {
        let (at, watermark) = (moving.row.at, moving.watermark.saturating_sub(window.lateness_s));
        self.end > watermark && self.start <= at + window.size_s && at <= self.end
    }

    fn line(&self, window: Window, emission: &str) -> String {
        let mut rows = [&self.rows, &self.joined.concat()].into_iter().flatten().cloned().collect::<Vec<_>>();
        if !matches!(window.kind, Kind::Session | Kind::Global) {
            // What panes have in common is merged in the order of time. What came too late for the windows
            // before is merged behind it; behind its own pane, where windows are looked at again.
            rows.sort_by_key(|m| {
                let watermark = m.watermark.saturating_sub(window.lateness_s);
                let ends = || window.around(m.row.at).into_iter().map(|(_, end)| end);
                let seen_from = ends().find(|end| *end > watermark);
                let late = seen_from != ends().next() && window.emit == Emit::Final && window.lateness_s == 0;
                (late, (m.row.at - window.offset_s).div_euclid(window.pane()), seen_from)
            });
        }
        let bounds = (window.kind != Kind::Global).then(|| (time(self.start), time(self.end)));
        line(window, bounds, window.tells().then_some(emission), &rows)
    }
}

/// The lines of a window and key.
fn line(window: Window, bounds: Option<(String, String)>, emission: Option<&str>, rows: &[Moving]) -> String {
    let named = || {
        let mut line = Line::default();
        if let Some((start, end)) = &bounds {
            line.add("window_start", json!(start));
            line.add("window_end", json!(end));
        }
        for key in window.key {
            line.add(key, column(&rows[0].row, key));
        }
        if let Some(emission) = emission {
            line.add("window_emit", json!(emission));
        }
        line
    };
    let ids = |rows: &[Moving]| json!(rows.iter().map(|m| m.row.id.as_str()).collect::<Vec<_>>().join(","));
    if window.whole {
        let mut rows = rows.to_vec();
        rows.sort_by_key(|m| (m.row.at, m.came));
        let line = |rows: &[Moving]| {
            let mut line = named();
            line.add("trail", ids(rows));
            line.end()
        };
        return rows.chunks(3).map(line).collect();
    }
    let mut line = named();
    line.add("ids", ids(rows));
    let numbers = || rows.iter().filter_map(|m| m.row.n);
    line.add("range_least", json!(numbers().min()));
    line.add("range_greatest", json!(numbers().max()));
    if window.picky {
        line.add("sum", json!(numbers().sum::<i64>()));
    }
    line.end()
}
