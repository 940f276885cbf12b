//! A function that looks for what a program mostly has: files, arguments, an environment, a clock,
//! a network. Built for `wasm32-wasip2` it is a component that imports WASI, and what it finds is
//! what a function is granted.

use std::io::Write;
use std::time::SystemTime;

/// What was found of one thing.
#[derive(Debug, weir::Row)]
pub struct Found {
    thing: &'static str,
    found: String,
}

/// One row for each thing looked for.
#[weir::flat_map]
pub fn looks_for(n: i64) -> Vec<Found> {
    let _ = n;
    let said = writeln!(std::io::stdout(), "said to standard output");
    eprintln!("said to standard error");
    let or_error = |result: std::io::Result<String>| result.unwrap_or_else(|_| "nothing".to_owned());
    let files = std::fs::read_dir("/").map(|entries| format!("{} files", entries.count()));
    let network = std::net::TcpStream::connect("127.0.0.1:80").map(|_| "a connection".to_owned());
    let since_1970 = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    vec![
        Found { thing: "standard output", found: said.map_or("nothing", |()| "a log").to_owned() },
        Found { thing: "arguments", found: std::env::args().count().to_string() },
        Found { thing: "environment", found: std::env::vars().count().to_string() },
        Found { thing: "files", found: or_error(files) },
        Found { thing: "network", found: or_error(network) },
        Found { thing: "seconds since 1970", found: since_1970.as_secs().to_string() },
    ]
}

/// The text; says it to standard error, and panics.
#[weir::map]
pub fn complains(text: &str) -> i64 {
    eprintln!("{text}");
    panic!("enough")
}

weir::export!(looks_for, complains);
