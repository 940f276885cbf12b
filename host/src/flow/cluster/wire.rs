//! A socket as Timely has it, that never fails in its sight.
//!
//! Timely's network threads panic when a connection ends, and poison what the workers still use. So
//! where reading or writing fails, the loss is noted, and the thread waits here until this process has no
//! workers any more, which the watch sees to. Then it ends, without a word.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::panic::resume_unwind;
use std::sync::Arc;

use timely::communication::allocator::zero_copy::stream::Stream;

use super::peers::Peers;

/// Timely says that nothing follows by a header of zeros, which no message has.
const END: usize = 48;

pub(super) struct Wire {
    stream: TcpStream,
    process: usize,
    peers: Arc<Peers>,
    /// Zeros at the end of what was read.
    zeros: usize,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, process: usize, peers: Arc<Peers>) -> Self {
        Self { stream, process, peers, zeros: 0 }
    }

    /// Notes why nothing more can come or go, waits, and ends the thread.
    fn end(&self, why: String) -> ! {
        self.peers.lose_rows(self.process, why);
        self.peers.wait_for_release();
        // Not a panic of ours: nothing is printed, and nobody looks at how the thread ended.
        resume_unwind(Box::new("the connection has ended"))
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.stream.read(buffer) {
                // Timely has seen the end as well, and is about to hand over what came before it.
                Ok(0) if self.zeros >= END => return Ok(0),
                Ok(0) => self.end("is gone: its connection for rows has ended".to_owned()),
                Ok(n) => {
                    let zeros = buffer[..n].iter().rev().take_while(|byte| **byte == 0).count();
                    self.zeros = if zeros == n { self.zeros + n } else { zeros };
                    return Ok(n);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => self.end(format!("is gone: {e}")),
            }
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.stream.write(bytes) {
                Ok(n) => return Ok(n),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => self.end(format!("is gone: {e}")),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Wire {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(Self::new(self.stream.try_clone()?, self.process, Arc::clone(&self.peers)))
    }

    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.stream.set_nonblocking(nonblocking)
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        // The other side may have closed it already.
        drop(self.stream.shutdown(how));
        Ok(())
    }
}
