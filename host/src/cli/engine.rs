//! The command's one door to the library: loads plans, looks into components.
//!
//! What comes out is either the library's own type or one of the plain structs that the renderers
//! take. Nothing here prints but the lines of a build.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use weir::admission::{self, samples};
use weir::build;
use weir::error::{Error, Invalid, Result};
use weir::function::{Fault, Signature};
use weir::plan::{Environment, Plan, Policy};
use weir::sandbox::{Artifact, Instance, Limits, Reuse};

use super::args::{Bench, Inspect};
use super::bench::BenchResult;
use super::inspect::Inspection;
use super::{cache, measure, print, rows};

/// Reads and checks a pipeline, building the functions that are given as source.
pub(super) fn load_plan(path: &Path, quiet: bool) -> Result<Plan> {
    let out = |line: &str| {
        if !quiet {
            print::note(line);
        }
    };
    let runtime = cache::runtime(&out)?;
    let build = |folder: &Path| build::component(folder, &out);
    Plan::load(
        path,
        &Environment { runtime: &runtime, build: &build, native: Default::default(), policy: Policy::default() },
    )
}

/// Loads a component, says what is in it, and tries its functions.
pub(super) fn inspect(args: &Inspect, wasm: &[u8]) -> Result<Inspection> {
    let parameters = Arc::new(args.parameters.iter().cloned().collect());
    let runtime = cache::runtime(&print::note)?;
    let name = args.component.display().to_string();
    let report = admission::inspect(&runtime, &name, wasm, &Limits::of_component(wasm), &parameters)?;
    Ok(Inspection { component: name, report })
}

/// Times a function of a component.
pub(super) fn bench(args: &Bench, wasm: &[u8]) -> Result<BenchResult> {
    let artifact = load(&args.component, wasm)?;
    let index = function(&args.function, artifact.functions())?;
    let signature = &artifact.functions()[index];
    let rows_max = measure::BATCH_ROWS.into_iter().max().unwrap_or(1);
    let (rows, rows_from) = match &args.rows {
        Some(path) => (rows::from_file(path, &signature.inputs, rows_max)?, format!("rows of {}", path.display())),
        None => (samples::rows(&signature.inputs, rows_max, 1), "made-up rows (yours: --rows FILE)".to_owned()),
    };
    let parameters = Arc::new(parameters(&args.parameters, signature)?);
    let mut instance = Instance::new(&artifact, index, parameters, Limits::of_component(wasm), Reuse::UntilFault);
    let failed = |fault: Fault| Error::Function(format!("function `{}` {fault}", signature.name));
    let instantiate_us = measure::median_us(|| {
        instance.reset();
        instance.instantiate()
    })
    .map_err(failed)?;
    let time = Duration::from_secs_f64(args.seconds);
    let batches = measure::batches(&mut instance, signature.kind, &rows, time).map_err(failed)?;
    Ok(BenchResult {
        function: signature.to_string(),
        rows_from,
        batches,
        instantiate_us,
        compile_ms: artifact.compile_time().as_secs_f64() * 1e3,
        component_bytes: artifact.bytes() as u64,
    })
}

/// Loads a component.
pub(super) fn load(path: &Path, wasm: &[u8]) -> Result<Arc<Artifact>> {
    Artifact::load(&cache::runtime(&print::note)?, &path.display().to_string(), wasm, &Limits::of_component(wasm))
}

/// The first function of that name.
fn function(name: &str, functions: &[Signature]) -> Result<usize> {
    functions.iter().position(|f| f.name == name).ok_or_else(|| {
        let all: Vec<_> = functions.iter().map(|f| f.name.as_str()).collect();
        Invalid::new(format!("the component has no function `{name}`"))
            .hint(format!("it has: {}", all.join(", ")))
            .into()
    })
}

/// What was given, checked against the signature, and the defaults.
fn parameters(given: &[(String, String)], signature: &Signature) -> Result<std::collections::BTreeMap<String, String>> {
    let mut values = std::collections::BTreeMap::new();
    for (name, value) in given {
        let Some(parameter) = signature.parameter(name) else {
            let all: Vec<_> = signature.parameters.iter().map(|p| p.name.as_str()).collect();
            return Err(Invalid::new(format!("function `{}` has no parameter `{name}`", signature.name))
                .hint(format!("it has: {}", if all.is_empty() { "none".to_owned() } else { all.join(", ") }))
                .into());
        };
        if !weir::function::signature::fits(value, parameter.data_type) {
            return Err(Error::invalid(format!("parameter `{name}` is {}, not `{value}`", parameter.data_type)));
        }
        values.insert(name.clone(), value.clone());
    }
    for parameter in &signature.parameters {
        match (values.contains_key(&parameter.name), &parameter.default) {
            (true, _) => {}
            (false, Some(default)) => drop(values.insert(parameter.name.clone(), default.clone())),
            (false, None) => {
                return Err(Invalid::new(format!("function `{}` needs `{}`", signature.name, parameter.name))
                    .hint(format!("give it: --with {}=<{}>", parameter.name, parameter.data_type))
                    .into());
            }
        }
    }
    Ok(values)
}
