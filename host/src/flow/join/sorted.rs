//! The two sides of a window, each in the order of keys, and the pairs that they make.
//!
//! Rows of a key come in the order of (time, partition, arrival). Who gives the rows has them in the order of
//! arrival; where they are held is not asked but for keys that are long.

use std::cmp::Ordering;

use super::held::Held;
use super::intake::Row;
use super::pairs::{Pair, Pairs};
use crate::flow::window::keys::prefix;
use crate::plan::JoinKind;

/// Rows of a side in the order in which they are paired, with where they are held.
pub(super) struct Sorted<'a> {
    rows: Vec<Keyed>,
    held: &'a Held,
    long_keys: bool,
}

/// A row with the start of its key, which mostly is all of it: sorting then looks nowhere else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keyed {
    pub(super) prefix: [u64; 2],
    pub(super) row: Row,
}

impl<'a> Sorted<'a> {
    /// Rows of some panes, those of each in the order in which they came, in the order of
    /// (key, time, partition, arrival).
    pub(super) fn new(rows: Vec<Keyed>, held: &'a Held, long_keys: bool) -> Self {
        let mut sorted = Self { rows: Vec::new(), held, long_keys };
        let mut rows = rows;
        // It keeps the order of equals, which is that of their arrival.
        rows.sort_by(|a, b| compare((a, &sorted), (b, &sorted)).then_with(|| a.row.order().cmp(&b.row.order())));
        sorted.rows = rows;
        sorted
    }

    /// The same of rows that were read.
    pub(super) fn of(rows: Vec<Row>, held: &'a Held) -> Self {
        let long_keys = rows.iter().any(|row| held.key(row.place).len() > 16);
        let keyed = |row: Row| Keyed { prefix: prefix(held.key(row.place)), row };
        Self::new(rows.into_iter().map(keyed).collect(), held, long_keys)
    }
}

/// Gives the pairs of a window, whose two sides are each in the order of keys.
pub(super) fn pair(kind: JoinKind, end: i64, lefts: &Sorted<'_>, rights: &Sorted<'_>, pairs: &mut Pairs<'_>) {
    let time = end.saturating_sub(1);
    let (mut l, mut r) = (0, 0);
    while l < lefts.rows.len() {
        let key = lefts.rows[l];
        let same = lefts.rows[l..].iter().take_while(|row| compare((row, lefts), (&key, lefts)).is_eq()).count();
        while r < rights.rows.len() && compare((&rights.rows[r], rights), (&key, lefts)).is_lt() {
            r += 1;
        }
        let partners = rights.rows[r..].iter().take_while(|row| compare((row, rights), (&key, lefts)).is_eq()).count();
        for keyed in &lefts.rows[l..l + same] {
            let mut give = |right| pairs.push(Pair { left: keyed.row, right, time, order: end });
            rights.rows[r..r + partners].iter().for_each(|partner| give(Some(partner.row.place)));
            if partners == 0 && kind == JoinKind::Left {
                give(None);
            }
        }
        (l, r) = (l + same, r + partners);
    }
}

fn compare((a, of_a): (&Keyed, &Sorted<'_>), (b, of_b): (&Keyed, &Sorted<'_>)) -> Ordering {
    a.prefix.cmp(&b.prefix).then_with(|| match of_a.long_keys && of_b.long_keys {
        // Of equal prefixes, either both are the whole key or neither is.
        true => of_a.held.key(a.row.place).cmp(of_b.held.key(b.row.place)),
        false => Ordering::Equal,
    })
}
