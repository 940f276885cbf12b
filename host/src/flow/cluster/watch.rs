//! A thread that stands between a run and the other processes: what happens here is told there, and
//! what happened there has its effect here.
//!
//! A failure elsewhere ends this run as one of its own would: sources end, and what is under way is
//! dropped. A process that is lost leaves nothing to wait for, so the workers are let go at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::message::Message;
use super::peers::{Known, Peers};
use crate::error::Error;
use crate::flow::dead_letters::Shared;

/// How often to look at what happens here.
const LOOK: Duration = Duration::from_millis(20);

/// The thread; ended by [`Watch::end`].
pub(in crate::flow) struct Watch {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    pub(super) fn start(peers: Arc<Peers>, shared: Arc<Shared>, stop: Arc<AtomicBool>) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&over);
        let look = move || {
            let mut told = Told::default();
            while !until.load(Relaxed) {
                peers.news(LOOK, |known| take_in(known, &peers, &shared, &stop));
                told.tell(&peers, &shared, &stop);
            }
        };
        let thread = thread::Builder::new().name("weir:watch".to_owned()).spawn(look).ok();
        Self { over, thread }
    }

    /// Ends the thread: the run is over.
    pub(in crate::flow) fn end(self) {
        self.over.store(true, Relaxed);
        if let Some(thread) = self.thread {
            // It holds nothing that a panic could spoil.
            drop(thread.join());
        }
    }
}

fn take_in(known: &Known, peers: &Peers, shared: &Shared, stop: &AtomicBool) {
    if known.stop {
        stop.store(true, Relaxed);
    }
    if known.closed {
        shared.close_sinks();
    }
    if let Some(error) = peers.trouble(known) {
        shared.fail(error);
    }
    if known.lost.is_some() {
        shared.cut_off();
    }
}

/// What the others have been told.
#[derive(Default)]
struct Told {
    stop: bool,
    closed: bool,
    failed: bool,
}

impl Told {
    fn tell(&mut self, peers: &Peers, shared: &Shared, stop: &AtomicBool) {
        let first = |told: &mut bool, now: bool| now && !std::mem::replace(told, *told || now);
        if first(&mut self.stop, stop.load(Relaxed)) {
            peers.tell(&Message::Stop);
        }
        if first(&mut self.closed, shared.has_closed_sinks()) {
            peers.tell(&Message::Closed);
        }
        // What comes from another process all have heard from there.
        let own = shared.failure().filter(|error| !matches!(error, Error::Peer { .. }));
        if first(&mut self.failed, own.is_some())
            && let Some(error) = own
        {
            peers.tell(&Message::failure(error));
        }
    }
}
