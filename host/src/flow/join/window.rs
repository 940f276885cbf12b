//! Window joins: rows of one key that are in the same window.
//!
//! Rows wait in panes, the slices of time that no window's edge cuts, so a row is kept once however
//! many windows it is in. When the watermark passes a window's end, the rows of its panes are sorted
//! by key on both sides and gone through together. Pairs come in the order of (window end, key, left
//! row, right row), rows in that of (time, partition, arrival).

use std::cmp::Ordering;
use std::collections::BTreeMap;

use arrow_array::cast::AsArray;

use super::held::Held;
use super::intake::{Intake, Row};
use super::pairs::{Give, Pair, Pairs, Shape};
use super::saved::{self, Adopted, Unsaved};
use crate::checkpoint::Table;
use crate::flow::batch::Batch;
use crate::flow::cut::keyed::Pace;
use crate::flow::window::assign::{PaneId, Slices};
use crate::flow::window::keys::prefix;
use crate::plan::{JoinKind, WindowKind};

/// The rows of both sides whose windows have not fired.
pub(super) struct Windows {
    slices: Slices,
    sides: [Side; 2],
    kind: JoinKind,
    /// The watermark that windows have fired up to.
    fired: i64,
    /// What has come since a checkpoint was taken, where any are.
    unsaved: Option<Unsaved>,
}

struct Side {
    intake: Intake,
    held: Held,
    panes: BTreeMap<PaneId, Vec<Keyed>>,
    /// Whether there is or was a key that its prefix does not hold.
    long_keys: bool,
}

/// A row with the start of its key, which mostly is all of it: sorting then looks nowhere else.
#[derive(Clone, Copy, Debug)]
struct Keyed {
    prefix: [u64; 2],
    row: Row,
}

impl Windows {
    pub(super) fn new(kind: WindowKind, intakes: [Intake; 2], join: JoinKind) -> Self {
        let side = |intake: Intake| Side { held: intake.held(), intake, panes: BTreeMap::new(), long_keys: false };
        Self { slices: kind.into(), sides: intakes.map(side), kind: join, fired: i64::MIN, unsaved: None }
    }

    /// Takes in the rows of a batch that are not late, and says how many were.
    pub(super) fn take_in(&mut self, number: usize, batch: &Batch) -> usize {
        let (Some(times), Some(watermarks)) = (&batch.marks.times, &batch.marks.watermarks) else { return 0 };
        let side = &mut self.sides[number];
        let (keys, valid) = side.intake.keys(&batch.rows);
        let (mut rows, mut panes, mut late) = (Vec::new(), Vec::new(), 0);
        for (row, (time, watermark)) in times.values().iter().zip(watermarks.values()).enumerate() {
            // What has fired is behind every row's watermark, unless its partition was not waited for.
            match self.slices.pane(*time, self.fired.max(*watermark)) {
                None => late += 1,
                Some(_) if valid.as_ref().is_some_and(|v| v.is_null(row)) => {}
                Some(pane) => {
                    rows.push(row as u32);
                    panes.push(pane);
                }
            }
        }
        let prefixes: Vec<[u64; 2]> =
            rows.iter().map(|row| prefix(keys.as_binary::<i32>().value(*row as usize))).collect();
        side.long_keys |= rows.iter().any(|row| keys.as_binary::<i32>().value_length(*row as usize) > 16);
        let (held, kept) = side.intake.hold(&mut side.held, batch, keys, times, &rows);
        if let Some(unsaved) = &mut self.unsaved {
            unsaved.add(number, kept, &held, &panes);
        }
        let mut at = 0;
        while at < held.len() {
            // A run of rows in one pane: mostly the whole batch.
            let count = panes[at..].iter().take_while(|pane| **pane == panes[at]).count();
            let run = held[at..at + count].iter().zip(&prefixes[at..]);
            let pane = side.panes.entry(panes[at]).or_default();
            pane.extend(run.map(|(row, prefix)| Keyed { prefix: *prefix, row: *row }));
            at += count;
        }
        late
    }

    /// Notes from now on what comes.
    pub(super) fn save(&mut self) {
        self.unsaved = Some(Unsaved::default());
    }

    /// The watermark that windows have fired up to.
    pub(super) fn fired(&self) -> i64 {
        self.fired
    }

    /// What waits, or what of it has come since the last checkpoint; and whether it is all.
    pub(super) fn snapshot(&mut self, pace: &mut Pace) -> (Vec<Table>, bool) {
        let unsaved = self.unsaved.as_mut().map(std::mem::take).unwrap_or_default();
        let all = self.sides.iter().flat_map(|side| side.panes.values()).map(Vec::len).sum();
        let whole = pace.is_whole(unsaved.rows(), all);
        let tables = [0, 1].map(|number| {
            let side = &self.sides[number];
            match whole {
                false => unsaved.table(number, |_, pane| self.slices.ends(pane.start).1 > self.fired),
                true => saved::table(
                    number,
                    side.panes.iter().map(|(id, rows)| {
                        let rows: Vec<Row> = rows.iter().map(|keyed| keyed.row).collect();
                        let panes = vec![*id; rows.len()];
                        (side.held.rows_of(rows.iter().map(|row| row.place)), rows, panes)
                    }),
                ),
            }
        });
        (tables.into(), whole)
    }

    /// Goes on where windows had fired up to this watermark.
    pub(super) fn resume(&mut self, fired: i64) {
        self.fired = fired;
    }

    /// Takes in a row as it was.
    pub(super) fn adopt(&mut self, number: usize, kept: &Adopted) {
        let (slices, fired, side) = (self.slices, self.fired, &mut self.sides[number]);
        for (row, pane) in kept.hold(&mut side.held, |_, pane| slices.ends(pane.start).1 > fired) {
            let key = side.held.key(row.place);
            side.long_keys |= key.len() > 16;
            let prefix = prefix(key);
            side.panes.entry(pane).or_default().push(Keyed { prefix, row });
        }
    }

    /// Gives the pairs of every window that ends at or before the watermark, and says which watermark
    /// the pairs have behind them.
    pub(super) fn fire(&mut self, watermark: i64, shape: &Shape, give: &mut Give<'_>) -> i64 {
        let mut due: BTreeMap<i64, [Vec<PaneId>; 2]> = BTreeMap::new();
        for (number, side) in self.sides.iter().enumerate() {
            for id in side.panes.keys() {
                let (first, last) = self.slices.ends(id.start);
                if first > watermark {
                    break;
                }
                let mut end = self.slices.next_end(first, self.fired).max(id.seen_from);
                while end <= last.min(watermark) {
                    due.entry(end).or_default()[number].push(*id);
                    if end == i64::MAX {
                        break;
                    }
                    end = self.slices.after(end);
                }
            }
        }
        let [left, right] = &self.sides;
        let mut pairs = shape.pairs(&left.held, &right.held, give);
        for (end, [lefts, rights]) in due {
            if !lefts.is_empty() && (self.kind == JoinKind::Left || !rights.is_empty()) {
                self.fire_window(end, left.sorted(&lefts), right.sorted(&rights), &mut pairs);
            }
        }
        pairs.finish();
        self.fired = watermark.max(self.fired);
        for side in &mut self.sides {
            side.close(self.slices, watermark);
        }
        watermark
    }

    /// Goes through both sides of a window, each in the order of its keys.
    fn fire_window(&self, end: i64, lefts: Vec<Keyed>, rights: Vec<Keyed>, pairs: &mut Pairs<'_>) {
        let [left, right] = &self.sides;
        let time = end.saturating_sub(1);
        let (mut l, mut r) = (0, 0);
        while l < lefts.len() {
            let key = lefts[l];
            let same = lefts[l..].iter().take_while(|other| left.same_key(&key, other)).count();
            while r < rights.len() && compare(&rights[r], right, &key, left) == Ordering::Less {
                r += 1;
            }
            let is_partner = |row: &&Keyed| compare(row, right, &key, left) == Ordering::Equal;
            let partners = rights[r..].iter().take_while(is_partner).count();
            for keyed in &lefts[l..l + same] {
                let mut give = |right| pairs.push(Pair { left: keyed.row, right, time, order: end });
                rights[r..r + partners].iter().for_each(|partner| give(Some(partner.row.place)));
                if partners == 0 && self.kind == JoinKind::Left {
                    give(None);
                }
            }
            (l, r) = (l + same, r + partners);
        }
    }
}

impl Side {
    /// The rows of panes in the order of (key, time, partition, arrival).
    fn sorted(&self, panes: &[PaneId]) -> Vec<Keyed> {
        let mut rows: Vec<Keyed> = panes.iter().flat_map(|id| &self.panes[id]).copied().collect();
        // It keeps the order of equals, which is that of their arrival.
        rows.sort_by(|a, b| {
            let places = |keyed: &Keyed| (keyed.row.time, keyed.row.partition);
            compare(a, self, b, self).then_with(|| places(a).cmp(&places(b)))
        });
        rows
    }

    fn same_key(&self, a: &Keyed, b: &Keyed) -> bool {
        compare(a, self, b, self) == Ordering::Equal
    }

    /// Lets go of the panes that no window sees any more.
    fn close(&mut self, slices: Slices, watermark: i64) {
        let mut done = 0;
        while let Some(first) = self.panes.first_entry()
            && slices.ends(first.key().start).1 <= watermark
        {
            done += first.remove().len();
        }
        self.held.release(done);
        if self.held.is_wasteful() {
            self.held.keep(self.panes.values_mut().flatten().map(|keyed| &mut keyed.row.place));
        }
    }
}

fn compare(a: &Keyed, of_a: &Side, b: &Keyed, of_b: &Side) -> Ordering {
    a.prefix.cmp(&b.prefix).then_with(|| match of_a.long_keys && of_b.long_keys {
        // Of equal prefixes, either both are the whole key or neither is.
        true => of_a.held.key(a.row.place).cmp(of_b.held.key(b.row.place)),
        false => Ordering::Equal,
    })
}
