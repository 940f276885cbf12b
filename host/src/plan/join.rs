//! A join as written, checked against the two streams that it takes: its key, which rows of the two
//! go together in time, and the columns of a pair.

use super::bind::did_you_mean;
use super::quantity::{duration_text, duration_us};
use super::spec::{At, StepSpec, Text, WithinSpec};
use super::two_phase::changed_workers;
use super::window::window_kind;
use super::{Node, WINDOW_COLUMNS, WindowKind};
use crate::error::Invalid;
use crate::types::{DataType, Field};

/// Rows of two streams, paired by key and time.
#[derive(Clone, Debug)]
pub struct Join {
    /// The node of the right stream; that of the left one is the node's input.
    pub right: usize,
    /// The columns of the left stream that make the key.
    pub left_key: Vec<Field>,
    /// Those of the right stream, in the same order and of the same types.
    pub right_key: Vec<Field>,
    /// What becomes of rows that have no partner.
    pub kind: JoinKind,
    /// Which rows of one key go together.
    pub pairing: Pairing,
    /// Whether every worker gets all right rows, and left rows stay where they are.
    pub broadcast: bool,
    /// The columns of a pair that somebody needs; those of the node.
    pub columns: Vec<PairColumn>,
}

/// What becomes of rows that have no partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// They give nothing.
    Inner,
    /// A left one is paired with nulls, a right one gives nothing.
    Left,
}

/// Which rows of one key go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairing {
    /// Those that are in the same window.
    Window(WindowKind),
    /// Those where the right row's time is at most so much before or after the left row's.
    Within {
        /// Microseconds; where it is negative, the right row is at least so much later.
        before_us: i64,
        /// Microseconds; where it is negative, the right row is at least so much earlier.
        after_us: i64,
    },
}

/// A column of a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairColumn {
    /// Its name in the pair.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// Whether there can be nulls.
    pub nullable: bool,
    /// Where its values come from.
    pub origin: Origin,
}

/// Where the values of a pair's column come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The start of the window.
    WindowStart,
    /// The end of the window.
    WindowEnd,
    /// A column of the left row, by its name there.
    Left(String),
    /// A column of the right row, by its name there.
    Right(String),
}

impl PairColumn {
    /// The column as one of the stream of pairs.
    pub fn field(&self) -> Field {
        Field::new(&self.name, self.data_type, self.nullable)
    }
}

impl Join {
    /// The columns that it needs of its left stream.
    pub(super) fn needs_of_left(&self) -> impl Iterator<Item = String> {
        let carried = self.columns.iter().filter_map(|c| match &c.origin {
            Origin::Left(name) => Some(name.clone()),
            _ => None,
        });
        self.left_key.iter().map(|f| f.name.clone()).chain(carried)
    }

    /// The columns that it needs of its right stream.
    pub(super) fn needs_of_right(&self) -> impl Iterator<Item = String> {
        let carried = self.columns.iter().filter_map(|c| match &c.origin {
            Origin::Right(name) => Some(name.clone()),
            _ => None,
        });
        self.right_key.iter().map(|f| f.name.clone()).chain(carried)
    }

    /// Which rows it pairs: `left, tumbling 10s`.
    pub(super) fn text(&self) -> String {
        let kind = match self.kind {
            JoinKind::Inner => "inner",
            JoinKind::Left => "left",
        };
        let pairing = match self.pairing {
            Pairing::Window(window) => format!("{kind}, {}", window.text()),
            Pairing::Within { before_us, after_us } => {
                format!("{kind}, from {} before to {} after", duration_text(before_us), duration_text(after_us))
            }
        };
        let spread = if self.broadcast { ", right rows on every worker" } else { "" };
        format!("{pairing}{spread}")
    }

    /// Its key: `by auction = id`.
    pub(super) fn key_text(&self) -> String {
        let column = |(left, right): (&Field, &Field)| match left.name == right.name {
            true => left.to_string(),
            false => format!("{left} = {right}"),
        };
        let columns = self.left_key.iter().zip(&self.right_key).map(column);
        format!("by {}", columns.collect::<Vec<_>>().join(", "))
    }
}

/// Checks a join of a stream with the one at `right`.
pub(super) fn join(
    text: &Text,
    spec: &At<StepSpec>,
    nodes: &[Node],
    left_index: usize,
    right_index: usize,
) -> Result<Join, Invalid> {
    let inner = spec.get_ref();
    let (left, right) = (&nodes[left_index], &nodes[right_index]);
    let others = [&inner.filter, &inner.flat_map, &inner.stateful_map, &inner.ttl, &inner.group_map];
    if inner.aggregate.is_some() || inner.two_phase.is_some() || others.iter().any(|other| other.is_some()) {
        return Err(text
            .wrong(spec, "a step does one thing")
            .hint("a join may have a `map` for its pairs; what else is to be done with them is a step behind it"));
    }
    let firing = [&inner.allowed_lateness, &inner.late].map(|at| at.as_ref().map(At::span));
    if let Some(span) = firing.into_iter().flatten().chain(inner.emit.as_ref().map(At::span)).next() {
        let message =
            "a join gives each pair once and drops late rows, so it has no `emit`, `late` and `allowed-lateness`";
        return Err(Invalid::new(message).at(text.place(span.start)));
    }
    if inner.map.is_none() && (inner.with.is_some() || inner.rename.is_some()) {
        let what = if inner.with.is_some() { "with" } else { "as" };
        return Err(text.wrong(spec, format!("this join has no `map`, so `{what}` says nothing")));
    }
    for side in [left, right] {
        if !side.timed {
            return Err(text
                .wrong(spec, format!("a join needs event time on both sides, and `{}` has none", side.name))
                .hint("write `event-time = { column = \"..\", out-of-order = \"..\" }` under its source"));
        }
    }
    let kind = match inner.kind.as_ref().map(|at| (at, at.get_ref().as_str())) {
        None | Some((_, "inner")) => JoinKind::Inner,
        Some((_, "left")) => JoinKind::Left,
        Some((at, other)) => {
            return Err(text
                .wrong(at, format!("`{other}` is no kind of join"))
                .hint("there are: `inner`, `left`; for a right join, exchange the two streams"));
        }
    };
    let pairing = pairing(text, spec)?;
    let (left_key, right_key) = key(text, spec, left, right)?;
    let columns = columns(text, spec, [left, right], kind, pairing, &right_key)?;
    let broadcast = inner.broadcast.as_ref().is_some_and(|at| *at.get_ref());
    if let (Some(at), Some(why)) = (&inner.broadcast, changed_workers(nodes, left_index))
        && broadcast
    {
        let message = format!("left rows stay where they are in a broadcast join, and {why}");
        return Err(text.wrong(at, message).hint("take `broadcast` out, or let the left stream be a source's"));
    }
    Ok(Join { right: right_index, left_key, right_key, kind, pairing, broadcast, columns })
}

/// Refuses what only a join has, in a step that is none.
pub(super) fn refuse_parts(text: &Text, spec: &StepSpec) -> Result<(), Invalid> {
    let parts = [
        ("on", spec.on.as_ref().map(At::span)),
        ("within", spec.within.as_ref().map(At::span)),
        ("kind", spec.kind.as_ref().map(At::span)),
        ("broadcast", spec.broadcast.as_ref().map(At::span)),
        ("prefix", spec.prefix.as_ref().map(At::span)),
    ];
    match parts.into_iter().find_map(|(name, span)| Some((name, span?))) {
        None => Ok(()),
        Some((name, span)) => Err(Invalid::new(format!("only a join has `{name}`"))
            .at(text.place(span.start))
            .hint("write `join = \"..\"` with the name of the other stream, or take it out")),
    }
}

fn pairing(text: &Text, spec: &At<StepSpec>) -> Result<Pairing, Invalid> {
    let inner = spec.get_ref();
    match (&inner.window, &inner.within) {
        (Some(_), Some(at)) => Err(text
            .wrong(at, "a join pairs rows of one window or rows within an interval, not both")
            .hint("take out `window` or `within`")),
        (None, None) => Err(text
            .wrong(spec, "the rows of two streams have no end, so a join needs `window` or `within`")
            .hint("write `window = { tumbling = \"10s\" }` or `within = { before = \"0s\", after = \"1h\" }`")),
        (None, Some(at)) => within(text, at),
        (Some(at), None) => match window_kind(text, at)? {
            kind @ (WindowKind::Tumbling { .. } | WindowKind::Hopping { .. } | WindowKind::Cumulating { .. }) => {
                Ok(Pairing::Window(kind))
            }
            WindowKind::Session { gap_us } => {
                let gap = duration_text(gap_us);
                Err(text
                    .wrong(at, "the windows of a join are known from the time alone, and sessions are made by rows")
                    .hint(format!(
                        "for rows at most {gap} apart write `within = {{ before = \"{gap}\", after = \"{gap}\" }}`"
                    )))
            }
            WindowKind::Count { .. } | WindowKind::Global => Err(text
                .wrong(at, "the rows of two streams are paired by their times, and this window has none")
                .hint("write `window = { tumbling = \"10s\" }` or `within = { after = \"1h\" }`")),
        },
    }
}

fn within(text: &Text, spec: &At<WithinSpec>) -> Result<Pairing, Invalid> {
    let WithinSpec { before, after } = spec.get_ref();
    if before.is_none() && after.is_none() {
        return Err(text
            .wrong(spec, "this says no interval")
            .hint("write `{ before = \"5m\" }`, `{ after = \"1h\" }` or both; what is left out is `0s`"));
    }
    let us = |at: &Option<At<String>>| match at {
        None => Ok(0),
        Some(at) => duration_us(at.get_ref()).map_err(|message| text.wrong(at, message)),
    };
    let (before_us, after_us) = (us(before)?, us(after)?);
    if i128::from(before_us) + i128::from(after_us) < 0 {
        let (from, to) = (duration_text(before_us.saturating_neg()), duration_text(after_us));
        return Err(text
            .wrong(spec, format!("no time is in this interval: from {from} to {to} after the left row"))
            .hint("`before = \"-1h\", after = \"2h\"` are right rows that are one to two hours later"));
    }
    Ok(Pairing::Within { before_us, after_us })
}

/// The key's columns on both sides.
fn key(text: &Text, spec: &At<StepSpec>, left: &Node, right: &Node) -> Result<(Vec<Field>, Vec<Field>), Invalid> {
    let inner = spec.get_ref();
    let mut names: Vec<(&str, &str, usize)> = match (&inner.key_by, &inner.on) {
        (Some(_), Some(at)) => {
            return Err(text
                .wrong(at, "a join has one key")
                .hint("write all of it in `on`: `on = { user = \"user\", auction = \"id\" }`"));
        }
        (Some(names), None) => {
            names.get_ref().iter().map(|n| (n.get_ref().as_str(), n.get_ref().as_str(), n.span().start)).collect()
        }
        (None, Some(on)) => {
            let pairs = on.get_ref().iter();
            pairs.map(|(l, r)| (l.get_ref().as_str(), r.get_ref().as_str(), r.span().start)).collect()
        }
        (None, None) => Vec::new(),
    };
    if names.is_empty() {
        return Err(text
            .wrong(spec, "a join needs a key: without one, every row would be paired with every other")
            .hint("write `key-by = [\"id\"]`, or `on = { auction = \"id\" }` where the names differ (left = right)"));
    }
    names.sort_by_key(|(.., start)| *start);
    let (mut left_key, mut right_key): (Vec<Field>, Vec<Field>) = (Vec::new(), Vec::new());
    for (left_name, right_name, start) in names {
        let left_field = column(left, left_name).map_err(|i| i.at(text.place(start)))?;
        let right_field = column(right, right_name).map_err(|i| i.at(text.place(start)))?;
        if left_field.data_type != right_field.data_type {
            let types = [(left, left_field), (right, right_field)];
            let [one, other] = types.map(|(node, f)| format!("`{}` of `{}` is {}", f.name, node.name, f.data_type));
            return Err(Invalid::new(format!("the two sides of a key have one type, but {one} and {other}"))
                .at(text.place(start))
                .hint(
                    "declare the type in the source's `schema`, or convert the column with a `map` before the join",
                ));
        }
        if left_key.contains(left_field) || right_key.contains(right_field) {
            let twice = if left_key.contains(left_field) { left_name } else { right_name };
            return Err(Invalid::new(format!("`{twice}` is in the key twice")).at(text.place(start)));
        }
        left_key.push(left_field.clone());
        right_key.push(right_field.clone());
    }
    Ok((left_key, right_key))
}

fn column<'a>(node: &'a Node, name: &str) -> Result<&'a Field, Invalid> {
    node.fields.iter().find(|f| f.name == name).ok_or_else(|| {
        let all: Vec<_> = node.fields.iter().map(|f| f.name.as_str()).collect();
        Invalid::new(format!("`{}` has no column `{name}`", node.name)).hint(did_you_mean(name, &all))
    })
}

/// The columns of a pair: the window's, the left row's, and the right row's without its key.
fn columns(
    text: &Text,
    spec: &At<StepSpec>,
    [left, right]: [&Node; 2],
    kind: JoinKind,
    pairing: Pairing,
    right_key: &[Field],
) -> Result<Vec<PairColumn>, Invalid> {
    let windowed = matches!(pairing, Pairing::Window(_));
    let prefix = spec.get_ref().prefix.as_ref().map_or("", |at| at.get_ref().as_str());
    let mut columns = Vec::new();
    if windowed {
        for (name, origin) in WINDOW_COLUMNS.into_iter().zip([Origin::WindowStart, Origin::WindowEnd]) {
            columns.push(PairColumn { name: name.into(), data_type: DataType::Timestamp, nullable: false, origin });
        }
    }
    // A pair has the window that it was found in; those that its rows came from end here.
    let replaced = |name: &str| windowed && WINDOW_COLUMNS.contains(&name);
    let given = |name: String, field: &Field, nullable, origin| PairColumn {
        name,
        data_type: field.data_type,
        nullable,
        origin,
    };
    columns.extend(
        left.fields
            .iter()
            .filter(|f| !replaced(&f.name))
            .map(|f| given(f.name.clone(), f, f.nullable, Origin::Left(f.name.clone()))),
    );
    let of_right = right.fields.iter().filter(|f| !right_key.contains(f));
    columns.extend(
        of_right
            .map(|f| (format!("{prefix}{}", f.name), f))
            .filter(|(name, _)| !replaced(name))
            .map(|(name, f)| given(name, f, f.nullable || kind == JoinKind::Left, Origin::Right(f.name.clone()))),
    );
    let mut seen = std::collections::HashSet::new();
    match columns.iter().find(|c| !seen.insert(&c.name)) {
        None => Ok(columns),
        Some(twice) => {
            let another = if prefix.is_empty() { "write" } else { "choose another one, such as" };
            let message = format!("two columns of the pair are named `{}`", twice.name);
            let prefix = format!("`prefix = \"{}_\"`", right.name);
            Err(text
                .wrong_at(spec.get_ref().prefix.as_ref(), spec, message)
                .hint(format!("{another} {prefix}, for the names of `{}`", right.name)))
        }
    }
}
