//! The file that says where the processes are: a line for each, `HOST:PORT`, the first that of process 0.

use std::net::{IpAddr, TcpListener, ToSocketAddrs};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::error::{Error, Invalid, Result};

/// The addresses in a text; empty lines and what follows a `#` say nothing.
///
/// # Errors
/// [`crate::Error::Invalid`] where a line is no address, or stands there twice; `name` is what it calls
/// the text.
pub fn addresses(text: &str, name: &str) -> Result<Vec<String>> {
    let mut addresses: Vec<String> = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let address = line.split('#').next().unwrap_or_default().trim();
        if address.is_empty() {
            continue;
        }
        let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port);
        if port.and_then(|port| port.parse::<u16>().ok()).is_none_or(|port| port == 0) {
            let message = format!("{name}, line {number}: `{address}` is no address of a process");
            return Err(Invalid::new(message).hint("write HOST:PORT, as in `10.0.0.7:2101`").into());
        }
        if addresses.iter().any(|a| a == address) {
            let message = format!("{name}, line {number}: two processes are at `{address}`");
            return Err(Invalid::new(message).hint("give each process a port of its own").into());
        }
        addresses.push(address.to_owned());
    }
    match addresses.is_empty() {
        true => Err(Invalid::new(format!("{name} names no process")).hint("write a line HOST:PORT for each").into()),
        false => Ok(addresses),
    }
}

/// Loopback addresses that nobody listens at now, for processes on this machine.
///
/// They are below those that the system gives to connections by itself, which could take one of them
/// before it is used.
///
/// # Errors
/// [`crate::Error::Peer`] where there are not so many.
pub fn free_addresses(count: usize) -> Result<Vec<String>> {
    const FIRST: u32 = 20_000;
    const PORTS: u32 = 12_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Processes that look at the same time start far apart.
    let start = std::process::id().wrapping_mul(61);
    let ports = (0..PORTS).map(|_| FIRST + start.wrapping_add(NEXT.fetch_add(1, Relaxed)) % PORTS);
    let addresses = ports.map(|port| format!("127.0.0.1:{port}"));
    let free: Vec<_> = addresses.filter(|a| TcpListener::bind(a.as_str()).is_ok()).take(count).collect();
    match free.len() == count {
        true => Ok(free),
        false => Err(Error::peer("there are no free ports for the processes")),
    }
}

/// Refuses to take connections from other machines unless that was asked for.
///
/// # Errors
/// [`crate::Error::Invalid`] where a process would listen at an address that is not a loopback one.
pub fn check_listen(address: &str, asked_for: bool) -> Result<()> {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let loopback = match bare.parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback(),
        Err(_) => (host, 0).to_socket_addrs().is_ok_and(|mut all| all.all(|a| a.ip().is_loopback())),
    };
    match asked_for || loopback {
        true => Ok(()),
        false => Err(Invalid::new(format!("this process would take connections at {address}, from other machines"))
            .hint(format!(
                "processes do not ask each other who they are: where the network is closed to others, say `--listen {address}`"
            ))
            .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_address() {
        let text = "# two of them\n127.0.0.1:2101\n\n  weir-1.weir:2101 # the other\n[::1]:5\n";
        assert_eq!(addresses(text, "hosts").expect("addresses"), ["127.0.0.1:2101", "weir-1.weir:2101", "[::1]:5"]);
        for (bad, word) in [
            ("host", "line 1: `host` is no"),
            ("a:1\nhost:", "line 2: `host:`"),
            ("a:70000", "no address"),
            ("a:0", "no address"),
            ("a:1\na:1", "two processes"),
            ("# none", "names no process"),
        ] {
            let error = addresses(bad, "hosts").expect_err(bad).to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn other_machines_are_let_in_only_when_asked_for() {
        for local in ["127.0.0.1:1", "localhost:1", "[::1]:1", "127.9.9.9:1"] {
            assert!(check_listen(local, false).is_ok(), "{local}");
        }
        for open in ["0.0.0.0:1", "10.0.0.7:1", "[::]:1"] {
            let error = check_listen(open, false).expect_err(open);
            assert!(error.hint().is_some_and(|h| h.contains("--listen")), "{error}");
            assert!(check_listen(open, true).is_ok(), "{open}");
        }
    }
}
