//! What the way into the sandbox and out of it costs: 8,192 rows a call, the time limit on, the
//! native twin doing the same work on the same Arrow columns.
//!
//! `cargo bench -p weir --bench boundary`

mod measure;

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, StringArray, UInt32Array};
use weir::function::{Calls, Input};
use weir::sandbox::{Artifact, Instance, Limits, Parameters, Reuse, Runtime};

/// What the command runs with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROWS: usize = 8192;
const GROUPS: usize = 2048;

fn main() -> anyhow::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/guest");
    let wasm = std::fs::read(weir::build::component(&folder, &|_| {})?)?;
    let runtime = Runtime::new()?;
    let artifact = Artifact::load(&runtime, "bench guest", &wasm, &Limits::default())?;
    let instance = |name: &str| -> Instance {
        let index = artifact.functions().iter().position(|f| f.name == name).expect(name);
        Instance::new(&artifact, index, Parameters::default(), Limits::default(), Reuse::UntilFault)
    };
    fn input(rows: usize, columns: &[ArrayRef]) -> Input<'_> {
        Input { rows, columns, now: 0, seed: 0 }
    }

    let numbers: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(0..ROWS as i64)),
        Arc::new(Float64Array::from_iter_values((0..ROWS).map(|i| i as f64 * 0.25))),
    ];
    let texts: Vec<ArrayRef> =
        vec![Arc::new(StringArray::from_iter_values((0..ROWS).map(|i| format!("twenty bytes {i:07}"))))];
    let groups: Vec<u32> = (0..ROWS).map(|i| (i * 7919 % GROUPS) as u32).collect();
    let held: Vec<ArrayRef> =
        vec![Arc::new(Float64Array::from(vec![0.0; GROUPS])), Arc::new(Int64Array::from(vec![0; GROUPS]))];

    measure::head("ns/row, 8,192 rows a call");
    for name in ["scale", "scale_columns"] {
        let mut map = instance(name);
        measure::pair(
            &format!("map of two columns ({name})"),
            ROWS,
            "2 ns/row",
            || drop(black_box(map.map(input(ROWS, &numbers)).expect("maps"))),
            || drop(black_box(native_scale(&numbers))),
        );
    }
    let mut mean = instance("mean");
    measure::pair(
        "accumulate into 2,048 groups",
        ROWS,
        "3 ns/row",
        || drop(black_box(mean.accumulate(input(GROUPS, &held), &groups, input(ROWS, &numbers[1..])).expect("folds"))),
        || drop(black_box(native_mean(&held, &groups, &numbers[1]))),
    );
    let mut running = instance("running_sum");
    measure::pair(
        "stateful map of 2,048 keys",
        ROWS,
        "",
        || {
            let states = input(GROUPS, &held[..1]);
            drop(black_box(running.stateful_map(states, &groups, input(ROWS, &numbers[1..])).expect("steps")));
        },
        || drop(black_box(native_running_sum(&held, &groups, &numbers[1]))),
    );
    let mut sums = instance("group_sum");
    let sorted: Vec<u32> = (0..ROWS).map(|i| (i * GROUPS / ROWS) as u32).collect();
    measure::pair(
        "group map of 2,048 groups",
        ROWS,
        "",
        || drop(black_box(sums.map_groups(GROUPS, &sorted, input(ROWS, &numbers[1..])).expect("maps"))),
        || drop(black_box(native_group_sum(&sorted, &numbers[1]))),
    );
    let mut upper = instance("upper");
    measure::pair(
        "upper-case texts of 20 bytes",
        ROWS,
        "5 ns/row",
        || drop(black_box(upper.map(input(ROWS, &texts)).expect("maps"))),
        || drop(black_box(native_upper(&texts[0]))),
    );

    measure::head("ns/call");
    let one: Vec<ArrayRef> = numbers.iter().map(|c| c.slice(0, 1)).collect();
    let mut map = instance("scale");
    measure::pair(
        "map of one row",
        1,
        "1,500 ns",
        || drop(black_box(map.map(input(1, &one)).expect("maps"))),
        || drop(black_box(native_scale(&one))),
    );
    let mut fresh = instance("scale");
    fresh.instantiate()?;
    measure::pair(
        "instantiate, and drop the one before",
        1,
        "10,000 ns",
        || {
            fresh.reset();
            fresh.instantiate().expect("instantiates");
        },
        || drop(black_box(vec![0u8; 64])),
    );
    Ok(())
}

fn native_scale(columns: &[ArrayRef]) -> Vec<ArrayRef> {
    let a = columns[0].as_primitive::<Int64Type>().values();
    let b = columns[1].as_primitive::<Float64Type>().values();
    vec![
        Arc::new(Int64Array::from_iter_values(a.iter().map(|a| a.wrapping_add(1)))),
        Arc::new(Float64Array::from_iter_values(b.iter().map(|b| b * 0.5))),
    ]
}

fn native_mean(held: &[ArrayRef], groups: &[u32], values: &ArrayRef) -> Vec<ArrayRef> {
    let mut sums = held[0].as_primitive::<Float64Type>().values().to_vec();
    let mut counts = held[1].as_primitive::<Int64Type>().values().to_vec();
    for (group, value) in groups.iter().zip(values.as_primitive::<Float64Type>().values()) {
        sums[*group as usize] += value;
        counts[*group as usize] += 1;
    }
    vec![Arc::new(Float64Array::from(sums)), Arc::new(Int64Array::from(counts))]
}

fn native_running_sum(held: &[ArrayRef], groups: &[u32], values: &ArrayRef) -> Vec<ArrayRef> {
    let mut sums = held[0].as_primitive::<Float64Type>().values().to_vec();
    let step = |(group, value): (&u32, &f64)| {
        sums[*group as usize] += value;
        sums[*group as usize]
    };
    let out: Float64Array = groups.iter().zip(values.as_primitive::<Float64Type>().values()).map(step).collect();
    let parents = UInt32Array::from_iter_values(0..values.len() as u32);
    vec![Arc::new(Float64Array::from(sums)), Arc::new(out), Arc::new(parents)]
}

fn native_group_sum(groups: &[u32], values: &ArrayRef) -> Vec<ArrayRef> {
    let mut sums = vec![0.0; GROUPS];
    for (group, value) in groups.iter().zip(values.as_primitive::<Float64Type>().values()) {
        sums[*group as usize] += value;
    }
    vec![Arc::new(Float64Array::from(sums)), Arc::new(UInt32Array::from_iter_values(0..GROUPS as u32))]
}

fn native_upper(texts: &ArrayRef) -> ArrayRef {
    let texts = texts.as_string::<i32>();
    let mut upper = StringBuilder::with_capacity(texts.len(), texts.value_data().len());
    for text in texts.iter().flatten() {
        upper.append_value(text.to_ascii_uppercase());
    }
    Arc::new(upper.finish())
}
