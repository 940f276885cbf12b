//! JavaScript and TypeScript: esbuild makes one module of the function, its packages and the SDK;
//! componentize-qjs puts it into a component with QuickJS, or componentize-js with StarlingMonkey.

use std::path::{Path, PathBuf};

use super::super::language::{Engine, Source};
use super::super::tools;
use super::Compiler;
use crate::error::{Error, Result};

const INSTALL_QUICKJS: &str = "npm install componentize-qjs@0.4.5 esbuild@0.25.0";
const INSTALL_STARLINGMONKEY: &str = "npm install @bytecodealliance/componentize-js@0.23.0 esbuild@0.25.0";

/// The module that is made a component: what a function lacks is taken away, then come the user's functions and the
/// SDK's exports.
const ENTRY: &str = r#"import "weir/lacking";
import "MAIN";
export { aggregate, catalog, filter, flatMapper, groupMapper, mapper, statefulMapper } from "weir/component";
"#;

/// componentize-js has no command of its own.
const STARLINGMONKEY: &str = r#"import { componentize } from "@bytecodealliance/componentize-js";
import { readFile, writeFile } from "node:fs/promises";
const [source, wit, output] = process.argv.slice(2);
const { component } = await componentize(await readFile(source, "utf8"), {
  sourceName: "functions.js", witPath: wit, worldName: "everything",
  disableFeatures: ["random", "stdio", "clocks", "http", "fetch-event"],
});
await writeFile(output, component);
"#;

struct JavaScript {
    esbuild: PathBuf,
    /// componentize-qjs, or node and the folder whose modules have componentize-js.
    engine: PathBuf,
    modules: Option<PathBuf>,
}

pub(super) fn find(source: &Source) -> Result<Box<dyn Compiler>> {
    let find = |name: &str| tools::find(&source.folder, &[name]);
    let (install, engine, modules) = match source.engine {
        Engine::QuickJs => (INSTALL_QUICKJS, find("componentize-qjs"), None),
        Engine::StarlingMonkey => {
            let package = "node_modules/@bytecodealliance/componentize-js";
            let modules = source.folder.ancestors().find(|above| above.join(package).is_dir()).map(Path::to_owned);
            (INSTALL_STARLINGMONKEY, modules.as_ref().and_then(|_| find("node")), modules)
        }
    };
    match (find("esbuild"), engine) {
        (Some(esbuild), Some(engine)) => Ok(Box::new(JavaScript { esbuild, engine, modules })),
        _ => Err(tools::missing(&source.shown, "a compiler from JavaScript to WebAssembly", install)),
    }
}

impl Compiler for JavaScript {
    fn program(&self) -> &Path {
        &self.engine
    }

    fn compile(&self, source: &Source, sdk: &Path, scratch: &Path, output: &Path) -> Result<()> {
        let write = |name: &str, text: String| {
            let path = scratch.join(name);
            std::fs::write(&path, text)
                .map(|()| path.clone())
                .map_err(|e| Error::Build { message: format!("can't write {}: {e}", path.display()), hint: None })
        };
        let main = source.folder.join(&source.main);
        let entry = write("entry.js", ENTRY.replace("MAIN", &main.to_string_lossy()))?;
        let bundle = scratch.join("bundle.js");
        let mut bundled = tools::command(&source.folder, &self.esbuild);
        bundled
            .arg(entry)
            .args(["--bundle", "--format=esm", "--target=es2022", "--log-level=warning", "--external:weir:udf/*"])
            .arg(format!("--alias:weir={}", sdk.join("weir").display()))
            .arg(format!("--outfile={}", bundle.display()))
            .args(&source.flags);
        tools::run(&source.shown, &mut bundled)?;
        let mut command = tools::command(&source.folder, &self.engine);
        match &self.modules {
            None => {
                command.arg("--wit").arg(sdk.join("wit")).arg("--js").arg(&bundle);
                command.args(["-n", "everything", "--sync", "--stub-wasi", "-o"]).arg(output);
            }
            Some(modules) => {
                // Its imports are looked for beside the script.
                let script = modules.join("node_modules").join(format!(".weir-{}.mjs", std::process::id()));
                let written = std::fs::write(&script, STARLINGMONKEY);
                written.map_err(|e| Error::Build {
                    message: format!("can't write {}: {e}", script.display()),
                    hint: None,
                })?;
                command.arg(&script).arg(&bundle).arg(sdk.join("wit")).arg(output);
                let done = tools::run(&source.shown, &mut command);
                // What is left of it is in nobody's way.
                drop(std::fs::remove_file(&script));
                return done;
            }
        }
        tools::run(&source.shown, &mut command)
    }
}
