//! What holds of every function that the host can build on: the same for the same, whatever it was called
//! with before.

use super::fails;
use super::report::Check;
use super::samples;
use super::trial::{Trial, row_text};
use crate::function::FaultKind;

/// Batches that are called one after the other: of few rows and many, of other values each.
const BATCHES: [(usize, u64); 5] = [(7, 2), (256, 3), (1, 4), (1024, 5), (33, 6)];

/// Two instances, called with the same.
pub(super) fn deterministic(trial: &Trial<'_>) -> Check {
    let (mut one, mut two) = ((trial.reused)(), (trial.reused)());
    for (n, seed) in BATCHES {
        let rows = samples::rows(&trial.signature.inputs, n, seed);
        match (trial.call(&mut one, &rows, seed), trial.call(&mut two, &rows, seed)) {
            (Ok(one), Ok(two)) => {
                if let Some(difference) = one.difference(&two) {
                    return Check::Broken(format!("two instances disagree on the same {n} rows: {difference}"));
                }
            }
            (Err(one), Err(two)) if one.kind == two.kind => return fails(&one, n),
            (Err(fault), _) | (_, Err(fault)) => {
                return Check::Broken(format!("two instances disagree on the same {n} rows: one {fault}"));
            }
        }
    }
    Check::Held
}

/// An instance that has seen the batches before, and one that has not.
pub(super) fn forgets(trial: &Trial<'_>) -> Check {
    let (mut reused, mut fresh) = ((trial.reused)(), (trial.fresh)());
    for (n, seed) in BATCHES {
        let rows = samples::rows(&trial.signature.inputs, n, seed);
        match (trial.call(&mut reused, &rows, seed), trial.call(&mut fresh, &rows, seed)) {
            (Ok(one), Ok(two)) => {
                if let Some(difference) = one.difference(&two) {
                    return Check::Broken(format!(
                        "an instance that was called before and a fresh one disagree on the same {n} rows: {difference}"
                    ));
                }
            }
            (Err(one), Err(two)) if one.kind == two.kind => return fails(&one, n),
            (Err(fault), _) | (_, Err(fault)) => {
                return Check::Broken(format!(
                    "an instance that was called before and a fresh one disagree: one {fault}"
                ));
            }
        }
    }
    Check::Held
}

/// The edges of its types, a row at a time. A function may well fail on them, but should say so.
pub(super) fn edges(trial: &Trial<'_>) -> Check {
    let rows = samples::edges(&trial.signature.inputs);
    let mut instance = (trial.reused)();
    for row in 0..rows.num_rows() {
        if let Err(fault) = trial.call(&mut instance, &rows.slice(row, 1), 1) {
            let said = format!("on {} it {fault}", row_text(rows.columns(), row));
            return match fault.kind {
                FaultKind::Trap | FaultKind::Refused => Check::Noted(said),
                _ => Check::Broken(said),
            };
        }
    }
    Check::Held
}
