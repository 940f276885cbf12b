//! Whether an aggregation runs in two phases: rows folded on the worker that has them, and what that
//! gives merged on the worker of its key, so that a key with most of the rows stalls nobody.
//!
//! Results must not depend on the number of workers. So what a function gives has to be the same whether
//! it accumulates all rows or merges what it accumulated of some, which host and function agree on but for
//! rounding; and the order of rows, and what is late, have to be known before rows change workers.

use std::fmt;

use super::spec::{StepSpec, Text};
use super::{Compute, Node, Operator, WindowKind};
use crate::error::Invalid;
use crate::types::DataType;

/// The phases of an aggregation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phases {
    /// Rows are folded where they are, and merged where their key is.
    Two,
    /// Rows are folded where their key is, and why.
    One(&'static str),
}

impl fmt::Display for Phases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Two => f.write_str("in two phases: each worker folds its rows, that of the key merges"),
            Self::One(why) => write!(f, "in one phase: {why}"),
        }
    }
}

/// How many phases a window step has, whose stream is `spread` in a way that allows but one.
pub(super) fn phases(
    text: &Text,
    spec: &StepSpec,
    kind: WindowKind,
    compute: &Compute,
    spread: Option<&'static str>,
) -> Result<Phases, Invalid> {
    let asked = spec.two_phase.as_ref().map(|at| (at, *at.get_ref()));
    Ok(match (asked, of_kind(kind, compute).or(spread)) {
        (Some((at, true)), Some(why)) => {
            let message = format!("this step can't be done in two phases: {why}");
            return Err(text.wrong(at, message).hint("take `two-phase` out"));
        }
        (Some((_, true)), None) => Phases::Two,
        (Some((_, false)), _) => Phases::One("`two-phase` is off"),
        (None, Some(why)) => Phases::One(why),
        (None, None) => rounded(compute).map_or(Phases::Two, Phases::One),
    })
}

/// Why windows of this kind, or what is computed of them, need the rows themselves.
fn of_kind(kind: WindowKind, compute: &Compute) -> Option<&'static str> {
    match (compute, kind) {
        (Compute::Groups(_), _) => Some("a function of whole groups takes rows"),
        (_, WindowKind::Session { .. }) => Some("where sessions end is known where all rows of a key are"),
        (_, WindowKind::Count { .. }) => Some("which rows a window has is known where all rows of a key are"),
        _ => None,
    }
}

/// Why rows that a node gives can't be folded before they change workers.
pub(super) fn spread(nodes: &[Node], node: usize) -> Option<&'static str> {
    let of_source = |node: usize| match &nodes[node].operator {
        Operator::Source(source) => source.event_time.as_ref().is_some_and(|time| time.idle_after_us.is_some()),
        _ => false,
    };
    let idle = "with `idle-after` other partitions say as well what is late";
    changed_workers(nodes, node).or_else(|| path(nodes, node).any(of_source).then_some(idle))
}

/// Why rows that a node gives are not where their source's batches are.
pub(super) fn changed_workers(nodes: &[Node], node: usize) -> Option<&'static str> {
    path(nodes, node).find_map(|node| match &nodes[node].operator {
        Operator::Source(_) | Operator::Map(_) | Operator::Filter(_) | Operator::FlatMap(_) => None,
        Operator::Window(_) | Operator::Join(_) => Some("its rows are results, whose order is that of their keys"),
        _ => Some("its rows have changed workers before"),
    })
}

/// A node and those that its rows come from, the left ones of joins.
fn path(nodes: &[Node], node: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(node), |node| nodes[*node].input)
}

/// Why results may not be the same to the last bit.
fn rounded(compute: &Compute) -> Option<&'static str> {
    let mut held = compute.aggregates().iter().flat_map(|a| &a.call.function.signature().accumulator);
    held.find_map(|field| match field.data_type {
        DataType::Float32 | DataType::Float64 => Some("sums of floats depend on what is added first"),
        DataType::Bytes => Some("an accumulator is bytes, and merging them may round"),
        _ => None,
    })
}
