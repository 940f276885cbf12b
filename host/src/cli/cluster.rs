//! What the arguments say of other processes.

use std::time::Duration;

use weir::error::{Invalid, Result};
use weir::flow::cluster::{self, Settings};

use super::args::Run;

/// Where the processes of a run are; none where it has one.
pub(super) fn settings(args: &Run) -> Result<Option<Settings>> {
    let (Some(hosts), Some(process)) = (&args.hosts, args.process) else { return Ok(None) };
    let name = hosts.display().to_string();
    let text = std::fs::read_to_string(hosts).map_err(|e| {
        Invalid::new(format!("the hosts file {name} can't be read: {e}"))
            .hint("it has a line HOST:PORT for each process")
    })?;
    let mut settings = Settings::new(process, cluster::addresses(&text, &name)?);
    settings.listen.clone_from(&args.listen);
    settings.join_timeout = Duration::from_secs_f64(args.join_timeout);
    settings.peer_timeout = Duration::from_secs_f64(args.peer_timeout);
    Ok(Some(settings))
}
