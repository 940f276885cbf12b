//! Several processes of the command: that they do together what one does, and what ends them.
//!
//! Every wait here is for output, or for the end of a process.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use weir::flow::cluster::free_addresses;

use crate::command::{ended, of_folder, of_pipeline, text, weir};
use crate::pipelines::Case;

/// Rows that no test waits for.
const ENDLESS: &str = "[functions]\nlab = \"lab.wasm\"\n\
     [source]\nnexmark = { stream = \"bid\", rows = 4000000000, partitions = 4 }\nevent-time = { column = \"date_time\" }\n\
     [[steps]]\nkey-by = [\"auction\"]\nwindow = { tumbling = \"1s\" }\naggregate = { ids = \"lab.span(price)\" }\n\
     [sink]\nfile = \"out.jsonl\"\n";

/// Writes a hosts file of free ports.
fn hosts(case: &Case, processes: usize) -> Vec<String> {
    let addresses = free_addresses(processes).expect("free ports");
    case.write("hosts.txt", addresses.join("\n"));
    addresses
}

/// A process that does not outlive its test.
pub(crate) struct Process(Option<Child>);

impl Process {
    pub(crate) fn start(mut command: Command) -> Self {
        Self(Some(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("weir runs")))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.as_ref().expect("it was started").id()
    }

    /// Waits for its end: the exit code and what it said of errors.
    pub(crate) fn ended(mut self) -> (Option<i32>, String) {
        ended(self.0.take().expect("it was started"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            drop((child.kill(), child.wait()));
        }
    }
}

fn start(case: &Case, process: usize, more: &[&str]) -> Process {
    let process = process.to_string();
    let arguments = ["run", "pipeline.toml", "--quiet", "--hosts", "hosts.txt", "--process", &process];
    Process::start(weir(case, &[&arguments[..], more].concat()))
}

pub(crate) fn send(signal: &str, process: u32) {
    assert!(try_send(signal, process), "SIG{signal} to {process}");
}

/// Sends a signal, and says whether the process was there to get it.
pub(crate) fn try_send(signal: &str, process: u32) -> bool {
    let mut kill = Command::new("kill");
    kill.args(["-s", signal, &process.to_string()]).stderr(Stdio::null()).status().expect("kill runs").success()
}

/// Waits until a run has written something: all of its processes take part.
fn wait_for_output(case: &Case) {
    let path = case.path().join("out.jsonl");
    let started = Instant::now();
    while fs::metadata(&path).map_or(0, |m| m.len()) == 0 {
        assert!(started.elapsed() < Duration::from_secs(120), "nothing is written");
        thread::sleep(Duration::from_millis(10));
    }
}

fn report(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).expect("a report")).expect("JSON")
}

#[test]
fn processes_do_together_what_one_does() {
    for folder in ["partitions", "many-keys", "join-within", "stateful-partitions", "late-side"] {
        let case = of_folder(folder);
        hosts(&case, 3);
        let more = ["--workers", "2", "--report", "report.json"];
        let children: Vec<_> = (0..3).map(|p| start(&case, p, &more)).collect();
        for (process, child) in children.into_iter().enumerate() {
            assert_eq!(child.ended(), (Some(0), String::new()), "{folder}, process {process}");
        }
        let expected = fs::read_to_string(case.path().join("expected.jsonl")).expect("expected");
        let found = fs::read_to_string(case.path().join("out.jsonl")).expect("output");
        assert_eq!(found, expected, "{folder}");
        let all = report(&case.path().join("report.json"));
        let others = [1, 2].map(|p| report(&case.path().join(format!("report.process-{p}.json"))));
        let rows = |report: &Value| report["rows_in"].as_u64().expect("a number");
        let of_first = &all["processes"][0];
        assert_eq!(rows(&all), rows(of_first) + rows(&others[0]) + rows(&others[1]), "{folder}");
        assert_eq!((&all["workers"], &others[0]["workers"]), (&6.into(), &2.into()));
        assert_eq!(others[1]["rows_out"], 0, "the first process writes");
    }
}

#[test]
fn what_differs_is_said_before_the_first_row() {
    let pipeline = |case: &Case, from: &str, to: &str| {
        let text = fs::read_to_string(case.pipeline()).expect("a pipeline");
        assert!(text.contains(from), "{from}");
        case.write("pipeline.toml", text.replace(from, to));
    };
    let check = |what: &str, change: &dyn Fn(&Case) -> Vec<&'static str>| {
        let cases = [of_folder("partitions"), of_folder("partitions")];
        hosts(&cases[0], 2);
        fs::copy(cases[0].path().join("hosts.txt"), cases[1].path().join("hosts.txt")).expect("a copy");
        // The same files, by links: in folders of their own they would be others.
        for name in ["in-1.csv", "in-2.csv", "in-3.csv"] {
            let path = cases[1].path().join(name);
            let old = fs::canonicalize(cases[0].path().join(name)).expect("an input");
            fs::remove_file(&path).and_then(|()| std::os::unix::fs::symlink(old, &path)).expect("a link");
        }
        pipeline(&cases[0], "file = \"out.jsonl\"", "stdout = true");
        pipeline(&cases[1], "file = \"out.jsonl\"", "stdout = true");
        let more = change(&cases[1]);
        let children = [start(&cases[0], 0, &[]), start(&cases[1], 1, &more)];
        for (process, child) in children.into_iter().enumerate() {
            let (code, errors) = child.ended();
            let same = what.is_empty();
            assert_eq!(code, Some(if same { 0 } else { 2 }), "{what}: process {process}: {errors}");
            let other = format!("process {} (", 1 - process);
            assert!(same || errors.contains(what) && errors.contains(&other), "{what}: process {process}: {errors}");
        }
    };
    check("", &|_| vec![]);
    check("tumbling 15s", &|case| {
        pipeline(case, "15s", "20s");
        vec![]
    });
    check("the digest of function `lab.span` in step `window`", &|case| {
        // A custom section of no content: another component that does the same.
        let component = case.path().join("lab.wasm");
        let bytes = fs::read(&component).expect("a component");
        fs::write(&component, [&bytes[..], &[0, 2, 1, b'x']].concat()).expect("a component");
        vec![]
    });
    check("the list of partitions of source `source`", &|case| {
        case.write("in-9.csv", fs::read(case.path().join("in-1.csv")).expect("an input"));
        vec![]
    });
    check("the number of workers of a process is `", &|_| vec!["--workers", "2"]);
    check("the digest of what source `source` says", &|case| {
        pipeline(case, "8s", "9s");
        vec![]
    });
}

#[test]
fn one_that_dies_ends_the_others() {
    let case = of_pipeline(ENDLESS);
    hosts(&case, 3);
    let [first, second, third] = [0, 1, 2].map(|p| start(&case, p, &[]));
    wait_for_output(&case);
    send("KILL", third.id());
    let killed = Instant::now();
    for child in [first, second] {
        let (code, errors) = child.ended();
        assert_eq!(code, Some(9), "{errors}");
        assert!(errors.starts_with("error: process 2 (127.0.0.1:"), "{errors}");
        assert!(errors.contains("is gone") && !errors.contains("panicked"), "{errors}");
    }
    assert!(killed.elapsed() < Duration::from_secs(5), "{:?}", killed.elapsed());
}

#[test]
fn one_that_is_stopped_is_noticed_by_its_silence() {
    let case = of_pipeline(ENDLESS);
    hosts(&case, 2);
    let [first, second] = [0, 1].map(|p| start(&case, p, &["--peer-timeout", "1"]));
    wait_for_output(&case);
    send("STOP", second.id());
    let stopped = Instant::now();
    let (code, errors) = first.ended();
    assert_eq!(code, Some(9), "{errors}");
    assert!(errors.contains("has not been heard of for 1 s"), "{errors}");
    assert!(stopped.elapsed() < Duration::from_secs(10), "{:?}", stopped.elapsed());
    // When it goes on it finds itself alone.
    send("CONT", second.id());
    let (code, errors) = second.ended();
    assert_eq!(code, Some(9), "{errors}");
}

/// A way for connections that can be cut: what stands between processes.
pub(crate) struct Relay {
    address: String,
    streams: Arc<Mutex<Vec<TcpStream>>>,
    swallow: Arc<AtomicBool>,
}

impl Relay {
    pub(crate) fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (streams, swallow) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (target, all, dropping) = (target.to_owned(), Arc::clone(&streams), Arc::clone(&swallow));
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect(&target) else { continue };
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (mut from, mut to) = (from.try_clone().expect("a clone"), to.try_clone().expect("a clone"));
                    let dropping = Arc::clone(&dropping);
                    thread::spawn(move || {
                        let mut bytes = [0; 1 << 16];
                        while let Ok(n @ 1..) = from.read(&mut bytes) {
                            if !dropping.load(Relaxed) && to.write_all(&bytes[..n]).is_err() {
                                break;
                            }
                        }
                        drop(to.shutdown(Shutdown::Write));
                    });
                }
                all.lock().expect("no panic").extend([near, far]);
            }
        });
        Self { address, streams, swallow }
    }

    /// Ends a connection: the first is for messages, the second for rows.
    pub(crate) fn cut(&self, connection: usize) {
        for stream in self.streams.lock().expect("no panic").iter().skip(2 * connection).take(2) {
            // Where all has ended it is closed already.
            drop(stream.shutdown(Shutdown::Both));
        }
    }

    /// From now on nothing gets through, and nothing is closed.
    pub(crate) fn swallow(&self) {
        self.swallow.store(true, Relaxed);
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

#[test]
fn a_connection_that_is_cut_ends_both() {
    // Cut for messages, cut for rows, and lost without a word, as by a cable that is pulled.
    for (connection, said) in
        [(Some(0), "its connection has ended"), (Some(1), "for rows has ended"), (None, "heard of")]
    {
        let case = of_pipeline(ENDLESS);
        let addresses = hosts(&case, 2);
        let relay = Relay::to(&addresses[0]);
        case.write("hosts-of-1.txt", format!("{}\n{}\n", relay.address, addresses[1]));
        let first = start(&case, 0, &["--peer-timeout", "2"]);
        let arguments =
            ["run", "pipeline.toml", "--quiet", "--hosts", "hosts-of-1.txt", "--process", "1", "--peer-timeout", "2"];
        let second = Process::start(weir(&case, &arguments));
        wait_for_output(&case);
        match connection {
            Some(connection) => relay.cut(connection),
            None => relay.swallow(),
        }
        let ended = [first.ended(), second.ended()];
        assert!(ended.iter().all(|(code, _)| *code == Some(9)), "{ended:?}");
        assert!(ended.iter().any(|(_, errors)| errors.contains(said)), "{said}: {ended:?}");
        assert!(ended.iter().all(|(_, errors)| !errors.contains("panicked")), "{ended:?}");
    }
}

#[test]
fn a_failure_in_one_is_known_in_all() {
    let case = of_folder("row-error-stops");
    hosts(&case, 2);
    let mut ended = [0, 1].map(|p| start(&case, p, &[])).map(Process::ended);
    ended.sort();
    let [(function, said), (echo, echoed)] = ended;
    assert_eq!((function, echo), (Some(3), Some(9)), "{said}\n{echoed}");
    let expected = fs::read_to_string(case.path().join("error.txt")).expect("a text");
    assert_eq!(said, expected);
    let line = said.lines().next().and_then(|line| line.strip_prefix("error: ")).expect("an error");
    assert!(echoed.contains(&format!("failed: {line}")), "{echoed}");
}

#[test]
fn asking_one_to_end_ends_all_cleanly() {
    let case = of_pipeline(ENDLESS);
    hosts(&case, 2);
    let children = [0, 1].map(|p| start(&case, p, &["--report", "report.json"]));
    wait_for_output(&case);
    send("TERM", children[1].id());
    for child in children {
        assert_eq!(child.ended(), (Some(0), String::new()));
    }
    let all = report(&case.path().join("report.json"));
    assert_eq!(all["interrupted"], true);
    assert_eq!(all["processes"].as_array().map(Vec::len), Some(2));
}

#[test]
fn what_several_processes_can_t_do_is_refused() {
    let case =
        of_pipeline("[source]\nstdin = true\nformat = \"jsonl\"\nschema = { a = \"text\" }\n[sink]\nstdout = true\n");
    hosts(&case, 2);
    let (code, errors) = start(&case, 0, &[]).ended();
    assert!(code == Some(2) && errors.contains("standard input, which one process has"), "{errors}");
    let case = of_folder("filter-map");
    case.write("hosts.txt", "10.1.2.3:2101\n10.1.2.4:2101\n");
    let (code, errors) = start(&case, 0, &[]).ended();
    assert!(code == Some(2) && errors.contains("from other machines") && errors.contains("--listen"), "{errors}");
    let (code, errors) = start(&case, 7, &[]).ended();
    assert!(code == Some(2) && errors.contains("there is no process 7"), "{errors}");
    hosts(&case, 2);
    let (code, errors) = start(&case, 0, &["--join-timeout", "0.2"]).ended();
    assert!(code == Some(9) && errors.contains("was not there within 0.2 s"), "{errors}");
}

/// The processes that a process has started.
pub(crate) fn children(of: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap_or_default();
    text.split_whitespace().map(|id| id.parse().expect("a number")).collect()
}

fn supervised(case: &Case, more: &[&str]) -> Process {
    let arguments = [&["run", "pipeline.toml", "--quiet", "--processes", "2"][..], more].concat();
    Process::start(weir(case, &arguments))
}

#[test]
fn all_start_again_when_one_dies() {
    let case = of_pipeline(&ENDLESS.replace("4000000000", "2000000"));
    let expected = {
        let once = weir(&case, &["run", "pipeline.toml", "--quiet"]).output().expect("weir runs");
        assert!(once.status.success(), "{}", text(&once.stderr));
        fs::read(case.path().join("out.jsonl")).expect("output")
    };
    fs::remove_file(case.path().join("out.jsonl")).expect("a file");
    let run = supervised(&case, &["--restart", "3"]);
    wait_for_output(&case);
    send("KILL", children(run.id())[1]);
    let (code, errors) = run.ended();
    assert_eq!(code, Some(0), "{errors}");
    assert!(errors.contains("process 1 was killed or crashed; all start again in 0.5 s (1 of 3)"), "{errors}");
    assert!(fs::read(case.path().join("out.jsonl")).expect("output") == expected, "another result");
}

#[test]
fn processes_end_with_who_started_them() {
    for signal in ["TERM", "KILL"] {
        let case = of_pipeline(ENDLESS);
        let run = supervised(&case, &[]);
        wait_for_output(&case);
        let children = children(run.id());
        assert_eq!(children.len(), 2);
        send(signal, run.id());
        let (code, errors) = run.ended();
        assert_eq!((code, errors.as_str()), if signal == "TERM" { (Some(0), "") } else { (None, "") });
        let alive = |id: &&u32| fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
        let started = Instant::now();
        while let Some(id) = children.iter().find(alive) {
            assert!(started.elapsed() < Duration::from_secs(20), "{id} runs on");
            thread::sleep(Duration::from_millis(20));
        }
    }
}
