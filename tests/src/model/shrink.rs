//! The smallest trial that still fails: fewer partitions, steps and rows, simpler windows, values
//! and settings.
//!
//! Lists are shortened as in Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing
//! Input" (2002): by halves, then quarters, down to single elements, and again as long as anything
//! gets smaller. Everything else is tried in its simplest form.

use weir::flow::Options;
use weir::sandbox::Reuse;

use super::scenario::{Emit, Kind, Window};
use super::trial::Trial;

/// Trials that a failure is worth.
const TRIES: usize = 2000;

/// The smallest trial that is found for which `fails` holds; it does for the one given.
pub(super) fn smallest(trial: Trial, fails: &mut dyn FnMut(&Trial) -> bool) -> Trial {
    let mut search = Search { best: trial, fails, tries: TRIES };
    loop {
        let steps = [Search::settings, Search::lists, Search::window, Search::values];
        let mut smaller = false;
        for step in steps {
            smaller |= step(&mut search);
        }
        if !smaller || search.tries == 0 {
            return search.best;
        }
    }
}

struct Search<'a> {
    best: Trial,
    fails: &'a mut dyn FnMut(&Trial) -> bool,
    /// Trials that are left.
    tries: usize,
}

impl Search<'_> {
    /// Goes on from a changed trial if it fails as well.
    fn keep(&mut self, change: impl FnOnce(&mut Trial)) -> bool {
        let mut changed = self.best.clone();
        change(&mut changed);
        if self.tries == 0 {
            return false;
        }
        self.tries -= 1;
        let fails = (self.fails)(&changed);
        if fails {
            self.best = changed;
        }
        fails
    }

    /// Sets something to its simplest value, where it has another one.
    fn simplify<T: PartialEq>(&mut self, place: impl Fn(&mut Trial) -> &mut T, simplest: T) -> bool {
        *place(&mut self.best) != simplest && self.keep(|trial| *place(trial) = simplest)
    }

    /// Takes elements out of a list, as many at once as can be; `least` have to stay.
    fn shorten<T>(&mut self, list: impl Fn(&mut Trial) -> &mut Vec<T>, least: usize) -> bool {
        let mut shorter = false;
        let mut size = list(&mut self.best).len();
        while size > 0 {
            let mut start = 0;
            loop {
                let length = list(&mut self.best).len();
                let end = (start + size).min(length);
                if start >= length {
                    break;
                }
                match length - (end - start) >= least && self.keep(|trial| drop(list(trial).drain(start..end))) {
                    true => shorter = true,
                    false => start = end,
                }
            }
            size /= 2;
        }
        shorter
    }

    fn settings(&mut self) -> bool {
        let usual = Options::default();
        let mut simpler = self.simplify(|t| &mut t.options.workers, 1);
        simpler |= self.simplify(|t| &mut t.options.reuse, Reuse::UntilFault);
        simpler |= self.simplify(|t| &mut t.options.epoch_rows, usual.epoch_rows);
        // Batches of one row, or else one that has them all.
        let row_by_row = self.simplify(|t| &mut t.options.batch_rows, 1);
        let is_row_by_row = self.best.options.batch_rows == 1;
        simpler | row_by_row | (!is_row_by_row && self.simplify(|t| &mut t.options.batch_rows, usual.batch_rows))
    }

    fn lists(&mut self) -> bool {
        let mut shorter = self.shorten(|t| &mut t.scenario.partitions, 1);
        shorter |= self.shorten(|t| &mut t.scenario.steps, 0);
        for partition in 0..self.best.scenario.partitions.len() {
            shorter |= self.shorten(|t| &mut t.scenario.partitions[partition], 0);
        }
        shorter
    }

    fn window(&mut self) -> bool {
        let simpler = self.simplify(|t| &mut t.scenario.out_of_order_s, 0);
        if self.best.scenario.window.is_none() {
            return simpler;
        }
        if self.keep(|t| t.scenario.window = None) {
            return true;
        }
        // Each says whether there was anything to simplify.
        let simplest: [fn(&mut Window) -> bool; 8] = [
            |w| std::mem::take(&mut w.side),
            |w| std::mem::take(&mut w.whole),
            |w| std::mem::take(&mut w.lateness_s) != 0,
            |w| std::mem::replace(&mut w.emit, Emit::Final) != Emit::Final,
            |w| std::mem::take(&mut w.picky),
            |w| !std::mem::take(&mut w.key).is_empty(),
            |w| std::mem::take(&mut w.offset_s) != 0,
            |w| std::mem::replace(&mut w.kind, Kind::Tumbling) != Kind::Tumbling,
        ];
        simplest.into_iter().fold(simpler, |simpler, change| {
            let mut changed = self.best.scenario.window;
            let differs = changed.as_mut().is_some_and(change);
            simpler | (differs && self.keep(|t| t.scenario.window = changed))
        })
    }

    fn values(&mut self) -> bool {
        let mut simpler = false;
        for partition in 0..self.best.scenario.partitions.len() {
            for row in 0..self.best.scenario.partitions[partition].len() {
                simpler |= self.simplify(|t| &mut t.scenario.partitions[partition][row].k, None);
                simpler |= self.simplify(|t| &mut t.scenario.partitions[partition][row].n, None);
                simpler |= self.simplify(|t| &mut t.scenario.partitions[partition][row].c, 0);
            }
        }
        simpler
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::scenario::{Row, Scenario, Step, options};
    use crate::pipelines::Keep;
    use crate::random::Random;

    /// A random trial that is large enough, with three steps and a window.
    fn large() -> Trial {
        (0..)
            .map(|seed| {
                let mut random = Random::new(seed);
                Trial { scenario: Scenario::random(&mut random), options: options(&mut random), keep: Keep::Memory }
            })
            .find(|t| t.scenario.steps.len() == 3 && t.scenario.window.is_some() && rows(t) > 150)
            .expect("there are such seeds")
    }

    fn rows(trial: &Trial) -> usize {
        trial.scenario.partitions.iter().map(Vec::len).sum()
    }

    #[test]
    fn what_a_failure_needs_stays_and_nothing_else() {
        // Fails where two certain rows meet in small batches behind a certain step.
        let trial = large();
        let all: Vec<Row> = trial.scenario.partitions.concat();
        let (one, other) = (all[20].id.clone(), all[120].id.clone());
        let step = trial.scenario.steps[1];
        let mut tries = 0;
        let found = smallest(trial, &mut |t| {
            tries += 1;
            let ids: Vec<&String> = t.scenario.partitions.iter().flatten().map(|row| &row.id).collect();
            let steps = t.scenario.steps.iter().any(|s| std::mem::discriminant(s) == std::mem::discriminant(&step));
            ids.contains(&&one) && ids.contains(&&other) && steps && t.options.batch_rows < 100
        });
        assert_eq!((rows(&found), found.scenario.steps.len(), found.scenario.window.is_none()), (2, 1, true));
        assert!(found.scenario.partitions.iter().flatten().all(|row| (row.k, row.n, row.c) == (None, None, 0)));
        let Options { workers, batch_rows, epoch_rows, .. } = found.options;
        assert_eq!((workers, batch_rows, epoch_rows), (1, 1, Options::default().epoch_rows));
        assert!(tries < 400, "{tries} tries");
    }

    #[test]
    fn a_window_that_is_needed_is_made_simple() {
        let mut trial = large();
        trial.scenario.steps.push(Step::Double);
        let found = smallest(trial, &mut |t| t.scenario.window.is_some() && t.scenario.partitions.len() > 1);
        let window = found.scenario.window.expect("it is needed");
        assert_eq!((window.kind, window.offset_s, window.key, window.picky), (Kind::Tumbling, 0, &[][..], false));
        assert_eq!((found.scenario.partitions.len(), rows(&found), found.scenario.steps.len()), (2, 0, 0));
    }

    #[test]
    fn it_comes_to_an_end() {
        let mut tries = 0;
        smallest(large(), &mut |_| {
            tries += 1;
            tries % 7 == 0
        });
        assert!(tries <= TRIES);
    }
}
