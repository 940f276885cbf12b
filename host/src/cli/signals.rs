//! Ctrl-C and SIGTERM: the first asks the run to end, the second ends the process.
//!
//! Out goes a flag that is set once and never cleared. Nothing is done in the signal handler but
//! setting it, or ending the process with code 130.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::{io, thread};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use weir::error::{Error, Result};

/// The exit code after a second signal: 128 + SIGINT, as shells have it.
const ENDED_AT_ONCE: i32 = 130;

/// Sets the flag when standard input ends, however whoever held it has ended.
pub(super) fn stop_with_stdin(stop: &Arc<AtomicBool>) {
    let stop = Arc::clone(stop);
    thread::spawn(move || {
        drop(io::copy(&mut io::stdin(), &mut io::sink()));
        stop.store(true, Relaxed);
    });
}

/// A flag that the first SIGINT or SIGTERM sets.
pub(super) fn stop_flag() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: at the first signal the flag is not set yet when the first action looks.
        flag::register_conditional_shutdown(signal, ENDED_AT_ONCE, Arc::clone(&stop))
            .and_then(|_| flag::register(signal, Arc::clone(&stop)))
            .map_err(|e| Error::Bug(format!("no handler for signal {signal}: {e}")))?;
    }
    Ok(stop)
}
