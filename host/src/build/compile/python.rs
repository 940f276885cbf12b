//! Python: componentize-py puts CPython, the SDK and the function's modules into a component, with
//! everything imported already.

use std::path::{Path, PathBuf};

use super::super::language::Source;
use super::super::tools;
use super::Compiler;
use crate::error::{Error, Result};

const INSTALL: &str = "pip install componentize-py==0.25.1";

/// The module that is made a component: what a function lacks is taken away, then come the user's functions and the
/// SDK's exports. The names are what componentize-py looks for.
const APP: &str = "\
from weir._lacking import keep_traces, prepare

prepare()
import MAIN
from weir._component import Aggregate, Catalog, Filter, FlatMapper, GroupMapper, Mapper, StatefulMapper

keep_traces()
";

struct Python {
    program: PathBuf,
}

pub(super) fn find(source: &Source) -> Result<Box<dyn Compiler>> {
    match tools::find(&source.folder, &["componentize-py"]) {
        Some(program) => Ok(Box::new(Python { program })),
        None => Err(tools::missing(&source.shown, "componentize-py", INSTALL)),
    }
}

impl Compiler for Python {
    fn program(&self) -> &Path {
        &self.program
    }

    fn compile(&self, source: &Source, sdk: &Path, scratch: &Path, output: &Path) -> Result<()> {
        // A copy, for Python leaves its bytecode beside what it has imported.
        let copy = scratch.join("app");
        super::copy(source, &copy)?;
        let main = source.main.with_extension("");
        let module = main.to_string_lossy().replace('/', ".");
        let app = scratch.join("weir_app.py");
        std::fs::write(&app, APP.replace("MAIN", &module))
            .map_err(|e| Error::Build { message: format!("can't write {}: {e}", app.display()), hint: None })?;
        let mut command = tools::command(&source.folder, &self.program);
        command.args(["-q", "-w", "everything", "-d"]).arg(sdk.join("wit"));
        command.args(["componentize", "--stub-wasi"]).args(&source.flags);
        // Packages that the function brings along stand in `deps` (pip install --target deps ..).
        for path in [scratch, &copy, &copy.join("deps"), sdk] {
            if path.is_dir() {
                command.arg("-p").arg(path);
            }
        }
        command.arg("weir_app").arg("-o").arg(output);
        // What it would add of its own accord: packages of the machine, which are not for WebAssembly.
        command.env_remove("VIRTUAL_ENV").env("PYTHONDONTWRITEBYTECODE", "1");
        tools::run(&source.shown, &mut command)
    }
}
