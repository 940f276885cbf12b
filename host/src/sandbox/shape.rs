//! A look at a component's skeleton before anybody compiles it: how many functions, how large, how
//! deep. One pass over the section headers; no body of a function is looked into.
//!
//! What compiling takes is bounded by this and, where a process of its own compiles, by that
//! process's limits (see [`compile`](super::compile)).

use wasmparser::{Encoding, Parser, Payload};

use super::limits::Limits;
use super::settings::Amount;
use crate::error::Invalid;

/// Core modules and components inside one component, and items that it makes or passes on: no setting, because no
/// toolchain comes near, and what these take is small.
const ITEMS_MAX: u64 = 100_000;

/// Refuses what is no component, or one whose skeleton is above its limits.
pub(super) fn check(name: &str, wasm: &[u8], limits: &Limits) -> Result<(), Invalid> {
    is_component(name, wasm)?;
    let size = wasm.len() as u64;
    if wasm.len() > limits.component_bytes_max {
        let most = Amount::Bytes(limits.component_bytes_max as u64);
        return Err(over(name, "component", format!("it has {size} bytes, and at most {most} are allowed")));
    }
    let malformed = |e: wasmparser::BinaryReaderError| {
        Invalid::new(format!("{name}: this component is malformed: {e}"))
            .hint("build it anew, or fetch it again: it may have been cut off on the way")
    };
    let (mut depth, mut functions, mut items) = (0_usize, 0_usize, 0_u64);
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(malformed)? {
            Payload::Version { encoding, .. } => {
                depth += 1;
                items += 1;
                if encoding == Encoding::Component && depth > limits.nesting_max {
                    let most = limits.nesting_max;
                    return Err(over(name, "nesting", format!("its components stand more than {most} deep")));
                }
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CodeSectionStart { count, .. } => functions += count as usize,
            Payload::CodeSectionEntry(body) if body.range().len() > limits.body_bytes_max => {
                let (found, most) = (body.range().len(), Amount::Bytes(limits.body_bytes_max as u64));
                return Err(over(
                    name,
                    "core-function",
                    format!("a core function of it has {found} bytes, and at most {most} are allowed"),
                ));
            }
            Payload::TypeSection(s) => items += u64::from(s.count()),
            Payload::ImportSection(s) => items += u64::from(s.count()),
            Payload::FunctionSection(s) => items += u64::from(s.count()),
            Payload::GlobalSection(s) => items += u64::from(s.count()),
            Payload::ExportSection(s) => items += u64::from(s.count()),
            Payload::ElementSection(s) => items += u64::from(s.count()),
            Payload::DataSection(s) => items += u64::from(s.count()),
            Payload::InstanceSection(s) => items += u64::from(s.count()),
            Payload::CoreTypeSection(s) => items += u64::from(s.count()),
            Payload::ComponentInstanceSection(s) => items += u64::from(s.count()),
            Payload::ComponentAliasSection(s) => items += u64::from(s.count()),
            Payload::ComponentTypeSection(s) => items += u64::from(s.count()),
            Payload::ComponentCanonicalSection(s) => items += u64::from(s.count()),
            Payload::ComponentImportSection(s) => items += u64::from(s.count()),
            Payload::ComponentExportSection(s) => items += u64::from(s.count()),
            _ => {}
        }
        if functions > limits.core_functions_max {
            let most = limits.core_functions_max;
            return Err(over(name, "core-functions", format!("it has more than {most} core functions")));
        }
        // Each core function stands in two sections of its module.
        let most = ITEMS_MAX.saturating_add(2 * limits.core_functions_max as u64);
        if items > most {
            return Err(Invalid::new(format!("{name}: it has more than {most} types, instances, imports and exports")));
        }
    }
    Ok(())
}

fn over(name: &str, setting: &str, message: String) -> Invalid {
    Invalid::new(format!("{name}: {message}"))
        .hint(format!("`{setting}` in `[limits]` says how much, up to the host's ceiling"))
}

fn is_component(name: &str, wasm: &[u8]) -> Result<(), Invalid> {
    Err(match wasm {
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => return Ok(()),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Invalid::new(format!("{name}: this is a core module, no component"))
            .hint("`weir build` makes a component of a source folder; `wasm-tools component new` of a core module"),
        [0, b'a', b's', b'm', ..] => {
            Invalid::new(format!("{name}: this is WebAssembly of a version that is not known"))
        }
        _ => Invalid::new(format!("{name}: this is no WebAssembly component ({} bytes)", wasm.len()))
            .hint("name a .wasm component, or a folder with its source"),
    })
}
