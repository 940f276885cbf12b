//! Files that one run holds alone.

use std::fs::{File, TryLockError};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a lock may be somebody else's before it is.
const PATIENCE: Duration = Duration::from_secs(1);

/// Takes a file's lock. A process that this one is just starting has it as well until it is another program, so one
/// that was let go may be held for a moment more.
pub(crate) fn take(file: &File) -> Result<(), TryLockError> {
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if started.elapsed() < PATIENCE => sleep(Duration::from_millis(5)),
            taken => return taken,
        }
    }
}
