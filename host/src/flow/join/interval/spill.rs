//! Interval joins whose rows are not all in memory.
//!
//! On the shelves are panes of time, each as long as an interval, so that a left row's partners are in a few of
//! them; a pane is given up when all of it is over. Left rows are read once, in the order of time. Their
//! partners are looked up for a batch of them at a time, key by key, and put together with those that
//! are in memory, which came later.

use std::collections::{BTreeMap, BTreeSet};

use super::super::held::Held;
use super::super::intake::Row;
use super::super::pairs::{Give, Shape};
use super::super::shelf::Shelf;
use super::super::timeline::Timeline;
use super::{Intervals, interval};
use crate::checkpoint::Frozen;
use crate::error::Result;
use crate::state::Pane;

/// Panes are not shorter: each is asked for on its own.
const PANE_US_MIN: i64 = 1_000_000;

/// Rows of a key that are read at once: mostly there are few.
const LOOKED_UP: usize = 16;

/// The shelves of both sides.
#[derive(Debug)]
pub(super) struct Spill {
    shelves: [Shelf; 2],
    pane_us: i64,
    /// The starts of panes with something on a shelf.
    stored: [BTreeSet<i64>; 2],
    /// Whether rows are on a shelf alone.
    used: [bool; 2],
}

impl Spill {
    pub(super) fn new(shelves: [Shelf; 2], before_us: i64, after_us: i64) -> Self {
        let pane_us = before_us.saturating_add(after_us).max(PANE_US_MIN);
        Self { shelves, pane_us, stored: Default::default(), used: [false; 2] }
    }

    /// Whether rows have to be looked for on a shelf.
    pub(super) fn is_used(&self) -> bool {
        self.used.contains(&true)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.shelves.iter().map(Shelf::bytes).sum()
    }

    /// Whether a side's rows have to leave memory: they take more of it than they may. Where others read them they are
    /// on the shelf as well, and once some are there alone, all are.
    pub(super) fn is_full(&self, side: usize, bytes: usize) -> bool {
        let shelf = &self.shelves[side];
        bytes > shelf.memory_bytes || (shelf.is_read && self.used[side] && bytes > 0)
    }

    /// Notes rows that have come: they are put on the shelf where others read it.
    pub(super) fn note(&mut self, side: usize, held: &Held, rows: &[Row]) -> Result<()> {
        match self.shelves[side].is_read {
            true => self.write(side, held, rows.to_vec()),
            false => Ok(()),
        }
    }

    /// Puts all rows of a side on its shelf, and from now on they are there alone.
    pub(super) fn put(&mut self, side: usize, held: &Held, rows: Vec<Row>) -> Result<()> {
        self.used[side] = true;
        match self.shelves[side].is_read {
            true => Ok(()),
            false => self.write(side, held, rows),
        }
    }

    fn write(&mut self, side: usize, held: &Held, rows: Vec<Row>) -> Result<()> {
        let mut panes: BTreeMap<Pane, Vec<Row>> = BTreeMap::new();
        for row in rows {
            panes.entry(self.pane(row.time)).or_default().push(row);
        }
        if panes.is_empty() {
            return Ok(());
        }
        self.stored[side].extend(panes.keys().map(|pane| pane.start));
        self.shelves[side].put(held, panes)
    }

    /// Gives up the panes that are over on both sides: those whose last time is.
    pub(super) fn remove(&mut self, left: &dyn Fn(i64) -> bool, right: &dyn Fn(i64) -> bool) -> Result<()> {
        for (side, is_over) in [left, right].into_iter().enumerate() {
            let last = |start: i64| start.saturating_add(self.pane_us - 1);
            let over: Vec<i64> = self.stored[side].iter().copied().take_while(|start| is_over(last(*start))).collect();
            if over.is_empty() {
                continue;
            }
            self.stored[side].retain(|start| !over.contains(start));
            self.used[side] &= !self.stored[side].is_empty();
            let over: Vec<Pane> = over.into_iter().map(|start| Pane { start, variant: 0 }).collect();
            self.shelves[side].remove(&over)?;
        }
        Ok(())
    }

    /// What is on the shelves, as files that stay as they are.
    pub(super) fn freeze(&mut self) -> Result<Vec<Frozen>> {
        let frozen = self.shelves.iter_mut().map(|shelf| shelf.stored().freeze()).collect::<Result<Vec<_>>>()?;
        Ok(frozen.into_iter().flatten().collect())
    }

    /// How many rows have been put on each shelf.
    pub(super) fn came(&self) -> [i64; 2] {
        self.shelves.each_ref().map(Shelf::came)
    }

    /// Goes on with what is on the shelves, behind so many rows.
    pub(super) fn resume(&mut self, came: [i64; 2]) {
        for (side, came) in came.into_iter().enumerate() {
            let panes = self.shelves[side].resume(came);
            self.used[side] = !panes.is_empty();
            self.stored[side] = panes.into_iter().map(|pane| pane.start).collect();
        }
    }

    fn pane(&self, time: i64) -> Pane {
        Pane { start: time.saturating_sub(time.rem_euclid(self.pane_us)), variant: 0 }
    }
}

impl Intervals {
    /// Gives the pairs of left rows that are due: those from memory, or all from the shelf. Rows before
    /// `before` were paired earlier.
    pub(super) fn fire_spilled(
        &mut self,
        before: i64,
        due: Vec<Row>,
        is_paired: &dyn Fn(i64) -> bool,
        shape: &Shape,
        give: &mut Give<'_>,
    ) -> Result<()> {
        let Some(mut spill) = self.spill.take() else { return Ok(()) };
        let mut given = 0;
        if !spill.used[0] {
            for due in due.chunks(shape.batch_rows()) {
                given = self.pair_spilled(&mut spill, given, due, &self.held[0], shape, give)?;
            }
        } else {
            if !spill.shelves[0].is_read {
                spill.write(0, &self.held[0], due)?;
            }
            let panes: Vec<i64> = spill.stored[0].iter().copied().take_while(|start| is_paired(*start)).collect();
            for start in panes {
                let mut after = Some(spill.shelves[0].before(&[], before)).filter(|_| before > start);
                while let Some(page) =
                    spill.shelves[0].page(Pane { start, variant: 0 }, after.as_deref(), shape.batch_rows())?
                {
                    let count = page.rows.iter().take_while(|row| is_paired(row.time)).count();
                    let mut held = self.intakes[0].held();
                    let rows = page.hold(0..count, &mut held);
                    given = self.pair_spilled(&mut spill, given, &rows, &held, shape, give)?;
                    if count < page.rows.len() {
                        break;
                    }
                    after = Some(page.last);
                }
            }
        }
        self.spill = Some(spill);
        Ok(())
    }

    /// Gives the pairs of some left rows.
    fn pair_spilled(
        &self,
        spill: &mut Spill,
        given: u64,
        due: &[Row],
        left: &Held,
        shape: &Shape,
        give: &mut Give<'_>,
    ) -> Result<u64> {
        let mut wanted: BTreeMap<&[u8], (i64, i64)> = BTreeMap::new();
        for row in due {
            let Some((first, last)) = interval(row.time, self.before_us, self.after_us) else { continue };
            let (from, to) = wanted.entry(left.key(row.place)).or_insert((first, last));
            (*from, *to) = (first.min(*from), last.max(*to));
        }
        let (mut held, mut partners) = (self.intakes[1].held(), BTreeMap::<&[u8], Timeline>::new());
        if spill.used[1] {
            for start in spill.stored[1].clone() {
                let end = start.saturating_add(spill.pane_us - 1);
                for (key, (first, last)) in wanted.iter().filter(|(_, (first, last))| *first <= end && *last >= start) {
                    let rows = spill.look_up(Pane { start, variant: 0 }, key, (*first, *last), &mut held)?;
                    partners.entry(*key).or_default().extend(rows);
                }
            }
        }
        for (key, (first, last)) in &wanted {
            let Some(of_key) = self.partners_of(key) else { continue };
            let rows: Vec<Row> = of_key.between(*first, *last).copied().collect();
            if rows.is_empty() {
                continue;
            }
            let places = held.push(self.held[1].rows_of(rows.iter().map(|row| row.place)));
            let rows: Vec<Row> = rows.iter().zip(places).map(|(row, place)| Row { place, ..*row }).collect();
            partners.entry(*key).or_default().extend(rows);
        }
        Ok(self.pair(given, due, [left, &held], &|key| partners.get(key), shape, give))
    }
}

impl Spill {
    /// The right rows of a key and of these times in a pane, which are held from now on.
    fn look_up(&mut self, pane: Pane, key: &[u8], (first, last): (i64, i64), held: &mut Held) -> Result<Vec<Row>> {
        let (mut rows, mut count) = (Vec::new(), LOOKED_UP);
        let mut after = self.shelves[1].before(key, first);
        while let Some(page) = self.shelves[1].page(pane, Some(&after), count)? {
            let wanted = |row: &usize| page.key(*row) == key && page.rows[*row].time <= last;
            let found = (0..page.rows.len()).take_while(wanted).count();
            rows.extend(page.hold(0..found, held));
            if found < count {
                break;
            }
            (after, count) = (page.last, count * 4);
        }
        Ok(rows)
    }
}
