//! Keys and signatures, as files.

use std::path::Path;

use weir::build::write_atomic;
use weir::error::{Error, Invalid, Result};
use weir::signing::{Key, detached_path, sign, sign_detached};

use super::args::Sign;
use super::print;

/// Makes a pair of keys.
pub(super) fn keygen(path: &Path) -> Result<()> {
    let public = Key::generate(path)?;
    print::out(&format!(
        "{}  the secret key: keep it\n{}  the public key, for [trust]\n",
        path.display(),
        public.display()
    ))
}

/// Signs a component, in itself or beside it.
pub(super) fn component(args: &Sign) -> Result<()> {
    let key = Key::from_file(&args.key)?;
    let wasm = std::fs::read(&args.component).map_err(|e| {
        Invalid::new(format!("can't read the component {}: {e}", args.component.display()))
            .hint("give a .wasm file; `weir build FOLDER -o NAME.wasm` makes one of a folder")
    })?;
    let (path, bytes) = match args.detached {
        true => (args.output.clone().unwrap_or_else(|| detached_path(&args.component)), sign_detached(&wasm, &key)?),
        false => (args.output.clone().unwrap_or_else(|| args.component.clone()), sign(&wasm, &key)?),
    };
    write_atomic(&path, &bytes)
        .map_err(|e| Error::sink_io(format!("the signature {} can't be written", path.display()), e))?;
    print::out(&format!("{}\n", path.display()))
}
