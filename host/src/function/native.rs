//! Functions of the host itself: what a user of the library brings along, and the twin that the
//! benches hold a sandboxed function against.

use std::fmt;

use super::{Calls, Signature};

/// A function that runs outside any sandbox, trusted with the whole process.
pub struct Native {
    signature: Signature,
    open: Box<dyn Fn() -> Box<dyn Calls> + Send + Sync>,
}

impl Native {
    /// A function with this signature; `open` makes a callable of it for each step and worker.
    pub fn new(signature: Signature, open: impl Fn() -> Box<dyn Calls> + Send + Sync + 'static) -> Self {
        Self { signature, open: Box::new(open) }
    }

    /// What it says of itself.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// A callable of it.
    pub fn open(&self) -> Box<dyn Calls> {
        (self.open)()
    }
}

impl fmt::Debug for Native {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "native {}", self.signature)
    }
}
