//! Checkpoints in object storage: real processes, and a real server that speaks S3 on loopback.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::cluster::{Process, send};
use crate::command::{of_folder, text, weir};
use crate::pipelines::Case;
use crate::random::Random;
use crate::s3::{self, Bucket, Door, Server};

/// Something is kept of each key, and something published with each checkpoint.
const PIPELINE: &str = r#"
name = "kept"

[functions]
stats = "stats.wasm"
streams = "streams.wasm"

[source]
file = "in-*.csv"
event-time = { column = "time", format = "unix-s", out-of-order = "20s" }

[[steps]]
name = "running"
stateful-map = "streams.running_sum(amount)"
key-by = ["account"]

[[steps]]
name = "minutes"
from = "running"
key-by = ["account"]
window = { tumbling = "60s" }
aggregate = { rows = "stats.count()" }

[sinks.running]
from = "running"
folder = "running"

[sinks.minutes]
from = "minutes"
file = "minutes.jsonl"
"#;

/// Rows that no test waits for, and nothing on this machine that two runs would both write.
const ENDLESS: &str = "name = \"endless\"\n[functions]\nlab = \"lab.wasm\"\n\
     [source]\nnexmark = { stream = \"bid\", rows = 4000000000 }\nevent-time = { column = \"date_time\" }\n\
     [[steps]]\nkey-by = [\"auction\"]\nwindow = { tumbling = \"1s\" }\naggregate = { ids = \"lab.span(price)\" }\n\
     [sink]\nblackhole = true\n";

fn checkpoint(dir: &str, every: &str) -> String {
    format!("\n[checkpoint]\ndir = \"{dir}\"\nevery = \"{every}\"\nkeep = 2\n")
}

/// A case with this pipeline, whose checkpoints are somewhere.
fn case(pipeline: &str, dir: &str, every: &str) -> Case {
    let case = Case::empty();
    case.write("pipeline.toml", pipeline.to_owned() + &checkpoint(dir, every));
    case.provide();
    if pipeline.starts_with(PIPELINE) {
        let mut random = Random::new(4);
        for partition in 0..2 {
            let row = |row: i64| format!("{},{},{}\n", row / 20 - random.of(0..20), random.of(0..40), random.of(-9..9));
            let rows: String = (0..30_000).map(row).collect();
            case.write(&format!("in-{partition}.csv"), "time,account,amount\n".to_owned() + &rows);
        }
    }
    case
}

fn command(case: &Case, port: u16, arguments: &[&str]) -> Command {
    let mut command = weir(case, arguments);
    command.envs(s3::variables(port));
    command
}

fn run(case: &Case, port: u16, more: &[&str]) -> Output {
    in_epochs("1000", case, port, more)
}

fn in_epochs(rows: &str, case: &Case, port: u16, more: &[&str]) -> Output {
    let arguments = [&["run", "pipeline.toml", "--quiet", "--epoch-rows", rows][..], more].concat();
    command(case, port, &arguments).output().expect("weir runs")
}

fn said(output: &Output) -> String {
    // In whatever goes wrong, what must not be known stays so.
    let said = text(&output.stderr);
    assert!(!said.contains("secret-of-tests"), "{said}");
    said
}

/// What is published in a sink's folder, and in a file.
fn published(case: &Case) -> (String, String) {
    let entries = fs::read_dir(case.path().join("running")).expect("the sink's folder").flatten();
    let mut parts: Vec<PathBuf> = entries.map(|e| e.path()).filter(|path| path.is_file()).collect();
    parts.sort();
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    (parts.iter().map(|part| read(part)).collect(), read(&case.path().join("minutes.jsonl")))
}

fn wait_for(what: &str, is: impl Fn() -> bool) {
    let started = Instant::now();
    while !is() {
        assert!(started.elapsed() < Duration::from_secs(120), "{what}: it does not come to that");
        thread::sleep(Duration::from_millis(20));
    }
}

/// What a run gives whose checkpoints are in a folder, and that nobody kills.
fn expected() -> (String, String) {
    let local = case(PIPELINE, "checkpoints", "0s");
    let ran = run(&local, 1, &[]);
    assert!(ran.status.success(), "{}", said(&ran));
    published(&local)
}

#[test]
fn a_run_that_is_killed_goes_on_from_a_bucket() {
    killed_and_going_on(PIPELINE);
}

#[test]
fn a_run_with_state_on_disk_that_is_killed_goes_on_from_a_bucket() {
    killed_and_going_on(&(PIPELINE.to_owned() + "\n[state]\ndisk = \"state\"\nmemory = \"1MiB\"\n"));
}

fn killed_and_going_on(pipeline: &str) {
    let (bucket, expected) = (Bucket::new(), expected());
    let case = case(pipeline, &bucket.url("some/flights"), "0s");
    let mut random = Random::new(7);
    for kill in 0..4_usize {
        let workers = random.of(1..4).to_string();
        let arguments = ["run", "pipeline.toml", "--quiet", "--epoch-rows", "1000", "--workers", &workers];
        let process = Process::start(command(&case, s3::shared(), &arguments));
        let last = || bucket.manifests("some/flights/").pop();
        let before = last();
        wait_for("a checkpoint", || last() > before);
        thread::sleep(Duration::from_millis(random.of(0..200) as u64));
        send("KILL", process.id());
        let (code, errors) = process.ended();
        assert!(code.is_none() || code == Some(0), "kill {kill}: {errors}");
    }
    let ran = run(&case, s3::shared(), &["--workers", "2"]);
    assert!(ran.status.success(), "{}", said(&ran));
    assert!(published(&case) == expected, "what is published is not as it should be");
    assert!(!case.path().join("checkpoints").exists() && bucket.manifests("some/flights/").len() == 2);
    // All has been done, and with --from-scratch it is done again.
    let again = command(&case, s3::shared(), &["run", "pipeline.toml"]).output().expect("weir runs");
    assert!(said(&again).contains("is complete"), "{}", said(&again));
    let ran = run(&case, s3::shared(), &["--from-scratch"]);
    assert!(ran.status.success() && published(&case) == expected, "{}", said(&ran));
}

#[test]
fn processes_write_their_parts_into_a_bucket() {
    for folder in ["many-keys", "join-within", "stateful-partitions"] {
        let bucket = Bucket::new();
        let case = of_folder(folder);
        let pipeline = fs::read_to_string(case.pipeline()).expect("a pipeline");
        case.write("pipeline.toml", pipeline + &checkpoint(&bucket.url(""), "0s"));
        let lines = |name: &str| {
            let text = fs::read_to_string(case.path().join(name)).expect("a file");
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let ran = in_epochs("10", &case, s3::shared(), &["--processes", "2"]);
        assert!(ran.status.success(), "{folder}: {}", said(&ran));
        assert_eq!(lines("out.jsonl"), lines("expected.jsonl"), "{folder}");
        // From the checkpoint before the last, as if that had been killed before it was there.
        let last = bucket.manifests("").pop().expect("a manifest");
        assert!(bucket.keys("part-").len() > 1, "{folder}");
        bucket.remove(&last);
        fs::rename(case.path().join("out.jsonl"), case.path().join("out.jsonl.staged")).expect("a file");
        let ran = in_epochs("10", &case, s3::shared(), &["--processes", "2", "--workers", "2"]);
        assert!(ran.status.success(), "{folder}: {}", said(&ran));
        assert_eq!(lines("out.jsonl"), lines("expected.jsonl"), "{folder}, resumed");
    }
}

#[test]
fn what_is_in_a_bucket_is_listed_verified_and_pruned() {
    let bucket = Bucket::new();
    let case = case(PIPELINE, &bucket.url("p"), "0s");
    let ask = |arguments: &[&str]| {
        command(&case, s3::shared(), &[&["checkpoints"], arguments].concat()).output().expect("weir runs")
    };
    let none = ask(&["ls", "pipeline.toml"]);
    assert_eq!(text(&none.stdout), format!("no checkpoints in {}\n", bucket.url("p")), "{}", said(&none));
    assert!(run(&case, s3::shared(), &[]).status.success());
    let listed = text(&ask(&["ls", &bucket.url("p")]).stdout);
    assert!(listed.lines().count() == 3 && listed.contains("kept (complete)"), "{listed}");
    let shown = text(&ask(&["show", "pipeline.toml"]).stdout);
    assert!(shown.contains("record 30000, ended") && shown.contains("minutes"), "{shown}");
    let verified = ask(&["verify", "pipeline.toml"]);
    assert!(verified.status.success() && text(&verified.stdout).contains(": whole ("), "{}", said(&verified));
    // A part that a run is about to name stays; one that none names any more goes.
    bucket.put("p/part-00000001-0-0.weir", b"old");
    bucket.put("p/part-99999999-0-0.weir", b"new");
    bucket.put("p/notes.txt", b"mine");
    let pruned = ask(&["prune", "pipeline.toml"]);
    assert!(text(&pruned.stdout).contains("1 checkpoints left"), "{} {}", text(&pruned.stdout), said(&pruned));
    let keys = bucket.keys("p/");
    let has = |key: &str| keys.iter().any(|k| k == key);
    assert!(!has("p/part-00000001-0-0.weir") && has("p/part-99999999-0-0.weir") && has("p/notes.txt"), "{keys:?}");
    let part = keys.iter().find(|key| key.starts_with("p/part-0")).expect("a part");
    let mut bytes = bucket.get(part);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    bucket.put(part, &bytes);
    let verified = ask(&["verify", "pipeline.toml"]);
    assert_eq!(verified.status.code(), Some(10), "{}", said(&verified));
    let name = bucket.url(part);
    assert!(text(&verified.stdout).contains(&name), "{name}: {}", text(&verified.stdout));
    assert!(text(&verified.stdout).contains("its checksum does not fit"), "{}", text(&verified.stdout));
}

#[test]
fn who_comes_later_takes_a_bucket_over() {
    let bucket = Bucket::new();
    let [first, second] = [0, 1].map(|_| case(ENDLESS, &bucket.url("shared"), "200ms"));
    let start = |case| Process::start(command(case, s3::shared(), &["run", "pipeline.toml", "--quiet"]));
    let running = start(&first);
    wait_for("a checkpoint", || bucket.manifests("shared/").len() > 1);
    let later = start(&second);
    let (code, errors) = running.ended();
    assert_eq!(code, Some(10), "{errors}");
    assert!(errors.contains(&format!("another run writes its checkpoints to {}", bucket.url("shared"))), "{errors}");
    let last = bucket.manifests("shared/").pop();
    wait_for("a further one", || bucket.manifests("shared/").pop() > last);
    send("TERM", later.id());
    let (code, errors) = later.ended();
    assert_eq!(code, Some(0), "{errors}");
}

#[test]
fn what_can_t_be_reached_is_named() {
    let mut server = Server::start();
    let bucket = Bucket::at(server.port());
    let refused = |dir: &str, port: u16, wanted: &[&str]| {
        let case = case(ENDLESS, dir, "200ms");
        let pipeline = fs::read_to_string(case.pipeline())
            .expect("a pipeline")
            .replace("[checkpoint]", "[checkpoint]\nretry = \"1s\"");
        case.write("pipeline.toml", pipeline);
        let ran = run(&case, port, &[]);
        let errors = said(&ran);
        assert_eq!(ran.status.code(), Some(10), "{errors}");
        assert!(wanted.iter().all(|part| errors.contains(part)), "{wanted:?}: {errors}");
    };
    let endpoint = format!("http://127.0.0.1:{}", server.port());
    let wanted = ["checkpoints can't be kept in s3://nowhere/x", &endpoint, "NoSuchBucket", "is there `nowhere`"];
    refused("s3://nowhere/x", server.port(), &wanted);
    // A server that dies in the middle, and one that is not there.
    let case = case(ENDLESS, &bucket.url("x"), "200ms");
    let pipeline = fs::read_to_string(case.pipeline())
        .expect("a pipeline")
        .replace("[checkpoint]", "[checkpoint]\nretry = \"2s\"");
    case.write("pipeline.toml", pipeline);
    let running = Process::start(command(&case, server.port(), &["run", "pipeline.toml", "--quiet"]));
    wait_for("a checkpoint", || !bucket.manifests("x/").is_empty());
    server.kill();
    let (code, errors) = running.ended();
    assert_eq!(code, Some(10), "{errors}");
    assert!(errors.contains(&bucket.url("x")) && errors.contains(&endpoint), "{errors}");
    refused(&bucket.url("x"), server.port(), &[&endpoint, "refused"]);
    // A server that asks for keys, and does not know these.
    let server = Server::that_asks_for_keys_after(1);
    let bucket = Bucket::at(server.port());
    refused(&bucket.url("x"), server.port(), &["403", "AWS_ACCESS_KEY_ID"]);
}

#[test]
fn a_server_that_is_away_for_a_while_costs_nothing_but_time() {
    let (bucket, expected) = (Bucket::new(), expected());
    let door = Door::to(s3::shared());
    let case = case(PIPELINE, &bucket.url("x"), "0s");
    let arguments = ["run", "pipeline.toml", "--quiet", "--epoch-rows", "1000"];
    let running = Process::start(command(&case, door.port(), &arguments));
    wait_for("a checkpoint", || bucket.manifests("x/").len() > 1);
    door.shut();
    wait_for("a request while nobody answers", || door.has_turned_away());
    door.open();
    let (code, errors) = running.ended();
    assert_eq!(code, Some(0), "{errors}");
    assert!(published(&case) == expected, "what is published is not as it should be");
}

#[test]
fn a_manifest_that_arrives_when_its_run_is_gone_is_none() {
    let (bucket, expected) = (Bucket::new(), expected());
    let door = Door::to(s3::shared());
    let case = case(PIPELINE, &bucket.url("x"), "0s");
    let arguments = ["run", "pipeline.toml", "--quiet", "--epoch-rows", "1000"];
    door.hold(format!("PUT /{}/x/checkpoint-00000003.json", bucket.name));
    let running = Process::start(command(&case, door.port(), &arguments));
    wait_for("a manifest on its way", || door.is_holding());
    send("KILL", running.id());
    drop(running.ended());
    let later = Process::start(command(&case, s3::shared(), &arguments));
    // The checkpoint whose manifest is held, as the later run takes it.
    let has_its_own = || bucket.manifests("x/").iter().any(|key| key.ends_with(".1.json"));
    wait_for("a checkpoint of the later run", has_its_own);
    door.release();
    let (code, errors) = later.ended();
    assert_eq!(code, Some(0), "{errors}");
    assert!(published(&case) == expected, "what is published is not as it should be");
}

#[test]
fn what_is_large_goes_in_pieces() {
    let bucket = Bucket::new();
    let case = case(PIPELINE, &bucket.url("x"), "0s");
    let text = fs::read_to_string(case.pipeline()).expect("a pipeline");
    case.write("pipeline.toml", text.replace("in-*.csv", "large.csv"));
    // Each account is one row's, and its name long.
    let row = |row: usize| format!("{row},{row}{},1\n", "-".repeat(3000));
    case.write("large.csv", "time,account,amount\n".to_owned() + &(0..8000).map(row).collect::<String>());
    let ran = in_epochs("1000", &case, s3::shared(), &[]);
    assert!(ran.status.success(), "{}", said(&ran));
    let expected = published(&case);
    assert_eq!(expected.0.lines().count(), 8000);
    let largest = bucket.keys("x/part-").iter().map(|key| bucket.get(key).len()).max();
    assert!(largest > Some(16 << 20), "{largest:?} bytes are one piece");
    let last = bucket.manifests("x/").pop().expect("a manifest");
    bucket.remove(&last);
    fs::rename(case.path().join("minutes.jsonl"), case.path().join("minutes.jsonl.staged")).expect("a file");
    let ran = in_epochs("1000", &case, s3::shared(), &["--workers", "2"]);
    assert!(ran.status.success(), "{}", said(&ran));
    assert!(published(&case) == expected, "what is published is not as it should be");
}

#[test]
fn what_does_not_fit_is_said_before_anything_runs() {
    let check = |dir: &str, more: &str| {
        let case = case(ENDLESS, dir, "1s");
        let pipeline = fs::read_to_string(case.pipeline()).expect("a pipeline");
        case.write("pipeline.toml", pipeline + more);
        let checked = weir(&case, &["check", "pipeline.toml"]).stdin(Stdio::null()).output().expect("weir runs");
        (checked.status.code(), text(&checked.stderr) + &text(&checked.stdout))
    };
    let (code, errors) = check("s3://KEY:hidden@bucket/x", "");
    assert!(code == Some(2) && !errors.contains("hidden") && errors.contains("AWS_SECRET_ACCESS_KEY"), "{errors}");
    let (code, errors) = check("gs://bucket/x", "");
    assert!(code == Some(2) && errors.contains("`gs://`") && errors.contains("s3://BUCKET/PREFIX"), "{errors}");
    let (code, errors) = check("checkpoints", "region = \"eu-central-1\"\n");
    assert!(code == Some(2) && errors.contains("`dir` is a folder"), "{errors}");
    let (code, plan) =
        check("s3://bucket/x/", "region = \"eu-central-1\"\nendpoint = \"https://store\"\nretry = \"1m\"\n");
    assert!(code == Some(0) && plan.contains("checkpoints: s3://bucket/x, every 1s"), "{plan}");
    // What is sent in the clear has to be allowed.
    let case = case(ENDLESS, "s3://bucket/x", "1s");
    let mut run = command(&case, 9, &["run", "pipeline.toml", "--quiet"]);
    let ran = run.env_remove("AWS_ALLOW_HTTP").output().expect("weir runs");
    assert!(ran.status.code() == Some(10) && said(&ran).contains("AWS_ALLOW_HTTP=true"), "{}", said(&ran));
}
