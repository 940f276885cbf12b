//! What a WebAssembly error means to the author of the function: which limit, or which trap, in whose words, and
//! where in the code.

use wasmtime::component::ResourceTableError;
use wasmtime::{FrameInfo, FrameSymbol, Store, Trap, WasmBacktrace};

use super::limits::Limits;
use super::meter::Refused;
use super::state::{State, TooManyCalls};
use crate::function::{Fault, FaultKind};

/// Frames of a backtrace that are kept.
const FRAMES_MAX: usize = 16;

/// The fault behind an error of a call.
pub(super) fn fault(error: &wasmtime::Error, store: &Store<State>, limits: &Limits) -> Fault {
    let (log, last_error) = store.data().log.tail();
    let (kind, message) = reason(error, store.data().meter.refused, last_error, limits);
    Fault { kind, message, log, backtrace: backtrace(error) }
}

fn reason(
    error: &wasmtime::Error,
    refused: Option<Refused>,
    last_error: Option<String>,
    limits: &Limits,
) -> (FaultKind, String) {
    let trap = error.downcast_ref::<Trap>();
    match trap {
        Some(Trap::Interrupt) => {
            return (FaultKind::Time, format!("it took more than {:?} for one batch", limits.batch_time_max));
        }
        Some(Trap::OutOfFuel) => {
            let fuel = limits.fuel_per_row.unwrap_or_default();
            return (FaultKind::Fuel, format!("it took more than {fuel} instructions a row"));
        }
        Some(Trap::StackOverflow) => return (FaultKind::Stack, "its calls nest too deep".to_string()),
        _ => {}
    }
    if error.downcast_ref::<TooManyCalls>().is_some() {
        return (
            FaultKind::HostCalls,
            format!("it called the host more than {} times for one batch", limits.host_calls_max),
        );
    }
    // wasmtime has no name for this error but its text; a test holds it to that.
    if error.root_cause().to_string().contains("fuel allocated for hostcalls") {
        return (FaultKind::Output, format!("more than {} bytes, which is its limit", limits.output_bytes_max));
    }
    if holds_too_many_handles(error) {
        let message = format!("it holds more than {} handles of resources, which is its limit", limits.handles_max);
        return (FaultKind::Memory, message);
    }
    match (refused, last_error) {
        (Some(Refused::Memory(asked)), _) => (
            FaultKind::Memory,
            format!("it asked for {asked} bytes in all, and its limit is {} bytes", limits.memory_bytes_max),
        ),
        (Some(Refused::Table(asked)), _) => (
            FaultKind::Memory,
            format!("it asked for {asked} table elements in all, and its limit is {}", limits.table_elements_max),
        ),
        (None, Some(last)) => (FaultKind::Trap, last),
        (None, None) => (FaultKind::Trap, trap.map_or_else(|| format!("{error:#}"), ToString::to_string)),
    }
}

/// Whether there was no room for a handle of its own, or none for what stands behind one of WASI. wasmtime's first
/// error has no name but its text either.
fn holds_too_many_handles(error: &wasmtime::Error) -> bool {
    let full = error.downcast_ref::<ResourceTableError>().is_some_and(|e| matches!(e, ResourceTableError::Full));
    full || error.root_cause().to_string().contains("store handle limit exceeded")
}

/// Names of the functions that were being called, the innermost first, each with its source line where the
/// component says it.
fn backtrace(error: &wasmtime::Error) -> Vec<String> {
    let frames = error.downcast_ref::<WasmBacktrace>().map_or(&[][..], WasmBacktrace::frames);
    // What a panic does before it traps says nothing of why.
    let panicking = |name: &String| ["panic", "rust_abort", "rust_start"].iter().any(|p| name.contains(p));
    frames.iter().flat_map(described).skip_while(panicking).take(FRAMES_MAX).collect()
}

/// A frame is several functions where some were inlined.
fn described(frame: &FrameInfo) -> Vec<String> {
    if frame.symbols().is_empty() {
        return vec![match frame.func_name() {
            Some(name) => plain(name),
            None => format!("function {}", frame.func_index()),
        }];
    }
    let symbol = |symbol: &FrameSymbol| {
        let name = match symbol.name().or(frame.func_name()) {
            Some(name) => plain(name),
            None => format!("function {}", frame.func_index()),
        };
        match (symbol.file(), symbol.line()) {
            (Some(file), Some(line)) => format!("{name} ({file}:{line})"),
            _ => name,
        }
    };
    frame.symbols().iter().map(symbol).collect()
}

/// A name without the hash that tells monomorphisations apart.
fn plain(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}
