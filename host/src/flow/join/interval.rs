//! Interval joins: right rows of a left row's key whose time is near the left row's.
//!
//! A left row waits until the watermark has passed the last time that a partner can have; then all
//! its partners are there, and it gives its pairs. Pairs come in the order of (left time, key, left
//! row, right row), rows in that of (time, partition, arrival). A right row stays until no left row
//! that is still to come or to be paired can reach it.

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

use super::held::Held;
use super::intake::{Intake, Row};
use super::pairs::{Give, Pair, Shape};
use super::saved::{self, Adopted, NO_PANE, Unsaved};
use super::shelf::{By, Keeping, Shelf};
use super::timeline::Timeline;
use crate::checkpoint::{Frozen, Table};
use crate::error::Result;
use crate::flow::batch::Batch;
use crate::flow::cut::keyed::Pace;
use crate::plan::JoinKind;

/// New right rows, below which looking for old ones is not worth it.
const NEW_ROWS_MIN: usize = 65_536;

/// The rows of both sides that wait.
pub(super) struct Intervals {
    before_us: i64,
    after_us: i64,
    kind: JoinKind,
    intakes: [Intake; 2],
    held: [Held; 2],
    /// Left rows that may still get partners.
    waiting: Timeline,
    /// Right rows by key.
    partners: HashTable<Partners>,
    /// Right rows that are there, and those that have come since old ones were looked for.
    count: usize,
    new: usize,
    /// The watermark that rows are paired up to.
    fired: i64,
    /// What has come since a checkpoint was taken, where any are.
    unsaved: Option<Unsaved>,
    /// Where rows are that memory has no room for.
    spill: Option<Spill>,
}

/// The right rows of a key.
struct Partners {
    key: Box<[u8]>,
    hash: u64,
    rows: Timeline,
}

impl Intervals {
    pub(super) fn new([before_us, after_us]: [i64; 2], intakes: [Intake; 2], kind: JoinKind) -> Self {
        let held = intakes.each_ref().map(Intake::held);
        let (waiting, partners) = (Timeline::default(), HashTable::new());
        Self {
            before_us,
            after_us,
            kind,
            intakes,
            held,
            waiting,
            partners,
            count: 0,
            new: 0,
            fired: i64::MIN,
            unsaved: None,
            spill: None,
        }
    }

    /// Keeps rows in stores as well, or where memory has no room for them.
    pub(super) fn keep_in(&mut self, keeping: &Keeping<'_>) -> Result<()> {
        let open =
            |side: usize, order| Shelf::open(keeping, side, &self.intakes[side].columns, &self.held[side], order);
        if let (Some(left), Some(right)) = (open(0, By::Time)?, open(1, By::Key)?) {
            self.spill = Some(Spill::new([left, right], self.before_us, self.after_us));
        }
        Ok(())
    }

    /// Rows in memory, about how many bytes they take, and how many those in stores take.
    pub(super) fn size(&self) -> (usize, usize, u64) {
        let rows = [self.waiting.len(), self.count];
        let bytes = [0, 1].map(|side| self.bytes(side)).iter().sum();
        (rows.iter().sum(), bytes, self.spill.as_ref().map_or(0, Spill::bytes))
    }

    fn bytes(&self, side: usize) -> usize {
        let rows = [self.waiting.len(), self.count + 2 * self.partners.len()][side];
        self.held[side].bytes() + rows * size_of::<Row>()
    }

    /// Takes in the rows of a batch that are not late, and says how many were.
    pub(super) fn take_in(&mut self, side: usize, batch: &Batch) -> Result<usize> {
        let (Some(times), Some(watermarks)) = (&batch.marks.times, &batch.marks.watermarks) else { return Ok(0) };
        let (keys, valid) = self.intakes[side].keys(&batch.rows);
        let (mut rows, mut late) = (Vec::new(), 0);
        for (row, (time, watermark)) in times.values().iter().zip(watermarks.values()).enumerate() {
            // What has fired is behind every row's watermark, unless its partition was not waited for.
            if *time < self.fired.max(*watermark) {
                late += 1;
            } else if valid.as_ref().is_none_or(|v| v.is_valid(row)) {
                rows.push(row as u32);
            }
        }
        let (rows, kept) = self.intakes[side].hold(&mut self.held[side], batch, keys, times, &rows);
        if let Some(unsaved) = &mut self.unsaved {
            unsaved.add(side, kept, &rows, &vec![NO_PANE; rows.len()]);
        }
        if let Some(spill) = &mut self.spill {
            spill.note(side, &self.held[side], &rows)?;
        }
        match side {
            0 => self.waiting.extend(rows),
            _ => self.add_partners(rows),
        }
        self.make_room(side)?;
        Ok(late)
    }

    /// Moves all rows of a side to its shelf where they take more memory than they may, or where all that is
    /// there is read from there anyway.
    fn make_room(&mut self, side: usize) -> Result<()> {
        let bytes = self.bytes(side);
        match self.spill.as_ref().is_some_and(|spill| spill.is_full(side, bytes)) {
            true => self.shelve(side),
            false => Ok(()),
        }
    }

    /// Moves all rows of a side to its shelf, if there is one.
    fn shelve(&mut self, side: usize) -> Result<()> {
        let Some(spill) = &mut self.spill else { return Ok(()) };
        let rows: Vec<Row> = match side {
            0 => std::mem::take(&mut self.waiting).into_rows().collect(),
            _ => std::mem::take(&mut self.partners).into_iter().flat_map(|of_key| of_key.rows.into_rows()).collect(),
        };
        if side == 1 {
            (self.count, self.new) = (0, 0);
        }
        spill.put(side, &self.held[side], rows)?;
        self.held[side] = self.intakes[side].held();
        Ok(())
    }

    /// Notes from now on what comes.
    pub(super) fn save(&mut self) {
        self.unsaved = self.spill.is_none().then(Unsaved::default);
    }

    /// Moves all rows to the shelves, if there are any, and gives what is there.
    pub(super) fn freeze(&mut self) -> Result<Vec<Frozen>> {
        for side in [0, 1] {
            if [self.waiting.len(), self.count][side] > 0 {
                self.shelve(side)?;
            }
        }
        self.spill.as_mut().map_or(Ok(Vec::new()), Spill::freeze)
    }

    /// How many rows have been put on each shelf.
    pub(super) fn came(&self) -> [i64; 2] {
        self.spill.as_ref().map_or([0; 2], Spill::came)
    }

    /// The watermark that rows are paired up to.
    pub(super) fn fired(&self) -> i64 {
        self.fired
    }

    /// Whether a row of a side still waits at a watermark, by its time.
    fn waits(&self, side: usize, paired: i64) -> impl Fn(i64) -> bool + use<> {
        let before_us = if side == 0 { 0 } else { self.before_us };
        move |time: i64| paired != i64::MAX && time.saturating_add(before_us) >= paired
    }

    /// What waits, or what of it has come since the last checkpoint; and whether it is all.
    pub(super) fn snapshot(&mut self, pace: &mut Pace) -> (Vec<Table>, bool) {
        if self.spill.is_some() {
            return (Vec::new(), true);
        }
        let unsaved = self.unsaved.as_mut().map(std::mem::take).unwrap_or_default();
        let whole = pace.is_whole(unsaved.rows(), self.waiting.rows().count() + self.count);
        let paired = self.paired_up_to(self.fired);
        let tables = [0, 1].map(|side| {
            let waits = self.waits(side, paired);
            if !whole {
                return unsaved.table(side, |row, _| waits(row.time));
            }
            let rows: Vec<Row> = match side {
                0 => self.waiting.rows().copied().collect(),
                _ => self.partners.iter().flat_map(|partners| partners.rows.rows()).copied().collect(),
            };
            let rows: Vec<Row> = rows.into_iter().filter(|row| waits(row.time)).collect();
            let (kept, panes) = (self.held[side].rows_of(rows.iter().map(|row| row.place)), vec![NO_PANE; rows.len()]);
            saved::table(side, [(kept, rows, panes)])
        });
        (tables.into(), whole)
    }

    /// Goes on where rows were paired up to this watermark.
    pub(super) fn resume(&mut self, fired: i64, came: [i64; 2]) {
        self.fired = fired;
        if let Some(spill) = &mut self.spill {
            spill.resume(came);
        }
    }

    /// Takes in rows as they were.
    pub(super) fn adopt(&mut self, side: usize, kept: &Adopted) {
        let waits = self.waits(side, self.paired_up_to(self.fired));
        let rows = kept.hold(&mut self.held[side], |row, _| waits(row.time));
        let rows: Vec<Row> = rows.into_iter().map(|(row, _)| row).collect();
        match side {
            0 => self.waiting.extend(rows),
            _ => self.add_partners(rows),
        }
    }

    fn add_partners(&mut self, mut rows: Vec<Row>) {
        let held = &self.held[1];
        (self.count, self.new) = (self.count + rows.len(), self.new + rows.len());
        // Rows of a key go to their place together.
        rows.sort_by_key(|row| held.key(row.place));
        for of_key in rows.chunk_by(|a, b| held.key(a.place) == held.key(b.place)) {
            let key = held.key(of_key[0].place);
            let hash = xxh3_64(key);
            let partners = self.partners.entry(hash, |p| *p.key == *key, |p| p.hash).or_insert_with(|| Partners {
                key: key.into(),
                hash,
                rows: Timeline::default(),
            });
            partners.into_mut().rows.extend(of_key.iter().copied());
        }
    }

    /// Gives the pairs of every left row that can get no more partners, and says which watermark the
    /// pairs have behind them.
    pub(super) fn fire(&mut self, watermark: i64, shape: &Shape, give: &mut Give<'_>) -> Result<i64> {
        let before = self.paired_up_to(self.fired);
        self.fired = watermark.max(self.fired);
        let paired = self.paired_up_to(watermark);
        let is_paired = |time: i64| time < paired || paired == i64::MAX;
        let mut due = self.waiting.take_while(is_paired);
        let released = due.len();
        let left = &self.held[0];
        due.sort_by(|a, b| a.time.cmp(&b.time).then_with(|| left.key(a.place).cmp(left.key(b.place))));
        if self.spill.as_ref().is_some_and(Spill::is_used) {
            self.fire_spilled(before, due, &is_paired, shape, give)?;
        } else {
            let [left, right] = &self.held;
            self.pair(0, &due, [left, right], &|key| self.partners_of(key), shape, give);
        }
        self.held[0].release(released);
        self.forget(paired);
        if let Some(mut spill) = self.spill.take() {
            spill.remove(&is_paired, &|time| self.is_over(time, paired))?;
            self.spill = Some(spill);
        }
        Ok(paired)
    }

    /// The right rows of a key in memory.
    fn partners_of(&self, key: &[u8]) -> Option<&Timeline> {
        self.partners.find(xxh3_64(key), |partners| *partners.key == *key).map(|partners| &partners.rows)
    }

    /// Gives the pairs of left rows, in their order and behind so many others; `partners` has the right rows of a
    /// key. Says how many there are then.
    fn pair<'p>(
        &self,
        given: u64,
        due: &[Row],
        [left, right]: [&Held; 2],
        partners: &dyn Fn(&[u8]) -> Option<&'p Timeline>,
        shape: &Shape,
        give: &mut Give<'_>,
    ) -> u64 {
        let mut pairs = shape.pairs_behind(given, left, right, give);
        for row in due {
            let mut alone = true;
            if let Some((first, last)) = interval(row.time, self.before_us, self.after_us)
                && let Some(partners) = partners(left.key(row.place))
            {
                for partner in partners.between(first, last) {
                    alone = false;
                    let (right, time) = (Some(partner.place), row.time.max(partner.time));
                    pairs.push(Pair { left: *row, right, time, order: row.time });
                }
            }
            if alone && self.kind == JoinKind::Left {
                pairs.push(Pair { left: *row, right: None, time: row.time, order: row.time });
            }
        }
        pairs.finish()
    }

    /// Whether no left row can reach a right row of this time any more.
    fn is_over(&self, time: i64, paired: i64) -> bool {
        paired == i64::MAX || time.saturating_add(self.before_us) < paired
    }

    /// Left rows of earlier times have all their partners, and no more such rows come: no time of a
    /// pair to come is earlier.
    fn paired_up_to(&self, watermark: i64) -> i64 {
        match watermark {
            i64::MAX => i64::MAX,
            watermark => watermark.saturating_sub(self.after_us.max(0)),
        }
    }

    /// Lets go of the right rows that no left row can reach any more.
    fn forget(&mut self, paired: i64) {
        // All keys are gone through once for as many new rows as there were old ones.
        if paired == i64::MAX || self.new > NEW_ROWS_MIN.max(self.count - self.new) {
            let (before_us, mut done) = (self.before_us, 0);
            self.partners.retain(|partners| {
                let is_over = |time: i64| time.saturating_add(before_us) < paired || paired == i64::MAX;
                done += partners.rows.take_while(is_over).len();
                !partners.rows.is_empty()
            });
            (self.count, self.new) = (self.count - done, 0);
            self.held[1].release(done);
        }
        if self.held[0].is_wasteful() {
            self.held[0].keep(self.waiting.rows_mut().map(|row| &mut row.place));
        }
        if self.held[1].is_wasteful() {
            let rows = self.partners.iter_mut().flat_map(|partners| partners.rows.rows_mut());
            self.held[1].keep(rows.map(|row| &mut row.place));
        }
    }
}

/// The first and the last time that a partner can have; none where these are beyond all time.
fn interval(time: i64, before_us: i64, after_us: i64) -> Option<(i64, i64)> {
    let first = i128::from(time) - i128::from(before_us);
    let last = i128::from(time) + i128::from(after_us);
    let all = i128::from(i64::MIN)..=i128::from(i64::MAX);
    let first = i64::try_from(first.max(*all.start())).ok()?;
    let last = i64::try_from(last.min(*all.end())).ok()?;
    Some((first, last))
}

mod spill;

use spill::Spill;

#[cfg(test)]
mod tests;
