//! What there is one of in a process: the engine that compiles, the linker that says what a
//! component may import, and the ticker that time limits are counted by.
//!
//! Features that bring threads, shared memory or results that differ between machines are off,
//! and NaNs are canonical.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Enabled, Engine, EngineWeak, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::bindings::weir::udf::{host, types};
use super::state::State;
use super::wasi;
use crate::error::{Error, Result};

/// Time limits are counted in these; a call ends within one of its limit.
pub(super) const TICK: Duration = Duration::from_millis(5);

/// Instances that may live at once in a process. A slot is address space, not memory.
const INSTANCES_MAX: u32 = 1000;

/// Bytes of a freed memory that stay mapped for the next instance in its slot: clearing them is
/// cheaper than faulting them in again.
const KEEP_RESIDENT_BYTES: usize = 1 << 20;

/// Everything that artifacts and instances share.
pub struct Runtime {
    pub(super) engine: Engine,
    pub(super) linker: Linker<State>,
}

impl Runtime {
    /// Starts the one runtime of a process. It lives as long as an artifact or instance of it.
    pub fn new() -> Result<Arc<Self>> {
        Self::build().map(Arc::new).map_err(|e| Error::Bug(format!("the WebAssembly engine does not start: {e:#}")))
    }

    fn build() -> wasmtime::Result<Self> {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(INSTANCES_MAX)
            .total_core_instances(INSTANCES_MAX * 4)
            .total_memories(INSTANCES_MAX)
            .total_tables(INSTANCES_MAX * 4)
            .max_core_instances_per_component(32)
            .max_memories_per_component(4)
            .max_tables_per_component(32)
            .max_component_instance_size(1 << 20)
            .max_core_instance_size(1 << 20)
            .table_elements(100_000)
            .max_memory_size(4 << 30)
            .pagemap_scan(Enabled::Auto)
            .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
            .table_keep_resident(64 << 10);
        let mut config = Config::new();
        config
            .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
            .epoch_interruption(true)
            .concurrency_support(false)
            .shared_memory(false)
            .wasm_relaxed_simd(false)
            .wasm_memory64(false)
            .cranelift_nan_canonicalization(true)
            .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(16));
        let engine = Engine::new(&config)?;

        let mut linker = Linker::new(&engine);
        host::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
        types::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
        wasi::add_to_linker(&mut linker)?;
        tick(engine.weak());
        Ok(Self { engine, linker })
    }
}

/// Advances the engine's epoch until the engine is gone.
fn tick(engine: EngineWeak) {
    thread::Builder::new()
        .name("weir-ticker".into())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                thread::sleep(TICK);
            }
        })
        .expect("a thread for the ticker");
}
