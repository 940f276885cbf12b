//! What other programs read in Redis.

use std::collections::BTreeMap;

use weir::state::{PerKey, Settings, Stores};

use super::{entries, entries_of, key, pane, store, store_of};
use crate::redis::Server;

fn settings(server: &Server) -> Settings {
    Settings::Redis { url: server.url(), prefix: "weir".into(), memory_bytes: 1 << 20 }
}

#[test]
fn a_pane_is_a_hash_of_json() {
    let server = Server::start();
    let stores = Stores::open(&settings(&server), "p", 1).expect("a server");
    let mut store = store(&stores, 0, 1);
    let of = BTreeMap::from([(key(-7), (1.5, Some("a\"b".into()))), (key(8), (f64::INFINITY, None))]);
    store.put(&mut [entries(pane(0), &of), entries(pane(60_000_001), &of)].into_iter()).expect("put");
    let names = ["weir:p:by%3A n:1970-01-01T00:00:00Z", "weir:p:by%3A n:1970-01-01T00:01:00.000001Z/1"];
    assert_eq!(server.names(), names);
    let answer = server.ask(&["HGET", names[0], "[-7]"]);
    assert!(answer.contains(r#"{"a.sum":1.5,"a.last":"a\"b"}"#), "{answer}");
    let answer = server.ask(&["HGET", names[1], "[8]"]);
    assert!(answer.contains(r#"{"a.sum":"inf","a.last":null}"#), "{answer}");
    assert_eq!(store.bytes(), 2 * (4 + 29 + 3 + 29));
    store.remove(&[pane(0)]).expect("removed");
    assert_eq!(server.names(), names[1..]);
}

#[test]
fn several_rows_of_a_key_are_a_list() {
    let server = Server::start();
    let stores = Stores::open(&settings(&server), "p", 1).expect("a server");
    let mut store = store_of(&stores, PerKey::Many, 0, 1, None);
    let mut of = BTreeMap::from([(key(7), vec![(1.5, None), (2.0, Some("b".into()))]), (key(8), vec![(0.0, None)])]);
    store.put(&mut [entries_of(pane(0), &of)].into_iter()).expect("put");
    let name = "weir:p:by%3A n:1970-01-01T00:00:00Z";
    let answer = server.ask(&["HGET", name, "[7]"]);
    assert!(answer.contains(r#"[{"a.sum":1.5,"a.last":null},{"a.sum":2.0,"a.last":"b"}]"#), "{answer}");
    of.values_mut().for_each(Vec::clear);
    store.put(&mut [entries_of(pane(0), &of)].into_iter()).expect("put");
    assert!(server.names().is_empty(), "a hash without fields is none");
}

#[test]
fn what_an_earlier_run_left_is_removed_and_nothing_else() {
    let server = Server::start();
    for name in ["weir:p:step:all", "weir:p2:step:all", "weir:p", "other"] {
        server.ask(&["SET", name, "x"]);
    }
    Stores::open(&settings(&server), "p", 1).expect("a server");
    assert_eq!(server.names(), ["other", "weir:p", "weir:p2:step:all"]);
}
