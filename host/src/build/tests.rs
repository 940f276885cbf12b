//! Real builds of small crates without dependencies: no network, about a second each.

use std::cell::RefCell;

use tempfile::TempDir;
use wit_component::{StringEncoding, metadata};

use super::*;

const WIT: &str = "package weir:fixture; world one { export answer: func() -> u32; }";
const LIB: &str = r#"
    #[unsafe(link_section = "component-type:fixture")]
    pub static TYPE: [u8; include_bytes!("type.bin").len()] = *include_bytes!("type.bin");
    #[unsafe(export_name = "answer")]
    extern "C" fn answer() -> u32 { 42 }
"#;

/// A crate whose library is `source`, in a workspace of its own.
fn fixture(crate_type: &str, source: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let manifest = format!(
        "[package]\nname = \"fixture\"\nedition = \"2024\"\n[lib]\npath = \"lib.rs\"\ncrate-type = [\"{crate_type}\"]\n[workspace]\n"
    );
    std::fs::write(folder.path().join("Cargo.toml"), manifest).unwrap();
    std::fs::write(folder.path().join("lib.rs"), source).unwrap();
    let mut bindgen = metadata::Bindgen::default();
    let package = bindgen.resolve.push_str("fixture.wit", WIT).unwrap();
    let world = bindgen.resolve.select_world(&[package], None).unwrap();
    let section = metadata::encode(&bindgen.resolve, world, StringEncoding::UTF8, None, false).unwrap();
    std::fs::write(folder.path().join("type.bin"), section).unwrap();
    folder
}

fn build(folder: &Path) -> (Result<PathBuf>, Vec<String>) {
    let lines = RefCell::new(Vec::new());
    let built = component(folder, &|line| lines.borrow_mut().push(line.to_owned()));
    (built, lines.into_inner())
}

#[test]
fn a_folder_becomes_a_component_once_and_again_only_when_it_changes() {
    let folder = fixture("cdylib", LIB);
    let (built, lines) = build(folder.path());
    let path = built.unwrap();
    assert!(lines.last().unwrap().starts_with("built "), "{lines:?}");
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(encode::Kind::of(&bytes), Some(encode::Kind::Component));
    let text = format!("{:?}", wit_component::decode(&bytes).unwrap().resolve().worlds.iter().next().unwrap().1);
    assert!(text.contains("answer"), "{text}");
    let written = std::fs::metadata(&path).unwrap().modified().unwrap();

    let (again, lines) = build(folder.path());
    assert_eq!(again.unwrap(), path);
    assert_eq!(lines, Vec::<String>::new());
    assert_eq!(std::fs::metadata(&path).unwrap().modified().unwrap(), written);

    std::fs::write(folder.path().join("lib.rs"), LIB.replace("42", "43")).unwrap();
    assert_eq!(build(folder.path()).0.unwrap(), path);
    assert_ne!(std::fs::read(&path).unwrap(), bytes);
    let left: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".tmp")), "{left:?}");
}

#[test]
fn two_folders_with_the_same_crate_name_stay_apart() {
    let (one, two) = (fixture("cdylib", LIB), fixture("cdylib", &LIB.replace("42", "17")));
    let read = |folder: &TempDir| std::fs::read(build(folder.path()).0.unwrap()).unwrap();
    let (first, second) = (read(&one), read(&two));
    assert_ne!(first, second);
    assert_eq!(read(&one), first);
}

#[test]
fn what_does_not_compile_is_one_line_and_a_build_error() {
    let (built, _) = build(fixture("cdylib", "fn wrong() -> u32 { \"\" }").path());
    let error = built.unwrap_err();
    assert_eq!(error.exit_code(), 6);
    assert!(error.to_string().ends_with("does not compile"), "{error}");
    assert_eq!(error.hint(), None);
}

#[test]
fn a_library_without_types_is_refused_with_the_way_out() {
    let error = build(fixture("cdylib", "").path()).0.unwrap_err();
    assert!(error.to_string().contains("does not say which functions it has"), "{error}");
    assert!(error.hint().unwrap().contains("weir new"));
}

#[test]
fn what_is_no_crate_is_refused() {
    let empty = tempfile::tempdir().unwrap();
    let error = build(empty.path()).0.unwrap_err();
    assert!(error.to_string().contains("no source in a language that is known"), "{error}");
    let error = build(&empty.path().join("missing")).0.unwrap_err();
    assert!(error.to_string().contains("No such file"), "{error}");
    let error = build(fixture("rlib", "").path()).0.unwrap_err();
    assert!(error.to_string().contains("has no library"), "{error}");
}

#[test]
fn load_takes_modules_and_components_and_nothing_else() {
    let folder = fixture("cdylib", LIB);
    let quiet = |_: &str| {};
    let built = load(folder.path(), &quiet).unwrap();
    let path = component(folder.path(), &quiet).unwrap();
    assert_eq!(load(&path, &quiet).unwrap(), built);
    let core = path.with_file_name("fixture.wasm");
    assert_eq!(load(&core, &quiet).unwrap(), built);
    let error = load(&folder.path().join("lib.rs"), &quiet).unwrap_err();
    assert!(error.to_string().ends_with("lib.rs is not a WebAssembly file"), "{error}");
}

#[test]
fn a_module_for_a_system_becomes_a_component_that_imports_none() {
    let folder = fixture("cdylib", LIB);
    let core = component(folder.path(), &|_| {}).unwrap().with_file_name("fixture.wasm");
    // A module with nothing but the fixture's types and an import of the system's.
    let types = metadata_section(&std::fs::read(core).unwrap());
    let mut module = wat::parse_str(
        r#"(module (import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))
             (func (export "answer") (result i32) call 0))"#,
    )
    .unwrap();
    module.extend(types);
    let component = componentize(&module).unwrap();
    let decoded = wit_component::decode(&component).unwrap();
    let worlds: Vec<_> = decoded.resolve().worlds.iter().map(|(_, world)| world.imports.len()).collect();
    assert!(worlds.iter().all(|imports| *imports == 0), "{worlds:?}");
    let unknown = module.iter().map(|byte| if *byte == b'1' { b'9' } else { *byte }).collect::<Vec<_>>();
    assert!(componentize(&unknown).unwrap_err().to_string().contains("can't be made a component"));
}

#[test]
fn a_module_that_exports_by_the_contract_s_names_becomes_a_component() {
    let text = r#"(module
        (import "weir:udf/host@0.1.0" "log" (func $log (param i32 i32 i32)))
        (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8))
        (func (export "weir:udf/catalog@0.1.0#functions") (result i32) (i32.const 16))
        (func (export "weir:udf/filter@0.1.0#filter-batch") (param i32 i32 i32 i32) (result i32) (i32.const 24)))"#;
    let component = componentize(&wat::parse_str(text).unwrap()).unwrap();
    let text = format!("{:?}", wit_component::decode(&component).unwrap().resolve().interfaces);
    assert!(text.contains("filter-batch") && !text.contains("flat-map-batch"), "{text}");
}

/// The custom section with the types, header included, found by its name.
fn metadata_section(module: &[u8]) -> Vec<u8> {
    let name = b"component-type:fixture";
    let at = module.windows(name.len()).position(|w| w == name).unwrap();
    let data = std::fs::read(fixture("cdylib", LIB).path().join("type.bin")).unwrap();
    let body = [&[u8::try_from(name.len()).unwrap()], &name[..], &data].concat();
    assert!(module[at..].starts_with(&body[1..]));
    let mut section = vec![0];
    let mut size = body.len();
    while size >= 0x80 {
        section.push((size & 0x7f) as u8 | 0x80);
        size >>= 7;
    }
    section.push(size as u8);
    section.extend(body);
    section
}
