//! What is true of a window step: its key, which windows a row is in, when they give results, and what
//! is computed of them.

use crate::plan::{Apply, Bound, Phases};
use crate::types::Field;

/// Rows folded by key and window.
#[derive(Debug)]
pub struct Window {
    /// The columns that make the key.
    pub key: Vec<Field>,
    /// Which windows a row is in.
    pub kind: WindowKind,
    /// When they give results.
    pub firing: Firing,
    /// What is computed of each.
    pub compute: Compute,
    /// Whether rows are folded before they change workers.
    pub phases: Phases,
}

/// What is computed of the rows of a window and key.
#[derive(Debug)]
pub enum Compute {
    /// Aggregates, of rows as they come.
    Aggregates(Vec<Aggregate>),
    /// What a function makes of all of them together.
    Groups(Apply),
}

impl Compute {
    /// The aggregates, if it is those.
    pub fn aggregates(&self) -> &[Aggregate] {
        match self {
            Self::Aggregates(aggregates) => aggregates,
            Self::Groups(_) => &[],
        }
    }

    /// The function of whole groups, if it is that.
    pub fn group_map(&self) -> Option<&Apply> {
        match self {
            Self::Aggregates(_) => None,
            Self::Groups(apply) => Some(apply),
        }
    }

    /// The functions that are called, to be set up.
    pub(in crate::plan) fn calls_mut(&mut self) -> impl Iterator<Item = &mut Bound> {
        let (aggregates, groups) = match self {
            Self::Aggregates(aggregates) => (aggregates.as_mut_slice(), None),
            Self::Groups(apply) => (&mut [][..], Some(&mut apply.call)),
        };
        aggregates.iter_mut().map(|a| &mut a.call).chain(groups)
    }

    /// The functions that are called.
    pub fn calls(&self) -> impl Iterator<Item = &Bound> {
        self.aggregates().iter().map(|a| &a.call).chain(self.group_map().map(|apply| &apply.call))
    }
}

/// Which windows a row is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowKind {
    /// `[n * size + offset, (n + 1) * size + offset)` for each n.
    Tumbling {
        /// Microseconds of a window.
        size_us: i64,
        /// Microseconds that the windows start after 1970-01-01T00:00:00Z, modulo the size.
        offset_us: i64,
    },
    /// `[n * step + offset, n * step + offset + size)` for each n: a row is in several.
    Hopping {
        /// Microseconds of a window.
        size_us: i64,
        /// Microseconds from one start to the next; at most the size.
        step_us: i64,
        /// Microseconds that the windows start after 1970-01-01T00:00:00Z, modulo the step.
        offset_us: i64,
    },
    /// `[n * size + offset, n * size + offset + k * step)` for each n and each k up to size / step:
    /// what has come since the start of the tumbling window, every step.
    Cumulating {
        /// Microseconds of the last and longest window.
        size_us: i64,
        /// Microseconds by which each window is longer than the one before; divides the size.
        step_us: i64,
        /// Microseconds that the windows start after 1970-01-01T00:00:00Z, modulo the size.
        offset_us: i64,
    },
    /// For each key the rows that follow each other within the gap: from the first of them to the
    /// gap behind the last.
    Session {
        /// Microseconds without a row that end a session.
        gap_us: i64,
    },
    /// For each key its last so many rows, every so many rows; in the order in which they come.
    Count {
        /// Rows of a full window.
        rows: u64,
        /// Rows from one result to the next; at most those of a window.
        step: u64,
    },
    /// For each key all its rows.
    Global,
}

impl WindowKind {
    /// Whether results say when their windows started and ended.
    pub fn has_bounds(self, timed: bool) -> bool {
        match self {
            Self::Global => false,
            Self::Count { .. } => timed,
            _ => true,
        }
    }
}

/// When windows give results, and what becomes of rows that come too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Firing {
    /// When results are given.
    pub emit: Emit,
    /// Microseconds behind its end in which a window still takes rows, and then gives its result
    /// again.
    pub allowed_lateness_us: i64,
    /// What becomes of rows that are late for all of their windows.
    pub late: Late,
}

impl Firing {
    /// Whether a result says if it is early, final or late.
    pub fn is_told(&self) -> bool {
        match self.emit {
            Emit::Final => self.allowed_lateness_us > 0,
            Emit::Every { .. } => true,
            Emit::Changes => false,
        }
    }

    /// Whether a window may give more than one result for a key.
    pub fn repeats(&self) -> bool {
        self.emit != Emit::Final || self.allowed_lateness_us > 0
    }
}

/// When results are given. Looked at where an epoch is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emit {
    /// When the watermark has passed a window's end.
    Final,
    /// Then, and before that whenever the watermark has passed a multiple of so long, for the keys
    /// that have changed since.
    Every {
        /// Microseconds.
        us: i64,
    },
    /// Whenever a key has changed.
    Changes,
}

impl Emit {
    /// Whether early results are due when the watermark goes from one time to another.
    pub(crate) fn is_due(self, from: i64, to: i64) -> bool {
        match self {
            Self::Final => false,
            Self::Every { us } => to.div_euclid(us) > from.div_euclid(us),
            Self::Changes => true,
        }
    }
}

/// What becomes of rows that are late for all of their windows. They are counted either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// Nothing.
    Drop,
    /// They are a stream of their own.
    Side,
}

/// An aggregate of a window.
#[derive(Debug)]
pub struct Aggregate {
    /// The function and its columns.
    pub call: Bound,
    /// The names of its outputs in the result.
    pub outputs: Vec<Field>,
    /// An accumulator that has seen nothing.
    pub empty: Vec<arrow_array::ArrayRef>,
}

/// The columns of a window's start and end in its results.
pub const WINDOW_COLUMNS: [&str; 2] = ["window_start", "window_end"];

/// The column that says whether a result is early, final or late.
pub const WINDOW_EMIT: &str = "window_emit";
