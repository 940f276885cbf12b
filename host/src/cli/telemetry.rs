//! `--otlp`: what a run says of itself goes to a collector as well.
//!
//! Dropped, the last of it is sent; so it is the last thing that a process has.

use weir::error::Result;

use super::args::Run;
#[cfg(feature = "otlp")]
use super::print;

/// A way to a collector, where one was asked for.
#[derive(Debug, Default)]
pub(super) struct Telemetry {
    #[cfg(feature = "otlp")]
    otlp: Option<weir::otlp::Otlp>,
}

#[cfg(feature = "otlp")]
impl Telemetry {
    /// Starts, if the arguments or the environment ask for it.
    pub(super) fn start(&mut self, args: &Run) -> Result<()> {
        let url = match &args.otlp {
            Some(url) => url.as_deref(),
            None if weir::otlp::is_in_environment() => None,
            None => return Ok(()),
        };
        let logs = args.log.is_some();
        let warn = move |text: &str| match logs {
            true => tracing::warn!("{text}"),
            false => print::note(&format!("warning: {text}")),
        };
        self.otlp = Some(weir::otlp::Otlp::start(url, args.process.unwrap_or(0), Box::new(warn))?);
        Ok(())
    }

    /// What takes events.
    pub(super) fn bridge(&self) -> Option<weir::otlp::Bridge> {
        self.otlp.as_ref().map(weir::otlp::Otlp::bridge)
    }

    /// Sends a run's counters from now on.
    pub(super) fn watch(&mut self, metrics: &std::sync::Arc<weir::report::Metrics>, process: usize) -> Result<()> {
        self.otlp.as_mut().map_or(Ok(()), |otlp| otlp.watch(metrics, process))
    }
}

#[cfg(not(feature = "otlp"))]
impl Telemetry {
    #[expect(clippy::unused_self, clippy::needless_pass_by_ref_mut, reason = "it is nothing in this build")]
    pub(super) fn start(&mut self, args: &Run) -> Result<()> {
        match &args.otlp {
            None => Ok(()),
            Some(_) => Err(weir::error::Invalid::new("this weir was built without OpenTelemetry")
                .hint("build it with the feature `otlp`, which is on unless `--no-default-features` is given")
                .into()),
        }
    }

    #[expect(clippy::unused_self, reason = "it is nothing in this build")]
    pub(super) fn bridge(&self) -> Option<tracing_subscriber::layer::Identity> {
        None
    }

    #[expect(clippy::unused_self, clippy::needless_pass_by_ref_mut, clippy::unnecessary_wraps, reason = "as above")]
    pub(super) fn watch(&mut self, _: &std::sync::Arc<weir::report::Metrics>, _: usize) -> Result<()> {
        Ok(())
    }
}
