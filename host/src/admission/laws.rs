//! Whether an aggregate's `merge` agrees with its `accumulate`: rows folded one after the other come to the same as
//! rows folded in two parts that are merged. Windows of several panes build on it.
//!
//! Three laws, for rows `a` and `b` in the stream's order and the empty accumulator `0`:
//!
//! 1. `accumulate(accumulate(0, a), b) = accumulate(0, ab)`: batches do not show.
//! 2. `merge(accumulate(0, a), accumulate(0, b)) = accumulate(0, ab)`: panes do not show.
//! 3. `merge(0, x) = x = merge(x, 0)`: empty panes do not show.
//!
//! Results are compared, not accumulators; floats about, since sums of parts round otherwise. The
//! order of rows may show: the host keeps it. Small examples come first, so that what is found is small.

use arrow_array::{ArrayRef, RecordBatch};

use super::report::Check;
use super::samples;
use super::trial::{Trial, alike, row_text};
use crate::function::{Calls, Fault, Input, Kind};
use crate::sandbox::Instance;

/// Numbers of rows that are split; each everywhere, up to so many places.
const SIZES: [usize; 9] = [1, 2, 3, 4, 5, 8, 13, 40, 200];
const PLACES_MAX: usize = 5;
/// Other values for each number of rows.
const SEEDS: u64 = 4;

/// Whether the laws hold, or an example where one does not.
pub(super) fn agree(trial: &Trial<'_>) -> Check {
    if trial.signature.kind != Kind::Aggregate {
        return Check::Absent;
    }
    let mut folding = Folding { instance: (trial.reused)() };
    for n in SIZES {
        for seed in 0..SEEDS {
            let rows = samples::rows(&trial.signature.inputs, n, 100 + seed);
            let places = (0..=n).step_by((n / PLACES_MAX).max(1));
            for place in places {
                match folding.check(&rows, place) {
                    Ok(None) => {}
                    Ok(Some(example)) => return Check::Broken(example),
                    Err(fault) => return Check::Broken(format!("while rows were split it {fault}")),
                }
            }
        }
    }
    Check::Held
}

struct Folding {
    instance: Instance,
}

impl Folding {
    fn empty(&mut self) -> Result<Vec<ArrayRef>, Fault> {
        self.instance.create(1)
    }

    fn accumulate(&mut self, held: &[ArrayRef], rows: &RecordBatch) -> Result<Vec<ArrayRef>, Fault> {
        let input = input(rows.num_rows(), rows.columns());
        let groups = vec![0; rows.num_rows()];
        Ok(self.instance.accumulate(self::input(1, held), &groups, input)?.accumulators)
    }

    fn merge(&mut self, held: &[ArrayRef], other: &[ArrayRef]) -> Result<Vec<ArrayRef>, Fault> {
        self.instance.merge(input(1, held), &[0], input(1, other))
    }

    fn check(&mut self, rows: &RecordBatch, place: usize) -> Result<Option<String>, Fault> {
        let (a, b) = (rows.slice(0, place), rows.slice(place, rows.num_rows() - place));
        let empty = self.empty()?;
        let whole = self.accumulate(&empty, rows)?;
        let first = self.accumulate(&empty, &a)?;
        let second = self.accumulate(&empty, &b)?;
        let in_turn = self.accumulate(&first, &b)?;
        let merged = self.merge(&first, &second)?;
        let (behind, before) = (self.merge(&whole, &empty)?, self.merge(&empty, &whole)?);
        let expected = self.instance.finish(input(1, &whole))?;
        let (a, b) = (listed(&a), listed(&b));
        for (found, how) in [
            (in_turn, format!("accumulate {a}, then {b}")),
            (merged, format!("merge {a} with {b}")),
            (behind, format!("merge all of {a} and {b} with an empty accumulator")),
            (before, format!("merge an empty accumulator with all of {a} and {b}")),
        ] {
            let found = self.instance.finish(input(1, &found))?;
            if !found.iter().zip(&expected).all(|(found, expected)| alike(found, expected)) {
                let (found, expected) = (row_text(&found, 0), row_text(&expected, 0));
                return Ok(Some(format!("{how}: {found}; all accumulated at once: {expected}")));
            }
        }
        Ok(None)
    }
}

/// Rows as a list, the first few of them.
fn listed(rows: &RecordBatch) -> String {
    const SHOWN: usize = 8;
    let mut all: Vec<_> = (0..rows.num_rows().min(SHOWN)).map(|row| row_text(rows.columns(), row)).collect();
    if rows.num_rows() > SHOWN {
        all.push(format!("{} more", rows.num_rows() - SHOWN));
    }
    format!("[{}]", all.join(", "))
}

fn input(rows: usize, columns: &[ArrayRef]) -> Input<'_> {
    Input { rows, columns, now: 0, seed: 0 }
}
