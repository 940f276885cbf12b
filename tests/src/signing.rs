//! `[trust]`: which components a pipeline runs, by who signed them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use weir::plan::{Environment, Plan, Policy};
use weir::signing::{Key, Trust, sign, sign_detached};

use crate::guests;
use crate::pipelines::Case;

const PIPELINE: &str = r#"
[trust]
keys = ["ours.pub"]
[functions]
g = "g.wasm"
[source]
file = "in.jsonl"
schema = { n = "int64" }
[[steps]]
map = "g.double(n)"
[sink]
file = "out.jsonl"
"#;

fn case(pipeline: &str) -> Case {
    let case = Case::empty();
    case.write("pipeline.toml", pipeline).write("in.jsonl", "{\"n\": 1}\n").write("g.wasm", component());
    for name in ["ours", "theirs"] {
        Key::generate(&case.path().join(name)).expect("keys");
    }
    case
}

fn component() -> Vec<u8> {
    fs::read(guests::component("lab")).expect("a component")
}

fn key(case: &Case, name: &str) -> Key {
    Key::from_file(&case.path().join(name)).expect("a key")
}

fn error(case: &Case) -> String {
    case.error_text(&case.plan().expect_err("it is not trusted"))
}

#[test]
fn what_is_unsigned_or_unknown_or_changed_does_not_run() {
    let case = case(PIPELINE);
    let place = "error: pipeline.toml:5:5: g.wasm:";
    let unsigned = format!("{place} it is not signed\nhint: sign it: weir sign COMPONENT --key KEY\n");
    assert_eq!(error(&case), unsigned);
    case.write("g.wasm", sign(&component(), &key(&case, "theirs")).expect("signed"));
    let unknown = format!(
        "{place} its signature is of no trusted key, or it has been changed since it was signed\n\
         hint: `[trust]` says which keys are trusted\n"
    );
    assert_eq!(error(&case), unknown);
    let mut signed = sign(&component(), &key(&case, "ours")).expect("signed");
    case.write("g.wasm", &signed);
    case.plan().expect("it is trusted");
    let last = signed.len() - 1;
    signed[last] ^= 1;
    case.write("g.wasm", &signed);
    assert_eq!(error(&case), unknown);
}

#[test]
fn a_signature_beside_the_component_will_do() {
    let case = case(PIPELINE);
    case.write("g.wasm.sig", sign_detached(&component(), &key(&case, "ours")).expect("signed"));
    case.plan().expect("it is trusted");
    case.write("g.wasm.sig", sign_detached(&component(), &key(&case, "theirs")).expect("signed"));
    assert!(error(&case).contains("its signature is of no trusted key"));
}

#[test]
fn a_host_s_keys_hold_for_every_pipeline() {
    let case = case(&PIPELINE.replace("[trust]\nkeys = [\"ours.pub\"]", ""));
    case.plan().expect("nobody asks");
    let mut trust = Trust::default();
    trust.add_file(&case.path().join("theirs.pub")).expect("a key");
    let policy = Policy { trust, ..Policy::default() };
    let build = |path: &Path| -> weir::Result<PathBuf> { Ok(path.to_owned()) };
    let environment = Environment { runtime: guests::runtime(), build: &build, native: HashMap::new(), policy };
    let error = Plan::load(case.pipeline(), &environment).expect_err("unsigned").to_string();
    assert!(error.ends_with("g.wasm: it is not signed"), "{error}");
}

#[test]
fn a_key_that_is_none_is_told() {
    let case = case(&PIPELINE.replace("ours.pub", "in.jsonl"));
    assert!(error(&case).starts_with("error: pipeline.toml:3:9: in.jsonl is no public key"), "{}", error(&case));
    let none = self::case(&PIPELINE.replace("\"ours.pub\"", ""));
    assert!(error(&none).contains("`[trust]` without keys trusts nobody"), "{}", error(&none));
}
