//! From a file of `tests/hostile/` to a component, and what the file says is to come of it.
//!
//! A file is WebAssembly text that is put into `template.wat`: functions that it defines replace those of
//! the template. One that imports more, each in a line, is for the world of `resources.wit`. Its first lines say what
//! it does, and:
//!
//! | line | |
//! | --- | --- |
//! | `;; kind: filter` | what the function is; a mapper without it |
//! | `;; limits: memory=1MiB` | limits other than the tests' own, which are the defaults with 100 ms for a batch |
//! | `;; refused: TEXT` | it is not loaded; the error has this in it |
//! | `;; fault: KIND: TEXT` | it is loaded, and fails so on a 3, and on nothing else |
//! | `;; always: KIND: TEXT` | it is loaded, and fails so on every batch that has rows |
//! | `;; harmless` | it is loaded, and can't do what it tries |

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, sync::Arc};

use weir::function::Kind;
use weir::sandbox::settings::{self, Amount, Unit};
use weir::sandbox::{Artifact, Limits};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

const TEMPLATE: &str = include_str!("template.wat");
const RESOURCES: &str = include_str!("resources.wit");

/// A hostile guest.
pub(crate) struct Guest {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) limits: Limits,
    pub(crate) outcome: Outcome,
    pub(crate) wasm: Vec<u8>,
}

/// What is to come of one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Refused(String),
    Fault { kind: String, text: String, always: bool },
    Harmless,
}

/// All files of the folder, in the order of their names.
pub(crate) fn all() -> Vec<Guest> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile");
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "wat"))
        .collect();
    paths.sort();
    paths.iter().map(|path| Guest::read(path)).collect()
}

/// The guest of that name.
pub(crate) fn named(name: &str) -> Guest {
    Guest::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile").join(name).with_extension("wat"))
}

impl Guest {
    fn read(path: &Path) -> Self {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let (mut kind, mut outcome) = (Kind::Mapper, None);
        let mut limits = Limits { batch_time_max: Duration::from_millis(100), ..Limits::default() };
        for line in text.lines().filter_map(|line| line.strip_prefix(";; ")) {
            match line.split_once(": ") {
                Some(("kind", value)) => kind = kind_named(value),
                Some(("limits", value)) => value.split(' ').for_each(|setting| limit(&mut limits, setting)),
                Some(("refused", text)) => outcome = Some(Outcome::Refused(text.to_owned())),
                Some((how @ ("fault" | "always"), value)) => {
                    let (kind, text) = value.split_once(": ").unwrap_or((value, ""));
                    let (kind, text) = (kind.to_owned(), text.to_owned());
                    outcome = Some(Outcome::Fault { kind, text, always: how == "always" });
                }
                _ if line == "harmless" => outcome = Some(Outcome::Harmless),
                _ => {}
            }
        }
        let outcome = outcome.unwrap_or_else(|| panic!("{name} does not say what is to come of it"));
        let wasm = component(&text, kind).unwrap_or_else(|e| panic!("{name}: {e:#}"));
        Self { name, kind, limits, outcome, wasm }
    }

    /// Loads it.
    pub(crate) fn load(&self) -> weir::Result<Arc<Artifact>> {
        Artifact::load(crate::guests::runtime(), &self.name, &self.wasm, &self.limits)
    }
}

fn limit(limits: &mut Limits, written: &str) {
    let (name, value) = written.split_once('=').expect("NAME=VALUE");
    let setting = settings::find(name).unwrap_or_else(|| panic!("no limit {name}"));
    let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let number: u64 = value[..digits].parse().expect("a number");
    let amount = match (setting.unit, &value[digits..]) {
        (Unit::Count, "") => Amount::Count(number),
        (Unit::Bytes, "B") => Amount::Bytes(number),
        (Unit::Bytes, "KiB") => Amount::Bytes(number << 10),
        (Unit::Bytes, "MiB") => Amount::Bytes(number << 20),
        (Unit::Time, "ms") => Amount::Time(Duration::from_millis(number)),
        (_, unit) => panic!("`{name}` in {unit}"),
    };
    (setting.set)(limits, amount);
}

const KINDS: [Kind; 6] =
    [Kind::Mapper, Kind::Filter, Kind::FlatMapper, Kind::Aggregate, Kind::StatefulMapper, Kind::GroupMapper];

fn kind_named(name: &str) -> Kind {
    KINDS.into_iter().find(|kind| kind.name() == name).unwrap_or_else(|| panic!("no kind {name}"))
}

/// The component of a guest's text.
fn component(text: &str, kind: Kind) -> anyhow::Result<Vec<u8>> {
    let own: Vec<&str> = text.lines().filter_map(function_name).collect();
    let (imports, rest): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with("(import "));
    let module = without(TEMPLATE, &own).replace("@CATALOG@", &catalog(kind));
    let module = filled(&module, &imports.join("\n"), &rest.join("\n"));
    // With source lines, as a debug build of a function has them.
    let module =
        wat::Parser::new().generate_dwarf(wat::GenerateDwarf::Lines).parse_str(Some("guest.wat".as_ref()), module);
    match imports.is_empty() {
        true => componentize(&module?),
        false => for_world(&module?, "weir:hostile/with-resources"),
    }
}

fn filled(template: &str, imports: &str, extra: &str) -> String {
    template.replace("@IMPORTS@", imports).replace("@EXTRA@", extra)
}

/// A core module for the world of everything, as a component.
pub(crate) fn componentize(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    for_world(module, "weir:udf/everything@0.1.0")
}

fn for_world(module: &[u8], world: &str) -> anyhow::Result<Vec<u8>> {
    let mut resolve = wit_parser::Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let (package, _) = resolve.push_dir(&wit)?;
    resolve.push_str("resources.wit", RESOURCES)?;
    let world = resolve.select_world(&[package], Some(world))?;
    let mut module = module.to_vec();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false)?;
    ComponentEncoder::default().module(&module)?.validate(true).encode()
}

/// A core module with the exports of the template, for others to have the same.
pub(crate) fn exports() -> Vec<u8> {
    wat::parse_str(filled(&TEMPLATE.replace("@CATALOG@", ""), "", "")).expect("the template is a module")
}

fn function_name(line: &str) -> Option<&str> {
    line.strip_prefix("  (func $").or_else(|| line.strip_prefix("(func $"))?.split([' ', ')']).next()
}

/// The template without these functions; their exports stay where they stand alone.
fn without(template: &str, functions: &[&str]) -> String {
    let mut kept = String::new();
    let mut skipping = false;
    for line in template.lines() {
        if let Some(name) = function_name(line) {
            skipping = functions.contains(&name);
        } else if !line.starts_with("    ") {
            skipping = false;
        }
        if !skipping {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The catalog as it stands in memory from 16384 on: `f` over a column `n` of numbers.
fn catalog(kind: Kind) -> String {
    const AT: u32 = 16384;
    let number = KINDS.iter().position(|k| *k == kind).expect("a kind") as u8;
    let (list, name, field, column) = (AT + 8, AT + 80, AT + 96, AT + 112);
    let mut places: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    let mut put = |at: u32, bytes: &[u8]| drop(places.insert(at, bytes.to_vec()));
    let pair = |at: u32, len: u32| [at.to_le_bytes(), len.to_le_bytes()].concat();
    put(AT, &pair(list, 1));
    put(list, &pair(name, 1));
    put(list + 8, &[number]);
    put(list + 28, &pair(field, 1));
    if kind != Kind::Filter {
        put(list + 36, &pair(field, 1));
    }
    if matches!(kind, Kind::Aggregate | Kind::StatefulMapper) {
        put(list + 44, &pair(field, 1));
    }
    put(name, b"f");
    put(field, &pair(column, 1));
    put(field + 8, &[2, 0]);
    put(column, b"n");
    let mut bytes = [0; 128];
    for (at, content) in places {
        let at = (at - AT) as usize;
        bytes[at..at + content.len()].copy_from_slice(&content);
    }
    bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
}
