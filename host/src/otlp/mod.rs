//! What a run counts and what happens in it, to an OpenTelemetry collector: OTLP over HTTP, as protobuf.
//!
//! In come the series of [`crate::metrics`] and the events of `tracing`; out go requests, from threads of their
//! own. A collector that is away, slow or full costs the run nothing: what does not fit a bounded queue is
//! dropped, and the end of the process waits for it a bounded time. What it is, where it is and how often it is
//! told, the standard `OTEL_..` variables say.

mod exporter;
mod instruments;

use std::env;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use opentelemetry::{Key, KeyValue};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{ExporterBuildError, LogExporter, MetricExporter, Protocol, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};

use crate::error::{Error, Invalid, Result};
use crate::report::Metrics;
use exporter::{Noted, Notes};

/// How often metrics are sent where `OTEL_METRIC_EXPORT_INTERVAL` says nothing.
const EVERY: Duration = Duration::from_secs(10);

/// How long the end of the process waits for the last of it.
const LAST: Duration = Duration::from_secs(5);

/// Where a collector is if nobody says so: the standard's own choice.
const USUAL: &str = "http://localhost:4318";

/// What is told, once, that the collector can't be reached.
pub type Warn = Box<dyn Fn(&str) + Send + Sync>;

/// Takes events of `tracing`.
pub type Bridge = OpenTelemetryTracingBridge<SdkLoggerProvider, SdkLogger>;

/// A way to a collector. Dropped, it sends what is left.
pub struct Otlp {
    url: Option<String>,
    resource: Resource,
    notes: Arc<Notes>,
    logs: SdkLoggerProvider,
    metrics: Option<SdkMeterProvider>,
}

impl std::fmt::Debug for Otlp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Otlp").finish_non_exhaustive()
    }
}

/// Whether the environment says where a collector is.
pub fn is_in_environment() -> bool {
    let set = |name: &str| env::var(name).is_ok_and(|value| !value.is_empty());
    let disabled = env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
    let named =
        ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"];
    !disabled && named.into_iter().any(set)
}

impl Otlp {
    /// Makes ready to tell a collector of what process `process` does, at a URL or where the environment says.
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Invalid`] where that is no place for a collector.
    pub fn start(url: Option<&str>, process: usize, warn: Warn) -> Result<Self> {
        crate::tls::start();
        let url = url.map(|url| url.trim_end_matches('/').to_owned());
        let notes = Arc::new(Notes::new(place(url.as_deref()), warn));
        let resource = resource(process);
        let exporter = LogExporter::builder().with_http().with_protocol(Protocol::HttpBinary);
        let exporter = match &url {
            Some(url) => exporter.with_endpoint(format!("{url}/v1/logs")),
            None => exporter,
        };
        let exporter = Noted::new(exporter.build().map_err(|e| wrong(&e))?, &notes);
        let logs = SdkLoggerProvider::builder().with_resource(resource.clone()).with_batch_exporter(exporter).build();
        Ok(Self { url, resource, notes, logs, metrics: None })
    }

    /// What takes events.
    pub fn bridge(&self) -> Bridge {
        OpenTelemetryTracingBridge::new(&self.logs)
    }

    /// Sends a run's counters from now on.
    ///
    /// # Errors
    /// As [`Otlp::start`].
    pub fn watch(&mut self, metrics: &Arc<Metrics>, process: usize) -> Result<()> {
        let exporter = MetricExporter::builder().with_http().with_protocol(Protocol::HttpBinary);
        let exporter = match &self.url {
            Some(url) => exporter.with_endpoint(format!("{url}/v1/metrics")),
            None => exporter,
        };
        let exporter = Noted::new(exporter.build().map_err(|e| wrong(&e))?, &self.notes);
        let reader = PeriodicReader::builder(exporter);
        let reader = match env::var_os("OTEL_METRIC_EXPORT_INTERVAL") {
            Some(_) => reader,
            None => reader.with_interval(EVERY),
        };
        let provider =
            SdkMeterProvider::builder().with_resource(self.resource.clone()).with_reader(reader.build()).build();
        instruments::observe(&provider, metrics, process);
        self.metrics = Some(provider);
        Ok(())
    }
}

impl Drop for Otlp {
    fn drop(&mut self) {
        let (logs, metrics) = (self.logs.clone(), self.metrics.take());
        let (done, wait) = channel();
        // Both at once, beside this thread: whichever hangs is left behind when the time is up.
        let of_logs = done.clone();
        thread::spawn(move || {
            drop(logs.shutdown_with_timeout(LAST));
            let _ = of_logs.send(());
        });
        thread::spawn(move || {
            if let Some(metrics) = metrics {
                drop(metrics.shutdown());
            }
            let _ = done.send(());
        });
        let until = std::time::Instant::now() + LAST;
        for _ in 0..2 {
            if wait.recv_timeout(until.saturating_duration_since(std::time::Instant::now())).is_err() {
                self.notes.failed("it does not answer");
                return;
            }
        }
    }
}

fn wrong(error: &ExporterBuildError) -> Error {
    Invalid::new(format!("metrics and logs can't be sent: {error}"))
        .hint("`--otlp http://HOST:4318`, or OTEL_EXPORTER_OTLP_ENDPOINT, says where a collector takes OTLP over HTTP")
        .into()
}

/// Where the collector is, for who reads a warning, without what may be a secret in front of its host.
fn place(url: Option<&str>) -> String {
    let of = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let url = url.map(str::to_owned).or_else(|| of("OTEL_EXPORTER_OTLP_ENDPOINT"));
    let url =
        url.or_else(|| of("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")).or_else(|| of("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"));
    let url = url.unwrap_or_else(|| USUAL.to_owned());
    match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1))) {
        Some((scheme, rest)) => format!("{scheme}://{rest}"),
        None => url,
    }
}

/// Who sends: `weir`, unless the environment has another name for it.
fn resource(process: usize) -> Resource {
    let service = Key::from_static_str("service.name");
    let named = Resource::builder().build();
    let unnamed = named.get(&service).is_none_or(|name| name.as_str().starts_with("unknown_service"));
    let builder = Resource::builder().with_attributes([
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", process.to_string()),
    ]);
    if unnamed { builder.with_service_name("weir").build() } else { builder.build() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_without_its_keys() {
        assert_eq!(place(Some("https://KEY:SECRET@collector:4318")), "https://collector:4318");
        assert_eq!(place(Some("http://collector:4318/x")), "http://collector:4318/x");
    }
}
