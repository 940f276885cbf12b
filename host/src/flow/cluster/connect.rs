//! How the processes of a run meet: each connects to those before it, and takes connections of those
//! behind it. Two for each pair, one for messages and one for Timely.
//!
//! On the first of them both say what they run; where that differs, both end with the difference. What
//! connects and is no process of the run is let go of.

use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use super::Settings;
use super::identity::Identity;
use super::message::{Message, Purpose};
use crate::error::{Error, Invalid, Result};

/// How long to wait before the next try.
const RETRY: Duration = Duration::from_millis(10);

/// How long who connects may take to say who it is.
const HELLO: Duration = Duration::from_secs(5);

/// Connections to all other processes, by their numbers.
pub(super) struct Mesh {
    pub(super) control: Vec<Option<TcpStream>>,
    pub(super) data: Vec<Option<TcpStream>>,
}

/// Both connections to one process.
type Pair = [TcpStream; 2];

/// Meets all other processes.
pub(super) fn connect(settings: &Settings, identity: &Identity, stop: &AtomicBool) -> Result<Mesh> {
    let meeting = Meeting { settings, identity, stop, ended: AtomicBool::new(false), started: Instant::now() };
    let processes = settings.addresses.len();
    let own = settings.addresses.get(settings.process).ok_or_else(|| {
        let message = format!("there is no process {}; there are 0 to {}", settings.process, processes - 1);
        Error::from(Invalid::new(message).hint("`--process` counts the lines of the hosts file from 0"))
    })?;
    let listen = settings.listen.as_ref().unwrap_or(own);
    super::check_listen(listen, settings.listen.is_some())?;
    let listener = TcpListener::bind(listen.as_str()).and_then(|l| l.set_nonblocking(true).map(|()| l));
    let listener = listener.map_err(|e| Error::peer(format!("no connections can be taken at {listen}: {e}")))?;
    let (before, behind) = thread::scope(|scope| {
        let behind = scope.spawn(|| meeting.or_end(meeting.take_all(&listener)));
        let before: Result<Vec<Pair>> = (0..settings.process).map(|p| meeting.reach(p)).collect();
        let before = meeting.or_end(before);
        (before, behind.join().unwrap_or_else(|_| Err(Error::Bug("taking connections failed".into()))))
    });
    // Of two errors the one that says more than that the other half gave up.
    let (before, behind) = match (before, behind) {
        (Err(error), Err(Error::Peer { .. })) | (Ok(_), Err(error)) | (Err(error), _) => return Err(error),
        (Ok(before), Ok(behind)) => (before, behind),
    };
    let all = before.into_iter().map(Some).chain([None]).chain(behind.into_iter().map(Some));
    let (control, data) = all.map(|pair| pair.map(|[control, data]| (control, data)).unzip()).unzip();
    Ok(Mesh { control, data })
}

/// What both halves of the meeting know.
struct Meeting<'a> {
    settings: &'a Settings,
    identity: &'a Identity,
    stop: &'a AtomicBool,
    /// Whether one half has failed, so that the other need not go on.
    ended: AtomicBool,
    started: Instant,
}

impl Meeting<'_> {
    fn or_end<T>(&self, result: Result<T>) -> Result<T> {
        if result.is_err() {
            self.ended.store(true, Relaxed);
        }
        result
    }

    /// Waits a little, unless there is no reason to wait any longer.
    fn wait(&self, process: usize, why: &str) -> Result<()> {
        let name = self.settings.name(process);
        if self.stop.load(Relaxed) || self.ended.load(Relaxed) {
            return Err(Error::peer(format!("nobody waits for {name} any more")));
        }
        if self.started.elapsed() > self.settings.join_timeout {
            let seconds = self.settings.join_timeout.as_secs_f64();
            return Err(Error::peer(format!("{name} was not there within {seconds} s: {why}")));
        }
        thread::sleep(RETRY);
        Ok(())
    }

    /// Connects to a process before this one.
    fn reach(&self, process: usize) -> Result<Pair> {
        let said = Message::Identity(self.identity.clone());
        loop {
            let mut control = self.call(process, Purpose::Control)?;
            let answer = said.write(&mut control).and_then(|()| {
                control.set_read_timeout(Some(self.settings.join_timeout))?;
                Message::read(&mut control)
            });
            match answer {
                Ok(Message::Identity(theirs)) => {
                    self.compare(process, &theirs)?;
                    return Ok([control, self.call(process, Purpose::Rows)?]);
                }
                Ok(Message::Refused(difference)) => return Err(self.refused(process, difference)),
                Ok(other) => return Err(Error::peer(format!("{} says {other:?}", self.settings.name(process)))),
                // What took the connection may be a relay, with no process behind it yet.
                Err(e) => self.wait(process, &format!("it did not say what it runs: {e}"))?,
            }
        }
    }

    fn call(&self, process: usize, purpose: Purpose) -> Result<TcpStream> {
        loop {
            let hello = Message::Hello { process: self.settings.process, purpose };
            match self.dial(&self.settings.addresses[process], &hello) {
                Ok(stream) => return Ok(stream),
                Err(e) => self.wait(process, &e.to_string())?,
            }
        }
    }

    fn dial(&self, address: &str, hello: &Message) -> io::Result<TcpStream> {
        let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
        for address in address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, HELLO) {
                Ok(mut stream) => {
                    stream.set_nodelay(true)?;
                    hello.write(&mut stream)?;
                    return Ok(stream);
                }
                Err(e) => last = e,
            }
        }
        Err(last)
    }

    /// Takes the connections of all processes behind this one.
    fn take_all(&self, listener: &TcpListener) -> Result<Vec<Pair>> {
        let first = self.settings.process + 1;
        let mut taken: Vec<[Option<TcpStream>; 2]> =
            (first..self.settings.addresses.len()).map(|_| [None, None]).collect();
        while let Some(missing) = taken.iter().position(|pair| pair.iter().any(Option::is_none)) {
            match listener.accept() {
                Ok((stream, _)) => {
                    if let Some((process, purpose, stream)) = self.take(stream)? {
                        taken[process - first][purpose as usize] = Some(stream);
                    }
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => self.wait(first + missing, "it did not connect")?,
                Err(e) => return Err(Error::peer(format!("no connection can be taken: {e}"))),
            }
        }
        Ok(taken.into_iter().filter_map(|[control, data]| Some([control?, data?])).collect())
    }

    /// Finds out who has connected; nobody of this run is nothing.
    fn take(&self, mut stream: TcpStream) -> Result<Option<(usize, Purpose, TcpStream)>> {
        let hello = stream.set_nonblocking(false).and_then(|()| {
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(HELLO))?;
            Message::read(&mut stream)
        });
        let Ok(Message::Hello { process, purpose }) = hello else { return Ok(None) };
        if process <= self.settings.process || process >= self.settings.addresses.len() {
            return Ok(None);
        }
        if purpose == Purpose::Control {
            let Ok(Message::Identity(theirs)) = Message::read(&mut stream) else { return Ok(None) };
            if let Some(difference) = theirs.difference(self.identity, &self.settings.name(self.settings.process)) {
                drop(Message::Refused(difference).write(&mut stream));
            }
            self.compare(process, &theirs)?;
            if Message::Identity(self.identity.clone()).write(&mut stream).is_err() {
                return Ok(None);
            }
        }
        if stream.set_read_timeout(None).is_err() {
            return Ok(None);
        }
        Ok(Some((process, purpose, stream)))
    }

    fn compare(&self, process: usize, theirs: &Identity) -> Result<()> {
        match self.identity.difference(theirs, &self.settings.name(process)) {
            Some(difference) => Err(self.refused(process, difference)),
            None => Ok(()),
        }
    }

    fn refused(&self, process: usize, difference: String) -> Error {
        Invalid::new(format!("{} runs something else: {difference}", self.settings.name(process)))
            .hint("give all processes the same pipeline, functions, files, options and version of weir")
            .into()
    }
}
