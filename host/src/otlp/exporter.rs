//! Exporters that say once when nothing arrives. The SDK drops what it can't send without a word.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::logs::{LogBatch, LogExporter};
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;

use super::Warn;

/// What is known of the collector.
pub(super) struct Notes {
    place: String,
    warn: Warn,
    /// Held while it is being said: who finds it said may end the process.
    warned: Mutex<bool>,
}

impl std::fmt::Debug for Notes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notes").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Notes {
    pub(super) fn new(place: String, warn: Warn) -> Self {
        Self { place, warn, warned: Mutex::new(false) }
    }

    /// Something did not arrive. Said the first time: what stays away for hours would fill a log.
    pub(super) fn failed(&self, why: &str) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut *warned, true) {
            (self.warn)(&format!(
                "the collector at {} does not take metrics and logs: {why}; the run goes on, and this is said once",
                self.place
            ));
        }
    }

    fn note(&self, exported: OTelSdkResult) -> OTelSdkResult {
        match &exported {
            Err(OTelSdkError::InternalFailure(why)) => self.failed(why),
            Err(OTelSdkError::Timeout(_)) => self.failed("it does not answer"),
            Err(OTelSdkError::AlreadyShutdown) | Ok(()) => {}
        }
        exported
    }
}

/// An exporter of which it is noted what becomes of it.
#[derive(Debug)]
pub(super) struct Noted<E> {
    exporter: E,
    notes: Arc<Notes>,
}

impl<E> Noted<E> {
    pub(super) fn new(exporter: E, notes: &Arc<Notes>) -> Self {
        Self { exporter, notes: Arc::clone(notes) }
    }
}

impl<E: LogExporter> LogExporter for Noted<E> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        self.notes.note(self.exporter.export(batch).await)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E: PushMetricExporter> PushMetricExporter for Noted<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        self.notes.note(self.exporter.export(metrics).await)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_finds_it_said_finds_it_written() {
        let (written, done) = (Arc::new(Mutex::new(String::new())), Arc::new(std::sync::Barrier::new(2)));
        let (to, saying) = (Arc::clone(&written), Arc::clone(&done));
        let warn = move |text: &str| {
            saying.wait();
            // As long as writing may take.
            (0..1000).for_each(|_| std::thread::yield_now());
            to.lock().expect("no panic").push_str(text);
        };
        let notes = Arc::new(Notes::new("http://here:4318".into(), Box::new(warn)));
        let first = std::thread::spawn({
            let notes = Arc::clone(&notes);
            move || notes.failed("nobody listens")
        });
        done.wait();
        notes.failed("it does not answer");
        assert!(written.lock().expect("no panic").contains("nobody listens"));
        first.join().expect("no panic");
    }

    #[test]
    fn what_stays_away_is_said_once() {
        let said = Arc::new(Mutex::new(Vec::new()));
        let to = Arc::clone(&said);
        let warn = move |text: &str| to.lock().expect("no panic").push(text.to_owned());
        let notes = Notes::new("http://here:4318".into(), Box::new(warn));
        drop(notes.note(Ok(())));
        for _ in 0..3 {
            drop(notes.note(Err(OTelSdkError::InternalFailure("nobody listens".into()))));
        }
        drop(notes.note(Ok(())));
        let said = said.lock().expect("no panic");
        assert!(
            matches!(said.as_slice(), [one] if one.contains("http://here:4318") && one.contains("nobody")),
            "{said:?}"
        );
    }
}
