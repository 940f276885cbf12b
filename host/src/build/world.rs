//! The world that a core module was written for, by what it exports.
//!
//! Bindings leave a description of their world in the module. A module without one is taken at its
//! word: it exports functions by the names of the contract (`wit/README.md`, "On the wire"), and the
//! world is made of their interfaces.

use wasmparser::{Parser, Payload};
use wit_component::metadata::Bindgen;
use wit_parser::{Resolve, WorldId};

use crate::error::{Error, Result};

/// The contract.
pub(super) const WIT: &str = include_str!("../../../wit/weir.wit");
/// What a function may import.
pub(super) const HOST: &str = "import weir:udf/host@0.1.0";
/// The interfaces a component may export.
const INTERFACES: [&str; 7] =
    ["catalog", "mapper", "filter", "flat-mapper", "aggregate", "stateful-mapper", "group-mapper"];

/// What matters here of a core module.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// The modules that it imports from, in order.
    pub(super) imports: Vec<String>,
    exports: Vec<String>,
}

impl Module {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let mut module = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(|e| e.to_string())? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        module.imports.push(import.map_err(|e| e.to_string())?.module.to_owned());
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        module.exports.push(export.map_err(|e| e.to_string())?.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(module)
    }

    /// What the world says, or nothing where the module exports no function of the contract.
    pub(super) fn world(&self) -> Option<Vec<String>> {
        let exports = INTERFACES.iter().filter(|interface| {
            let prefix = format!("weir:udf/{interface}@0.1.0#");
            self.exports.iter().any(|export| export.starts_with(&prefix))
        });
        let exports: Vec<String> = exports.map(|interface| format!("export weir:udf/{interface}@0.1.0")).collect();
        (!exports.is_empty()).then(|| [vec![HOST.to_owned()], exports].concat())
    }
}

/// The contract, and beside it a package of this name with a world of these items.
pub(super) fn resolve(package: &str, items: &[&str]) -> Result<(Resolve, WorldId)> {
    let bug = |e: &dyn std::fmt::Display| Error::Bug(format!("the contract can't be read: {e:#}"));
    let mut resolve = Bindgen::default().resolve;
    resolve.push_str("weir.wit", WIT).map_err(|e| bug(&e))?;
    let items: String = items.iter().map(|item| format!("{item}; ")).collect();
    let text = format!("package weir:{package};\nworld {package} {{ {items}}}\n");
    let package = resolve.push_str("world.wit", &text).map_err(|e| bug(&e))?;
    let world = resolve.select_world(&[package], None).map_err(|e| bug(&e))?;
    Ok((resolve, world))
}
