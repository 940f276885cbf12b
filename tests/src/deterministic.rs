//! The same input gives the same bytes: clocks, random numbers and NaNs are no way for chance to get in.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, StringArray};
use serde_json::Value;
use weir::flow::Options;
use weir::function::{Calls, Input};
use weir::sandbox::{Instance, Limits, Parameters, Reuse};

use crate::guests;
use crate::hostile::guest;
use crate::pipelines::Case;

fn rows(name: &str) -> String {
    let pipeline = format!(
        "name = \"{name}\"\n[functions]\nlab = \"lab.wasm\"\n[source]\nfile = \"in.jsonl\"\nschema = {{ n = \"int64\" }}\n\
         [[steps]]\nmap = \"lab.looks_around(n)\"\nas = [\"t1\", \"r1\"]\n\
         [[steps]]\nmap = \"lab.looks_around(n)\"\nas = [\"t2\", \"r2\"]\n[sink]\nfile = \"out.jsonl\"\n"
    );
    let case = Case::empty();
    let rows: String = (0..100).map(|n| format!("{{\"n\": {n}}}\n")).collect();
    case.write("pipeline.toml", pipeline).write("in.jsonl", rows).provide();
    let mut ran = case.run_again(&case.plan().expect("a plan"), &Options::default());
    ran.result.expect("it runs");
    ran.sinks.swap_remove(0).1
}

#[test]
fn random_numbers_are_of_the_pipeline_and_the_step_and_the_same_in_every_run() {
    let (one, again, other) = (rows("a"), rows("a"), rows("b"));
    assert_eq!(one, again);
    let numbers = |text: &str, column: &str| -> Vec<Value> {
        text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")[column].clone()).collect()
    };
    assert_eq!(numbers(&one, "r1").len(), 100);
    assert_ne!(numbers(&one, "r1"), numbers(&one, "r2"), "two steps draw other numbers");
    assert_ne!(numbers(&one, "r1"), numbers(&other, "r1"), "two pipelines draw other numbers");
}

#[test]
fn a_nan_has_the_same_bits_whatever_it_came_from() {
    let guest = guest::named("makes_odd_nans");
    let artifact = guest.load().expect("it is loaded");
    let mut instance = Instance::new(&artifact, 0, Parameters::default(), guest.limits, Reuse::UntilFault);
    let columns: [ArrayRef; 1] = [Arc::new(Int64Array::from(vec![1]))];
    let mapped = instance.map(Input { rows: 1, columns: &columns, now: 0, seed: 0 }).expect("it maps");
    assert_eq!(mapped.outputs[0].as_primitive::<Int64Type>().value(0), 0x7ff8_0000_0000_0000);
}

#[test]
fn the_clocks_of_wasi_stand_at_the_batch_s_time() {
    let artifact = guests::artifact("wasi");
    let index = artifact.functions().iter().position(|f| f.name == "looks_for").expect("a function");
    let mut instance = Instance::new(&artifact, index, Parameters::default(), Limits::default(), Reuse::UntilFault);
    let columns: [ArrayRef; 1] = [Arc::new(Int64Array::from(vec![1]))];
    for (now, seconds) in [(1_360_335_600_000_000, "1360335600"), (5_000_000, "5"), (-7, "0")] {
        let given = instance.flat_map(Input { rows: 1, columns: &columns, now, seed: 0 }).expect("it runs");
        let found: &StringArray = given.outputs[1].as_string();
        assert_eq!(found.value(found.len() - 1), seconds);
    }
}
