//! What goes wrong with a Redis server is an error that says what would help.

use std::collections::BTreeMap;

use weir::Error;
use weir::state::{Settings, Stores};

use super::{entries, key, pane, store};
use crate::redis::Server;

fn settings(url: String) -> Settings {
    Settings::Redis { url, prefix: "weir".into(), memory_bytes: 1 << 20 }
}

/// An error with its cause and hint.
fn text(error: &Error) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    assert_eq!(error.exit_code(), 7, "{error}");
    format!("{error}; {cause}; {}", error.hint().unwrap_or_default())
}

#[test]
fn a_server_that_wants_a_password() {
    let server = Server::with(Some("secret"));
    let without = server.url().replace(":secret@", "");
    let error = text(&Stores::open(&settings(without), "p", 1).expect_err("no password"));
    assert!(error.contains("USER:PASSWORD@") && error.contains(&server.port().to_string()), "{error}");
    let wrong = server.url().replace("secret", "guessed");
    let error = text(&Stores::open(&settings(wrong), "p", 1).expect_err("the wrong password"));
    assert!(error.contains("USER:PASSWORD@") && !error.contains("guessed"), "{error}");
    Stores::open(&settings(server.url()), "p", 1).expect("the right password");
}

#[test]
fn a_server_that_goes_away() {
    let mut server = Server::start();
    let stores = Stores::open(&settings(server.url()), "p", 1).expect("a server");
    let mut store = store(&stores, 0, 1);
    let of = BTreeMap::from([(key(1), (1.5, None))]);
    store.put(&mut [entries(pane(0), &of)].into_iter()).expect("put");
    server.kill();
    let error = text(&store.put(&mut [entries(pane(0), &of)].into_iter()).expect_err("nobody there"));
    assert!(error.contains("step `by: n` can't be written"), "{error}");
    let error = text(&Stores::open(&settings(server.url()), "p", 1).expect_err("nobody there"));
    assert!(error.contains("can't be reached") && error.contains("is a Redis server running there?"), "{error}");
}

#[test]
fn another_program_in_the_way() {
    let server = Server::start();
    let stores = Stores::open(&settings(server.url()), "p", 1).expect("a server");
    let mut store = store(&stores, 0, 1);
    let of = BTreeMap::from([(key(1), (1.5, None))]);
    let name = "weir:p:by%3A n:1970-01-01T00:00:00Z";
    store.put(&mut [entries(pane(0), &of)].into_iter()).expect("put");
    server.ask(&["HSET", name, "[1]", "{\"a.sum\":true}"]);
    let error = text(&store.page(pane(0), None, 10).expect_err("not what was written"));
    assert!(error.contains("another program has changed") && error.contains("`a.sum`: true is no float64"), "{error}");
    server.ask(&["SET", name, "x"]);
    let error = text(&store.put(&mut [entries(pane(0), &of)].into_iter()).expect_err("no hash"));
    assert!(error.contains("choose another `prefix`"), "{error}");
}
