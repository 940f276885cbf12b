//! Column style: whole columns as arguments and results.
//!
//! `hold` checks the buffers of a column (and copies numbers that are not aligned); `view` is what
//! the function gets. Results are checked to have as many rows as came in.

mod input;
mod output;
mod texts;

pub use input::{Bools, Nullable, hold, view, whole_input};
pub(crate) use output::WholeOutcome;
pub use output::{WholeOutput, whole_outputs};
pub use texts::{BlobBuilder, Blobs, TextBuilder, Texts};
