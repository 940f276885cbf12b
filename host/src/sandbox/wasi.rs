//! WASI 0.2 that grants nothing, for components built by a plain toolchain.
//!
//! No files, no sockets, no environment, no arguments, no input. Standard output and error are the
//! function's log. The clocks stand at the batch's event time and the random numbers are those of its seed,
//! so that a replay is the same to the byte. Waiting traps: a guest that is parked in the host would be
//! out of reach of its time limit.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rand_core::TryRng;
use wasmtime::component::{Linker, Resource, ResourceTable};
use wasmtime::{StoreContextMut, bail};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{DynPollable, OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView, async_trait};

use super::bindings::weir::udf::host::Level;
use super::state::{Log, Moment, State};

/// The context of one instance that imports WASI.
pub(super) struct Wasi {
    context: WasiCtx,
    table: ResourceTable,
}

impl Wasi {
    pub(super) fn new(log: Log, moment: Arc<Moment>, handles_max: usize) -> Self {
        let mut builder = WasiCtx::builder();
        builder
            .allow_tcp(false)
            .allow_udp(false)
            .stdout(Lines { log: log.clone(), level: Level::Info })
            .stderr(Lines { log, level: Level::Error })
            .wall_clock(Clock(Arc::clone(&moment)))
            .monotonic_clock(Clock(Arc::clone(&moment)))
            .secure_random(Numbers(Arc::clone(&moment)))
            .insecure_random(Numbers(moment))
            .insecure_random_seed(0)
            .max_random_size(1 << 20);
        let mut table = ResourceTable::new();
        table.set_max_capacity(handles_max);
        Self { context: builder.build(), table }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        // Only components that import WASI reach this, and for those it was made.
        let wasi = self.wasi.as_mut().expect("a component that imports WASI has its context");
        WasiCtxView { ctx: &mut wasi.context, table: &mut wasi.table }
    }
}

/// Offers WASI 0.2, and a trap in place of everything that waits.
pub(super) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_sync(linker)?;
    linker.allow_shadowing(true);
    let mut poll = linker.instance("wasi:io/poll@0.2.12")?;
    poll.func_wrap(
        "poll",
        |_: StoreContextMut<'_, State>, (_,): (Vec<Resource<DynPollable>>,)| -> wasmtime::Result<(Vec<u32>,)> {
            bail!("a function can't wait (wasi:io/poll)")
        },
    )?;
    poll.func_wrap(
        "[method]pollable.block",
        |_: StoreContextMut<'_, State>, (_,): (Resource<DynPollable>,)| -> wasmtime::Result<()> {
            bail!("a function can't wait (wasi:io/poll)")
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// A clock that stands at the batch's event time; before 1970 at its start, which is as early as WASI can say.
struct Clock(Arc<Moment>);

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }

    fn now(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.now_us()).unwrap_or(0))
    }
}

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        1000
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.now_us()).unwrap_or(0).saturating_mul(1000)
    }
}

/// Random numbers of the batch's seed: the sequence that `weir:udf/host` gives.
struct Numbers(Arc<Moment>);

impl TryRng for Numbers {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.0.random() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.random())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.0.random().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// A standard stream whose writes are log lines.
#[derive(Clone)]
struct Lines {
    log: Log,
    level: Level,
}

impl IsTerminal for Lines {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Lines {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        // WASI 0.3 alone asks for it, and we do not link that.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Lines {
    async fn ready(&mut self) {}
}

impl OutputStream for Lines {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        for line in String::from_utf8_lossy(&bytes).lines() {
            self.log.write(self.level, line.to_string());
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}
