//! The series of a run as instruments, which the SDK asks when it is about to send.
//!
//! Names and labels are those that Prometheus reads, so that either way leads to the same dashboard: the
//! units stand in the names already, and a collector that turns these into Prometheus's adds nothing.

use std::sync::Arc;

use opentelemetry::metrics::{AsyncInstrument, MeterProvider};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::metrics::SdkMeterProvider;

use crate::metrics::series::{FAMILIES, Family, Kind, Sample, View};
use crate::report::Metrics;

/// Makes an instrument of each series.
pub(super) fn observe(provider: &SdkMeterProvider, metrics: &Arc<Metrics>, process: usize) {
    let scope = InstrumentationScope::builder("weir").with_version(env!("CARGO_PKG_VERSION")).build();
    let meter = provider.meter_with_scope(scope);
    for family in FAMILIES {
        let metrics = Arc::clone(metrics);
        let look = move |to: &dyn AsyncInstrument<f64>| look(&family, &View::of(&metrics, process), to);
        // The SDK keeps them; what stands here are handles of which nobody needs anything.
        match family.kind {
            Kind::Counter => {
                let counter = meter.f64_observable_counter(family.name).with_unit(family.unit);
                let _ = counter.with_description(family.help).with_callback(look).build();
            }
            Kind::Gauge => {
                let gauge = meter.f64_observable_gauge(family.name).with_unit(family.unit);
                let _ = gauge.with_description(family.help).with_callback(look).build();
            }
        }
    }
}

fn look(family: &Family, view: &View, to: &dyn AsyncInstrument<f64>) {
    for Sample { labels, value } in family.samples(view) {
        let labels: Vec<_> = labels.into_iter().map(|(name, value)| KeyValue::new(name, value)).collect();
        to.observe(value, &labels);
    }
}
