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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    #[test]
    fn a_lock_that_is_let_go_is_waited_for_and_one_that_is_held_is_not_had() {
        let place = tempfile::tempdir().expect("a folder");
        let open = || File::create(place.path().join("lock")).expect("a file");
        let (first, second) = (open(), open());
        take(&first).expect("it is nobody's");
        assert!(matches!(take(&second), Err(TryLockError::WouldBlock)));
        let (asked, hears) = channel();
        let holder = thread::spawn(move || {
            hears.recv().expect("it is asked for");
            drop(first);
        });
        asked.send(()).expect("the holder listens");
        take(&second).expect("it is let go meanwhile");
        holder.join().expect("it has let go");
    }
}
