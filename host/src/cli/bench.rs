//! What a function costs, for people. Pure: a [`BenchResult`] in, text out; as JSON it is printed
//! just as it stands.

use std::time::Duration;

use serde::Serialize;

use super::text::{self, Align};

/// What was measured of a function.
#[derive(Clone, Debug, Serialize)]
pub(super) struct BenchResult {
    /// The function, as its signature reads.
    pub(super) function: String,
    /// What the rows were.
    pub(super) rows_from: String,
    /// One for each batch size, the smallest first; the first has one row.
    pub(super) batches: Vec<BatchCost>,
    /// Microseconds to make an instance, the median.
    pub(super) instantiate_us: f64,
    /// Milliseconds to compile the component.
    pub(super) compile_ms: f64,
    /// Size of the component.
    pub(super) component_bytes: u64,
}

/// What calls of one batch size cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct BatchCost {
    /// Rows in a call.
    pub(super) rows: u64,
    /// Calls that were timed.
    pub(super) calls: u64,
    /// Nanoseconds a row, the least of the calls.
    pub(super) ns_per_row_min: f64,
    /// The median of the calls.
    pub(super) ns_per_row_median: f64,
    /// The most.
    pub(super) ns_per_row_max: f64,
}

/// The costs by batch size, and what is paid once.
pub(super) fn render(result: &BenchResult) -> String {
    let mut rows = vec![["rows", "calls", "ns/row", "least", "most", "rows/s"].map(str::to_owned).to_vec()];
    rows.extend(result.batches.iter().map(|b| {
        vec![
            text::count(b.rows),
            text::count(b.calls),
            text::decimal(b.ns_per_row_median),
            text::decimal(b.ns_per_row_min),
            text::decimal(b.ns_per_row_max),
            text::count((1e9 / b.ns_per_row_median.max(0.001)).round() as u64),
        ]
    }));
    let time = |seconds: f64| text::duration(Duration::from_secs_f64(seconds.max(0.0)));
    let call = result.batches.first().map(|b| time(b.ns_per_row_median / 1e9));
    format!(
        "{}\n{}\n\n{}\na call of one row: {}; an instance: {}; compiling {}: {}\n",
        result.function,
        result.rows_from,
        text::columns(&[Align::Right; 6], &rows),
        call.unwrap_or_default(),
        time(result.instantiate_us / 1e6),
        text::bytes(result.component_bytes),
        time(result.compile_ms / 1e3),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_reads_as_a_table() {
        let cost = |rows: u64, calls, median: f64| BatchCost {
            rows,
            calls,
            ns_per_row_min: median / 2.0,
            ns_per_row_median: median,
            ns_per_row_max: median * 10.0,
        };
        let result = BenchResult {
            function: "departed(dep_time: int64?)".into(),
            rows_from: "made-up rows".into(),
            batches: vec![cost(1, 1_234_567, 412.0), cost(8192, 20_000, 1.25)],
            instantiate_us: 21.4,
            compile_ms: 14.2,
            component_bytes: 35_840,
        };
        let expected = "\
departed(dep_time: int64?)
made-up rows

 rows      calls  ns/row  least   most       rows/s
    1  1,234,567     412    206  4,120    2,427,184
8,192     20,000    1.25   0.62   12.5  800,000,000

a call of one row: 412 ns; an instance: 21.4 us; compiling 35.0 KiB: 14.2 ms
";
        assert_eq!(render(&result), expected);
    }
}
