//! `evaluate` of `weir:udf/host`: arithmetic that the guest asks for, charged to the guest.
//!
//! Its work counts as fuel does, and its time is the guest's: the engine stops WebAssembly and not the host, so this
//! looks at the time itself.

use wasmtime::Trap;

use super::arithmetic::{Given, Task};
use super::bindings::weir::udf::host::Evaluated;
use super::bindings::weir::udf::types::ColumnResult;
use super::state::State;

/// What a program comes to. The inner error is the guest's to hear; the outer one ends its call.
pub(super) fn evaluate(
    state: &mut State,
    program: &str,
    rows: usize,
    columns: &[ColumnResult],
) -> wasmtime::Result<Result<Evaluated, String>> {
    let given: Vec<Given<'_>> = columns.iter().map(|c| Given { validity: &c.validity, values: &c.values }).collect();
    let task = match Task::new(program, rows, &given, state.limits()) {
        Ok(task) => task,
        Err(message) => return Ok(Err(message)),
    };
    state.charge(task.work())?;
    let answer = task.run(|| match state.is_late() {
        true => Err(Trap::Interrupt),
        false => Ok(()),
    })?;
    let columns = answer.columns.into_iter();
    let columns = columns.map(|c| ColumnResult { validity: c.validity, offsets: Vec::new(), values: c.values });
    Ok(Ok(Evaluated { columns: columns.collect(), given_back: answer.given_back }))
}
