//! A fault and the way back from it.

use std::hint::black_box;
use std::sync::Arc;

use arrow_array::RecordBatch;
use weir::function::invoke::{Invoker, Moment};
use weir::function::{Calls, Input};
use weir::plan::{Argument, Bound, Function};
use weir::report::{Node, NodeKind};
use weir::sandbox::{Limits, Parameters, Reuse};
use weir::types::{DataType, Field, arrow_schema};

use super::measure::{self, pair};
use super::{Bench, input, map};

pub(crate) fn run(bench: &Bench) -> anyhow::Result<()> {
    measure::head("ns each, against a call of 8,192 rows");
    let columns = bench.columns("stumbles");
    let mut usual = bench.instance("scale");
    let mut call = || map(&mut usual, bench.columns("scale"));
    let mut fresh = bench.instance("scale");
    pair(
        "an instance after a trap",
        1,
        "100,000 ns",
        || {
            fresh.reset();
            fresh.instantiate().expect("instantiates");
        },
        &mut call,
    );
    let bad = [columns[0].slice(4711, 1)];
    let mut stumbling = bench.instance("stumbles");
    pair("a trap, and an instance", 1, "", || drop(stumbling.map(input(&bad)).expect_err("it traps")), &mut call);

    let bound = Bound {
        label: "bench.stumbles".into(),
        function: Function::Sandboxed {
            artifact: Arc::clone(&bench.artifact),
            index: bench.index("stumbles"),
            parameters: Parameters::default(),
            limits: Box::new(Limits::default()),
        },
        arguments: vec![Argument { column: "a".into(), widen: None, strict: false }],
        seed: 0,
    };
    let fields = [Field::new("a", DataType::Int64, false)];
    let rows = RecordBatch::try_new(arrow_schema(&fields), vec![Arc::clone(&columns[0])])?;
    let counters = Arc::new(Node::new("stumbles", NodeKind::Map, ""));
    let mut invoker = Invoker::new(&bound, &fields, Reuse::UntilFault, counters);
    let mut find = || {
        let mut failures = Vec::new();
        drop(black_box(invoker.map(&rows, Moment { now: 0, seed: 0 }, &mut failures)));
        assert_eq!(failures.len(), 1);
    };
    pair("one row of 8,192 that traps, found", 1, "5,000,000 ns", &mut find, &mut call);
    let mut empty = bench.instance("scale");
    let none: Vec<_> = bench.columns("scale").iter().map(|c| c.slice(0, 0)).collect();
    let nothing = Input { rows: 0, columns: &none, now: 0, seed: 0 };
    pair("a call of no rows", 1, "", || drop(empty.map(nothing).expect("maps")), &mut call);
    Ok(())
}
