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
use super::bindings::weir::udf::types as wit;
use super::instance;
use super::limits::Limits;
use super::runtime::Runtime;
use super::state::State;
use crate::error::{Error, Invalid, Result};
use crate::function::{Kind, Parameter, Signature};
use crate::types::{DataType, Field};

/// A compiled component.
pub struct Artifact {
    pub(super) runtime: Arc<Runtime>,
    pub(super) component: InstancePre<State>,
    pub(super) exports: Exports,
    pub(super) wasi: bool,
    digest: String,
    bytes: usize,
    compile_time: Duration,
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
    /// Compiles and checks a component. `name` is what errors call it.
    pub fn load(runtime: &Arc<Runtime>, name: &str, wasm: &[u8], limits: &Limits) -> Result<Arc<Self>> {
        let refuse = |message: String| Error::from(Invalid::new(format!("{name}: {message}")));
        check_is_component(name, wasm)?;
        let started = Instant::now();
        let component = Component::new(&runtime.engine, wasm)
            .map_err(|e| refuse(format!("this component can't be compiled: {e:#}")))?;
        let compile_time = started.elapsed();

        let ty = component.component_type();
        let imports: Vec<String> = ty.imports(&runtime.engine).map(|(name, _)| name.to_string()).collect();
        let export_names: Vec<String> = ty.exports(&runtime.engine).map(|(name, _)| name.to_string()).collect();
        if let Some(unknown) = imports.iter().find(|i| !i.starts_with("weir:udf/") && !i.starts_with("wasi:")) {
            return Err(Invalid::new(format!("{name}: it imports `{unknown}`, which no function gets"))
                .hint("a component may import `weir:udf/host`; WASI 0.2 is there too, but grants nothing")
                .into());
        }
        let component = runtime.linker.instantiate_pre(&component).map_err(|e| refuse(format!("{e:#}")))?;
        let exports = Exports::find(&component).map_err(refuse)?;

        let wasi = imports.iter().any(|i| i.starts_with("wasi:"));
        let mut artifact = Self {
            runtime: Arc::clone(runtime),
            component,
            exports,
            wasi,
            digest: digest(wasm),
            bytes: wasm.len(),
            compile_time,
            imports,
            export_names,
            functions: Vec::new(),
        };
        let catalog = instance::catalog(&artifact, limits)
            .map_err(|fault| refuse(format!("its catalog can't be read: it {fault}")))?;
        artifact.functions = catalog.into_iter().map(signature).collect();
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

    /// SHA-256 of the component, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Size of the component.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How long compiling took.
    pub fn compile_time(&self) -> Duration {
        self.compile_time
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

/// SHA-256 in hexadecimal.
fn digest(wasm: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(wasm).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn check_is_component(name: &str, wasm: &[u8]) -> Result<()> {
    let invalid = match wasm {
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => return Ok(()),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Invalid::new(format!("{name}: this is a core module, no component"))
            .hint("`weir build` makes a component of a source folder; `wasm-tools component new` of a core module"),
        [0, b'a', b's', b'm', ..] => {
            Invalid::new(format!("{name}: this is WebAssembly of a version that is not known"))
        }
        _ => Invalid::new(format!("{name}: this is no WebAssembly component ({} bytes)", wasm.len()))
            .hint("name a .wasm component, or a folder with its source"),
    };
    Err(invalid.into())
}

fn signature(s: wit::Signature) -> Signature {
    let fields = |fields: Vec<wit::Field>| -> Vec<Field> {
        fields.into_iter().map(|f| Field::new(f.name, data_type(f.data_type), f.nullable)).collect()
    };
    let parameter = |p: wit::Parameter| Parameter {
        name: p.name,
        data_type: data_type(p.data_type),
        default: p.default,
        doc: p.doc,
    };
    Signature {
        name: s.name,
        kind: match s.kind {
            wit::Kind::Mapper => Kind::Mapper,
            wit::Kind::Filter => Kind::Filter,
            wit::Kind::FlatMapper => Kind::FlatMapper,
            wit::Kind::Aggregate => Kind::Aggregate,
            wit::Kind::StatefulMapper => Kind::StatefulMapper,
            wit::Kind::GroupMapper => Kind::GroupMapper,
        },
        doc: s.doc,
        parameters: s.parameters.into_iter().map(parameter).collect(),
        inputs: fields(s.inputs),
        outputs: fields(s.outputs),
        accumulator: fields(s.accumulator),
        retractable: s.retractable,
    }
}

fn data_type(data_type: wit::DataType) -> DataType {
    match data_type {
        wit::DataType::Boolean => DataType::Boolean,
        wit::DataType::Int32 => DataType::Int32,
        wit::DataType::Int64 => DataType::Int64,
        wit::DataType::Float32 => DataType::Float32,
        wit::DataType::Float64 => DataType::Float64,
        wit::DataType::Timestamp => DataType::Timestamp,
        wit::DataType::Text => DataType::Text,
        wit::DataType::Bytes => DataType::Bytes,
    }
}
