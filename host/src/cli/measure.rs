//! Times the calls of one function, by batch size.
//!
//! A loaded function and rows go in, [`BatchCost`]s come out. Calls are timed one by one on this
//! thread, after a tenth of the time for warming up. An aggregate is measured by `accumulate`,
//! the accumulators of each call being those that the call before returned.

use std::hint::black_box;
use std::time::{Duration, Instant};

use arrow_array::{ArrayRef, RecordBatch};
use weir::function::{Calls, Fault, Input, Kind};

use super::bench::BatchCost;

/// The batch sizes that are measured; a pipeline's default is the last.
pub(super) const BATCH_ROWS: [usize; 4] = [1, 64, 1024, 8192];
/// Rows for each group of an aggregate.
const ROWS_PER_GROUP: usize = 4;

/// What calls cost at each of [`BATCH_ROWS`], in this time altogether. `rows` has at least as many
/// rows as the largest batch.
pub(super) fn batches(
    calls: &mut dyn Calls,
    kind: Kind,
    rows: &RecordBatch,
    time: Duration,
) -> Result<Vec<BatchCost>, Fault> {
    let each = time / BATCH_ROWS.len() as u32;
    BATCH_ROWS.iter().map(|size| batch(calls, kind, &rows.slice(0, *size), each)).collect()
}

fn batch(calls: &mut dyn Calls, kind: Kind, rows: &RecordBatch, time: Duration) -> Result<BatchCost, Fault> {
    let n = rows.num_rows();
    let groups: Vec<u32> = (0..n).map(|row| (row / ROWS_PER_GROUP) as u32).collect();
    let groups_count = n.div_ceil(ROWS_PER_GROUP);
    let holds = matches!(kind, Kind::Aggregate | Kind::StatefulMapper);
    let mut held = if holds { calls.create(groups_count)? } else { Vec::new() };
    let mut call = |calls: &mut dyn Calls| -> Result<Duration, Fault> {
        let input = input(n, rows.columns());
        let started = Instant::now();
        match kind {
            Kind::Mapper => drop(black_box(calls.map(input)?)),
            Kind::Filter => drop(black_box(calls.filter(input)?)),
            Kind::FlatMapper => drop(black_box(calls.flat_map(input)?)),
            Kind::Aggregate => {
                held = calls.accumulate(self::input(groups_count, &held), &groups, input)?.accumulators;
            }
            Kind::StatefulMapper => {
                held = calls.stateful_map(self::input(groups_count, &held), &groups, input)?.states;
            }
            Kind::GroupMapper => drop(black_box(calls.map_groups(groups_count, &groups, input)?)),
        }
        Ok(started.elapsed())
    };
    let warm = Instant::now();
    while warm.elapsed() < time / 10 {
        call(calls)?;
    }
    let mut times = Vec::new();
    let started = Instant::now();
    while times.is_empty() || started.elapsed() < time * 9 / 10 {
        times.push(call(calls)?);
    }
    Ok(cost(n, times))
}

fn input(rows: usize, columns: &[ArrayRef]) -> Input<'_> {
    Input { rows, columns, now: 0, seed: 0 }
}

/// The cost of calls that took these times, of which there is at least one.
fn cost(rows: usize, mut times: Vec<Duration>) -> BatchCost {
    times.sort_unstable();
    let per_row = |time: Option<&Duration>| time.map_or(0.0, |t| t.as_nanos() as f64 / rows as f64);
    BatchCost {
        rows: rows as u64,
        calls: times.len() as u64,
        ns_per_row_min: per_row(times.first()),
        ns_per_row_median: per_row(times.get(times.len() / 2)),
        ns_per_row_max: per_row(times.last()),
    }
}

/// The median time of making something, in microseconds.
pub(super) fn median_us(mut make: impl FnMut() -> Result<(), Fault>) -> Result<f64, Fault> {
    let mut times = Vec::new();
    for _ in 0..101 {
        let started = Instant::now();
        make()?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    Ok(times[times.len() / 2].as_nanos() as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_by_row_and_the_median_is_in_the_middle() {
        let times = [900, 100, 300].map(Duration::from_nanos).to_vec();
        let expected =
            BatchCost { rows: 10, calls: 3, ns_per_row_min: 10.0, ns_per_row_median: 30.0, ns_per_row_max: 90.0 };
        assert_eq!(cost(10, times), expected);
    }
}
