//! Windows of so many rows in checkpoints: a row for each pane, a row for each key with how many rows it
//! has seen, and the keys that nothing is known of any more.

use std::collections::HashSet;

use super::{Adopted, Kept, SLOTS, key_column, keys, number_column, numbers};
use crate::checkpoint::Section;
use crate::flow::cut::keyed::{Newer, Pace, batch, table};
use crate::flow::window::counts::Counts;

/// The columns that say whose a slot is: the key, the number of the pane's first row, its least and its
/// greatest time.
pub(super) const COLUMNS: usize = 4;

const KEYS: &str = "keys";
const GONE: &str = "gone";

/// With a store behind them all keys are in it, and nothing is here.
pub(super) fn kept(counts: &mut Counts, pace: &mut Pace, stored: bool) -> (bool, Kept) {
    if stored {
        return (true, Kept { columns: Vec::new(), slots: Vec::new(), others: Vec::new() });
    }
    let (all, changed) = counts.keys();
    let whole = pace.is_whole(changed, all);
    let (seen, gone, panes) = counts.kept(whole);
    let seen =
        vec![key_column(seen.iter().map(|(key, _)| *key)), number_column("seen", seen.iter().map(|(_, n)| *n as i64))];
    let gone = if whole { Vec::new() } else { gone };
    let gone = vec![key_column(gone.iter().map(|key| &**key))];
    let columns = vec![
        key_column(panes.iter().map(|p| p.key)),
        number_column("first", panes.iter().map(|p| p.first as i64)),
        number_column("least", panes.iter().map(|p| p.times.0)),
        number_column("greatest", panes.iter().map(|p| p.times.1)),
    ];
    let slots = panes.iter().map(|p| p.slot).collect();
    (whole, Kept { columns, slots, others: vec![table(KEYS, [batch(seen)]), table(GONE, [batch(gone)])] })
}

pub(super) fn adopt(
    counts: &mut Counts,
    section: &Section,
    newer: &mut Newer,
    mine: &dyn Fn(&[u8]) -> bool,
) -> Result<Vec<Adopted>, String> {
    let mut here: HashSet<&[u8]> = HashSet::new();
    for held in section.table(KEYS) {
        let (keys, seen) = (keys(held, 0)?, numbers(held, 1)?);
        for (key, seen) in keys.iter().flatten().zip(seen) {
            if mine(key) && !newer.has(key) {
                counts.adopt_key(key, *seen as u64);
                here.insert(key);
            }
        }
    }
    let mut all = Vec::new();
    for held in section.table(SLOTS) {
        let (keys, firsts, least, greatest) = (keys(held, 0)?, numbers(held, 1)?, numbers(held, 2)?, numbers(held, 3)?);
        let mut adopted = Adopted::new();
        for row in (0..held.num_rows()).filter(|row| here.contains(keys.value(*row))) {
            let slot = counts.adopt(keys.value(row), firsts[row] as u64, (least[row], greatest[row]));
            adopted.push((row as u32, slot));
        }
        all.push(adopted);
    }
    newer.extend(here.iter().copied());
    for held in section.table(GONE) {
        newer.extend(keys(held, 0)?.iter().flatten());
    }
    Ok(all)
}
