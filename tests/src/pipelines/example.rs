//! The example of the README: run where it stands, with its own expected file.

use std::path::Path;

use super::ways;
use super::{Case, case, same};

#[test]
fn flights() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/flights");
    let expected = std::fs::read_to_string(folder.join("expected.jsonl")).expect("the expected output");
    let elsewhere = Case::empty();
    let plan = case::plan(&folder.join("pipeline.toml")).expect("a plan");
    for way in ways::coarse() {
        let ran = elsewhere.run_keeping(&plan, &way.options, way.keep, way.processes);
        let report = ran.result.unwrap_or_else(|e| panic!("{}: {e}", way.name));
        assert_eq!((report.rows_in, report.late, report.failed), (24_951, 0, 0), "{}", way.name);
        same(way.name, &expected, &ran.sinks[0].1).unwrap_or_else(|e| panic!("{e}"));
    }
}
