//! A component, compiled once and checked: its digest, what it imports, what it offers.
//!
//! In comes the content of a `.wasm`; out goes something that instances of its functions can be
//! made from at once. A component that asks for anything a function can't have, or whose catalog
//! makes no sense, is refused here, by name.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use wasmtime::component::{Component, InstancePre};

use super::bindings::exports::weir::udf::{
    aggregate, catalog, filter, flat_mapper, group_mapper, mapper, stateful_mapper,
};
use super::limits::Limits;
use super::runtime::{Machine, Runtime};
use super::state::State;
use super::{cache, catalog as ask, shape};
use crate::error::{Error, Invalid, Result};
use crate::function::{Kind, Signature};

/// A compiled component.
pub struct Artifact {
    pub(super) machine: Arc<Machine>,
    pub(super) component: InstancePre<State>,
    pub(super) exports: Exports,
    pub(super) wasi: bool,
    name: String,
    digest: String,
    bytes: usize,
    compile_time: Duration,
    cached: bool,
    imports: Vec<String>,
    export_names: Vec<String>,
    functions: Vec<Signature>,
}

impl std::fmt::Debug for Artifact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "artifact {}", self.digest)
    }
}

/// Where the exports are that the component has.
pub(super) struct Exports {
    pub(super) catalog: catalog::GuestIndices,
    pub(super) mapper: Option<mapper::GuestIndices>,
    pub(super) filter: Option<filter::GuestIndices>,
    pub(super) flat_mapper: Option<flat_mapper::GuestIndices>,
    pub(super) aggregate: Option<aggregate::GuestIndices>,
    pub(super) stateful_mapper: Option<stateful_mapper::GuestIndices>,
    pub(super) group_mapper: Option<group_mapper::GuestIndices>,
}

impl Exports {
    fn find(component: &InstancePre<State>) -> Result<Self, String> {
        Ok(Self {
            catalog: catalog::GuestIndices::new(component).map_err(|_| {
                "it does not export `weir:udf/catalog@0.1.0`, so it says of no function what it takes".to_string()
            })?,
            mapper: mapper::GuestIndices::new(component).ok(),
            filter: filter::GuestIndices::new(component).ok(),
            flat_mapper: flat_mapper::GuestIndices::new(component).ok(),
            aggregate: aggregate::GuestIndices::new(component).ok(),
            stateful_mapper: stateful_mapper::GuestIndices::new(component).ok(),
            group_mapper: group_mapper::GuestIndices::new(component).ok(),
        })
    }

    fn has(&self, kind: Kind) -> bool {
        match kind {
            Kind::Mapper => self.mapper.is_some(),
            Kind::Filter => self.filter.is_some(),
            Kind::FlatMapper => self.flat_mapper.is_some(),
            Kind::Aggregate => self.aggregate.is_some(),
            Kind::StatefulMapper => self.stateful_mapper.is_some(),
            Kind::GroupMapper => self.group_mapper.is_some(),
        }
    }
}

impl Artifact {
    /// Looks at a component's skeleton: whether it is one, and no larger than its limits. Loading does that, too.
    pub fn check_shape(name: &str, wasm: &[u8], limits: &Limits) -> Result<()> {
        Ok(shape::check(name, wasm, limits)?)
    }

    /// Compiles and checks a component. `name` is what errors call it.
    pub fn load(runtime: &Arc<Runtime>, name: &str, wasm: &[u8], limits: &Limits) -> Result<Arc<Self>> {
        let refuse = |message: String| Error::from(Invalid::new(format!("{name}: {message}")));
        shape::check(name, wasm, limits)?;
        let machine = runtime.machine(limits)?;
        let digest = digest(wasm);
        let started = Instant::now();
        let (component, cached) = compiled(runtime, &machine, &digest, wasm, limits)
            .map_err(|why| refuse(format!("this component can't be compiled: {why}")))?;
        let compile_time = started.elapsed();

        let ty = component.component_type();
        let imports: Vec<String> = ty.imports(&machine.engine).map(|(name, _)| name.to_string()).collect();
        let export_names: Vec<String> = ty.exports(&machine.engine).map(|(name, _)| name.to_string()).collect();
        if let Some(unknown) = imports.iter().find(|i| !i.starts_with("weir:udf/") && !i.starts_with("wasi:")) {
            return Err(Invalid::new(format!("{name}: it imports `{unknown}`, which no function gets"))
                .hint("a component may import `weir:udf/host`; WASI 0.2 is there too, but grants nothing")
                .into());
        }
        let component = machine.linker.instantiate_pre(&component).map_err(|e| refuse(format!("{e:#}")))?;
        let exports = Exports::find(&component).map_err(refuse)?;

        let wasi = imports.iter().any(|i| i.starts_with("wasi:"));
        let mut artifact = Self {
            machine,
            component,
            exports,
            wasi,
            name: name.to_string(),
            digest,
            bytes: wasm.len(),
            compile_time,
            cached,
            imports,
            export_names,
            functions: Vec::new(),
        };
        artifact.functions = ask::read(&artifact, limits).map_err(refuse)?;
        artifact.check_catalog().map_err(refuse)?;
        Ok(Arc::new(artifact))
    }

    fn check_catalog(&self) -> Result<(), String> {
        if self.functions.is_empty() {
            return Err("its catalog is empty".into());
        }
        let mut overloads = HashSet::new();
        for function in &self.functions {
            if let Some(problem) = function.problem() {
                return Err(problem);
            }
            if !self.exports.has(function.kind) {
                return Err(format!(
                    "function `{}` is {}, but `weir:udf/{}` is not exported",
                    function.name,
                    function.kind.with_article(),
                    function.kind.name()
                ));
            }
            let types: Vec<_> = function.inputs.iter().map(|f| f.data_type).collect();
            if !overloads.insert((&function.name, function.kind, types)) {
                return Err(format!("two functions `{}` take the same types", function.name));
            }
        }
        Ok(())
    }

    /// What it was loaded as: mostly its file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of the component, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Size of the component.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How long compiling took, or finding the code that was compiled before.
    pub fn compile_time(&self) -> Duration {
        self.compile_time
    }

    /// Whether its code was in the cache.
    pub fn cached(&self) -> bool {
        self.cached
    }

    /// The interfaces that it imports.
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// The interfaces that it exports.
    pub fn exports(&self) -> &[String] {
        &self.export_names
    }

    /// The functions that it offers; one is called by its index here.
    pub fn functions(&self) -> &[Signature] {
        &self.functions
    }
}

/// Code for the machine: from the cache, or compiled and kept there. Also says whether it was there.
fn compiled(
    runtime: &Runtime,
    machine: &Machine,
    digest: &str,
    wasm: &[u8],
    limits: &Limits,
) -> Result<(Component, bool), String> {
    let engine = &machine.engine;
    // SAFETY: the code is what this program compiled. It comes from the compiler, or from a cache
    // that gives nothing else.
    let load = |code: &[u8]| unsafe { Component::deserialize(engine, code) };
    let name = runtime.cache.as_ref().map(|_| cache::name(digest, engine));
    if let (Some(cache), Some(name)) = (&runtime.cache, &name)
        && let Some(code) = cache.load(name)
        && let Ok(component) = load(&code)
    {
        return Ok((component, true));
    }
    let code = runtime.compiler.compile(engine, machine.features, wasm, limits)?;
    if let (Some(cache), Some(name)) = (&runtime.cache, &name) {
        // A cache that is full or gone costs time and nothing else.
        let _ = cache.store(name, &code);
    }
    Ok((load(&code).map_err(|e| format!("{e:#}"))?, false))
}

/// SHA-256 in hexadecimal.
pub(crate) fn digest(wasm: &[u8]) -> String {
    hex(&Sha256::digest(wasm))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
