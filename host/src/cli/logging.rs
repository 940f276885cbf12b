//! Logs of what happens beside rows, a line each on stderr: as text, or as JSON for whoever collects them.
//!
//! Without `--log` there are none, and a person reads the live line and the table instead. What is
//! logged is chosen by `WEIR_LOG` or `RUST_LOG`, as in `info,weir::flow::cluster=debug`. With `--otlp` a collector
//! gets the same events, whether there are lines or not; of those only weir's own, since what sends them logs
//! as well.

use clap::ValueEnum;
use tracing_subscriber::filter::{FilterExt, Targets, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, fmt};
use weir::error::{Error, Result};

use super::args::Run;
use super::telemetry::Telemetry;

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Time, level, words.
    Text,
    /// An object a line.
    Json,
}

/// Starts to log, as a run's arguments ask for it. To be called once.
pub(super) fn start(args: &Run, telemetry: &Telemetry) -> Result<()> {
    let bridge = telemetry.bridge();
    if args.log.is_none() && bridge.is_none() {
        return Ok(());
    }
    let chosen = ["WEIR_LOG", "RUST_LOG"].into_iter().find_map(|name| std::env::var(name).ok());
    let chosen = chosen.as_deref().unwrap_or("weir=info");
    let filter: Targets = chosen.parse().map_err(|e| {
        Error::invalid(format!("`{chosen}` does not say what to log: {e}; say `info,weir::flow=debug`"))
    })?;
    let lines = args.log.map(|format| {
        let lines = fmt::layer().with_writer(std::io::stderr);
        let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
            Format::Text => lines.with_ansi(false).boxed(),
            Format::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
        };
        lines.with_filter(filter.clone())
    });
    let own = filter_fn(|of| of.target() == "weir" || of.target().starts_with("weir::"));
    let bridge = bridge.map(|bridge| bridge.with_filter(filter.and(own)));
    let started = tracing_subscriber::registry().with(lines).with(bridge).try_init();
    started.map_err(|e| Error::Bug(format!("logging can't start: {e}")))
}

/// Logs an error with what caused it and what would help.
pub(super) fn error(error: &Error) {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let text = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
    tracing::error!(code = error.exit_code(), hint = error.hint(), "{text}");
}

/// Whether events go anywhere.
pub(super) fn is_on() -> bool {
    tracing::dispatcher::has_been_set()
}
