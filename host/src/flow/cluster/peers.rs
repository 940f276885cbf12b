//! What this process knows of the others, and what it tells them.
//!
//! A thread for each other process listens to it; one says four times within the time that silence
//! may last that this process is there. A process is lost when its connection ends before it was done, or
//! when it has been silent for too long: one that hangs or is stopped keeps its connection. What follows
//! from a loss is decided by who asks ([`super::watch`]).

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::message::Message;
use crate::error::{Error, Result};
use crate::report::Report;

/// How long to wait for the word of a process whose connection for rows has ended.
const WORD: Duration = Duration::from_millis(500);

/// The other processes.
pub(super) struct Peers {
    names: Vec<String>,
    /// To each, but this one.
    control: BTreeMap<usize, Writer>,
    timeout: Duration,
    known: Mutex<Known>,
    changed: Condvar,
}

/// A connection, and who may write a message to it.
struct Writer {
    stream: TcpStream,
    turn: Mutex<()>,
}

/// What has been heard.
#[derive(Default)]
pub(super) struct Known {
    ready: Vec<usize>,
    done: BTreeMap<usize, Report>,
    /// The first that failed, and what it said.
    pub(super) failed: Option<(usize, String)>,
    /// The first that is lost, and why.
    pub(super) lost: Option<(usize, String)>,
    /// Whether one was asked to end.
    pub(super) stop: bool,
    /// Whether nobody reads what one writes.
    pub(super) closed: bool,
    /// Whether this process has come to its end.
    parting: bool,
    /// Whether this process has no workers any more.
    released: bool,
}

impl Peers {
    /// Listens to all other processes, and lets them know of this one.
    pub(super) fn start(
        process: usize,
        names: Vec<String>,
        control: Vec<Option<TcpStream>>,
        timeout: Duration,
    ) -> Result<Arc<Self>> {
        let failed = |e: std::io::Error| Error::peer(format!("a connection can't be used: {e}"));
        let mut writers = BTreeMap::new();
        let mut readers = Vec::new();
        for (peer, stream) in control.into_iter().enumerate().filter_map(|(peer, stream)| Some((peer, stream?))) {
            stream.set_read_timeout(Some(timeout)).map_err(failed)?;
            stream.set_write_timeout(Some(timeout)).map_err(failed)?;
            readers.push((peer, stream.try_clone().map_err(failed)?));
            writers.insert(peer, Writer { stream, turn: Mutex::default() });
        }
        let known = Mutex::new(Known::default());
        let peers = Arc::new(Self { names, control: writers, timeout, known, changed: Condvar::new() });
        for (peer, stream) in readers {
            let of = Arc::clone(&peers);
            let listen = move || of.listen(peer, stream);
            thread::Builder::new().name(format!("weir:hear-{process}-{peer}")).spawn(listen).map_err(failed)?;
        }
        let of = Arc::clone(&peers);
        thread::Builder::new().name(format!("weir:beat-{process}")).spawn(move || of.beat()).map_err(failed)?;
        Ok(peers)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, change: impl FnOnce(&mut Known)) {
        change(&mut self.known());
        self.changed.notify_all();
    }

    fn listen(&self, peer: usize, mut stream: TcpStream) {
        loop {
            match Message::read(&mut stream) {
                Ok(Message::Beat) => {}
                Ok(Message::Ready) => self.note(|k| k.ready.push(peer)),
                Ok(Message::Stop) => self.note(|k| k.stop = true),
                Ok(Message::Closed) => self.note(|k| k.closed = true),
                Ok(Message::Failed(why)) => {
                    tracing::warn!(peer, "{} failed: {why}", self.names[peer]);
                    self.note(|k| k.failed = k.failed.take().or(Some((peer, why))));
                }
                Ok(Message::Done(report)) => self.note(|k| drop(k.done.insert(peer, *report))),
                Ok(other) => return self.lose(peer, format!("says {other:?}")),
                Err(e) => return self.lose(peer, self.silence(&e)),
            }
        }
    }

    fn silence(&self, error: &std::io::Error) -> String {
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                format!("has not been heard of for {} s", self.timeout.as_secs_f64())
            }
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset => "is gone: its connection has ended".to_owned(),
            _ => format!("is gone: {error}"),
        }
    }

    /// Notes that a process is lost.
    pub(super) fn lose(&self, peer: usize, why: String) {
        self.note(|k| {
            // Where both have come to the end either may go.
            if !k.parting && k.lost.is_none() && !k.released {
                tracing::warn!(peer, "{} {why}", self.names[peer]);
            }
            if !k.parting || !k.done.contains_key(&peer) {
                k.lost.get_or_insert((peer, why));
            }
        });
    }

    /// Notes that a connection for rows has ended. Who ends one says why on the other connection, before: what was
    /// said there may only be read a moment later, and counts.
    pub(super) fn lose_rows(&self, peer: usize, why: String) {
        let is_heard = |k: &Known| k.parting || k.released || k.lost.is_some() || k.failed.is_some();
        let waited = self.changed.wait_timeout_while(self.known(), WORD, |k| !is_heard(k));
        let (known, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let parting = known.parting;
        drop(known);
        // At the end no row is missing. Whether the other process got there as well, the connection for messages
        // tells.
        if !parting {
            self.lose(peer, why);
        }
    }

    fn beat(&self) {
        loop {
            let known = self.known();
            let waited = self.changed.wait_timeout_while(known, self.timeout / 4, |k| !k.released);
            let (known, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if known.released {
                return;
            }
            drop(known);
            self.tell(&Message::Beat);
        }
    }

    /// Tells all others. Whom it does not reach is found out by who listens to it.
    pub(super) fn tell(&self, message: &Message) {
        for Writer { stream, turn } in self.control.values() {
            let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            drop(message.write(&mut &*stream));
        }
    }

    /// Waits until all others have said something, or one of them makes waiting senseless.
    fn wait_for<T>(&self, all: impl Fn(&mut Known) -> Option<T>) -> Result<T> {
        let mut known = self.known();
        loop {
            if let Some(heard) = all(&mut known) {
                return Ok(heard);
            }
            if let Some(error) = self.trouble(&known) {
                return Err(error);
            }
            known = self.changed.wait(known).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Says that this process is ready, and waits until all are.
    pub(super) fn ready(&self) -> Result<()> {
        self.tell(&Message::Ready);
        self.wait_for(|k| (k.ready.len() == self.control.len()).then_some(()))
    }

    /// Says that this process has come to its end, and waits for the others' reports.
    pub(super) fn part(&self, report: &Report) -> Result<Vec<Report>> {
        self.note(|k| k.parting = true);
        self.tell(&Message::Done(Box::new(report.clone())));
        self.wait_for(|k| {
            (k.done.len() == self.control.len()).then(|| std::mem::take(&mut k.done).into_values().collect())
        })
    }

    /// What the first process that failed, or else was lost, means for this one.
    pub(super) fn trouble(&self, known: &Known) -> Option<Error> {
        let failed = known.failed.as_ref().map(|(peer, why)| format!("{} failed: {why}", self.names[*peer]));
        let lost = || known.lost.as_ref().map(|(peer, why)| format!("{} {why}", self.names[*peer]));
        failed.or_else(lost).map(Error::peer)
    }

    /// Waits for news, or a time, and shows what is known.
    pub(super) fn news<T>(&self, at_most: Duration, look: impl FnOnce(&Known) -> T) -> T {
        let waited = self.changed.wait_timeout(self.known(), at_most);
        let (known, _) = waited.unwrap_or_else(PoisonError::into_inner);
        look(&known)
    }

    /// Waits until this process has no workers any more.
    pub(super) fn wait_for_release(&self) {
        let waited = self.changed.wait_while(self.known(), |k| !k.released);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Ends the threads, and the connections for messages.
    pub(super) fn close(&self) {
        self.note(|k| k.released = true);
        for Writer { stream, .. } in self.control.values() {
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Instant;

    use super::*;
    use crate::report::Metrics;

    /// Process 0, and the other end of its connection to process 1.
    fn pair() -> (Arc<Peers>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let theirs = TcpStream::connect(listener.local_addr().expect("an address")).expect("it listens");
        let (ours, _) = listener.accept().expect("it has connected");
        let names = vec!["process 0".to_owned(), "process 1".to_owned()];
        (Peers::start(0, names, vec![None, Some(ours)], Duration::from_secs(30)).expect("it starts"), theirs)
    }

    fn report() -> Report {
        Metrics::new("p", 1, Vec::new()).snapshot()
    }

    #[test]
    fn at_the_end_the_connection_for_rows_may_go_before_the_last_word_is_read() {
        let (peers, mut theirs) = pair();
        let parting = Arc::clone(&peers);
        let parts = thread::spawn(move || parting.part(&report()));
        let said = loop {
            match Message::read(&mut theirs).expect("a message") {
                Message::Beat => {}
                other => break other,
            }
        };
        assert!(matches!(said, Message::Done(_)), "{said:?}");
        peers.lose_rows(1, "is gone".to_owned());
        Message::Done(Box::new(report())).write(&mut theirs).expect("it reads");
        assert_eq!(parts.join().expect("no panic").expect("it is done").len(), 1);
    }

    #[test]
    fn what_a_process_says_counts_more_than_that_its_rows_have_ended() {
        let (peers, mut theirs) = pair();
        let losing = Arc::clone(&peers);
        let loses = thread::spawn(move || losing.lose_rows(1, "is gone".to_owned()));
        Message::Failed("it went wrong".into()).write(&mut theirs).expect("it reads");
        loses.join().expect("no panic");
        let trouble = peers.trouble(&peers.known()).expect("it has failed").to_string();
        assert_eq!(trouble, "process 1 failed: it went wrong");
        // Without a word it is lost, after a moment.
        let (peers, _theirs) = pair();
        let started = Instant::now();
        peers.lose_rows(1, "is gone".to_owned());
        assert!(started.elapsed() >= WORD && peers.known().lost.is_some());
    }
}
