//! Functions of the host itself, as a user of the library brings them along.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int64Array};
use weir::flow::{self, Options};
use weir::function::{Calls, Expanded, Fault, FaultKind, Folded, Input, Kept, Kind, Mapped, Native, Signature};
use weir::plan::{Environment, Plan, Policy};
use weir::report::Report;
use weir::types::{DataType, Field};

use crate::guests;
use crate::pipelines::Case;

/// The number and one; panics on 13.
struct Next;

fn not_a<T>() -> Result<T, Fault> {
    Err(Fault::new(FaultKind::Host, "a mapper was called as something else"))
}

impl Calls for Next {
    fn map(&mut self, input: Input<'_>) -> Result<Mapped, Fault> {
        let numbers = input.columns[0].as_primitive::<Int64Type>();
        assert!(!numbers.values().contains(&13), "thirteen");
        let next: Int64Array = numbers.unary(|n| n + 1);
        Ok(Mapped { outputs: vec![Arc::new(next) as ArrayRef], errors: Vec::new() })
    }

    fn filter(&mut self, _: Input<'_>) -> Result<Kept, Fault> {
        not_a()
    }

    fn flat_map(&mut self, _: Input<'_>) -> Result<Expanded, Fault> {
        not_a()
    }

    fn create(&mut self, _: usize) -> Result<Vec<ArrayRef>, Fault> {
        not_a()
    }

    fn accumulate(&mut self, _: Input<'_>, _: &[u32], _: Input<'_>) -> Result<Folded, Fault> {
        not_a()
    }

    fn merge(&mut self, _: Input<'_>, _: &[u32], _: Input<'_>) -> Result<Vec<ArrayRef>, Fault> {
        not_a()
    }

    fn finish(&mut self, _: Input<'_>) -> Result<Vec<ArrayRef>, Fault> {
        not_a()
    }

    fn instances(&self) -> u64 {
        0
    }
}

/// Runs `mine.next` over the numbers up to one: the output, and how the run ended.
fn run(numbers: i64, workers: usize) -> (weir::Result<Report>, String) {
    let case = Case::empty();
    case.write("in.csv", (0..numbers).fold("n\n".to_owned(), |text, n| format!("{text}{n}\n")));
    case.write(
        "pipeline.toml",
        "[source]\nfile = \"in.csv\"\n[[steps]]\nmap = \"mine.next(n)\"\n[sink]\nfile = \"out.jsonl\"\n",
    );
    let signature = Signature {
        name: "next".to_owned(),
        kind: Kind::Mapper,
        doc: String::new(),
        parameters: Vec::new(),
        inputs: vec![Field::new("n", DataType::Int64, false)],
        outputs: vec![Field::new("next", DataType::Int64, false)],
        accumulator: Vec::new(),
        retractable: false,
    };
    let native = HashMap::from([("mine".to_owned(), vec![Arc::new(Native::new(signature, || Box::new(Next)))])]);
    let build = |_: &std::path::Path| Err(weir::Error::invalid("there is nothing to build"));
    let environment = Environment { runtime: guests::runtime(), build: &build, native, policy: Policy::default() };
    let plan = Plan::load(case.pipeline(), &environment).expect("a plan");
    let options = Options { workers, batch_rows: 2, ..Options::default() };
    let metrics = Arc::new(plan.metrics(workers));
    let result = flow::run(plan, &options, &metrics, &Arc::new(AtomicBool::new(false)));
    (result, std::fs::read_to_string(case.path().join("out.jsonl")).unwrap_or_default())
}

#[test]
fn a_native_function_is_called_like_any_other() {
    for workers in [1, 3] {
        let (result, output) = run(7, workers);
        let report = result.expect("a run");
        let expected: String = (0..7).map(|n| format!("{{\"n\":{n},\"next\":{}}}\n", n + 1)).collect();
        assert_eq!((report.rows_out, output), (7, expected), "{workers} workers");
    }
}

#[test]
fn a_panic_of_the_host_ends_the_run_as_a_bug() {
    for workers in [1, 3] {
        let (result, _) = run(20, workers);
        let error = result.expect_err("a bug");
        assert_eq!(error.exit_code(), 1, "{workers} workers: {error}");
        assert!(error.to_string().contains("thirteen"), "{workers} workers: {error}");
    }
}
