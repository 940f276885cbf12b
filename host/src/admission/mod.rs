//! Whether a component is fit to run: what is found by trying its functions, before anybody relies on them.
//!
//! In comes a component, out goes a [`Report`] with a verdict. Each function is called in a sandbox on rows
//! made up from its types; what the host builds on is checked by calling it again otherwise: that it is
//! deterministic, that it keeps nothing between calls, that an aggregate's `merge` agrees with its
//! `accumulate`. What is found wrong comes with an example. Nothing here decides what becomes of it.

mod checks;
mod laws;
mod report;
pub mod samples;
mod trial;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::function::{Fault, FaultKind, Signature};
use crate::sandbox::{Artifact, Instance, Limits, Parameters, Reuse, Runtime, settings};

pub use report::{Check, Cost, FunctionReport, Report, Verdict};
use trial::Trial;

/// Rows of the batch that costs are measured on: a pipeline's default, and fewer where it can't take
/// those; a pipeline would cut the batch in parts.
const ROWS: [usize; 3] = [8192, 1024, 64];

/// How long one function is timed.
const TIMED: Duration = Duration::from_millis(50);

/// Fuel that no function uses up: it is there to be counted.
const FUEL_PER_ROW: u64 = 1 << 40;

/// Tries all functions of a component. `parameters` are given to every function that has one of that name;
/// `name` is what errors call the component.
///
/// # Errors
/// Where the component can't be loaded.
pub fn inspect(
    runtime: &Arc<Runtime>,
    name: &str,
    wasm: &[u8],
    limits: &Limits,
    parameters: &Parameters,
) -> Result<Report> {
    let artifact = Artifact::load(runtime, name, wasm, limits)?;
    // Instructions are counted by other code than that which runs.
    let counted = Limits { fuel_per_row: Some(FUEL_PER_ROW), ..*limits };
    let counting = Artifact::load(runtime, name, wasm, &counted)?;
    let functions = artifact.functions().iter().enumerate();
    let functions = functions.map(|(index, signature)| {
        let given = given(signature, parameters);
        let missing = signature.parameters.iter().find(|p| !given.contains_key(&p.name));
        match missing {
            Some(parameter) => {
                let why = format!("it needs a value for `{}`: give one by --with {0}=VALUE", parameter.name);
                FunctionReport::untried(signature.clone(), why)
            }
            None => {
                let open = |artifact: &Arc<Artifact>, limits, reuse| {
                    Instance::new(artifact, index, Arc::clone(&given), limits, reuse)
                };
                let trial = Trial {
                    signature,
                    reused: &|| open(&artifact, *limits, Reuse::UntilFault),
                    fresh: &|| open(&artifact, *limits, Reuse::Never),
                    counting: &|| open(&counting, counted, Reuse::UntilFault),
                };
                try_out(&trial)
            }
        }
    });
    let functions = functions.collect();
    Ok(Report::new(&artifact, settings::changed(limits), functions))
}

/// What a function's parameters are: given, or the defaults.
fn given(signature: &Signature, parameters: &Parameters) -> Parameters {
    let value = |p: &crate::function::Parameter| {
        let value = parameters.get(&p.name).cloned().or_else(|| p.default.clone())?;
        Some((p.name.clone(), value))
    };
    Arc::new(signature.parameters.iter().filter_map(value).collect())
}

fn try_out(trial: &Trial<'_>) -> FunctionReport {
    let signature = trial.signature.clone();
    let mut runs = Check::Held;
    let mut found = None;
    for n in ROWS {
        match cost(trial, n) {
            Ok(cost) => {
                found = Some(cost);
                break;
            }
            // Too much at once is no fault: the batch would be cut in parts.
            Err(fault) if matches!(fault.kind, FaultKind::Memory | FaultKind::Output) && n > 64 => {
                runs = Check::Noted(format!("on {n} made-up rows it {fault}"));
            }
            Err(fault) => {
                runs = fails(&fault, n);
                break;
            }
        }
    }
    let (cost, faults) = (found, runs);
    if cost.is_none() {
        let untried = || Check::untried("it failed on the sample rows");
        let checks = [untried(), untried(), untried(), untried()];
        return FunctionReport::new(signature, cost, faults, checks);
    }
    let checks = [checks::deterministic(trial), checks::forgets(trial), checks::edges(trial), laws::agree(trial)];
    FunctionReport::new(signature, cost, faults, checks)
}

/// A trap on made-up rows may be the function's way to say that they make no sense; the other faults are not.
fn fails(fault: &Fault, n: usize) -> Check {
    let said = format!("on {n} made-up rows it {fault}");
    match fault.kind {
        FaultKind::Trap | FaultKind::Refused => Check::Noted(said),
        _ => Check::Broken(said),
    }
}

/// What a row costs: its time, its instructions, and the memory of an instance.
fn cost(trial: &Trial<'_>, n: usize) -> Result<Cost, Fault> {
    let rows = samples::rows(&trial.signature.inputs, n, 1);
    let mut instance = (trial.reused)();
    let mut times = Vec::new();
    let started = Instant::now();
    while times.len() < 3 || started.elapsed() < TIMED {
        let before = Instant::now();
        trial.call(&mut instance, &rows, 1)?;
        times.push(before.elapsed());
        if started.elapsed() > 10 * TIMED {
            break;
        }
    }
    times.sort_unstable();
    let memory_bytes = instance.usage().memory_bytes;
    let mut counting = (trial.counting)();
    trial.call(&mut counting, &rows, 1)?;
    let instructions = counting.usage().fuel.unwrap_or_default();
    Ok(Cost {
        ns_per_row: times[times.len() / 2].as_nanos() as f64 / n as f64,
        instructions_per_row: instructions as f64 / n as f64,
        memory_bytes,
    })
}
