//! Panes in checkpoints: a row for each key of each pane.

use super::{Adopted, Kept, SLOTS, UNSEEN, key_column, keys, number_column, numbers};
use crate::checkpoint::Section;
use crate::flow::cut::keyed::{Newer, Pace, batch, table};
use crate::flow::window::assign::PaneId;
use crate::flow::window::keys::Key;
use crate::flow::window::pane::Pane;
use crate::flow::window::panes::Panes;

/// The columns that say whose a slot is: where the pane starts, which window is the first to see it, the key.
pub(super) const COLUMNS: usize = 3;

pub(super) fn kept(panes: &mut Panes, rewritten: &[PaneId], pace: &mut Pace) -> (bool, Kept) {
    let all = |pane: &Pane| pane.slots.len();
    let changed = |id: &PaneId, pane: &Pane| match rewritten.contains(id) {
        true => all(pane),
        false => pane.unsaved.keys.len(),
    };
    let open = &panes.open;
    let whole = pace.is_whole(open.iter().map(|(id, pane)| changed(id, pane)).sum(), open.values().map(all).sum());
    let mut units: Vec<(PaneId, Key<'_>, u32)> = Vec::new();
    for (id, pane) in open {
        match whole || rewritten.contains(id) {
            true => units.extend(pane.entries().map(|(key, slot)| (*id, key, slot))),
            false => units.extend(pane.unsaved.keys.iter().map(|key| {
                let (key, slot) = pane.entry(*key);
                (*id, key, slot)
            })),
        }
    }
    let columns = named(units.iter().map(|(id, key, _)| (*id, *key)));
    let slots = units.iter().map(|(_, _, slot)| *slot).collect();
    let unseen = open.iter().flat_map(|(id, pane)| pane.unseen.keys.iter().map(|key| (*id, pane.entry(*key).0)));
    let others = vec![table(UNSEEN, [batch(named(unseen))])];
    panes.open.values_mut().for_each(|pane| pane.unsaved.clear());
    (whole, Kept { columns, slots, others })
}

fn named<'a>(units: impl Iterator<Item = (PaneId, Key<'a>)>) -> Vec<(String, arrow_array::ArrayRef)> {
    let units: Vec<(PaneId, Key<'_>)> = units.collect();
    vec![
        number_column("start", units.iter().map(|(id, _)| id.start)),
        number_column("seen_from", units.iter().map(|(id, _)| id.seen_from)),
        key_column(units.iter().map(|(_, key)| key.bytes)),
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

pub(super) fn adopt_unseen(
    panes: &mut Panes,
    held: &arrow_array::RecordBatch,
    mine: &dyn Fn(&[u8]) -> bool,
) -> Result<(), String> {
    let (starts, seen_froms, keys) = (numbers(held, 0)?, numbers(held, 1)?, keys(held, 2)?);
    for row in (0..held.num_rows()).filter(|row| mine(keys.value(*row))) {
        let id = PaneId { start: starts[row], seen_from: seen_froms[row] };
        if let Some(pane) = panes.open.get_mut(&id)
            && let Some(index) = pane.keys.find(Key::of(keys.value(row)))
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
