//! One function of an artifact, in a sandbox of its own, ready to be called.
//!
//! An [`Instance`] belongs to one step and one worker. Behind it stands a WebAssembly instance
//! that is made when it is needed and thrown away after a fault, above its memory mark, or after
//! every call where that is asked for: nothing a function computes may depend on it.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_buffer::ToByteSlice;
use wasmtime::{Store, Trap};

use super::artifact::Artifact;
use super::bindings::exports::weir::udf::{aggregate, filter, flat_mapper, group_mapper, mapper, stateful_mapper};
use super::bindings::weir::udf::types::{BatchParam, Signature as WitSignature};
use super::fault::fault;
use super::limits::Limits;
use super::runtime::TICK;
use super::state::{Parameters, State};
use super::{lift, lower};
use crate::function::{Calls, Expanded, Fault, FaultKind, Folded, Input, Kept, Kind, Mapped, Signature, Stepped};

/// When a WebAssembly instance is thrown away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reuse {
    /// After a fault, or above the memory mark.
    #[default]
    UntilFault,
    /// After every call: to show that nothing depends on its memory.
    Never,
}

/// A function of an artifact with its parameters and limits.
pub struct Instance {
    artifact: Arc<Artifact>,
    function: usize,
    parameters: Parameters,
    limits: Limits,
    /// [`Limits::batch_time_max`] in ticks.
    ticks: u64,
    reuse: Reuse,
    live: Option<Live>,
    made: u64,
    recycled: u64,
    usage: Usage,
}

/// What the last call used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// WebAssembly instructions, about; only where a limit has them counted.
    pub fuel: Option<u64>,
    /// Linear memory that the instance held behind it.
    pub memory_bytes: usize,
}

/// A WebAssembly instance.
struct Live {
    store: Store<State>,
    guest: Guest,
}

enum Guest {
    Mapper(mapper::Guest),
    Filter(filter::Guest),
    FlatMapper(flat_mapper::Guest),
    Aggregate(aggregate::Guest),
    StatefulMapper(stateful_mapper::Guest),
    GroupMapper(group_mapper::Guest),
}

/// The memory mark, as a share of the limit: an instance that grew above it between calls is
/// replaced before it runs into the limit. This cures guests that leak.
const MEMORY_MARK: (usize, usize) = (3, 4);

/// What a result is checked against.
struct Lifting<'a> {
    signature: &'a Signature,
    limits: &'a Limits,
}

type Called<T> = wasmtime::Result<Result<T, String>>;

impl Instance {
    /// The artifact's function of that index. The WebAssembly instance is made at the first call.
    pub fn new(
        artifact: &Arc<Artifact>,
        function: usize,
        parameters: Parameters,
        limits: Limits,
        reuse: Reuse,
    ) -> Self {
        let ticks = ticks(&limits);
        Self {
            artifact: Arc::clone(artifact),
            function,
            parameters,
            limits,
            ticks,
            reuse,
            live: None,
            made: 0,
            recycled: 0,
            usage: Usage::default(),
        }
    }

    /// What the function says of itself.
    pub fn signature(&self) -> &Signature {
        &self.artifact.functions()[self.function]
    }

    /// What the last call used.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// Throws the WebAssembly instance away; the next call makes a new one.
    pub fn reset(&mut self) {
        self.live = None;
    }

    /// Makes the WebAssembly instance now, if there is none.
    pub fn instantiate(&mut self) -> Result<(), Fault> {
        if self.live.is_none() {
            self.live = Some(self.make()?);
            self.made += 1;
        }
        Ok(())
    }

    fn make(&self) -> Result<Live, Fault> {
        let mut store = store(&self.artifact, &self.limits, &self.parameters);
        wind_up(&mut store, &self.artifact, self.ticks, &self.limits, 0)?;
        let exports = &self.artifact.exports;
        let made = self.artifact.component.instantiate(&mut store).and_then(|instance| {
            let absent = || wasmtime::format_err!("the component does not export its function's kind");
            Ok(match self.signature().kind {
                Kind::Mapper => Guest::Mapper(exports.mapper.as_ref().ok_or_else(absent)?.load(&mut store, &instance)?),
                Kind::Filter => Guest::Filter(exports.filter.as_ref().ok_or_else(absent)?.load(&mut store, &instance)?),
                Kind::FlatMapper => {
                    Guest::FlatMapper(exports.flat_mapper.as_ref().ok_or_else(absent)?.load(&mut store, &instance)?)
                }
                Kind::Aggregate => {
                    Guest::Aggregate(exports.aggregate.as_ref().ok_or_else(absent)?.load(&mut store, &instance)?)
                }
                Kind::StatefulMapper => {
                    let export = exports.stateful_mapper.as_ref().ok_or_else(absent)?;
                    Guest::StatefulMapper(export.load(&mut store, &instance)?)
                }
                Kind::GroupMapper => {
                    let export = exports.group_mapper.as_ref().ok_or_else(absent)?;
                    Guest::GroupMapper(export.load(&mut store, &instance)?)
                }
            })
        });
        match made {
            Ok(guest) => Ok(Live { store, guest }),
            // The guest's own start may trap; anything else is that there is no room for it.
            Err(error) if error.downcast_ref::<Trap>().is_none() && store.data().meter.refused.is_none() => {
                Err(Fault::new(FaultKind::Host, format!("{error:#}")))
            }
            Err(error) => Err(fault(&error, &store, &self.limits)),
        }
    }

    /// Calls the guest and sorts out how that ended. `lift` checks what it returned.
    fn call<R, T>(
        &mut self,
        input: &Input<'_>,
        call: impl FnOnce(&mut Store<State>, &Guest, u32) -> Option<Called<R>>,
        lift: impl FnOnce(Lifting<'_>, R) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.instantiate()?;
        let Some(Live { store, guest }) = self.live.as_mut() else {
            return Err(Fault::new(FaultKind::Host, "there is no instance"));
        };
        wind_up(store, &self.artifact, self.ticks, &self.limits, input.rows)?;
        store.data_mut().begin(input.now, input.seed);

        let signature = &self.artifact.functions()[self.function];
        let result = match call(store, guest, self.function as u32) {
            None => Err(Fault::new(
                FaultKind::Host,
                format!("{} was called as something else", signature.kind.with_article()),
            )),
            Some(Err(error)) => Err(fault(&error, store, &self.limits)),
            Some(Ok(Err(message))) => {
                let (log, _) = store.data().log.tail();
                let message = lift::shortened(message, self.limits.message_bytes_max);
                Err(Fault { log, ..Fault::new(FaultKind::Refused, message) })
            }
            Some(Ok(Ok(returned))) => lift(Lifting { signature, limits: &self.limits }, returned),
        };
        let mark = self.limits.memory_bytes_max / MEMORY_MARK.1 * MEMORY_MARK.0;
        let memory_bytes = store.data().meter.memory_bytes;
        let above_mark = memory_bytes > mark;
        let work = store.data().work();
        let burnt = |given: u64| Some(given - store.get_fuel().ok()?.min(given) + work);
        let fuel = self.limits.fuel(input.rows).and_then(burnt);
        self.usage = Usage { fuel, memory_bytes };
        if self.reuse == Reuse::Never || above_mark || result.is_err() {
            self.live = None;
            self.recycled += u64::from(self.reuse != Reuse::Never && above_mark && result.is_ok());
        }
        result
    }
}

impl Calls for Instance {
    fn map(&mut self, input: Input<'_>) -> Result<Mapped, Fault> {
        let (buffers, rows) = (lower::lower(input.columns), input.rows);
        let columns = lower::params(&buffers);
        self.call(
            &input,
            |store, guest, function| match guest {
                Guest::Mapper(guest) => Some(guest.call_map_batch(store, function, batch(rows, &columns))),
                _ => None,
            },
            |Lifting { signature, limits }, mapped| {
                Ok(Mapped {
                    outputs: lift::batch("the result", mapped.output, &signature.outputs, rows, limits)?,
                    errors: lift::errors(mapped.errors, rows, limits)?,
                })
            },
        )
    }

    fn filter(&mut self, input: Input<'_>) -> Result<Kept, Fault> {
        let (buffers, rows) = (lower::lower(input.columns), input.rows);
        let columns = lower::params(&buffers);
        self.call(
            &input,
            |store, guest, function| match guest {
                Guest::Filter(guest) => Some(guest.call_filter_batch(store, function, batch(rows, &columns))),
                _ => None,
            },
            |Lifting { limits, .. }, kept| {
                Ok(Kept {
                    selection: lift::selection(kept.selection, rows)?,
                    errors: lift::errors(kept.errors, rows, limits)?,
                })
            },
        )
    }

    fn flat_map(&mut self, input: Input<'_>) -> Result<Expanded, Fault> {
        let (buffers, rows) = (lower::lower(input.columns), input.rows);
        let columns = lower::params(&buffers);
        self.call(
            &input,
            |store, guest, function| match guest {
                Guest::FlatMapper(guest) => Some(guest.call_flat_map_batch(store, function, batch(rows, &columns))),
                _ => None,
            },
            |Lifting { signature, limits }, expanded| {
                let outputs = expanded.output.rows as usize;
                Ok(Expanded {
                    outputs: lift::columns("the result", expanded.output, &signature.outputs, limits)?,
                    parents: lift::parents(expanded.parents, outputs, rows)?,
                    errors: lift::errors(expanded.errors, rows, limits)?,
                })
            },
        )
    }

    fn create(&mut self, count: usize) -> Result<Vec<ArrayRef>, Fault> {
        self.call(
            &Input { rows: count, columns: &[], now: 0, seed: 0 },
            |store, guest, function| match guest {
                Guest::Aggregate(guest) => Some(guest.call_create(store, function, count as u32)),
                Guest::StatefulMapper(guest) => Some(guest.call_create(store, function, count as u32)),
                _ => None,
            },
            |Lifting { signature, limits }, created| {
                lift::batch(held_name(signature), created, &signature.accumulator, count, limits)
            },
        )
    }

    fn accumulate(&mut self, accumulators: Input<'_>, groups: &[u32], input: Input<'_>) -> Result<Folded, Fault> {
        let (held, given) = (lower::lower(accumulators.columns), lower::lower(input.columns));
        let (held, given) = (lower::params(&held), lower::params(&given));
        let (count, rows) = (accumulators.rows, input.rows);
        self.call(
            &input,
            |store, guest, function| match guest {
                Guest::Aggregate(guest) => Some(guest.call_accumulate(
                    store,
                    function,
                    batch(count, &held),
                    groups.to_byte_slice(),
                    batch(rows, &given),
                )),
                _ => None,
            },
            |Lifting { signature, limits }, folded| {
                Ok(Folded {
                    accumulators: lift::batch(
                        "the accumulators",
                        folded.accumulators,
                        &signature.accumulator,
                        count,
                        limits,
                    )?,
                    errors: lift::errors(folded.errors, rows, limits)?,
                })
            },
        )
    }

    fn merge(&mut self, accumulators: Input<'_>, groups: &[u32], others: Input<'_>) -> Result<Vec<ArrayRef>, Fault> {
        let (held, given) = (lower::lower(accumulators.columns), lower::lower(others.columns));
        let (held, given) = (lower::params(&held), lower::params(&given));
        let count = accumulators.rows;
        self.call(
            &others,
            |store, guest, function| match guest {
                Guest::Aggregate(guest) => Some(guest.call_merge(
                    store,
                    function,
                    batch(count, &held),
                    groups.to_byte_slice(),
                    batch(others.rows, &given),
                )),
                _ => None,
            },
            |Lifting { signature, limits }, merged| {
                lift::batch("the accumulators", merged, &signature.accumulator, count, limits)
            },
        )
    }

    fn finish(&mut self, accumulators: Input<'_>) -> Result<Vec<ArrayRef>, Fault> {
        let (held, rows) = (lower::lower(accumulators.columns), accumulators.rows);
        let held = lower::params(&held);
        self.call(
            &accumulators,
            |store, guest, function| match guest {
                Guest::Aggregate(guest) => Some(guest.call_finish(store, function, batch(rows, &held))),
                _ => None,
            },
            |Lifting { signature, limits }, finished| {
                lift::batch("the result", finished, &signature.outputs, rows, limits)
            },
        )
    }

    fn stateful_map(&mut self, states: Input<'_>, groups: &[u32], input: Input<'_>) -> Result<Stepped, Fault> {
        let (held, given) = (lower::lower(states.columns), lower::lower(input.columns));
        let (held, given) = (lower::params(&held), lower::params(&given));
        let (count, rows) = (states.rows, input.rows);
        self.call(
            &input,
            |store, guest, function| match guest {
                Guest::StatefulMapper(guest) => Some(guest.call_stateful_map_batch(
                    store,
                    function,
                    batch(count, &held),
                    groups.to_byte_slice(),
                    batch(rows, &given),
                )),
                _ => None,
            },
            |Lifting { signature, limits }, stepped| {
                let outputs = stepped.output.rows as usize;
                Ok(Stepped {
                    states: lift::batch(held_name(signature), stepped.states, &signature.accumulator, count, limits)?,
                    outputs: lift::columns("the result", stepped.output, &signature.outputs, limits)?,
                    parents: lift::parents(stepped.parents, outputs, rows)?,
                    errors: lift::errors(stepped.errors, rows, limits)?,
                })
            },
        )
    }

    fn map_groups(&mut self, count: usize, groups: &[u32], input: Input<'_>) -> Result<Expanded, Fault> {
        let given = lower::lower(input.columns);
        let given = lower::params(&given);
        self.call(
            &input,
            |store, guest, function| match guest {
                Guest::GroupMapper(guest) => Some(guest.call_group_map_batch(
                    store,
                    function,
                    count as u32,
                    groups.to_byte_slice(),
                    batch(input.rows, &given),
                )),
                _ => None,
            },
            |Lifting { signature, limits }, grouped| {
                let outputs = grouped.output.rows as usize;
                Ok(Expanded {
                    outputs: lift::columns("the result", grouped.output, &signature.outputs, limits)?,
                    parents: lift::parents_among("groups", grouped.parents, outputs, count)?,
                    errors: lift::errors_among("group", grouped.errors, count, limits)?,
                })
            },
        )
    }

    fn instances(&self) -> u64 {
        self.made
    }

    fn recycled(&self) -> u64 {
        self.recycled
    }
}

/// What errors call the columns that the host keeps for a function.
fn held_name(signature: &Signature) -> &'static str {
    match signature.kind {
        Kind::StatefulMapper => "the states",
        _ => "the accumulators",
    }
}

/// A batch of the host has at most 2^32 - 1 rows, which the plan sees to.
fn batch<'a>(rows: usize, columns: &'a [super::bindings::weir::udf::types::ColumnParam<'a>]) -> BatchParam<'a> {
    BatchParam { rows: rows as u32, columns }
}

/// Asks a component once for its functions.
pub(super) fn catalog(artifact: &Artifact, limits: &Limits) -> Result<Vec<WitSignature>, Fault> {
    let mut store = store(artifact, limits, &Parameters::default());
    wind_up(&mut store, artifact, ticks(limits), limits, 0)?;
    let mut ask = || {
        let instance = artifact.component.instantiate(&mut store)?;
        artifact.exports.catalog.load(&mut store, &instance)?.call_functions(&mut store)
    };
    ask().map_err(|error| fault(&error, &store, limits))
}

fn store(artifact: &Artifact, limits: &Limits, parameters: &Parameters) -> Store<State> {
    let ticks = Arc::clone(&artifact.machine.ticks);
    let state = State::new(limits, Arc::clone(parameters), artifact.wasi, ticks);
    let mut store = Store::new(&artifact.machine.engine, state);
    store.limiter(|state| &mut state.meter);
    store.set_hostcall_fuel(limits.output_bytes_max);
    store.set_max_component_handles(limits.handles_max);
    store
}

/// Gives a call of so many rows its time and fuel.
fn wind_up(
    store: &mut Store<State>,
    artifact: &Artifact,
    ticks: u64,
    limits: &Limits,
    rows: usize,
) -> Result<(), Fault> {
    store.set_epoch_deadline(ticks);
    let fuel = limits.fuel(rows);
    store.data_mut().wind_up(ticks, fuel);
    let fuel = match fuel {
        Some(fuel) => fuel,
        // Code that counts all the same never comes to its end.
        None if artifact.machine.features.fuel => u64::MAX,
        // wasmtime would only refuse, with an error for which `RUST_BACKTRACE` has the stack walked at each call.
        None => return Ok(()),
    };
    store
        .set_fuel(fuel)
        .map_err(|e| Fault::new(FaultKind::Host, format!("its artifact was loaded without a limit for fuel: {e}")))
}

/// The time limit of a call: one tick more than it says, since the running one counts.
fn ticks(limits: &Limits) -> u64 {
    let ticks = limits.batch_time_max.as_nanos().div_ceil(TICK.as_nanos());
    u64::try_from(ticks).unwrap_or(u64::MAX / 2).saturating_add(1)
}
