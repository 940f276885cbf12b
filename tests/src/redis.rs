//! A Redis server for tests: Debian's, on a port of its own, with nothing kept on disk.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A running server; it ends with this.
pub struct Server {
    process: Child,
    port: u16,
    password: Option<&'static str>,
    _folder: TempDir,
}

impl Server {
    /// Starts a server.
    pub fn start() -> Self {
        Self::with(None)
    }

    /// Starts a server that wants a password.
    pub fn with(password: Option<&'static str>) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        // Somebody else may take the port between this and the start; then another one is tried.
        for _ in 0..5 {
            let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
            let port = free.expect("a free port").port();
            let mut command = Command::new("redis-server");
            command.args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
                "--dir",
            ]);
            command.arg(folder.path()).stdout(Stdio::null()).stdin(Stdio::null());
            command.args(password.iter().flat_map(|password| ["--requirepass", password]));
            let process = command.spawn().unwrap_or_else(|e| {
                panic!("redis-server does not start ({e}); install it: apt-get install -y redis-server")
            });
            let mut server = Self { process, port, password, _folder: TempDir::new().expect("a temporary folder") };
            if server.answers() {
                server._folder = folder;
                return server;
            }
        }
        panic!("redis-server has started five times and never answered");
    }

    fn answers(&mut self) -> bool {
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until && self.process.try_wait().is_ok_and(|status| status.is_none()) {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() && self.ask(&["PING"]) == "+PONG\r\n" {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    /// Where it is, with the password.
    pub fn url(&self) -> String {
        let password = self.password.map(|password| format!(":{password}@")).unwrap_or_default();
        format!("redis://{password}127.0.0.1:{}/0", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it answers to a command, in its protocol: the reader here is not the one that is tested.
    pub fn ask(&self, command: &[&str]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the server is there");
        let mut text = String::new();
        let mut push = |command: &[&str]| {
            text.push_str(&format!("*{}\r\n", command.len()));
            command.iter().for_each(|part| text.push_str(&format!("${}\r\n{part}\r\n", part.len())));
        };
        if let Some(password) = self.password {
            push(&["AUTH", password]);
        }
        push(command);
        push(&["QUIT"]);
        stream.write_all(text.as_bytes()).expect("the server reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the server answers");
        let answer = answer.strip_suffix("+OK\r\n").unwrap_or(&answer);
        let answer = self.password.map_or(answer, |_| answer.strip_prefix("+OK\r\n").unwrap_or(answer));
        answer.to_owned()
    }

    /// The names of all keys, sorted.
    pub fn names(&self) -> Vec<String> {
        let answer = self.ask(&["KEYS", "*"]);
        let mut names: Vec<String> =
            answer.split("\r\n").skip(1).filter(|l| !l.is_empty() && !l.starts_with('$')).map(String::from).collect();
        names.sort();
        names
    }

    /// Ends it, as a crash would.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The server that tests share which only write under prefixes of their own. It is started for the first
/// and ends with the process that started it, because that is what `exit_with_us` makes it do.
pub fn shared() -> String {
    static SHARED: Mutex<Option<Server>> = Mutex::new(None);
    let mut shared: MutexGuard<'_, Option<Server>> = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.get_or_insert_with(|| exit_with_us(Server::start())).url()
}

/// Statics are not dropped, so a watcher outside of this process ends the server when this is gone.
fn exit_with_us(server: Server) -> Server {
    let script = "while kill -0 \"$0\" 2>/dev/null; do sleep 0.2; done; kill \"$1\"";
    let ids = [std::process::id().to_string(), server.process.id().to_string()];
    let watcher = Command::new("sh").args(["-c", script]).args(ids).stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    drop(watcher.expect("a shell"));
    server
}
