//! The compiler as a process of its own: it gives the same code, and ends with its time or its memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use weir::function::Calls;
use weir::sandbox::{Artifact, Cache, Compiler, Instance, Limits, Parameters, Reuse, Runtime};

use super::guest;
use crate::command;
use crate::sandbox::{call, numbers};

fn runtime(cache: Option<Cache>) -> Arc<Runtime> {
    let compiler = Compiler::Child { program: command::binary(), arguments: vec!["__compile".to_owned()] };
    Runtime::with(compiler, cache).expect("the engine starts")
}

fn wasm() -> Vec<u8> {
    std::fs::read(crate::guests::component("lab")).expect("a component")
}

#[test]
fn a_child_compiles_what_its_parent_runs() {
    let runtime = runtime(None);
    for limits in [
        Limits::default(),
        Limits { stack_bytes_max: 1 << 20, ..Limits::default() },
        Limits { fuel_per_row: Some(1000), ..Limits::default() },
    ] {
        let guest = guest::named("traps_on_one_row");
        let artifact = Artifact::load(&runtime, "it", &guest.wasm, &limits).expect("it is compiled");
        let mut instance = Instance::new(&artifact, 0, Parameters::default(), limits, Reuse::UntilFault);
        call(&mut instance, numbers(&[1, 2])).expect("it runs");
        call(&mut instance, numbers(&[3])).expect_err("it traps");
        assert_eq!(instance.instances(), 1);
    }
}

#[test]
fn what_is_in_the_cache_is_not_compiled_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = || Some(Cache::open(&folder.path().join("cache"), 1 << 30).expect("a cache"));
    let load = |limits: &Limits| Artifact::load(&runtime(cache()), "lab", &wasm(), limits).expect("it is loaded");
    assert!(!load(&Limits::default()).cached());
    let again = load(&Limits::default());
    assert!(again.cached() && again.compile_time() < Duration::from_millis(500), "{:?}", again.compile_time());
    assert!(!load(&Limits { fuel_per_row: Some(1_000_000), ..Limits::default() }).cached(), "other code");
    let mut instance = Instance::new(&again, 0, Parameters::default(), Limits::default(), Reuse::UntilFault);
    instance.instantiate().expect("it runs");
}

#[test]
fn compiling_ends_with_its_time() {
    let limits = Limits { compile_time_max: Duration::from_millis(20), ..Limits::default() };
    let started = Instant::now();
    let error = Artifact::load(&runtime(None), "lab", &wasm(), &limits).expect_err("it takes longer");
    assert!(error.to_string().contains("it took longer than 20ms (`compile-time` in `[limits]`)"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn compiling_ends_with_its_memory() {
    let limits = Limits { compile_memory_bytes_max: 80 << 20, ..Limits::default() };
    let error = Artifact::load(&runtime(None), "lab", &wasm(), &limits).expect_err("it needs more");
    assert!(error.to_string().contains("may have needed more than 80MiB (`compile-memory`)"), "{error}");
}

#[test]
fn what_the_compiler_says_of_a_component_is_the_error() {
    let module = wat::parse_str("(component (core module (func (result i32) (i64.const 0))))").expect("WAT");
    let error = Artifact::load(&runtime(None), "it", &module, &Limits::default()).expect_err("it is not valid");
    assert!(error.to_string().contains("type mismatch"), "{error}");
}
