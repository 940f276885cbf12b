//! WASI 0.2 that grants nothing, for components built by a plain toolchain.
//!
//! No files, no sockets, no environment, no arguments, no input. Standard output and error are the
//! function's log. The clocks stand at the start of 1970 and the random numbers are a fixed sequence, so that a replay
//! is the same to the byte. Waiting traps: a guest that is parked in the host would be out of
//! reach of its time limit.

use std::time::Duration;

use bytes::Bytes;

use wasmtime::component::{Linker, Resource, ResourceTable};
use wasmtime::{StoreContextMut, bail};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{DynPollable, OutputStream, Pollable, StreamResult};
use wasmtime_wasi::random::Deterministic;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView, async_trait};

use super::bindings::weir::udf::host::Level;
use super::state::{Log, State};

/// The context of one instance that imports WASI.
pub(super) struct Wasi {
    context: WasiCtx,
    table: ResourceTable,
}

impl Wasi {
    pub(super) fn new(log: Log) -> Self {
        let mut builder = WasiCtx::builder();
        builder
            .allow_tcp(false)
            .allow_udp(false)
            .stdout(Lines { log: log.clone(), level: Level::Info })
            .stderr(Lines { log, level: Level::Error })
            .wall_clock(Stopped)
            .monotonic_clock(Stopped)
            .secure_random(Deterministic::new((0..=255).collect()))
            .insecure_random(Deterministic::new((0..=255).collect()))
            .insecure_random_seed(0)
            .max_random_size(1 << 20);
        Self { context: builder.build(), table: ResourceTable::new() }
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

/// A clock that stands still.
struct Stopped;

impl HostWallClock for Stopped {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

impl HostMonotonicClock for Stopped {
    fn resolution(&self) -> u64 {
        1000
    }

    fn now(&self) -> u64 {
        0
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
