//! A small HTTP server beside a run: `/metrics` for Prometheus, `/healthz` for whoever asks whether the
//! process is there. It answers one request after the other, and takes nothing in.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tiny_http::{Header, Method, Request, Response};

use crate::error::{Error, Result};
use crate::report::Metrics;

/// The server; dropped, it ends.
pub struct Server {
    http: Arc<tiny_http::Server>,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("address", &self.http.server_addr()).finish_non_exhaustive()
    }
}

impl Server {
    /// Answers at an address `HOST:PORT`; port 0 is a free one.
    ///
    /// # Errors
    /// [`Error::Invalid`] where nothing can listen there.
    pub fn start(address: &str, metrics: Arc<Metrics>, process: usize) -> Result<Self> {
        let http = tiny_http::Server::http(address)
            .map_err(|e| Error::invalid(format!("metrics can't be served at {address}: {e}")))?;
        let http = Arc::new(http);
        let requests = Arc::clone(&http);
        let answer = move || {
            for request in requests.incoming_requests() {
                // Whoever asked may have gone.
                drop(respond(request, &metrics, process));
            }
        };
        let thread = thread::Builder::new().name("weir:metrics".to_owned()).spawn(answer).ok();
        Ok(Self { http, thread })
    }

    /// Where it answers.
    pub fn address(&self) -> String {
        self.http.server_addr().to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.http.unblock();
        if let Some(thread) = self.thread.take() {
            // It holds nothing that a panic could spoil.
            drop(thread.join());
        }
    }
}

fn respond(request: Request, metrics: &Metrics, process: usize) -> std::io::Result<()> {
    let plain = |text: String, status: u16, kind: &str| {
        let header = Header::from_bytes("Content-Type", kind);
        let response = Response::from_string(text).with_status_code(status);
        match header {
            Ok(header) => response.with_header(header),
            Err(()) => response,
        }
    };
    let path = request.url().split('?').next().unwrap_or_default().to_owned();
    let response = match (request.method(), path.as_str()) {
        (Method::Get | Method::Head, "/metrics") => {
            plain(super::text(metrics, process), 200, "text/plain; version=0.0.4; charset=utf-8")
        }
        (Method::Get | Method::Head, "/healthz") => plain("ok\n".to_owned(), 200, "text/plain"),
        (Method::Get | Method::Head, _) => plain("there are /metrics and /healthz\n".to_owned(), 404, "text/plain"),
        _ => plain("only GET\n".to_owned(), 405, "text/plain"),
    };
    request.respond(response)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;
    use crate::report::{Node, NodeKind};

    fn get(address: &str, request: &str) -> String {
        let mut stream = TcpStream::connect(address).expect("it listens");
        write!(stream, "{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }

    #[test]
    fn it_answers_and_ends() {
        let metrics = Arc::new(Metrics::new("p", 1, vec![Node::new("s", NodeKind::Source, "in")]));
        let server = Server::start("127.0.0.1:0", metrics, 0).expect("a free port");
        let address = server.address();
        let answer = get(&address, "GET /metrics");
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("version=0.0.4"), "{answer}");
        assert!(answer.contains("weir_rows_out_total{"), "{answer}");
        assert!(get(&address, "GET /healthz").ends_with("ok\n"));
        assert!(get(&address, "GET /other").starts_with("HTTP/1.1 404"));
        assert!(get(&address, "POST /metrics").starts_with("HTTP/1.1 405"));
        // This waits for its thread, which ends.
        drop(server);
    }

    #[test]
    fn an_address_that_is_taken_is_an_error() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = taken.local_addr().expect("an address").to_string();
        let error = Server::start(&address, Arc::new(Metrics::new("p", 1, vec![])), 0).expect_err("it is taken");
        assert!(error.to_string().contains(&address), "{error}");
    }
}
