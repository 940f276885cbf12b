//! Windows that overlap do the same wherever their state is: what is merged with what, and what a function
//! fails to merge.
//!
//! `WEIR_SEED=7` runs that one alone, `WEIR_SEEDS=1000` so many.

use std::fmt::Write;
use std::ops::Range;

use weir::flow::Options;

use super::keyed::stays_within_memory;
use super::rows::in_redis;
use crate::pipelines::{Case, Keep, Ran};
use crate::random::Random;

const SEEDS: u64 = 8;

fn seeds() -> Range<u64> {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    match number("WEIR_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("WEIR_SEEDS").unwrap_or(SEEDS),
    }
}

/// A window of some panes, whose function tells what was merged with what.
fn pipeline(random: &mut Random) -> String {
    let step = random.of(1..7);
    let window = match random.once_in(3) {
        true => format!("cumulating = \"{}s\", step = \"{step}s\"", step * random.of(1..12)),
        false => format!("hopping = \"{}s\", step = \"{step}s\"", step + random.of(0..50)),
    };
    let again = random.pick(&["", "", "", "emit = { every = \"9s\" }\n", "allowed-lateness = \"15s\"\n"]);
    format!(
        "name = \"overlap\"\n[functions]\nlab = \"lab.wasm\"\n[source]\nfile = \"in.csv\"\n\
         schema = {{ at = \"timestamp\", k = \"text\", id = \"text\" }}\n\
         event-time = {{ column = \"at\", out-of-order = \"{}s\" }}\n\
         [[steps]]\nkey-by = [\"k\"]\nwindow = {{ {window} }}\ntwo-phase = false\n{again}\
         aggregate.shape = \"lab.shape(id)\"\naggregate.ids = \"lab.join(id)\"\n\
         [sinks.out]\nfile = \"out.jsonl\"\n[dead-letters]\nfile = \"dead-letters.jsonl\"\n",
        random.of(0..15)
    )
}

fn rows(random: &mut Random) -> String {
    let (keys, disorder) = (random.of(1..30), random.of(1..30));
    let (mut text, mut now) = ("at,k,id\n".to_owned(), 0);
    for n in 0..random.of(50..400) {
        now += random.of(0..3);
        let at = now + 60 - random.of(0..disorder);
        let key = "k".repeat(1 + random.of(0..keys) as usize);
        let _ = writeln!(text, "1970-01-01T00:{:02}:{:02}Z,{key},{n}", at / 60, at % 60);
    }
    text
}

/// Which windows of which keys a function failed on.
fn failed(ran: &Ran) -> Vec<String> {
    let of = |letter: &serde_json::Value| format!("{} {} {}", letter["function"], letter["row"], letter["reason"]);
    let mut failed: Vec<String> = ran.dead_letters.iter().map(of).collect();
    failed.sort();
    failed
}

#[test]
fn windows_that_overlap_are_the_same_wherever_they_are() {
    let mut failures = 0;
    for seed in seeds() {
        let mut random = Random::new(seed);
        let case = Case::empty();
        case.write("pipeline.toml", pipeline(&mut random)).write("in.csv", rows(&mut random)).provide();
        let plan = case.plan().expect("a plan");
        let options = Options {
            workers: random.of(1..3) as usize,
            batch_rows: random.of(1..20) as usize,
            epoch_rows: random.of(1..100) as usize,
            ..Options::default()
        };
        let expected = case.run_keeping(&plan, &options, Keep::Memory, 1);
        expected.result.as_ref().unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        failures += expected.dead_letters.len();
        let behind = random.of(300..6_000) as usize;
        let disk = [1, 2, 4].map(|times| Keep::DiskBehind(times * behind));
        for keep in disk.into_iter().chain([Keep::Disk, Keep::RedisBehind(behind)]) {
            let ran = case.run_keeping(&plan, &options, keep, 1);
            let about = format!("seed {seed}, {keep:?}, {options:?}\n{}", pipeline(&mut Random::new(seed)));
            ran.result.as_ref().unwrap_or_else(|e| panic!("{e}\n{about}"));
            let differs = expected.sinks[0].1.lines().zip(ran.sinks[0].1.lines()).find(|(e, f)| e != f);
            assert_eq!(expected.sinks[0].1.len(), ran.sinks[0].1.len(), "{differs:#?}\n{about}");
            assert_eq!(differs, None, "{about}");
            assert_eq!(failed(&expected), failed(&ran), "{about}");
        }
    }
    assert!(failures > 0 || seeds().count() == 1, "nothing failed to be merged");
}

#[test]
fn windows_that_overlap_stay_within_memory() {
    for window in ["hopping = \"400s\", step = \"50s\"", "cumulating = \"600s\", step = \"60s\""] {
        stays_within_memory(&format!("window = {{ {window} }}\naggregate.n = \"stats.sum(n)\""));
    }
}

#[test]
fn others_read_of_a_pane_what_came_in_it() {
    let rows: Vec<String> = [5, 15, 25, 35, 45].map(|s| format!("2024-01-01T00:00:{s:02}Z,7,1\n")).into();
    let rows = format!("at,k,n\n{}2024-01-01T00:10:00Z,7,1\n", rows.concat());
    let step = "window = { hopping = \"40s\", step = \"10s\" }\naggregate.rows = \"stats.count()\"";
    let (names, answer) = in_redis(step, &rows);
    let starts = [10, 20, 30, 40].map(|s| format!("weir:p:step:2024-01-01T00:00:{s}Z"));
    assert_eq!(names[..4], starts);
    assert!(
        answer.contains(":1}"),
        "three rows came in the window from 10 s to 40 s, and one in its first pane: {answer}"
    );
}
