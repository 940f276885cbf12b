//! Several processes that run one pipeline: how they meet, what they tell each other, how they part.
//!
//! In comes a list of addresses; out go sockets for Timely, which moves the rows, and `peers.rs`, which
//! is everything else: who is there, who has failed, who has fallen silent. Before the first row every
//! process has seen that all run the same (`identity.rs`). There is no authentication: whoever reaches
//! the port is believed, so it is a loopback address unless the user says otherwise.

mod connect;
mod hosts;
mod identity;
mod message;
mod peers;
mod sum;
mod watch;
mod wire;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use timely::communication::Hooks;
use timely::communication::allocator::zero_copy::initialize::initialize_networking_from_sockets;
use timely::communication::allocator::{AllocatorBuilder, ProcessBuilder};

pub use hosts::{addresses, check_listen, free_addresses};

use super::Options;
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::report::Report;
use crate::state;
use identity::Identity;
use message::Message;
use peers::Peers;
pub(super) use watch::Watch;
use wire::Wire;

/// Where the processes of a run are, and which of them this is.
#[derive(Clone, Debug)]
pub struct Settings {
    /// This process's number, from 0.
    pub process: usize,
    /// Where each process takes connections, as `HOST:PORT`.
    pub addresses: Vec<String>,
    /// Where this process takes them, if not at its own address.
    pub listen: Option<String>,
    /// How long to wait for all processes to be there.
    pub join_timeout: Duration,
    /// How long a process may be silent before it is taken for dead.
    pub peer_timeout: Duration,
}

impl Settings {
    /// Process `process` of those at these addresses, with the usual patience.
    pub fn new(process: usize, addresses: Vec<String>) -> Self {
        Self {
            process,
            addresses,
            listen: None,
            join_timeout: Duration::from_secs(60),
            peer_timeout: Duration::from_secs(10),
        }
    }

    /// A process as errors call it.
    fn name(&self, process: usize) -> String {
        format!("process {process} ({})", self.addresses[process])
    }
}

/// The file that a process writes where the pipeline names one that all would write: the first process
/// that one, the others `NAME.process-1.EXTENSION` beside it.
pub fn file_of(path: &Path, process: usize) -> PathBuf {
    if process == 0 {
        return path.to_path_buf();
    }
    let mut name = path.file_stem().unwrap_or_default().to_os_string();
    name.push(format!(".process-{process}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// The other processes of a run, all of them connected.
pub(super) struct Cluster {
    settings: Settings,
    peers: Arc<Peers>,
    sockets: Vec<Option<std::net::TcpStream>>,
}

impl Cluster {
    /// Meets the other processes, and makes the plan this process's part of the whole.
    pub(super) fn join(settings: &Settings, plan: &mut Plan, options: &Options, stop: &AtomicBool) -> Result<Self> {
        let identity = Identity::of(plan, options, settings)?;
        let mesh = connect::connect(settings, &identity, stop)?;
        let names = (0..settings.addresses.len()).map(|p| settings.name(p)).collect();
        let peers = Peers::start(settings.process, names, mesh.control, settings.peer_timeout)?;
        take_part(plan, settings);
        tracing::info!(process = settings.process, processes = settings.addresses.len(), "all processes are there");
        Ok(Self { settings: settings.clone(), peers, sockets: mesh.data })
    }

    /// Whether this process is the one that has the sinks.
    pub(super) fn has_sinks(&self) -> bool {
        self.settings.process == 0
    }

    /// Waits until every process can write what it has to write.
    pub(super) fn ready(&self) -> Result<()> {
        self.peers.ready()
    }

    /// What Timely's workers talk through, one for each thread of this process.
    pub(super) fn allocators(&self, threads: usize) -> Result<Vec<AllocatorBuilder>> {
        let failed = |e: std::io::Error| Error::peer(format!("a connection can't be used: {e}"));
        let wire = |(process, socket): (usize, &Option<std::net::TcpStream>)| {
            let wire = |s: &std::net::TcpStream| Ok(Wire::new(s.try_clone()?, process, Arc::clone(&self.peers)));
            socket.as_ref().map(wire).transpose()
        };
        let wires: std::io::Result<Vec<_>> = self.sockets.iter().enumerate().map(wire).collect();
        let hooks = Hooks::default();
        let within = ProcessBuilder::new_typed_vector(threads, hooks.refill.clone(), hooks.spill.clone());
        let (builders, threads) =
            initialize_networking_from_sockets(within, wires.map_err(failed)?, self.settings.process, threads, hooks)
                .map_err(failed)?;
        // Dropped, it would wait for threads that end only with the other processes, and panic where
        // one of them did not end well. What was sent has arrived: [`Peers::part`] has seen to that.
        std::mem::forget(threads);
        Ok(builders.into_iter().map(AllocatorBuilder::Tcp).collect())
    }

    /// Looks after the run, in both directions, until what it gives is ended.
    pub(super) fn watch(&self, shared: &Arc<super::dead_letters::Shared>, stop: &Arc<AtomicBool>) -> Watch {
        Watch::start(Arc::clone(&self.peers), Arc::clone(shared), Arc::clone(stop))
    }

    /// Tells the others how it went and hears how it went with them; the first process's report is
    /// that of all.
    pub(super) fn part(self, ran: Result<Report>) -> Result<Report> {
        let report = match ran {
            Ok(report) => report,
            Err(error) => {
                self.peers.tell(&Message::failure(&error));
                return Err(error);
            }
        };
        let others = self.peers.part(&report)?;
        Ok(match self.has_sinks() {
            true => sum::sum(std::iter::once(report).chain(others).collect()),
            false => report,
        })
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.peers.close();
        for socket in self.sockets.iter().flatten() {
            // Where the other side has closed it, it is closed.
            drop(socket.shutdown(std::net::Shutdown::Both));
        }
    }
}

/// Gives the plan files that are this process's own.
fn take_part(plan: &mut Plan, settings: &Settings) {
    let process = settings.process;
    if let Some(letters) = &mut plan.dead_letters {
        letters.path = file_of(&letters.path, process);
    }
    if let state::Settings::Disk { folder, .. } = &mut plan.state {
        *folder = file_of(folder, process);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_processes_stand_beside_each_other() {
        let of = |path: &str, process| file_of(Path::new(path), process).display().to_string();
        assert_eq!(of("out/letters.jsonl", 0), "out/letters.jsonl");
        assert_eq!(of("out/letters.jsonl", 2), "out/letters.process-2.jsonl");
        assert_eq!(of("state", 1), "state.process-1");
        assert_eq!(of("state/", 1), "state.process-1");
    }
}
