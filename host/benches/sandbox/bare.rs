//! A mapper called by wasmtime alone: no checks, no Arrow, and of what limits need of wasmtime only what is asked for.

use arrow_array::{Array, ArrayRef};
use arrow_buffer::ToByteSlice;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, ResourceLimiter, Store};

wasmtime::component::bindgen!({
    path: "../wit",
    world: "weir:udf/mapper-component",
    imports: { default: trappable },
    ownership: Borrowing { duplicate_if_necessary: true },
});

use self::weir::udf::host::{Evaluated, Host, Level};
use self::weir::udf::types::{self, BatchParam, ColumnParam, ColumnResult};

/// What a limit needs of wasmtime, or a guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// `batch-time`: loops and calls look at a counter.
    Time,
    /// `fuel-per-row`: every instruction is counted.
    Fuel,
    /// `memory`, `table-elements`, `tables`, `instances`, `memories`: who grows asks.
    Growth,
    /// `stack`: another than wasmtime's own.
    Stack,
    /// `output`: what is lifted is counted.
    Output,
    /// `handles`: there is a most of them.
    Handles,
    /// Not a limit: NaNs with the same bits everywhere.
    Nans,
}

/// All that Weir's limits have on unless fuel is asked for.
pub(crate) const USUAL: [Guard; 6] =
    [Guard::Time, Guard::Growth, Guard::Stack, Guard::Output, Guard::Handles, Guard::Nans];

#[derive(Default)]
struct Nothing {
    growth: Growth,
}

#[derive(Default)]
struct Growth(usize);

impl ResourceLimiter for Growth {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.0 += desired - current;
        Ok(self.0 <= 64 << 20)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

impl types::Host for Nothing {}

impl Host for Nothing {
    fn log(&mut self, _: Level, _: String) -> wasmtime::Result<()> {
        Ok(())
    }
    fn parameter(&mut self, _: String) -> wasmtime::Result<Option<String>> {
        Ok(None)
    }
    fn now(&mut self) -> wasmtime::Result<i64> {
        Ok(0)
    }
    fn random(&mut self) -> wasmtime::Result<u64> {
        Ok(0)
    }
    fn evaluate(&mut self, _: String, _: u32, _: Vec<ColumnResult>) -> wasmtime::Result<Result<Evaluated, String>> {
        Ok(Err("nothing is computed here".into()))
    }
}

pub(crate) struct Bare {
    store: Store<Nothing>,
    guest: MapperComponent,
    function: u32,
    guards: Vec<Guard>,
}

impl Bare {
    pub(crate) fn new(wasm: &[u8], function: usize, guards: &[Guard]) -> anyhow::Result<Self> {
        let has = |guard| guards.contains(&guard);
        let mut config = Config::new();
        config
            .allocation_strategy(InstanceAllocationStrategy::pooling())
            .epoch_interruption(has(Guard::Time))
            .consume_fuel(has(Guard::Fuel))
            .cranelift_nan_canonicalization(has(Guard::Nans));
        if has(Guard::Stack) {
            config.max_wasm_stack(1 << 20);
        }
        let engine = Engine::new(&config)?;
        let mut linker = Linker::new(&engine);
        MapperComponent::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
        let mut store = Store::new(&engine, Nothing::default());
        if has(Guard::Growth) {
            store.limiter(|state| &mut state.growth);
        }
        if has(Guard::Output) {
            store.set_hostcall_fuel(64 << 20);
        } else {
            store.set_hostcall_fuel(usize::MAX);
        }
        if has(Guard::Handles) {
            store.set_max_component_handles(1_000);
        }
        let mut guards = guards.to_vec();
        guards.retain(|guard| matches!(guard, Guard::Time | Guard::Fuel));
        wind_up(&mut store, &guards)?;
        let guest = MapperComponent::instantiate(&mut store, &Component::new(&engine, wasm)?, &linker)?;
        Ok(Self { store, guest, function: function as u32, guards })
    }

    pub(crate) fn map(&mut self, columns: &[ArrayRef]) {
        let bytes = |column: &ArrayRef| column.to_data().buffers()[0].clone();
        let buffers: Vec<_> = columns.iter().map(bytes).collect();
        let column = |buffer| ColumnParam { validity: &[], offsets: &[], values: buffer };
        let params: Vec<_> = buffers.iter().map(|b| column(b.to_byte_slice())).collect();
        let batch = BatchParam { rows: columns[0].len() as u32, columns: &params };
        wind_up(&mut self.store, &self.guards).expect("it has fuel");
        let mapped = self.guest.weir_udf_mapper().call_map_batch(&mut self.store, self.function, batch);
        assert!(!std::hint::black_box(mapped.expect("a call").expect("maps")).output.columns.is_empty());
    }
}

/// What a call is given each time.
fn wind_up(store: &mut Store<Nothing>, guards: &[Guard]) -> wasmtime::Result<()> {
    for guard in guards {
        match guard {
            Guard::Time => store.set_epoch_deadline(1_000),
            _ => store.set_fuel(u64::MAX / 2)?,
        }
    }
    Ok(())
}
