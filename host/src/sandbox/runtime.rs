//! What there is one of in a process: the engines that run, the linker that says what a component may
//! import, the ticker that time limits are counted by, who compiles, and where compiled code is kept.
//!
//! Features that bring threads, shared memory or results that differ between machines are off,
//! and NaNs are canonical. What a limit needs of the engine itself (fuel, another stack) makes a second
//! engine, when somebody first asks for it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::component::{HasSelf, Linker};
use wasmtime::{
    Config, Enabled, Engine, EngineWeak, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails,
};

use super::bindings::weir::udf::{host, types};
use super::cache::Cache;
use super::compile::Compiler;
use super::limits::Limits;
use super::state::State;
use super::wasi;
use crate::error::{Error, Result};

/// Time limits are counted in these; a call ends within one of its limit.
pub(super) const TICK: Duration = Duration::from_millis(5);

/// Instances that may live at once of one engine. A slot is address space, not memory.
const INSTANCES_MAX: u32 = 1000;

/// Bytes of a freed memory that stay mapped for the next instance in its slot: clearing them is
/// cheaper than faulting them in again.
const KEEP_RESIDENT_BYTES: usize = 1 << 20;

/// Everything that artifacts and instances share.
pub struct Runtime {
    pub(super) compiler: Compiler,
    pub(super) cache: Option<Cache>,
    machines: Mutex<BTreeMap<Features, Arc<Machine>>>,
}

/// What limits need of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Features {
    /// Whether instructions are counted.
    pub(super) fuel: bool,
    /// Bytes of WebAssembly stack; one of [`STACKS`](super::STACKS).
    pub(super) stack_bytes: usize,
}

impl Default for Features {
    fn default() -> Self {
        Self::of(&Limits::default())
    }
}

impl Features {
    fn of(limits: &Limits) -> Self {
        Self { fuel: limits.fuel_per_row.is_some(), stack_bytes: limits.stack_bytes_max }
    }
}

/// An engine and what its components may import.
pub(super) struct Machine {
    pub(super) features: Features,
    pub(super) engine: Engine,
    pub(super) linker: Linker<State>,
    /// How often the engine's epoch was advanced.
    pub(super) ticks: Arc<AtomicU64>,
}

impl Runtime {
    /// Starts the one runtime of a process, which compiles by itself and keeps nothing on disk. It
    /// lives as long as an artifact or instance of it.
    pub fn new() -> Result<Arc<Self>> {
        Self::with(Compiler::Here, None)
    }

    /// As [`Runtime::new`], with another compiler, and a cache for what it compiles.
    pub fn with(compiler: Compiler, cache: Option<Cache>) -> Result<Arc<Self>> {
        let runtime = Arc::new(Self { compiler, cache, machines: Mutex::default() });
        runtime.machine(&Limits::default())?;
        Ok(runtime)
    }

    /// The engine for these limits.
    pub(super) fn machine(&self, limits: &Limits) -> Result<Arc<Machine>> {
        let features = Features::of(limits);
        let mut machines = self.machines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(machine) = machines.get(&features) {
            return Ok(Arc::clone(machine));
        }
        let machine = Machine::start(features)
            .map_err(|e| Error::Bug(format!("the WebAssembly engine does not start: {e:#}")))?;
        let machine = Arc::new(machine);
        machines.insert(features, Arc::clone(&machine));
        Ok(machine)
    }
}

/// What code is compiled for. Two engines with the same run each other's code.
pub(super) fn config(features: Features) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .consume_fuel(features.fuel)
        .max_wasm_stack(features.stack_bytes)
        .concurrency_support(false)
        .shared_memory(false)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .cranelift_nan_canonicalization(true)
        .wasm_backtrace_details(WasmBacktraceDetails::Enable)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(16));
    config
}

impl Machine {
    fn start(features: Features) -> wasmtime::Result<Self> {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(INSTANCES_MAX)
            .total_core_instances(INSTANCES_MAX * 40)
            .total_memories(INSTANCES_MAX)
            .total_tables(INSTANCES_MAX * 4)
            .max_core_instances_per_component(64)
            .max_memories_per_component(4)
            .max_tables_per_component(64)
            .max_component_instance_size(1 << 20)
            .max_core_instance_size(1 << 20)
            .table_elements(100_000)
            .max_memory_size(4 << 30)
            .pagemap_scan(Enabled::Auto)
            .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
            .table_keep_resident(64 << 10);
        let mut config = config(features);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        let engine = Engine::new(&config)?;

        let mut linker = Linker::new(&engine);
        host::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
        types::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
        wasi::add_to_linker(&mut linker)?;
        let ticks = Arc::<AtomicU64>::default();
        tick(engine.weak(), Arc::clone(&ticks));
        Ok(Self { features, engine, linker, ticks })
    }
}

/// Advances the engine's epoch until the engine is gone.
fn tick(engine: EngineWeak, ticks: Arc<AtomicU64>) {
    thread::Builder::new()
        .name("weir-ticker".into())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                ticks.fetch_add(1, Relaxed);
                drop(engine);
                thread::sleep(TICK);
            }
        })
        .expect("a thread for the ticker");
}
