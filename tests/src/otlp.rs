//! What a run tells an OpenTelemetry collector: a real HTTP server here, which takes what real processes send.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::{NumberDataPoint, metric, number_data_point};
use prost::Message;

use crate::command::{of_folder, of_pipeline, text, weir};
use crate::pipelines::Case;

/// A collector that keeps what it gets.
struct Collector {
    address: String,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    metrics: Vec<ExportMetricsServiceRequest>,
    logs: Vec<ExportLogsServiceRequest>,
    kinds: Vec<String>,
}

impl Collector {
    fn start() -> Self {
        let server = tiny_http::Server::http("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", server.server_addr());
        let taken = Arc::new(Mutex::new(Taken::default()));
        let into = Arc::clone(&taken);
        thread::spawn(move || {
            for mut request in server.incoming_requests() {
                let mut body = Vec::new();
                request.as_reader().read_to_end(&mut body).expect("a body");
                let mut taken = into.lock().expect("no panic");
                let is = |h: &&tiny_http::Header| h.field.equiv("Content-Type");
                taken.kinds.extend(request.headers().iter().find(is).map(|h| h.value.to_string()));
                match request.url() {
                    "/v1/metrics" => taken.metrics.push(Message::decode(&body[..]).expect("metrics")),
                    "/v1/logs" => taken.logs.push(Message::decode(&body[..]).expect("logs")),
                    other => panic!("nothing is taken at {other}"),
                }
                drop(taken);
                request.respond(tiny_http::Response::empty(200)).expect("it waits");
            }
        });
        Self { address, taken }
    }

    /// The last value of each series, by its name and labels.
    fn metrics(&self) -> BTreeMap<String, f64> {
        let taken = self.taken.lock().expect("no panic");
        let mut last = BTreeMap::new();
        for metric in taken.metrics.iter().flat_map(|r| &r.resource_metrics).flat_map(|r| &r.scope_metrics) {
            for metric in &metric.metrics {
                let points: &[NumberDataPoint] = match metric.data.as_ref().expect("data") {
                    metric::Data::Sum(sum) => {
                        assert!(sum.is_monotonic && metric.name.ends_with("_total"), "{metric:?}");
                        &sum.data_points
                    }
                    metric::Data::Gauge(gauge) => &gauge.data_points,
                    other => panic!("{}: {other:?}", metric.name),
                };
                for point in points {
                    let Some(number_data_point::Value::AsDouble(value)) = point.value else { panic!("{point:?}") };
                    last.insert(format!("{}{{{}}}", metric.name, labels(&point.attributes)), value);
                }
            }
        }
        last
    }

    fn logs(&self) -> Vec<LogRecord> {
        let taken = self.taken.lock().expect("no panic");
        let scopes = taken.logs.iter().flat_map(|r| &r.resource_logs).flat_map(|r| &r.scope_logs);
        scopes.flat_map(|s| s.log_records.clone()).collect()
    }

    /// What the sender says of itself.
    fn resource(&self) -> String {
        let taken = self.taken.lock().expect("no panic");
        let mut of = taken.metrics.iter().flat_map(|r| &r.resource_metrics).filter_map(|r| r.resource.as_ref());
        labels(&of.next_back().expect("a resource").attributes)
    }
}

fn shown(value: Option<&AnyValue>) -> String {
    match value.and_then(|v| v.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(n)) => n.to_string(),
        other => format!("{other:?}"),
    }
}

fn labels(attributes: &[KeyValue]) -> String {
    let mut labels: Vec<_> =
        attributes.iter().map(|kv| format!("{}=\"{}\"", kv.key, shown(kv.value.as_ref()))).collect();
    labels.sort();
    labels.join(",")
}

fn run(case: &Case, arguments: &[&str]) -> Command {
    let mut command = weir(case, &[&["run", "pipeline.toml"], arguments].concat());
    command.env("NO_PROXY", "127.0.0.1");
    command
}

#[test]
fn a_short_run_sends_all_of_it_before_it_ends() {
    let case = of_folder("row-errors");
    let collector = Collector::start();
    let ran = run(&case, &["--quiet", "--otlp", &collector.address, "--report", "report.json"]).output().expect("runs");
    assert!(ran.status.success() && ran.stderr.is_empty(), "{}", text(&ran.stderr));
    let report = std::fs::read_to_string(case.path().join("report.json")).expect("a report");
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    let metrics = collector.metrics();
    for node in report["nodes"].as_array().expect("nodes") {
        let of = |key: &str| node[key].as_str().expect("a text");
        let (kind, name, pipeline) = (of("kind"), of("name"), report["pipeline"].as_str().expect("a name"));
        let labels = format!("kind=\"{kind}\",node=\"{name}\",pipeline=\"{pipeline}\",process=\"0\"");
        for (series, field) in [
            ("weir_rows_in_total", "rows_in"),
            ("weir_rows_out_total", "rows_out"),
            ("weir_failed_rows_total", "failed"),
            ("weir_calls_total", "calls"),
        ] {
            let found = metrics.get(&format!("{series}{{{labels}}}")).copied();
            assert_eq!(found, node[field].as_f64(), "{series} of {name}: {metrics:?}");
        }
    }
    let resource = collector.resource();
    assert!(resource.contains("service.name=\"weir\"") && resource.contains("service.version=\""), "{resource}");
    let logs = collector.logs();
    let find =
        |words: &str| logs.iter().find(|l| shown(l.body.as_ref()) == words).unwrap_or_else(|| panic!("{logs:?}"));
    assert_eq!(find("a run starts").severity_text, "INFO");
    assert_eq!(find("rows have failed").severity_text, "WARN");
    let failed = report["failed"].as_i64().expect("a number");
    assert!(labels(&find("a run has ended").attributes).contains(&format!("failed=\"{failed}\"")), "{logs:?}");
    let taken = collector.taken.lock().expect("no panic");
    assert!(taken.kinds.iter().all(|kind| kind == "application/x-protobuf"), "{:?}", taken.kinds);
}

#[test]
fn every_series_of_prometheus_is_sent() {
    let case = of_folder("row-errors");
    let listed = include_str!("../../docs/operate.md");
    let collector = Collector::start();
    let pipeline = std::fs::read_to_string(case.pipeline()).expect("a pipeline");
    case.write("pipeline.toml", pipeline + "\n[checkpoint]\ndir = \"checkpoints\"\nevery = \"0s\"\n");
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address.as_str()), ("OTEL_SERVICE_NAME", "flights")];
    let ran = run(&case, &["--quiet"]).envs(environment).output().expect("runs");
    assert!(ran.status.success(), "{}", text(&ran.stderr));
    let sent = collector.metrics();
    let names = listed.split('`').filter(|word| word.starts_with("weir_") && !word.contains(['{', '[']));
    // Of a pipeline without event time there is no watermark.
    let names: Vec<_> = names.filter(|name| !name.contains("watermark")).collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        assert!(sent.keys().any(|series| series.starts_with(&format!("{name}{{"))), "{name} is not sent: {sent:?}");
    }
    assert!(collector.resource().contains("service.name=\"flights\""), "{}", collector.resource());
}

#[test]
fn an_error_is_sent_as_well() {
    let case = of_folder("row-error-stops");
    let collector = Collector::start();
    let ran = run(&case, &["--quiet", "--otlp", &collector.address]).output().expect("runs");
    let expected = std::fs::read_to_string(case.path().join("error.txt")).expect("a text");
    assert_eq!((ran.status.code(), text(&ran.stderr)), (Some(3), expected.clone()));
    let logs = collector.logs();
    let error = logs.iter().find(|l| l.severity_text == "ERROR").unwrap_or_else(|| panic!("{logs:?}"));
    let line = expected.lines().next().and_then(|line| line.strip_prefix("error: ")).expect("an error");
    assert!(shown(error.body.as_ref()).starts_with(line), "{error:?}");
    assert!(labels(&error.attributes).contains("code=\"3\""), "{error:?}");
}

#[test]
fn a_collector_that_is_away_is_said_once_and_costs_a_bounded_time() {
    // Nobody listens at one; at the other somebody does, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = format!("http://{}", silent.local_addr().expect("an address"));
    let nobody = "http://127.0.0.1:9".to_owned();
    let case = of_pipeline("[source]\nnexmark = { stream = \"bid\", rows = 200000 }\n[sink]\nfile = \"out.jsonl\"\n");
    for place in [nobody, silent] {
        let started = Instant::now();
        let mut command = run(&case, &["--quiet", "--otlp", &place, "--log", "text"]);
        let ran = command.env("OTEL_METRIC_EXPORT_INTERVAL", "50").env("OTEL_BLRP_SCHEDULE_DELAY", "50").output();
        let (ran, took) = (ran.expect("runs"), started.elapsed());
        let log = text(&ran.stderr);
        assert_eq!(ran.status.code(), Some(0), "{log}");
        assert_eq!(log.lines().filter(|line| line.contains("WARN")).count(), 1, "{log}");
        assert!(log.contains(&format!("the collector at {place} does not take metrics and logs")), "{log}");
        assert!(took < Duration::from_secs(30), "{place}: {took:?}");
        let rows = std::fs::read_to_string(case.path().join("out.jsonl")).expect("output").lines().count();
        assert_eq!(rows, 200_000);
    }
    // Without a log it is said to whoever looks.
    let ran = run(&case, &["--quiet", "--otlp", "http://127.0.0.1:9"]).output().expect("runs");
    let said = text(&ran.stderr);
    assert!(
        ran.status.success() && said.starts_with("warning: the collector at") && said.lines().count() == 1,
        "{said}"
    );
    let wrong = weir(&case, &["run", "--otlp", "pipeline.toml"]).output().expect("runs");
    assert!(wrong.status.code() == Some(2) && text(&wrong.stderr).contains("give a URL"), "{}", text(&wrong.stderr));
}
