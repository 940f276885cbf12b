//! What the sketches share: their state is a byte column that the host keeps, so it is read with
//! suspicion.

use std::fmt;

/// Bytes that no sketch of this kind has written: an error for the host, never a panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Corrupt(pub(crate) &'static str);

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the state is not readable: {}", self.0)
    }
}

impl std::error::Error for Corrupt {}

/// Where a function of the SDK has no way to fail: the panic's message goes to the function's log, and
/// the host gets a trap.
#[track_caller]
pub(crate) fn sound<T, E: fmt::Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

/// Puts `bytes` before the byte at `at`.
pub(crate) fn insert_bytes(state: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = state.len();
    state.resize(end + bytes.len(), 0);
    state.copy_within(at..end, at + bytes.len());
    state[at..at + bytes.len()].copy_from_slice(bytes);
}
