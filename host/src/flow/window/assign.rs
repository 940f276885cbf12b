//! Which windows a time is in. Pure arithmetic, without a clock.
//!
//! Windows that overlap share panes: the slices of time that no window's edge cuts. A row is folded
//! into the one pane that its time is in, and a window is what its panes come to. For tumbling
//! windows a pane is a window. (Li, Maier, Tufte, Papadimos and Tucker, "No Pane, No Gain", 2005.)

use crate::plan::WindowKind;
use crate::plan::quantity::gcd;

/// How a kind of window cuts time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::flow) struct Slices {
    pane_us: i64,
    size_us: i64,
    /// From one window's end to the next one's.
    step_us: i64,
    offset_us: i64,
    /// Whether windows that end within one size share their start.
    cumulating: bool,
    /// Whether all of time is one pane and one window.
    global: bool,
}

/// A pane: rows of one slice of time that are seen by the same windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::flow) struct PaneId {
    /// Where the slice starts.
    pub(in crate::flow) start: i64,
    /// The end of the first window that sees the rows. Later than that of the first window that
    /// covers the slice for rows that were late for some of their windows.
    pub(in crate::flow) seen_from: i64,
}

impl From<WindowKind> for Slices {
    fn from(kind: WindowKind) -> Self {
        let (pane_us, size_us, step_us, offset_us, cumulating) = match kind {
            WindowKind::Tumbling { size_us, offset_us } => (size_us, size_us, size_us, offset_us, false),
            WindowKind::Hopping { size_us, step_us, offset_us } => {
                (gcd(size_us, step_us), size_us, step_us, offset_us, false)
            }
            WindowKind::Cumulating { size_us, step_us, offset_us } => (step_us, size_us, step_us, offset_us, true),
            WindowKind::Global => (i64::MAX, i64::MAX, i64::MAX, 0, false),
            // Sessions and counts are not cut from time; they are kept another way.
            WindowKind::Session { .. } | WindowKind::Count { .. } => (1, 1, 1, 0, false),
        };
        Self { pane_us, size_us, step_us, offset_us, cumulating, global: kind == WindowKind::Global }
    }
}

impl Slices {
    /// The pane for a row of this time, judged by this watermark; none where the row is late for
    /// all of its windows.
    pub(in crate::flow) fn pane(&self, time: i64, watermark: i64) -> Option<PaneId> {
        if self.global {
            return Some(PaneId { start: i64::MIN, seen_from: i64::MAX });
        }
        let start = self.floor(time, self.pane_us);
        let (first, last) = self.ends(start);
        (last > watermark).then(|| PaneId { start, seen_from: self.next_end(first, watermark) })
    }

    /// The end of a pane's slice of time.
    pub(in crate::flow) fn pane_end(&self, start: i64) -> i64 {
        if self.global {
            return i64::MAX;
        }
        start.saturating_add(self.pane_us)
    }

    /// The ends of the first and the last window that cover a slice.
    pub(in crate::flow) fn ends(&self, start: i64) -> (i64, i64) {
        if self.global {
            return (i64::MAX, i64::MAX);
        }
        let pane_end = self.pane_end(start);
        if self.cumulating {
            return (pane_end, self.floor(start, self.size_us).saturating_add(self.size_us));
        }
        let to_grid = i128::from(self.offset_us) + i128::from(self.size_us) - i128::from(pane_end);
        let first = pane_end.saturating_add(to_grid.rem_euclid(i128::from(self.step_us)) as i64);
        // At the ends of time a window is cut short, but it still is one.
        (first, self.floor(start, self.step_us).saturating_add(self.size_us).max(first))
    }

    /// The end of the next window after `end` that covers the same slice, or would.
    pub(in crate::flow) fn after(&self, end: i64) -> i64 {
        end.saturating_add(self.step_us)
    }

    /// The first end behind a watermark, of the ends that start with `first`.
    pub(in crate::flow) fn next_end(&self, first: i64, watermark: i64) -> i64 {
        match watermark < first {
            true => first,
            false => {
                let steps = (i128::from(watermark) - i128::from(first)) / i128::from(self.step_us) + 1;
                let end = i128::from(first) + steps * i128::from(self.step_us);
                i64::try_from(end).unwrap_or(i64::MAX)
            }
        }
    }

    /// The start of the window that ends there.
    pub(in crate::flow) fn start(&self, end: i64) -> i64 {
        match (self.global, self.cumulating) {
            (true, _) => i64::MIN,
            (_, true) => self.floor(end.saturating_sub(1), self.size_us),
            (_, false) => end.saturating_sub(self.size_us),
        }
    }

    /// Whether all of time is one pane.
    pub(super) fn is_global(&self) -> bool {
        self.global
    }

    /// Whether a window is of several panes, each of which is seen by several windows.
    pub(super) fn overlap(&self) -> bool {
        self.pane_us < self.size_us
    }

    /// Where the blocks meet of which the window that ends there may reach over two: hopping windows
    /// as long as a window, cumulating ones where windows start.
    pub(super) fn boundary(&self, end: i64) -> i64 {
        match self.cumulating {
            true => self.start(end),
            false => self.floor(end, self.size_us),
        }
    }

    fn floor(&self, time: i64, width: i64) -> i64 {
        time.saturating_sub(time.saturating_sub(self.offset_us).rem_euclid(width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All windows that cover a time, by the definition: `[start, end)` of each.
    fn by_definition(kind: WindowKind, time: i64) -> Vec<(i64, i64)> {
        let mut windows: Vec<(i64, i64)> = match kind {
            WindowKind::Tumbling { size_us, offset_us } => {
                (-50..50).map(|n| (n * size_us + offset_us, (n + 1) * size_us + offset_us)).collect()
            }
            WindowKind::Hopping { size_us, step_us, offset_us } => {
                (-200..200).map(|n| (n * step_us + offset_us, n * step_us + offset_us + size_us)).collect()
            }
            WindowKind::Cumulating { size_us, step_us, offset_us } => (-50..50)
                .flat_map(|n| {
                    let start = n * size_us + offset_us;
                    (1..=size_us / step_us).map(move |k| (start, start + k * step_us))
                })
                .collect(),
            WindowKind::Session { .. } | WindowKind::Count { .. } | WindowKind::Global => Vec::new(),
        };
        windows.retain(|(start, end)| (*start..*end).contains(&time));
        windows
    }

    #[test]
    fn panes_are_seen_by_just_the_windows_that_cover_them() {
        for kind in [
            WindowKind::Tumbling { size_us: 10, offset_us: 3 },
            WindowKind::Hopping { size_us: 10, step_us: 2, offset_us: 0 },
            WindowKind::Hopping { size_us: 9, step_us: 6, offset_us: -4 },
            WindowKind::Hopping { size_us: 7, step_us: 1, offset_us: 100 },
            WindowKind::Cumulating { size_us: 12, step_us: 4, offset_us: 5 },
        ] {
            let slices = Slices::from(kind);
            for time in -60..60 {
                for watermark in [i64::MIN, -30, -1, 0, 7, 33] {
                    let mut expected = by_definition(kind, time);
                    expected.retain(|(_, end)| *end > watermark);
                    let mut found = Vec::new();
                    if let Some(pane) = slices.pane(time, watermark) {
                        assert!(pane.start <= time && time < slices.pane_end(pane.start), "{kind:?} {time}");
                        let (_, last) = slices.ends(pane.start);
                        let mut end = pane.seen_from;
                        while end <= last {
                            found.push((slices.start(end), end));
                            end = slices.after(end);
                        }
                    }
                    assert_eq!(found, expected, "{kind:?}, time {time}, watermark {watermark}");
                }
            }
        }
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        let windows = Slices::from(WindowKind::Tumbling { size_us: i64::MAX, offset_us: 0 });
        for time in [i64::MIN, 0, i64::MAX] {
            let start = windows.floor(time, windows.pane_us);
            let (first, last) = windows.ends(start);
            assert!(start <= time && first == last, "{time}: {start}, {first}, {last}");
            assert_eq!(windows.pane(time, i64::MAX), None);
        }
    }
}
