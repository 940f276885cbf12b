//! A window with more results than are held back is written while it fires.

use std::fmt::Write;

use weir::flow::Options;

use super::keyed::case;

/// Keys, each of which comes once; on what the last comes to a function fails.
const KEYS: u32 = 90_000;

/// Rows that a sink holds back until their epoch is complete.
const HELD_ROWS: usize = 65_536;

fn rows() -> String {
    let mut rows = "at,k,n\n".to_owned();
    for key in 0..KEYS {
        let (seconds, n) = (key / 100, if key + 1 < KEYS { 0 } else { 9999 });
        let _ = writeln!(rows, "2024-01-01T00:{:02}:{:02}Z,{key},{n}", seconds / 60, seconds % 60);
    }
    rows
}

#[test]
fn results_are_written_while_a_window_fires() {
    let disk = "[state]\ndisk = \"state\"\nmemory = \"1MiB\"\n";
    for (window, state) in
        [("tumbling = \"1h\"", ""), ("tumbling = \"1h\"", disk), ("session = \"1h\"", ""), ("session = \"1h\"", disk)]
    {
        let step = format!(
            "window = {{ {window} }}\naggregate = {{ highest = \"stats.max(n)\" }}\n\n\
             [[steps]]\nmap = \"flights.minute_of_day(highest)\""
        );
        let case = case(&step, state, &rows());
        let plan = case.plan().unwrap_or_else(|e| panic!("{window}: {}", case.error_text(&e)));
        let ran = case.run_again(&plan, &Options { batch_rows: 1000, ..Options::default() });
        let error = ran.result.expect_err("the last result is no time of day");
        assert!(error.to_string().contains("9999 is not a time of day"), "{error}");
        let lines: Vec<&str> = ran.sinks[0].1.lines().collect();
        assert!(lines.len() > HELD_ROWS && lines.len() < KEYS as usize, "{window} {state}: {} rows", lines.len());
        for (line, key) in lines.iter().zip(0..) {
            assert!(line.contains(&format!("\"k\":{key},")), "{window} {state}: row {key} is {line}");
        }
    }
}
