//! The SDKs' own files: they come with Weir, so that nothing but a language's compiler has to be
//! installed.

use std::path::Path;

use super::language::Language;
use super::world::WIT;
use crate::error::{Error, Result};

/// The files that a function of this language is compiled with, by their names.
pub(super) fn files(language: Language) -> &'static [(&'static str, &'static str)] {
    match language {
        Language::C | Language::Cpp => &[("weir.h", include_str!("../../../guest-sdk/c/weir.h"))],
        Language::Python => &[
            ("weir/__init__.py", include_str!("../../../guest-sdk/python/weir/__init__.py")),
            ("weir/_bulk.py", include_str!("../../../guest-sdk/python/weir/_bulk.py")),
            ("weir/_column.py", include_str!("../../../guest-sdk/python/weir/_column.py")),
            ("weir/_columns.py", include_str!("../../../guest-sdk/python/weir/_columns.py")),
            ("weir/_component.py", include_str!("../../../guest-sdk/python/weir/_component.py")),
            ("weir/_evaluate.py", include_str!("../../../guest-sdk/python/weir/_evaluate.py")),
            ("weir/_functions.py", include_str!("../../../guest-sdk/python/weir/_functions.py")),
            ("weir/_host.py", include_str!("../../../guest-sdk/python/weir/_host.py")),
            ("weir/_lacking.py", include_str!("../../../guest-sdk/python/weir/_lacking.py")),
            ("weir/_operations.py", include_str!("../../../guest-sdk/python/weir/_operations.py")),
            ("weir/_run.py", include_str!("../../../guest-sdk/python/weir/_run.py")),
            ("weir/_types.py", include_str!("../../../guest-sdk/python/weir/_types.py")),
        ],
        Language::JavaScript | Language::TypeScript => &[
            ("weir/bulk.js", include_str!("../../../guest-sdk/javascript/weir/bulk.js")),
            ("weir/columns.js", include_str!("../../../guest-sdk/javascript/weir/columns.js")),
            ("weir/component.js", include_str!("../../../guest-sdk/javascript/weir/component.js")),
            ("weir/errors.js", include_str!("../../../guest-sdk/javascript/weir/errors.js")),
            ("weir/evaluate.js", include_str!("../../../guest-sdk/javascript/weir/evaluate.js")),
            ("weir/index.d.ts", include_str!("../../../guest-sdk/javascript/weir/index.d.ts")),
            ("weir/index.js", include_str!("../../../guest-sdk/javascript/weir/index.js")),
            ("weir/lacking.js", include_str!("../../../guest-sdk/javascript/weir/lacking.js")),
            ("weir/operations.js", include_str!("../../../guest-sdk/javascript/weir/operations.js")),
            ("weir/run.js", include_str!("../../../guest-sdk/javascript/weir/run.js")),
        ],
        Language::Go => &[
            ("abi.go", include_str!("../../../guest-sdk/go/abi.go")),
            ("columns.go", include_str!("../../../guest-sdk/go/columns.go")),
            ("fields.go", include_str!("../../../guest-sdk/go/fields.go")),
            ("go.mod", include_str!("../../../guest-sdk/go/go.mod")),
            ("host.go", include_str!("../../../guest-sdk/go/host.go")),
            ("host_native.go", include_str!("../../../guest-sdk/go/host_native.go")),
            ("run.go", include_str!("../../../guest-sdk/go/run.go")),
            ("weir.go", include_str!("../../../guest-sdk/go/weir.go")),
        ],
        Language::Zig => &[
            ("weir/call.zig", include_str!("../../../guest-sdk/zig/weir/call.zig")),
            ("weir/catalog.zig", include_str!("../../../guest-sdk/zig/weir/catalog.zig")),
            ("weir/columns.zig", include_str!("../../../guest-sdk/zig/weir/columns.zig")),
            ("weir/component.zig", include_str!("../../../guest-sdk/zig/weir/component.zig")),
            ("weir/failures.zig", include_str!("../../../guest-sdk/zig/weir/failures.zig")),
            ("weir/function.zig", include_str!("../../../guest-sdk/zig/weir/function.zig")),
            ("weir/host.zig", include_str!("../../../guest-sdk/zig/weir/host.zig")),
            ("weir/memory.zig", include_str!("../../../guest-sdk/zig/weir/memory.zig")),
            ("weir/parameters.zig", include_str!("../../../guest-sdk/zig/weir/parameters.zig")),
            ("weir/printed.zig", include_str!("../../../guest-sdk/zig/weir/printed.zig")),
            ("weir/results.zig", include_str!("../../../guest-sdk/zig/weir/results.zig")),
            ("weir/root.zig", include_str!("../../../guest-sdk/zig/weir/root.zig")),
            ("weir/rows.zig", include_str!("../../../guest-sdk/zig/weir/rows.zig")),
            ("weir/states.zig", include_str!("../../../guest-sdk/zig/weir/states.zig")),
            ("weir/types.zig", include_str!("../../../guest-sdk/zig/weir/types.zig")),
            ("weir/weir.zig", include_str!("../../../guest-sdk/zig/weir/weir.zig")),
        ],
        // A crate names its SDK in its manifest.
        Language::Rust => &[],
    }
}

/// Writes them into a folder, and the contract.
pub(super) fn write(language: Language, folder: &Path) -> Result<()> {
    let write = |name: &str, text: &str| -> std::io::Result<()> {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        if std::fs::read_to_string(&path).is_ok_and(|there| there == text) {
            return Ok(());
        }
        super::write_atomic(&path, text.as_bytes())
    };
    let all = files(language).iter().copied().chain([("wit/weir.wit", WIT)]);
    for (name, text) in all {
        write(name, text).map_err(|e| Error::Build {
            message: format!("can't write {}: {e}", folder.join(name).display()),
            hint: Some("set WEIR_TARGET_DIR to a folder that can be written".into()),
        })?;
    }
    Ok(())
}
