//! What others lose by a hostile guest: in the same pipeline nothing but the row that did it, in the same
//! process nothing.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use arrow_array::Int64Array;
use weir::flow::Options;
use weir::function::Kind;

use super::guest::{self, Guest, Outcome};
use super::instance;
use crate::pipelines::Case;
use crate::sandbox::{call, numbers};

fn pipeline(guest: &Guest) -> Case {
    let case = Case::empty();
    let limits: Vec<String> = weir::sandbox::settings::changed(&guest.limits)
        .map(|(name, amount)| match amount {
            weir::sandbox::settings::Amount::Count(n) => format!("{name} = {n}"),
            amount => format!("{name} = \"{amount}\""),
        })
        .collect();
    let pipeline = format!(
        "on-error = \"dead-letter\"\n[limits]\n{}\n[functions]\ng = \"g.wasm\"\n[source]\nfile = \"in.jsonl\"\n\
         schema = {{ n = \"int64\" }}\n[[steps]]\n{} = \"g.f\"\n{}[sink]\nfile = \"out.jsonl\"\n\
         [dead-letters]\nfile = \"dead.jsonl\"\n",
        limits.join("\n"),
        guest.kind.step(),
        if guest.kind == Kind::StatefulMapper { "key-by = [\"n\"]\n" } else { "" },
    );
    let rows: String = (1..=20).map(|n| format!("{{\"n\": {n}}}\n")).collect();
    case.write("pipeline.toml", pipeline).write("in.jsonl", rows).write("g.wasm", &guest.wasm);
    case
}

#[test]
fn one_row_is_lost_and_no_other() {
    let kinds = [Kind::Mapper, Kind::Filter, Kind::FlatMapper, Kind::StatefulMapper];
    for guest in guest::all().iter().filter(|guest| kinds.contains(&guest.kind)) {
        let Outcome::Fault { kind, always: false, .. } = &guest.outcome else { continue };
        let case = pipeline(guest);
        let ran = case.run_again(&case.plan().unwrap_or_else(|e| panic!("{}: {e}", guest.name)), &Options::default());
        ran.result.unwrap_or_else(|e| panic!("{}: {e}", guest.name));
        let lost: Vec<_> = ran.dead_letters.iter().map(|letter| &letter["row"]["n"]).collect();
        assert_eq!(lost, [3], "{}", guest.name);
        assert_eq!(ran.dead_letters[0]["fault"], **kind, "{}", guest.name);
        assert_eq!(ran.sinks[0].1.lines().count(), 19, "{}: {}", guest.name, ran.sinks[0].1);
    }
}

/// Calls of 8,192 rows in that time.
fn throughput(time: Duration) -> usize {
    let mut neighbour = instance(&guest::named("fills_all_its_memory"));
    let rows = numbers(&vec![1; 8192]);
    let started = Instant::now();
    let mut calls = 0;
    while started.elapsed() < time {
        call(&mut neighbour, rows.clone()).expect("it does no harm to this");
        calls += 1;
    }
    calls
}

/// The bar is four fifths, and is measured by `cargo bench -p weir --bench sandbox`. Here other tests run beside
/// this one, so less is asked.
#[test]
fn a_neighbour_goes_on_while_hostile_guests_are_stopped_again_and_again() {
    let time = Duration::from_millis(500);
    let names = ["grows_page_by_page", "traps_on_one_row", "recurses"];
    let stop = AtomicBool::new(false);
    let alone = throughput(time);
    let (beside, stopped) = thread::scope(|scope| {
        let hostile = scope.spawn(|| {
            let mut instances = names.map(|name| instance(&guest::named(name)));
            let mut stopped = 0;
            while !stop.load(Relaxed) {
                for instance in &mut instances {
                    call(instance, numbers(&[3])).expect_err("it is stopped");
                    stopped += 1;
                }
            }
            stopped
        });
        let beside = throughput(time);
        stop.store(true, Relaxed);
        (beside, hostile.join().expect("no panic"))
    });
    assert!(stopped > 0 && beside * 3 > alone, "{alone} calls alone, {beside} beside {stopped} that were stopped");
}

#[test]
fn columns_of_others_are_as_they_were() {
    // The guest writes over its arguments: those are its own copy.
    let column: arrow_array::ArrayRef = numbers(&[3, 4]);
    let mut instance = instance(&guest::named("answers_differently_each_time"));
    call(&mut instance, column.clone()).expect("it is harmless");
    let column: &Int64Array = column.as_any().downcast_ref().expect("numbers");
    assert_eq!(column.values(), &[3, 4]);
}
