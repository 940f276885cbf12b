//! Files that are no functions: what is told from their bytes or their skeleton, before anything is compiled.

use weir::sandbox::{Artifact, Limits};

use super::guest;

fn error(wasm: &[u8], limits: &Limits) -> String {
    Artifact::load(crate::guests::runtime(), "it", wasm, limits).expect_err("it is refused").to_string()
}

fn component() -> Vec<u8> {
    guest::named("answers_differently_each_time").wasm
}

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn what_is_no_component_is_refused() {
    let limits = Limits::default();
    for (what, wasm, text) in [
        ("nothing", vec![], "it: this is no WebAssembly component (0 bytes)"),
        ("a text", b"not wasm".to_vec(), "it: this is no WebAssembly component (8 bytes)"),
        ("zeros", vec![0; 1 << 20], "it: this is no WebAssembly component (1048576 bytes)"),
        ("a zip of zeros", [b"PK\x03\x04".to_vec(), vec![0; 1000]].concat(), "it: this is no WebAssembly component"),
        ("a core module", wat("(module)"), "it: this is a core module, no component"),
        ("a later version", b"\0asm\x0e\0\x01\0".to_vec(), "it: this is WebAssembly of a version that is not known"),
        ("only a header", b"\0asm\x0d\0\x01\0".to_vec(), "it: it does not export `weir:udf/catalog@0.1.0`"),
        ("an empty component", wat("(component)"), "it: it does not export `weir:udf/catalog@0.1.0`"),
        ("text of a component", b"(component)".to_vec(), "it: this is no WebAssembly component (11 bytes)"),
    ] {
        let error = error(&wasm, &limits);
        assert!(error.contains(text), "{what}: {error}");
    }
}

#[test]
fn a_component_that_was_cut_off_or_damaged_is_refused_and_never_a_panic() {
    let whole = component();
    let limits = Limits::default();
    let mut refused = 0;
    for at in (8..whole.len()).step_by(whole.len() / 60) {
        // Cut between two sections at its end it may still be one.
        if let Err(error) = Artifact::load(crate::guests::runtime(), "it", &whole[..at], &limits) {
            assert!(error.to_string().starts_with("it: "), "cut at {at}: {error}");
            refused += 1;
        }
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        // What is damaged may still be a component, a name of it another letter.
        drop(Artifact::load(crate::guests::runtime(), "it", &damaged, &limits));
    }
    assert!(refused > 50, "{refused}");
}

#[test]
fn what_is_too_large_is_refused_before_it_is_compiled() {
    let whole = component();
    // A custom section of 100 MB behind it.
    let n: u32 = 100_000_000;
    let mut large = whole.clone();
    large.push(0);
    let mut length = n + 2;
    while length >= 0x80 {
        large.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    large.push(length as u8);
    large.extend([1, b'x']);
    large.resize(large.len() + n as usize, 0);
    let error_of = |wasm: &[u8], limits: Limits| error(wasm, &limits);
    assert!(error_of(&large, Limits::default()).contains("bytes, and at most 64MiB are allowed"));
    let few = Limits { core_functions_max: 3, ..Limits::default() };
    assert!(error_of(&whole, few).contains("it has more than 3 core functions"));
    let short = Limits { body_bytes_max: 30, ..Limits::default() };
    assert!(error_of(&whole, short).contains("bytes, and at most 30B are allowed"));
    let nested = (0..20).fold(String::from("(component)"), |inner, _| format!("(component {inner})"));
    assert!(error_of(&wat(&nested), Limits::default()).contains("its components stand more than 8 deep"));
    let types = "(type (list u8))".repeat(600_000);
    assert!(error_of(&wat(&format!("(component {types})")), Limits::default()).contains("types, instances, imports"));
}

#[test]
fn what_asks_for_more_than_the_host_offers_is_refused_by_name() {
    for (import, text) in [
        (
            r#"(import "evil:net/sockets@1.0.0" (instance))"#,
            "it imports `evil:net/sockets@1.0.0`, which no function gets",
        ),
        (r#"(import "weir:udf/host@9.0.0" (instance (export "now" (func (result s64)))))"#, "weir:udf/host@9.0.0"),
        (r#"(import "weir:udf/host@0.1.0" (instance (export "shell" (func (param "c" string)))))"#, "shell"),
        (r#"(import "wasi:http/outgoing-handler@0.2.0" (instance (export "handle" (func))))"#, "wasi:http"),
        (r#"(import "wasi:threads/spawn@0.1.0" (instance (export "spawn" (func))))"#, "wasi:threads"),
        (r#"(import "plain" (func))"#, "it imports `plain`, which no function gets"),
    ] {
        let error = error(&wat(&format!("(component {import})")), &Limits::default());
        assert!(error.contains(text), "{import}: {error}");
    }
}

#[test]
fn features_that_bring_threads_or_differ_between_machines_are_off() {
    for (feature, module) in [
        ("shared memory", "(memory 1 2 shared)"),
        ("64-bit memory", "(memory i64 1)"),
        (
            "relaxed SIMD",
            "(func (param v128 v128 v128) (result v128) (f32x4.relaxed_madd (local.get 0) (local.get 1) (local.get 2)))",
        ),
    ] {
        let error = error(&wat(&format!("(component (core module {module}))")), &Limits::default());
        assert!(error.contains("can't be compiled"), "{feature}: {error}");
    }
}

#[test]
fn more_instances_and_handles_than_allowed_are_refused() {
    let instances = "(core instance (instantiate $m))".repeat(80);
    let many = format!("(component (core module $m) {instances})");
    let error = error(&wat(&many), &Limits::default());
    // Without a catalog it is no function either; which of both is said first does not matter.
    assert!(error.contains("instances") || error.contains("catalog"), "{error}");
}
