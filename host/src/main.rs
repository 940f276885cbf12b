//! The `weir` command. The library does the work; here stand only its words to the user.

mod cli;

use std::process::ExitCode;

/// Batches come and go in the same few sizes on every worker.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
