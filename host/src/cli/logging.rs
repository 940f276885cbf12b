//! Logs of what happens beside rows, a line each on stderr: as text, or as JSON for whoever collects them.
//!
//! Without `--log` there are none, and a person reads the live line and the table instead. What is
//! logged is chosen by `WEIR_LOG` or `RUST_LOG`, as in `info,weir::flow::cluster=debug`.

use clap::ValueEnum;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use weir::error::{Error, Result};

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Time, level, words.
    Text,
    /// An object a line.
    Json,
}

/// Starts to log. To be called once.
pub(super) fn start(format: Format) -> Result<()> {
    let chosen = ["WEIR_LOG", "RUST_LOG"].into_iter().find_map(|name| std::env::var(name).ok());
    let chosen = chosen.as_deref().unwrap_or("weir=info");
    let filter: Targets = chosen.parse().map_err(|e| {
        Error::invalid(format!("`{chosen}` does not say what to log: {e}; say `info,weir::flow=debug`"))
    })?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        Format::Text => lines.with_ansi(false).boxed(),
        Format::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
    };
    let started = tracing_subscriber::registry().with(lines.with_filter(filter)).try_init();
    started.map_err(|e| Error::Bug(format!("logging can't start: {e}")))
}

/// Logs an error with what caused it and what would help.
pub(super) fn error(error: &Error) {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let text = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
    tracing::error!(code = error.exit_code(), hint = error.hint(), "{text}");
}

/// Whether errors are to be logged, and not printed.
pub(super) fn is_on() -> bool {
    tracing::dispatcher::has_been_set()
}
