//! An object store for tests: moto's S3 server, a process of its own on a port of its own, which keeps all in
//! memory. Requests of the tests themselves are plain HTTP: the client here is not the one that is tested.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{env, thread};

/// Where the server's program is, installed for the first test that needs it.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let test = env::current_exe().expect("a test is a file");
    let target = test.ancestors().nth(3).expect("a test stands in the target folder");
    let mut install = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("stores/install"));
    let installed = install.arg(target.join("toolchains/s3")).stderr(Stdio::inherit()).output().expect("bash runs");
    assert!(installed.status.success(), "the object store can't be installed; see above");
    String::from_utf8_lossy(&installed.stdout).trim().into()
});

/// A running server; it ends with this.
pub(crate) struct Server {
    process: Child,
    port: u16,
}

impl Server {
    /// Starts a server that believes whoever asks.
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// Starts a server that asks for keys after so many requests, none of which are known to it.
    pub(crate) fn that_asks_for_keys_after(requests: u32) -> Self {
        Self::with(&[("INITIAL_NO_AUTH_ACTION_COUNT", &requests.to_string())])
    }

    fn with(variables: &[(&str, &str)]) -> Self {
        // Somebody else may take the port between this and the start; then another one is tried.
        for _ in 0..5 {
            let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
            let port = free.expect("a free port").port();
            let mut command = Command::new(&*PROGRAM);
            command.args(["-H", "127.0.0.1", "-p", &port.to_string()]).envs(variables.iter().copied());
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut server = Self { process: command.spawn().expect("moto_server starts"), port };
            if server.answers() {
                return server;
            }
        }
        panic!("the object store has started five times and never answered");
    }

    fn answers(&mut self) -> bool {
        let until = Instant::now() + Duration::from_secs(60);
        while Instant::now() < until && self.process.try_wait().is_ok_and(|status| status.is_none()) {
            if ask(self.port, "GET", "/moto-api/", b"").is_some_and(|(status, _)| status == 200) {
                return true;
            }
            thread::sleep(Duration::from_millis(50));
        }
        false
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Ends it, as a crash would.
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A bucket of its own, at a server.
pub(crate) struct Bucket {
    port: u16,
    pub(crate) name: String,
}

impl Bucket {
    /// A new bucket at the server that tests share.
    pub(crate) fn new() -> Self {
        Self::at(shared())
    }

    /// A new bucket at the server of a port.
    pub(crate) fn at(port: u16) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("bucket-{}", NEXT.fetch_add(1, Relaxed));
        let bucket = Self { port, name };
        bucket.ask("PUT", "", b"");
        bucket
    }

    fn ask(&self, method: &str, key: &str, body: &[u8]) -> Vec<u8> {
        let (status, answer) = ask(self.port, method, &format!("/{}{key}", self.name), body).expect("it answers");
        assert!((200..300).contains(&status), "{method} {key}: {status}: {}", String::from_utf8_lossy(&answer));
        answer
    }

    /// Where it is, as a pipeline says.
    pub(crate) fn url(&self, prefix: &str) -> String {
        format!("s3://{}/{prefix}", self.name)
    }

    /// The keys of the objects that start so, in their order, with their lengths.
    fn objects(&self, prefix: &str) -> Vec<(String, u64)> {
        let answer = self.ask("GET", &format!("?list-type=2&prefix={prefix}"), b"");
        let text = String::from_utf8_lossy(&answer).into_owned();
        let within = |text: &str, tag: &str| {
            let (_, rest) = text.split_once(&format!("<{tag}>"))?;
            Some(rest.split_once(&format!("</{tag}>"))?.0.to_owned())
        };
        let object = |of: &str| Some((within(of, "Key")?, within(of, "Size")?.parse().ok()?));
        text.split("<Contents>").skip(1).filter_map(object).collect()
    }

    /// The keys of the objects that start so, in their order.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        self.objects(prefix).into_iter().map(|(key, _)| key).collect()
    }

    /// The keys of the manifests behind a prefix, in their order. What is shorter than any is a note that stands in
    /// for one.
    pub(crate) fn manifests(&self, prefix: &str) -> Vec<String> {
        let objects = self.objects(&format!("{prefix}checkpoint-"));
        objects.into_iter().filter(|(_, bytes)| *bytes > 100).map(|(key, _)| key).collect()
    }

    pub(crate) fn get(&self, key: &str) -> Vec<u8> {
        self.ask("GET", &format!("/{key}"), b"")
    }

    pub(crate) fn put(&self, key: &str, bytes: &[u8]) {
        self.ask("PUT", &format!("/{key}"), bytes);
    }

    pub(crate) fn remove(&self, key: &str) {
        self.ask("DELETE", &format!("/{key}"), b"");
    }
}

/// What a command has to know of the server of a port.
pub(crate) fn variables(port: u16) -> [(&'static str, String); 6] {
    [
        ("AWS_ENDPOINT", format!("http://127.0.0.1:{port}")),
        ("AWS_ALLOW_HTTP", "true".into()),
        ("AWS_REGION", "us-east-1".into()),
        ("AWS_ACCESS_KEY_ID", "key-of-tests".into()),
        ("AWS_SECRET_ACCESS_KEY", "secret-of-tests".into()),
        ("NO_PROXY", "127.0.0.1".into()),
    ]
}

/// Asks a server; nothing where it does not answer.
fn ask(port: u16, method: &str, path: &str, body: &[u8]) -> Option<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    // The server looks whether somebody signs, and not at the signature.
    let signed =
        "AWS4-HMAC-SHA256 Credential=key-of-tests/20200101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: {signed}\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let status = str::from_utf8(&answer[..end]).ok()?.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer[end + 4..].to_vec()))
}

/// The port of the server that tests share which only look into buckets of their own. It is started for the
/// first, and ended by a watcher when the process that started it is gone: statics are not dropped.
pub(crate) fn shared() -> u16 {
    static SHARED: Mutex<Option<Server>> = Mutex::new(None);
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let server = shared.get_or_insert_with(|| {
        let server = Server::start();
        let script = "while kill -0 \"$0\" 2>/dev/null; do sleep 0.2; done; kill \"$1\"";
        let ids = [std::process::id().to_string(), server.process.id().to_string()];
        let mut watcher = Command::new("sh");
        watcher.args(["-c", script]).args(ids).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        drop(watcher.spawn().expect("a shell"));
        server
    });
    server.port
}

/// Requests that a door holds back, by what they start with.
#[derive(Default)]
struct Held {
    start: Mutex<Option<String>>,
    is_holding: AtomicBool,
}

/// A way to a server that can be shut: then connections end as soon as they are made.
pub(crate) struct Door {
    port: u16,
    shut: Arc<AtomicBool>,
    turned_away: Arc<AtomicBool>,
    held: Arc<Held>,
    through: Arc<Mutex<Vec<TcpStream>>>,
}

impl Door {
    pub(crate) fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (shut, through) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (held, turned_away) = (Arc::new(Held::default()), Arc::new(AtomicBool::new(false)));
        let (is_shut, all, holding) = (Arc::clone(&shut), Arc::clone(&through), Arc::clone(&held));
        let turns_away = Arc::clone(&turned_away);
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if is_shut.load(Relaxed) {
                    turns_away.store(true, Relaxed);
                    continue;
                }
                let Ok(far) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (mut from, mut to) = (from.try_clone().expect("a clone"), to.try_clone().expect("a clone"));
                    let holding = Arc::clone(&holding);
                    thread::spawn(move || {
                        let mut bytes = [0; 1 << 16];
                        while let Ok(n @ 1..) = from.read(&mut bytes) {
                            holding.wait(&bytes[..n]);
                            if to.write_all(&bytes[..n]).is_err() {
                                break;
                            }
                        }
                        drop(to.shutdown(Shutdown::Write));
                    });
                }
                all.lock().expect("no panic").extend([near, far]);
            }
        });
        Self { port, shut, turned_away, held, through }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Lets nothing through any more, also of what is under way.
    pub(crate) fn shut(&self) {
        self.shut.store(true, Relaxed);
        for stream in self.through.lock().expect("no panic").drain(..) {
            // It may have ended by itself.
            drop(stream.shutdown(Shutdown::Both));
        }
    }

    /// Whether somebody came while it was shut.
    pub(crate) fn has_turned_away(&self) -> bool {
        self.turned_away.load(Relaxed)
    }

    /// Holds requests back that start so, until they are released.
    pub(crate) fn hold(&self, start: String) {
        *self.held.start.lock().expect("no panic") = Some(start);
    }

    pub(crate) fn is_holding(&self) -> bool {
        self.held.is_holding.load(Relaxed)
    }

    /// Lets everything through, also what whoever sent it does not wait for any more.
    pub(crate) fn release(&self) {
        *self.held.start.lock().expect("no panic") = None;
    }

    pub(crate) fn open(&self) {
        self.shut.store(false, Relaxed);
    }
}

impl Held {
    fn wait(&self, bytes: &[u8]) {
        let is_held = || self.start.lock().expect("no panic").as_ref().is_some_and(|s| bytes.starts_with(s.as_bytes()));
        while is_held() {
            self.is_holding.store(true, Relaxed);
            thread::sleep(Duration::from_millis(10));
        }
    }
}
