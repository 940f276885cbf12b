//! The rows of whole groups that memory has no room for, or that others read: in a store.
//!
//! A row's name is its key, its time, and its number among the rows that came: so the rows of a pane
//! stand there group by group, each in the order in which the function sees it. A row is put there once, and
//! leaves memory. A window of which rows are there puts the others there too, and is read back in the
//! order of keys; where results are due for what has changed, these groups are looked up.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::{Array, ArrayRef, BinaryArray};

use super::{GroupMap, Kept, Place};
use crate::checkpoint::Frozen;
use crate::error::Result;
use crate::flow::cut::Sections;
use crate::flow::stored_rows::{ChunkPart, Chunks, Setting, StoredRows, name};
use crate::flow::window::assign::{PaneId, Slices};
use crate::flow::window::fire::Fired;
use crate::flow::window::fold::Windows;
use crate::flow::window::keys::Key;
use crate::flow::window::pane::Pane;
use crate::flow::window::panes;
use crate::flow::window::place::Open;
use crate::flow::window::ready::Due;
use crate::flow::window::spill::{pane_of, place};
use crate::state::{self, Stores};
use crate::types::{DataType, Field};

/// Rows of a group that are looked up at once, at first.
const LOOKED_UP: usize = 64;

/// A store of rows and what is known of it.
#[derive(Debug)]
pub(super) struct Stored {
    rows: StoredRows,
    memory_bytes: usize,
    /// Whether others read it, so that rows have to be there.
    is_read: bool,
    /// Panes that have rows there.
    panes: BTreeSet<PaneId>,
}

/// Rows with their keys.
type Rows<'a> = Vec<(&'a [u8], Place)>;

impl GroupMap {
    /// Puts rows into a store, if there is one, where they are read or memory has no room for them.
    pub(in crate::flow::window) fn keep_in(
        &mut self,
        stores: &Stores,
        step: &str,
        key: &[Field],
        (worker, workers): (usize, usize),
        restored: Option<Sections<'_>>,
    ) -> Result<()> {
        let behind = [("time", DataType::Timestamp), ("came", DataType::Int64)];
        let behind = behind.map(|(name, data_type)| Field::new(name, data_type, false));
        let (front, columns, by_key) = (&[], &*self.fields, true);
        let behind = &behind;
        let setting = Setting { step, index: None, key, front, behind, columns, worker, workers, by_key, restored };
        let (memory_bytes, is_read) = (stores.memory_bytes() / workers, stores.are_read());
        let rows = StoredRows::open(stores, &setting)?;
        self.stored = rows.map(|rows| Stored { rows, memory_bytes, is_read, panes: BTreeSet::new() });
        Ok(())
    }

    /// Whether there is a store.
    pub(in crate::flow::window) fn is_stored(&self) -> bool {
        self.stored.is_some()
    }

    /// Whether a pane has rows in a store.
    pub(in crate::flow::window) fn has_stored(&self, id: PaneId) -> bool {
        self.stored.as_ref().is_some_and(|stored| stored.panes.contains(&id))
    }

    /// About how many bytes rows in stores take.
    pub(in crate::flow::window) fn stored_bytes(&self) -> u64 {
        self.stored.as_ref().map_or(0, |stored| stored.rows.bytes())
    }

    /// Moves the rows of panes to the store.
    fn put<'p>(
        &mut self,
        slices: Slices,
        panes: impl Iterator<Item = (PaneId, &'p Pane)>,
        batch_rows: usize,
    ) -> Result<()> {
        let Some(mut stored) = self.stored.take() else { return Ok(()) };
        let has_rows = |pane: &Pane| pane.slots.iter().any(|slot| !self.of(*slot).is_empty());
        let panes: Vec<(PaneId, &Pane)> = panes.filter(|(_, pane)| has_rows(pane)).collect();
        stored.panes.extend(panes.iter().map(|(id, _)| *id));
        let mut batches = panes.iter().flat_map(|(id, pane)| {
            let mut rows: Rows<'_> = Vec::new();
            for (key, slot) in pane.sorted().into_iter().map(|key| pane.entry(key)) {
                let from = rows.len();
                rows.extend(self.of(slot).iter().map(|place| (key.bytes, *place)));
                rows[from..].sort_unstable_by_key(|(_, place)| *place);
            }
            let batch = |rows: &[(&[u8], Place)]| {
                let names = rows.iter().map(|(key, row)| name(&[], key, &[row.time, row.came as i64]));
                let places: Vec<Place> = rows.iter().map(|(_, place)| *place).collect();
                (place(slices, *id), BinaryArray::from_iter_values(names), self.gather(&places))
            };
            rows.chunks(batch_rows).map(batch).collect::<Vec<_>>()
        });
        let put = stored.rows.put(&mut batches);
        self.stored = Some(stored);
        put?;
        panes.iter().for_each(|(_, pane)| self.forget(&pane.slots));
        Ok(())
    }

    /// The rows of a slot.
    fn of(&self, slot: u32) -> &[Place] {
        self.slots.get(slot as usize).map_or(&[], Vec::as_slice)
    }

    /// Takes in rows that were read; they stay until they are let go.
    fn hold(&mut self, names: &BinaryArray, columns: Vec<ArrayRef>) -> Vec<Place> {
        let Some(stored) = &self.stored else { return Vec::new() };
        let number = |name: &[u8], number: usize| stored.rows.behind(name, number);
        let of = |(name, row): (&[u8], u32)| (number(name, 0), number(name, 1) as u64, row);
        let rows: Vec<(i64, u64, u32)> = names.iter().flatten().zip(0..).map(of).collect();
        let batch = self.add(Kept::new(columns, rows.len()));
        rows.into_iter().map(|(time, came, row)| Place { time, came, batch, row }).collect()
    }

    /// The rows of a group of a pane that are in the store, which are held from now on.
    fn look_up(&mut self, pane: state::Pane, key: &[u8]) -> Result<Vec<Place>> {
        let (mut found, mut after, mut count) = (Vec::new(), key.to_vec(), LOOKED_UP);
        loop {
            let Some(stored) = &mut self.stored else { return Ok(found) };
            let Some((names, columns)) = stored.rows.page(pane, Some(&after), count)? else { return Ok(found) };
            let of_key = names.iter().flatten().take_while(|name| stored.rows.key(name) == key).count();
            let columns = columns.iter().map(|column| column.slice(0, of_key)).collect();
            if of_key > 0 {
                found.extend(self.hold(&names.slice(0, of_key), columns));
            }
            if of_key < count {
                return Ok(found);
            }
            (after, count) = (names.value(of_key - 1).to_vec(), count * 4);
        }
    }
}

impl Windows {
    /// Begins to fire a window of which rows are in a store: puts its others there too.
    pub(in crate::flow::window) fn begin_stored_groups(
        &mut self,
        due: &panes::Due,
        (slices, open): (Slices, &BTreeMap<PaneId, Pane>),
    ) -> Result<Chunks> {
        if let Some(map) = &mut self.group_map {
            map.put(slices, due.panes.iter().map(|id| (*id, &open[id])), self.batch_rows)?;
        }
        Ok(Chunks::new(due.panes.iter().map(|id| (0, place(slices, *id))), self.batch_rows))
    }

    /// Gives the results of the window's next groups. Whether there may be more.
    pub(in crate::flow::window) fn fire_stored_groups(
        &mut self,
        chunks: &mut Chunks,
        of: Due<'_>,
        fired: i64,
        out: &mut dyn Fired,
    ) -> Result<bool> {
        let Some(map) = &mut self.group_map else { return Ok(false) };
        let Some(stored) = &mut map.stored else { return Ok(false) };
        let Some(parts) = chunks.next(&mut [&mut stored.rows])? else { return Ok(false) };
        let mut rows: Rows<'_> = Vec::new();
        for ChunkPart { names, columns, .. } in &parts {
            let places = map.hold(names, columns.clone());
            let Some(stored) = &map.stored else { return Ok(false) };
            rows.extend(names.iter().flatten().map(|name| stored.rows.key(name)).zip(places));
        }
        rows.sort_unstable();
        self.give_rows(of, &rows, fired, out);
        self.let_rows_go(rows.into_iter().map(|(_, place)| place));
        Ok(true)
    }

    /// Gives the results of a window's groups that have changed.
    pub(in crate::flow::window) fn fire_changed_groups(
        &mut self,
        of: Due<'_>,
        due: &panes::Due,
        (slices, open): (Slices, &BTreeMap<PaneId, Pane>),
        fired: i64,
        out: &mut dyn Fired,
    ) -> Result<()> {
        let changed = due.changed(open);
        let (mut rows, mut read): (Rows<'_>, Vec<Place>) = (Vec::new(), Vec::new());
        let last = changed.last().copied();
        for key in changed {
            let Some(map) = &mut self.group_map else { return Ok(()) };
            let from = rows.len();
            for id in &due.panes {
                if let Some(slot) = open[id].find(Key::of(key)) {
                    rows.extend(map.of(slot).iter().map(|place| (key, *place)));
                }
                if map.has_stored(*id) {
                    let found = map.look_up(place(slices, *id), key)?;
                    rows.extend(found.iter().map(|place| (key, *place)));
                    read.extend(found);
                }
            }
            rows[from..].sort_unstable();
            if rows.len() >= self.batch_rows || Some(key) == last {
                self.give_rows(of, &rows, fired, out);
                self.let_rows_go(read.drain(..));
                rows.clear();
            }
        }
        Ok(())
    }

    /// Gives what the function makes of groups, by their rows in the order of (key, time, arrival), as many at
    /// once as fit a batch.
    fn give_rows(&mut self, of: Due<'_>, rows: &[(&[u8], Place)], fired: i64, out: &mut dyn Fired) {
        let (mut keys, mut places, mut groups) = (Vec::new(), Vec::new(), Vec::new());
        for of_key in rows.chunk_by(|a, b| a.0 == b.0) {
            places.extend(of_key.iter().map(|(_, place)| *place));
            groups.resize(places.len(), keys.len() as u32);
            keys.push(Due { key: of_key[0].0, ..of });
            if places.len() >= self.batch_rows {
                self.map_groups(&keys, &places, &groups, fired, out);
                (keys, places, groups) = (Vec::new(), Vec::new(), Vec::new());
            }
        }
        if !keys.is_empty() {
            self.map_groups(&keys, &places, &groups, fired, out);
        }
    }

    fn let_rows_go(&mut self, rows: impl Iterator<Item = Place>) {
        if let Some(map) = &mut self.group_map {
            map.let_go(rows);
        }
    }

    /// Moves all rows to the store where they take more memory than they may. The keys of panes of which
    /// results are due for what has changed stay.
    pub(in crate::flow::window) fn make_room_for_rows(&mut self) -> Result<()> {
        let (Some(map), Open::Panes(panes)) = (&mut self.group_map, &mut self.open) else { return Ok(()) };
        let Some(stored) = &map.stored else { return Ok(()) };
        if panes.size().1 + map.bytes() <= stored.memory_bytes {
            return Ok(());
        }
        map.put(panes.slices, panes.open.iter().map(|(id, pane)| (*id, pane)), self.batch_rows)?;
        let quiet: Vec<PaneId> = panes.quiet().map(|(id, _)| id).collect();
        quiet.into_iter().for_each(|id| drop(panes.forget(id)));
        Ok(())
    }

    /// Moves all rows to the store, if there is one, and gives what is there.
    pub(in crate::flow::window) fn freeze_rows(&mut self) -> Result<Option<Frozen>> {
        let (Some(map), Open::Panes(panes)) = (&mut self.group_map, &mut self.open) else { return Ok(None) };
        map.put(panes.slices, panes.open.iter().map(|(id, pane)| (*id, pane)), self.batch_rows)?;
        map.stored.as_mut().map_or(Ok(None), |stored| stored.rows.freeze())
    }

    /// Goes on with the rows in the store, behind so many; of the keys only those are in memory whose changes no
    /// early result has told yet.
    pub(in crate::flow::window) fn resume_rows(&mut self, came: u64, unseen: &[(PaneId, &[u8])]) -> Result<()> {
        let (Some(map), Open::Panes(panes)) = (&mut self.group_map, &mut self.open) else { return Ok(()) };
        let Some(stored) = &mut map.stored else { return Ok(()) };
        let all = stored.rows.panes().into_iter().map(|pane| (pane, pane_of(panes.slices, pane)));
        let (over, held): (Vec<_>, Vec<_>) = all.partition(|(_, id)| panes.is_over(*id));
        stored.rows.remove(&over.into_iter().map(|(pane, _)| pane).collect::<Vec<_>>())?;
        for (_, id) in held {
            stored.panes.insert(id);
            panes.open.entry(id).or_default().spilled = true;
        }
        unseen.iter().for_each(|(id, key)| panes.bring(*id, key));
        map.came = came;
        map.grow(panes.slots.count());
        Ok(())
    }

    /// An epoch is complete and its windows have fired: gives up what was closed, and puts rows where
    /// others read them.
    pub(in crate::flow::window) fn settle_rows(&mut self) -> Result<()> {
        let (Some(map), Open::Panes(panes)) = (&mut self.group_map, &mut self.open) else { return Ok(()) };
        let Some(stored) = &mut map.stored else { return Ok(()) };
        let closed: Vec<PaneId> = stored.panes.iter().copied().filter(|id| panes.get(*id).is_none()).collect();
        if !closed.is_empty() {
            let places: Vec<state::Pane> = closed.iter().map(|id| place(panes.slices, *id)).collect();
            stored.rows.remove(&places)?;
            stored.panes.retain(|id| !closed.contains(id));
        }
        if stored.is_read {
            map.put(panes.slices, panes.open.iter().map(|(id, pane)| (*id, pane)), self.batch_rows)?;
        }
        self.make_room_for_rows()
    }
}
