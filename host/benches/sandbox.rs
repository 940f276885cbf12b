//! What the sandbox costs: its limits against wasmtime without any, a fault and the way back from it, a component that
//! was compiled before, and what a neighbour notices of a hostile one.
//!
//! `cargo bench -p weir --bench sandbox`

mod measure;

use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use arrow_buffer::ToByteSlice;
use weir::function::invoke::{Invoker, Moment};
use weir::function::{Calls, Input};
use weir::plan::{Argument, Bound, Function};
use weir::report::{Node, NodeKind};
use weir::sandbox::{Artifact, Cache, Compiler, Instance, Limits, Parameters, Reuse, Runtime};
use weir::types::{DataType, Field, arrow_schema};

/// What the command runs with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROWS: usize = 8192;

fn main() -> anyhow::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/guest");
    let wasm = std::fs::read(weir::build::component(&folder, &|_| {})?)?;
    let runtime = Runtime::new()?;
    let load = |limits: &Limits| Artifact::load(&runtime, "bench guest", &wasm, limits);
    let limits = Limits::default();
    let fuel = Limits { fuel_per_row: Some(1_000_000), ..limits };
    let (artifact, fuelled) = (load(&limits)?, load(&fuel)?);
    let index = |name: &str| artifact.functions().iter().position(|f| f.name == name).expect(name);
    let instance = |name: &str| Instance::new(&artifact, index(name), Parameters::default(), limits, Reuse::UntilFault);
    let numbers: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(0..ROWS as i64)),
        Arc::new(Float64Array::from_iter_values((0..ROWS).map(|i| i as f64 * 0.25))),
    ];
    let input = |columns| Input { rows: ROWS, columns, now: 0, seed: 0 };

    measure::head("ns/row, against wasmtime without limits");
    let mut bare = bare::Bare::new(&wasm, index("scale_columns") as u32)?;
    let mut native = || assert_eq!(black_box(bare.map(&numbers)), 2);
    let mut limited = instance("scale_columns");
    let map = |instance: &mut Instance| drop(black_box(instance.map(input(&numbers)).expect("maps")));
    measure::pair("all limits but fuel", ROWS, "ratio 1.5", || map(&mut limited), &mut native);
    let mut counted = Instance::new(&fuelled, index("scale_columns"), Parameters::default(), fuel, Reuse::UntilFault);
    measure::pair("all limits, fuel too", ROWS, "ratio 1.5", || map(&mut counted), &mut native);

    measure::head("ns each");
    let mut fresh = instance("scale");
    measure::pair(
        "an instance after a trap",
        1,
        "100,000 ns",
        || {
            fresh.reset();
            fresh.instantiate().expect("instantiates");
        },
        || drop(black_box(vec![0u8; 64])),
    );
    let stumbling = Bound {
        label: "bench.stumbles".into(),
        function: Function::Sandboxed {
            artifact: Arc::clone(&artifact),
            index: index("stumbles"),
            parameters: Parameters::default(),
            limits: Box::new(limits),
        },
        arguments: vec![Argument { column: "a".into(), widen: None, strict: false }],
        seed: 0,
    };
    let fields = [Field::new("a", DataType::Int64, false)];
    let rows = RecordBatch::try_new(arrow_schema(&fields), vec![Arc::clone(&numbers[0])])?;
    let counters = Arc::new(Node::new("stumbles", NodeKind::Map, ""));
    let mut invoker = Invoker::new(&stumbling, &fields, Reuse::UntilFault, counters);
    measure::pair(
        "one row of 8,192 that traps, found",
        1,
        "5,000,000 ns",
        || {
            let mut failures = Vec::new();
            drop(black_box(invoker.map(&rows, Moment { now: 0, seed: 0 }, &mut failures)));
            assert_eq!(failures.len(), 1);
        },
        || map(&mut limited),
    );
    let kept = tempfile::tempdir()?;
    let cached = Runtime::with(Compiler::Here, Some(Cache::open(&kept.path().join("cache"), 1 << 30)?))?;
    Artifact::load(&cached, "bench guest", &wasm, &limits)?;
    measure::pair(
        "a component that was compiled before",
        1,
        "100,000,000 ns",
        || drop(black_box(Artifact::load(&cached, "bench guest", &wasm, &limits).expect("loads"))),
        || map(&mut limited),
    );

    measure::head("ns/row, beside a function that is stopped again and again");
    for name in ["stumbles", "spins"] {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let limits = Limits { batch_time_max: Duration::from_millis(10), ..limits };
                let mut hostile =
                    Instance::new(&artifact, index(name), Parameters::default(), limits, Reuse::UntilFault);
                while !stop.load(Relaxed) {
                    hostile.map(input(&numbers[..1])).expect_err("it is stopped");
                }
            });
            let (mut beside, mut calls) = (instance("scale"), 0_u64);
            let started = Instant::now();
            while started.elapsed() < Duration::from_secs(2) {
                map(&mut beside);
                calls += 1;
            }
            stop.store(true, Relaxed);
            let with = started.elapsed().as_nanos() as f64 / calls as f64 / ROWS as f64;
            let (mut alone, mut calls) = (instance("scale"), 0_u64);
            let started = Instant::now();
            while started.elapsed() < Duration::from_secs(2) {
                map(&mut alone);
                calls += 1;
            }
            let without = started.elapsed().as_nanos() as f64 / calls as f64 / ROWS as f64;
            let what = format!("beside one that {name}, and alone");
            let mut out = std::io::stdout().lock();
            let _ = writeln!(out, "{what:44} {with:>10.2} {without:>10.2} {:>7.2}  ratio 1.25", with / without);
        });
    }
    Ok(())
}

/// The same call by wasmtime alone: no limits, no checks, no Arrow.
mod bare {
    use super::*;
    use wasmtime::component::{Component, HasSelf, Linker};
    use wasmtime::{Config, Engine, InstanceAllocationStrategy, Store};

    wasmtime::component::bindgen!({
        path: "../wit",
        world: "weir:udf/mapper-component",
        ownership: Borrowing { duplicate_if_necessary: true },
    });

    use self::weir::udf::host::{Host, Level};
    use self::weir::udf::types::{self, BatchParam, ColumnParam};

    struct Nothing;

    impl types::Host for Nothing {}

    impl Host for Nothing {
        fn log(&mut self, _: Level, _: String) {}
        fn parameter(&mut self, _: String) -> Option<String> {
            None
        }
        fn now(&mut self) -> i64 {
            0
        }
        fn random(&mut self) -> u64 {
            0
        }
    }

    pub(super) struct Bare {
        store: Store<Nothing>,
        guest: MapperComponent,
        function: u32,
    }

    impl Bare {
        pub(super) fn new(wasm: &[u8], function: u32) -> anyhow::Result<Self> {
            let mut config = Config::new();
            config.allocation_strategy(InstanceAllocationStrategy::pooling());
            let engine = Engine::new(&config)?;
            let mut linker = Linker::new(&engine);
            MapperComponent::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
            let mut store = Store::new(&engine, Nothing);
            let guest = MapperComponent::instantiate(&mut store, &Component::new(&engine, wasm)?, &linker)?;
            Ok(Self { store, guest, function })
        }

        pub(super) fn map(&mut self, columns: &[ArrayRef]) -> usize {
            let bytes = |column: &ArrayRef| column.to_data().buffers()[0].clone();
            let buffers: Vec<_> = columns.iter().map(bytes).collect();
            let column = |buffer| ColumnParam { validity: &[], offsets: &[], values: buffer };
            let columns: Vec<_> = buffers.iter().map(|b| column(b.to_byte_slice())).collect();
            let batch = BatchParam { rows: ROWS as u32, columns: &columns };
            let mapped = self.guest.weir_udf_mapper().call_map_batch(&mut self.store, self.function, batch);
            mapped.expect("a call").expect("maps").output.columns.len()
        }
    }
}
