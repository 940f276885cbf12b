//! Arithmetic over whole columns gives what the same function gives row by row, errors included.
//!
//! `bulk/LANGUAGE` has each function twice, `NAME` and `NAME_rows`. Both are called with random columns in which
//! numbers at the edges of their types are frequent: `WEIR_SEED=7` begins elsewhere, `WEIR_SEEDS=1000` does more.

use std::sync::Arc;
use std::{env, fs};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, TimestampMicrosecondArray,
};
use weir::function::{Calls, Fault, Input, Kind, RowError};
use weir::sandbox::{Artifact, Instance, Limits, Parameters, Reuse};
use weir::types::{DataType, Field};

use crate::conformance::{TOOLS, weir};
use crate::guests;
use crate::random::Random;

/// Rows of a call: none, few, and more than a block of the host's.
const ROWS: [usize; 4] = [0, 1, 70, 2_100];

#[test]
fn whole_columns_in_python_give_what_rows_do() {
    agree("python");
}

#[test]
fn whole_columns_in_javascript_give_what_rows_do() {
    agree("javascript");
}

#[track_caller]
fn agree(language: &str) {
    let number = |name: &str, default| env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    let (seed, seeds): (u64, u64) = (number("WEIR_SEED", 1), number("WEIR_SEEDS", 3));
    // Two thousand rows that all fail are slow in a debug build on a busy machine.
    let limits = Limits {
        batch_time_max: std::time::Duration::from_secs(60),
        memory_bytes_max: 256 << 20,
        compile_time_max: std::time::Duration::from_secs(600),
        ..Limits::default()
    };
    let artifact = load(language, &limits);
    let names: Vec<String> = artifact.functions().iter().map(|f| f.name.clone()).collect();
    let mut failed = 0;
    for (bulk, name) in names.iter().enumerate().filter(|(_, name)| !name.ends_with("_rows")) {
        let rows = names.iter().position(|n| *n == format!("{name}_rows")).expect("each function is there twice");
        let make = |place| Instance::new(&artifact, place, Parameters::default(), limits, Reuse::UntilFault);
        let (mut bulk, mut rows) = (make(bulk), make(rows));
        for seed in seed..seed + seeds {
            for count in ROWS {
                let mut random = Random::new(seed);
                let columns: Vec<ArrayRef> =
                    bulk.signature().inputs.iter().map(|field| column(&mut random, field, count)).collect();
                let expected = call(&mut rows, &columns, count).unwrap_or_else(|f| panic!("{name}_rows: {f:?}"));
                let got =
                    call(&mut bulk, &columns, count).unwrap_or_else(|f| panic!("{name}, WEIR_SEED={seed}: {f:?}"));
                failed += expected.iter().filter(|row| row.starts_with("error")).count();
                let differs = (0..count).find(|row| expected[*row] != got[*row]);
                if let Some(row) = differs {
                    let given: Vec<String> = columns.iter().map(|c| shown(c, row)).collect();
                    panic!(
                        "{name}, row {row} of {count}, WEIR_SEED={seed}: {given:?} gives {}, expected {}",
                        got[row], expected[row]
                    );
                }
            }
        }
    }
    assert!(failed > 1_000, "only {failed} rows failed, which shows little");
}

fn load(language: &str, limits: &Limits) -> Arc<Artifact> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("functions.wasm");
    let built = weir(&["build", &format!("bulk/{language}"), "-o", &path.to_string_lossy()], &TOOLS);
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let wasm = fs::read(&path).expect("a component");
    Artifact::load(guests::runtime(), language, &wasm, limits).expect("the component loads")
}

/// What becomes of each row, as text.
fn call(instance: &mut Instance, columns: &[ArrayRef], rows: usize) -> Result<Vec<String>, Fault> {
    let input = Input { rows, columns, now: 0, seed: 0 };
    let (outputs, errors): (Vec<ArrayRef>, Vec<RowError>) = match instance.signature().kind {
        Kind::Filter => {
            let kept = instance.filter(input)?;
            (vec![Arc::new(BooleanArray::new(kept.selection, None))], kept.errors)
        }
        _ => {
            let mapped = instance.map(input)?;
            (mapped.outputs, mapped.errors)
        }
    };
    let mut all: Vec<String> =
        (0..rows).map(|row| outputs.iter().map(|c| shown(c, row)).collect::<Vec<_>>().join(", ")).collect();
    for error in errors {
        // Both say where they were, which is not the same place.
        let message = error.message.split(" (functions.py:").next().unwrap_or_default();
        all[error.row as usize] = format!("error: {}", message.replace("_rows`", "`"));
    }
    Ok(all)
}

/// A value to its last bit, but that NaNs are all one.
fn shown(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return "null".into();
    }
    match DataType::of(column.data_type()).expect("a type of the contract") {
        DataType::Boolean => column.as_boolean().value(row).to_string(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Timestamp => column.as_primitive::<TimestampMicrosecondType>().value(row).to_string(),
        DataType::Float32 => format!("{:?}", column.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => format!("{:?}", column.as_primitive::<Float64Type>().value(row)),
        other => unreachable!("no function here has {other}"),
    }
}

fn column(random: &mut Random, field: &Field, rows: usize) -> ArrayRef {
    let nullable = field.nullable;
    let each = |random: &mut Random| !(nullable && random.once_in(4));
    macro_rules! array {
        ($array:ty, $value:expr) => {
            (0..rows).map(|_| each(random).then(|| $value(random))).collect::<$array>()
        };
    }
    match field.data_type {
        DataType::Boolean => Arc::new(array!(BooleanArray, |r: &mut Random| r.once_in(2))),
        DataType::Int32 => Arc::new(array!(Int32Array, |r: &mut Random| whole(r) as i32)),
        DataType::Int64 => Arc::new(array!(Int64Array, whole)),
        DataType::Timestamp => Arc::new(array!(TimestampMicrosecondArray, whole).with_timezone("UTC")),
        DataType::Float32 => Arc::new(array!(Float32Array, |r: &mut Random| real(r) as f32)),
        _ => Arc::new(array!(Float64Array, real)),
    }
}

fn whole(random: &mut Random) -> i64 {
    const EDGES: [i64; 12] =
        [0, 1, -1, 2, -3, i64::MAX, i64::MIN, i64::MAX - 1, 1 << 53, (1 << 53) + 1, -(1 << 53) - 1, i32::MAX as i64];
    match random.of(0..4) {
        0 => *random.pick(&EDGES),
        1 => random.of(i64::MIN / 2..i64::MAX / 2),
        _ => random.of(-1000..1000),
    }
}

fn real(random: &mut Random) -> f64 {
    const EDGES: [f64; 16] = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -0.5,
        1.5,
        2.5,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        f64::MAX,
        f64::MIN_POSITIVE,
        9_007_199_254_740_993.0,
        -9_223_372_036_854_775_808.0,
        5e-324,
    ];
    match random.of(0..4) {
        0 => *random.pick(&EDGES),
        1 => random.of(-1 << 53..1 << 53) as f64 * 1e-8,
        _ => random.of(-100..100) as f64 / 4.0,
    }
}
