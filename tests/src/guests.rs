//! The functions that the tests run, as components.
//!
//! `build.rs` compiles `udfs/*` and `tests/guests/*`; here their core modules are made components,
//! once, in the guests' target folder. A guest is known by the name of its folder.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::{fs, process};

use weir::sandbox::{Artifact, Cache, Compiler, Limits, Runtime};

/// Names and core modules; the guest for WASI is a component already.
const GUESTS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/guests.rs"));

/// The names of all guests.
pub fn names() -> impl Iterator<Item = &'static str> {
    GUESTS.iter().map(|(name, _)| *name)
}

/// Where a guest's component is.
///
/// # Panics
/// If there is no such guest, or it makes no component.
pub fn component(name: &str) -> PathBuf {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let mut folder = PathBuf::new();
        for (name, module) in GUESTS {
            let module = Path::new(module);
            folder = module.ancestors().nth(3).expect("a target folder").join("components");
            fs::create_dir_all(&folder).expect("a folder for the components");
            let path = folder.join(format!("{name}.wasm"));
            let bytes = encode(&fs::read(module).unwrap_or_else(|e| panic!("{}: {e}", module.display())));
            if fs::read(&path).ok().as_ref() != Some(&bytes) {
                // Another process may be reading it.
                let new = folder.join(format!("{name}.{}.tmp", process::id()));
                fs::write(&new, bytes).and_then(|()| fs::rename(&new, &path)).expect("a component can be written");
            }
        }
        folder
    });
    assert!(names().any(|n| n == name), "there is no guest `{name}`; there are: {:?}", names().collect::<Vec<_>>());
    FOLDER.join(format!("{name}.wasm"))
}

fn encode(module: &[u8]) -> Vec<u8> {
    match module {
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => weir::build::componentize(module).expect("a component"),
        component => component.to_vec(),
    }
}

/// The one runtime of the tests. It keeps what it compiled beside the components: most pipelines have the
/// same few.
///
/// # Panics
/// If the engine does not start.
pub fn runtime() -> &'static Arc<Runtime> {
    static RUNTIME: LazyLock<Arc<Runtime>> = LazyLock::new(|| {
        let (_, module) = GUESTS.first().expect("there are guests");
        let folder = Path::new(module).ancestors().nth(3).expect("a target folder").join("cache");
        let cache = Cache::open(&folder, 256 << 20).expect("a cache");
        Runtime::with(Compiler::Here, Some(cache)).expect("the engine starts")
    });
    &RUNTIME
}

/// A guest, compiled to native code; once.
///
/// # Panics
/// If the host refuses it.
pub fn artifact(name: &str) -> Arc<Artifact> {
    static LOADED: LazyLock<Mutex<HashMap<String, Arc<Artifact>>>> = LazyLock::new(Mutex::default);
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(artifact) = loaded.get(name) {
        return Arc::clone(artifact);
    }
    let bytes = fs::read(component(name)).expect("the component was just written");
    let artifact = Artifact::load(runtime(), name, &bytes, &Limits::default());
    let artifact = artifact.unwrap_or_else(|error| panic!("the host does not take `{name}`: {error}"));
    loaded.insert(name.to_owned(), Arc::clone(&artifact));
    artifact
}
