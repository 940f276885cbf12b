//! Sessions in checkpoints: a row for each slot; all sessions of a key together.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::UInt32Type;
use arrow_array::{RecordBatch, UInt32Array};

use super::{Adopted, Kept, SLOTS, UNSEEN, key_column, keys, number_column, numbers};
use crate::checkpoint::Section;
use crate::flow::cut::keyed::{Newer, Pace, batch, table};
use crate::flow::window::sessions::Sessions;

/// The columns that say whose a slot is: the key, the session's start and end, its place in the session.
pub(super) const COLUMNS: usize = 4;

/// With a store behind them all keys are in it, and here is what it does not know.
pub(super) fn kept(sessions: &mut Sessions, pace: &mut Pace, stored: bool) -> (bool, Kept) {
    let (all, changed) = sessions.keys();
    let whole = stored || pace.is_whole(changed, all);
    let unseen = sessions.unseen();
    let unseen =
        vec![key_column(unseen.iter().map(|(key, _)| *key)), number_column("start", unseen.iter().map(|(_, s)| *s))];
    let others = vec![table(UNSEEN, [batch(unseen)])];
    let kept = if stored { Vec::new() } else { sessions.kept(whole) };
    let columns = vec![
        key_column(kept.iter().map(|k| k.key)),
        number_column("start", kept.iter().map(|k| k.start)),
        number_column("end", kept.iter().map(|k| k.end)),
        ("place".to_owned(), Arc::new(UInt32Array::from_iter_values(kept.iter().map(|k| k.place))) as _),
    ];
    let slots = kept.iter().map(|k| k.slot).collect();
    (whole, Kept { columns, slots, others })
}

pub(super) fn adopt(
    sessions: &mut Sessions,
    section: &Section,
    newer: &mut Newer,
    overlap: bool,
    mine: &dyn Fn(&[u8]) -> bool,
) -> Result<Vec<Adopted>, String> {
    let mut all = Vec::new();
    for held in section.table(SLOTS) {
        let (keys, starts, ends) = (keys(held, 0)?, numbers(held, 1)?, numbers(held, 2)?);
        let places = held.column(3).as_primitive_opt::<UInt32Type>().ok_or("a column of places is missing")?;
        let mut adopted = Adopted::new();
        for row in 0..held.num_rows() {
            let key = keys.value(row);
            if mine(key)
                && !newer.has(key)
                && let Some(slot) = sessions.adopt(key, starts[row], ends[row], places.value(row))
            {
                adopted.push((row as u32, slot));
            }
        }
        all.push(adopted);
    }
    if overlap {
        for held in section.table(SLOTS) {
            newer.extend(keys(held, 0)?.iter().flatten());
        }
    }
    Ok(all)
}

pub(super) fn adopt_unseen(
    sessions: &mut Sessions,
    held: &RecordBatch,
    mine: &dyn Fn(&[u8]) -> bool,
) -> Result<(), String> {
    let (keys, starts) = (keys(held, 0)?, numbers(held, 1)?);
    for row in (0..held.num_rows()).filter(|row| mine(keys.value(*row))) {
        sessions.adopt_unseen(keys.value(row), starts[row]);
    }
    Ok(())
}
