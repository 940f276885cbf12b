//! What whoever operates the command sees of it: metrics, logs, and the files to deploy it with.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use weir::flow::cluster::free_addresses;

use crate::cluster::Process;
use crate::command::{ended, of_folder, of_pipeline, text, weir};

fn get(address: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: weir\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
}

/// The value of a sample whose labels have all of these.
fn sample(text: &str, name: &str, labels: &[&str]) -> Option<f64> {
    let is = |line: &&str| line.starts_with(&format!("{name}{{")) && labels.iter().all(|l| line.contains(l));
    text.lines().find(is)?.rsplit(' ').next()?.parse().ok()
}

#[test]
fn a_run_says_how_far_it_is_while_it_runs() {
    let case = of_pipeline(
        "name = \"busy\"\n[functions]\nlab = \"lab.wasm\"\n[source]\nnexmark = { stream = \"bid\", rows = 4000000000 }\n\
         event-time = { column = \"date_time\" }\n[[steps]]\nname = \"spans\"\nkey-by = [\"auction\"]\n\
         window = { tumbling = \"1s\" }\naggregate = { span = \"lab.span(price)\" }\n[sink]\nblackhole = true\n",
    );
    let address = free_addresses(1).expect("a free port").remove(0);
    let run = weir(&case, &["run", "pipeline.toml", "--quiet", "--metrics", &address]);
    let child = Process::start(run);
    let started = Instant::now();
    let rows = |metrics: &str| sample(metrics, "weir_rows_out_total", &["node=\"sink\""]).unwrap_or_default();
    let first = loop {
        if let Some(metrics) = get(&address, "/metrics").filter(|m| rows(m) > 0.0) {
            break metrics;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "no metrics at {address}");
        thread::sleep(Duration::from_millis(20));
    };
    let labels = ["pipeline=\"busy\"", "node=\"spans\"", "kind=\"window\""];
    for name in ["weir_rows_in_total", "weir_calls_total", "weir_sandbox_seconds_total", "weir_state_keys_max"] {
        assert!(sample(&first, name, &labels).is_some_and(|n| n > 0.0), "{name}\n{first}");
    }
    assert!(sample(&first, "weir_watermark_lag_seconds", &["kind=\"source\""]).is_some(), "{first}");
    while rows(&get(&address, "/metrics").expect("it still answers")) <= rows(&first) {
        assert!(started.elapsed() < Duration::from_secs(90), "it does not go on");
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(get(&address, "/healthz").as_deref(), Some("ok\n"));
    drop(child);
}

#[test]
fn a_log_is_json_and_nothing_else() {
    let case = of_folder("row-errors");
    let mut run = weir(&case, &["run", "pipeline.toml", "--log", "json"]);
    let (code, log) = ended(run.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("weir runs"));
    let lines: Vec<Value> =
        log.lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{l}: {e}"))).collect();
    assert_eq!(code, Some(0), "{log}");
    let message = |words: &str| lines.iter().find(|line| line["message"] == words).unwrap_or_else(|| panic!("{log}"));
    assert_eq!(message("a run starts")["workers"], 1);
    assert_eq!(message("rows have failed")["level"], "WARN");
    assert!(message("a run has ended")["failed"].as_u64().is_some_and(|n| n > 0), "{log}");
    // An error is a line as well.
    let case = of_folder("row-error-stops");
    let mut run = weir(&case, &["run", "pipeline.toml", "--log", "json"]);
    let (code, log) = ended(run.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("weir runs"));
    let last: Value = serde_json::from_str(log.lines().last().expect("a line")).expect("JSON");
    assert_eq!((code, &last["level"], &last["code"]), (Some(3), &"ERROR".into(), &3.into()), "{log}");
    let wrong = weir(&case, &["run", "pipeline.toml", "--log", "text"]).env("WEIR_LOG", "=,=x").output().expect("runs");
    assert!(wrong.status.code() == Some(2) && text(&wrong.stderr).contains("what to log"), "{}", text(&wrong.stderr));
}

#[test]
fn the_files_to_deploy_with_name_options_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let help = weir(&of_folder("filter-map"), &["run", "--help"]).output().expect("weir runs");
    let help = text(&help.stdout);
    let mut files = vec![root.join("deploy/Dockerfile")];
    for folder in ["deploy/kubernetes", "deploy/systemd"] {
        files.extend(fs::read_dir(root.join(folder)).expect("a folder").flatten().map(|e| e.path()));
    }
    assert!(files.len() >= 4, "{files:?}");
    let explained = fs::read_to_string(root.join("docs/deploy.md")).expect("the page");
    for file in files {
        let content = BufReader::new(fs::File::open(&file).expect("a file"));
        for line in content.lines().map(|l| l.expect("text")).filter(|l| !l.trim_start().starts_with('#')) {
            let is_option =
                |word: &&str| word.starts_with("--") && line.contains("weir") | line.trim().starts_with("- --");
            let words = line.split_whitespace().filter(is_option).filter_map(|word| word.split('=').next());
            for option in
                words.filter(|_| !line.contains("cargo") && !line.contains("apt-get") && !line.contains("COPY"))
            {
                let there = help.split_whitespace().any(|word| word == option);
                assert!(there, "{}: weir run has no {option}", file.display());
            }
        }
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        assert!(explained.contains(&name), "docs/deploy.md does not explain {name}");
    }
    let yaml = Command::new("python3").args(["-c", "import yaml"]).output();
    if yaml.is_ok_and(|o| o.status.success()) {
        let script = "import sys, yaml\nfor f in sys.argv[1:]: list(yaml.safe_load_all(open(f)))";
        let mut parse = Command::new("python3");
        parse.arg("-c").arg(script).args(["stream.yaml", "job.yaml"].map(|f| root.join("deploy/kubernetes").join(f)));
        assert!(parse.status().expect("python runs").success());
    }
}
