//! Which components may run: those that a trusted key has signed, where there are such keys.

use std::path::Path;

use super::spec::{At, Text, TrustSpec};
use super::streams::relative;
use crate::error::{Error, Invalid, Result};
use crate::signing::{Trust, detached_path};

/// The keys of `[trust]`.
pub(super) fn trust(text: &Text, spec: Option<&At<TrustSpec>>) -> Result<Trust> {
    let mut trust = Trust::default();
    let Some(spec) = spec else { return Ok(trust) };
    let keys = &spec.get_ref().keys;
    if keys.is_empty() {
        return Err(text
            .wrong(spec, "`[trust]` without keys trusts nobody")
            .hint("write `keys = [\"KEY.pub\"]`")
            .into());
    }
    for key in keys {
        trust.add_file(&relative(text, key.get_ref())).map_err(|error| match error {
            Error::Invalid(invalid) => invalid.at(text.place(key.span().start)).into(),
            other => other,
        })?;
    }
    Ok(trust)
}

/// Refuses a component that the host's keys or the pipeline's do not vouch for.
pub(super) fn check(trusts: [&Trust; 2], path: &Path, wasm: &[u8]) -> Result<(), Invalid> {
    if trusts.iter().all(|trust| trust.is_empty()) {
        return Ok(());
    }
    let detached = std::fs::read(detached_path(path)).ok();
    let name = path.display().to_string();
    for trust in trusts {
        trust.check(&name, wasm, detached.as_deref())?;
    }
    Ok(())
}
