//! Several processes with checkpoints, of which one is killed, stopped or cut off at a random instant: all end,
//! all start again, and what is published is what a run gives that nothing happens to.
//!
//! `WEIR_CLUSTER_KILLS` says how many kills there are to be (6 where it says nothing), `WEIR_SEED` what they follow
//! from.

use std::fs;
use std::time::{Duration, Instant};

use weir::flow::cluster::free_addresses;

use crate::cluster::{Process, Relay, children, send};
use crate::command::{text, weir};
use crate::kills::{PIPELINE, Published, rows};
use crate::pipelines::Case;
use crate::random::Random;

const ROWS: i64 = 60_000;

fn case(random: &mut Random) -> Case {
    let case = Case::empty();
    case.write("pipeline.toml", PIPELINE);
    case.provide();
    for partition in 0..2 {
        case.write(&format!("in-{partition}.csv"), rows(random, ROWS));
    }
    case
}

/// What one process gives, and how long it takes to.
fn expected(case: &Case) -> (Published, Duration) {
    // Building it is no part of a run's time.
    crate::command::binary();
    let started = Instant::now();
    let arguments = ["run", "pipeline.toml", "--quiet", "--epoch-rows", "2000", "--from-scratch"];
    let ran = weir(case, &arguments).output().expect("weir runs");
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    (Published::of(case), started.elapsed())
}

/// What both processes publish: the letters of the second stand in a file of its own.
fn published(case: &Case) -> Published {
    let read = |name: &str| fs::read_to_string(case.path().join(name)).unwrap_or_default();
    let letters = read("letters.jsonl") + &read("letters.process-1.jsonl");
    Published::with_letters(case, &letters)
}

fn number(name: &str, else_: u64) -> u64 {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(else_)
}

#[test]
fn all_go_on_when_one_is_killed() {
    let (wanted, seed) = (number("WEIR_CLUSTER_KILLS", 6), number("WEIR_SEED", 1));
    eprintln!("again: WEIR_CLUSTER_KILLS={wanted} WEIR_SEED={seed} cargo test -p weir-tests all_go_on_when");
    let mut random = Random::new(seed);
    let case = case(&mut random);
    let (expected, takes) = expected(&case);
    let mut kills = 0;
    while kills < wanted {
        let workers = random.of(1..3).to_string();
        let arguments =
            ["run", "pipeline.toml", "--quiet", "--epoch-rows", "2000", "--processes", "2", "--restart", "9"];
        let run = Process::start(weir(&case, &[&arguments[..], &["--workers", &workers, "--from-scratch"]].concat()));
        // Until all is done, and at most so often that it may be started again.
        for _ in 0..3 {
            std::thread::sleep(takes.mul_f64(random.of(200..900) as f64 / 1000.0));
            let children = children(run.id());
            let Some(victim) = children.get(random.of(0..2) as usize) else { break };
            // It may have ended in between.
            kills += u64::from(crate::cluster::try_send("KILL", *victim));
        }
        let (code, errors) = run.ended();
        assert_eq!(code, Some(0), "seed {seed}, after {kills} kills: {errors}");
        published(&case).assert_is(&expected, &format!("seed {seed}, after {kills} kills"));
    }
    eprintln!("{kills} kills, nothing lost and nothing doubled");
}

#[test]
fn all_go_on_when_one_was_stopped_or_cut_off() {
    let mut random = Random::new(5);
    let case = case(&mut random);
    let (expected, takes) = expected(&case);
    // Stopped; cut off for messages, for rows, and without a word.
    for trouble in ["stopped", "messages", "rows", "silence"] {
        let addresses = free_addresses(2).expect("free ports");
        let relay = Relay::to(&addresses[0]);
        case.write("hosts-0.txt", addresses.join("\n"));
        case.write("hosts-1.txt", format!("{}\n{}\n", relay.address(), addresses[1]));
        let start = |process: usize, scratch: &[&'static str]| {
            let (hosts, process) = (format!("hosts-{process}.txt"), process.to_string());
            let arguments = ["run", "pipeline.toml", "--quiet", "--epoch-rows", "2000", "--peer-timeout", "1"];
            let mut command = weir(&case, &arguments);
            command.args(["--hosts", &hosts, "--process", &process]).args(scratch);
            Process::start(command)
        };
        let [first, second] = [0, 1].map(|process| start(process, &["--from-scratch"]));
        std::thread::sleep(takes.mul_f64(random.of(300..800) as f64 / 1000.0));
        match trouble {
            "stopped" => send("STOP", second.id()),
            "messages" => relay.cut(0),
            "rows" => relay.cut(1),
            _ => relay.swallow(),
        }
        let (code, errors) = first.ended();
        if trouble == "stopped" {
            send("CONT", second.id());
        }
        let (other, others) = second.ended();
        assert!([Some(0), Some(9)].contains(&code) && [Some(0), Some(9)].contains(&other), "{errors}\n{others}");
        assert!(!errors.contains("panicked") && !others.contains("panicked"), "{errors}\n{others}");
        // Started by hand, with another way between them.
        let addresses = free_addresses(2).expect("free ports").join("\n");
        case.write("hosts-0.txt", &addresses).write("hosts-1.txt", &addresses);
        for process in [0, 1].map(|process| start(process, &[])) {
            assert_eq!(process.ended(), (Some(0), String::new()), "{trouble}");
        }
        published(&case).assert_is(&expected, trouble);
    }
}
