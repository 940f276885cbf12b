//! Panes in checkpoints: a row for each key of each pane.

use arrow_array::RecordBatch;

use super::{Adopted, Kept, SLOTS, UNSEEN, key_column, keys, number_column, numbers};
use crate::checkpoint::Section;
use crate::flow::cut::keyed::{Newer, Pace, batch, table};
use crate::flow::window::assign::PaneId;
use crate::flow::window::keys::Key;
use crate::flow::window::pane::Pane;
use crate::flow::window::panes::Panes;

/// The columns that say whose a slot is: where the pane starts, which window is the first to see it, the key.
pub(super) const COLUMNS: usize = 3;

/// With a store behind them all keys are in it, and here is what it does not know.
pub(super) fn kept(panes: &mut Panes, rewritten: &[PaneId], pace: &mut Pace, stored: bool) -> (bool, Kept) {
    let all = |pane: &Pane| pane.slots.len();
    let changed = |id: &PaneId, pane: &Pane| match rewritten.contains(id) {
        true => all(pane),
        false => pane.unsaved.keys.len(),
    };
    let open = &panes.open;
    let whole =
        stored || pace.is_whole(open.iter().map(|(id, pane)| changed(id, pane)).sum(), open.values().map(all).sum());
    let picked = open.iter().filter(|_| !stored).map(|(id, pane)| {
        let mut keys: Vec<u32> = match whole || rewritten.contains(id) {
            true => (0..pane.slots.len() as u32).collect(),
            false => pane.unsaved.keys.clone(),
        };
        // As they came, which is how they lie in memory.
        keys.sort_unstable();
        (*id, pane, keys)
    });
    let picked: Vec<Picked<'_>> = picked.collect();
    let columns = named(&picked);
    let slots = picked.iter().flat_map(|(_, pane, keys)| keys.iter().map(|key| pane.slots[*key as usize])).collect();
    let unseen: Vec<Picked<'_>> = open.iter().map(|(id, pane)| (*id, pane, pane.unseen.keys.clone())).collect();
    let others = vec![table(UNSEEN, [batch(named(&unseen))])];
    panes.open.values_mut().for_each(|pane| pane.unsaved.clear());
    (whole, Kept { columns, slots, others })
}

/// Some keys of a pane, by their numbers.
type Picked<'a> = (PaneId, &'a Pane, Vec<u32>);

fn named(picked: &[Picked<'_>]) -> Vec<(String, arrow_array::ArrayRef)> {
    let each = |of: fn(PaneId) -> i64| picked.iter().flat_map(move |(id, _, keys)| keys.iter().map(move |_| of(*id)));
    let keys = picked.iter().flat_map(|(_, pane, keys)| keys.iter().map(|key| pane.keys.bytes(*key)));
    vec![
        number_column("start", each(|id| id.start)),
        number_column("seen_from", each(|id| id.seen_from)),
        key_column(keys),
    ]
}

pub(super) fn adopt(
    panes: &mut Panes,
    section: &Section,
    newer: &mut Newer,
    overlap: bool,
    mine: &dyn Fn(&[u8]) -> bool,
) -> Result<Vec<Adopted>, String> {
    let mut all = Vec::new();
    let mut units: Vec<Vec<u8>> = Vec::new();
    for held in section.table(SLOTS) {
        let (starts, seen_froms, keys) = (numbers(held, 0)?, numbers(held, 1)?, keys(held, 2)?);
        let mut adopted = Adopted::new();
        for row in 0..held.num_rows() {
            let (id, key) = (PaneId { start: starts[row], seen_from: seen_froms[row] }, keys.value(row));
            if !mine(key) || panes.is_over(id) {
                continue;
            }
            if overlap {
                let unit = [&id.start.to_le_bytes()[..], &id.seen_from.to_le_bytes(), key].concat();
                if newer.has(&unit) {
                    continue;
                }
                units.push(unit);
            }
            let pane = panes.open.entry(id).or_default();
            let index = pane.index(Key::of(key), &mut panes.slots);
            adopted.push((row as u32, pane.slots[index as usize]));
        }
        all.push(adopted);
    }
    newer.extend(units.iter().map(Vec::as_slice));
    Ok(all)
}

/// The keys, of those that are this worker's, whose changes no early result has told yet.
pub(super) fn unseen<'a>(
    held: &'a RecordBatch,
    mine: &dyn Fn(&[u8]) -> bool,
) -> Result<Vec<(PaneId, &'a [u8])>, String> {
    let (starts, seen_froms, keys) = (numbers(held, 0)?, numbers(held, 1)?, keys(held, 2)?);
    let of = |row: usize| (PaneId { start: starts[row], seen_from: seen_froms[row] }, keys.value(row));
    Ok((0..held.num_rows()).map(of).filter(|(_, key)| mine(key)).collect())
}

pub(super) fn adopt_unseen(panes: &mut Panes, held: &RecordBatch, mine: &dyn Fn(&[u8]) -> bool) -> Result<(), String> {
    for (id, key) in unseen(held, mine)? {
        if let Some(pane) = panes.open.get_mut(&id)
            && let Some(index) = pane.keys.find(Key::of(key))
        {
            pane.unseen.add(index);
            panes.changed.insert(id);
        }
    }
    Ok(())
}

/// The slot of a key in the pane of this start whose rows were late for no window.
pub(super) fn slot(panes: &Panes, start: i64, key: &[u8]) -> Option<u32> {
    let id = PaneId { start, seen_from: panes.slices.ends(start).0 };
    panes.open.get(&id)?.find(Key::of(key))
}
