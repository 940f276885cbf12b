//! Rows that wait for partners, or for the other rows of their group: with more of them than memory has
//! room for, and in Redis.

use weir::flow::Options;

use super::keyed::{case, stays_within_memory};
use crate::redis::Server;

const ITSELF: &str = "join = \"source\"\non = { k = \"k\" }\nprefix = \"r_\"\n";

#[test]
fn rows_of_joins_stay_within_memory() {
    stays_within_memory(&format!("{ITSELF}window = {{ tumbling = \"150s\" }}"));
    stays_within_memory(&format!("{ITSELF}within = {{ before = \"150s\", after = \"150s\" }}"));
}

/// The hashes that are in Redis, and what is in the first: a server that removes nothing ends the run when the
/// first pane is over, which is in the epoch of the last row.
pub(super) fn in_redis(step: &str, rows: &str) -> (Vec<String>, String) {
    let server = Server::start();
    server.ask(&["ACL", "SETUSER", "default", "-unlink"]);
    let state = format!("[state]\nredis = \"{}\"\n", server.url());
    let case = case(step, &state, rows);
    let options = Options { epoch_rows: rows.lines().count() - 2, ..Options::default() };
    let ran = case.run_again(&case.plan().expect("a plan"), &options);
    assert_eq!(ran.result.expect_err("nothing is removed").exit_code(), 7);
    let names = server.names();
    let answer = server.ask(&["HGETALL", &names[0]]);
    (names, answer)
}

#[test]
fn rows_are_fields_named_by_what_they_are_in_the_order_of() {
    let rows = "at,k,n\n2024-01-01T00:00:01Z,7,1\n2024-01-01T00:00:00Z,7,2\n2024-01-01T00:01:01Z,8,3\n";
    let row = |name: &str| format!("{name}\r\n$41\r\n{{\"at\":\"2024-01-01T00:00:00Z\",\"k\":7,\"n\":2}}");
    let (names, answer) = in_redis(&format!("{ITSELF}window = {{ tumbling = \"10s\" }}"), rows);
    assert_eq!(names[0], "weir:p:step:left:2024-01-01T00:00:00Z");
    assert!(names.contains(&names[0].replace("left", "right")), "{names:?}");
    assert!(answer.contains(&row(r#"[7,"2024-01-01T00:00:00Z",0,0,1]"#)), "{answer}");
    let (names, answer) = in_redis(&format!("{ITSELF}within = {{ before = \"5s\", after = \"5s\" }}"), rows);
    assert_eq!(names[0], "weir:p:step:left:2024-01-01T00:00:00Z");
    assert!(answer.contains(&row(r#"["2024-01-01T00:00:00Z",7,0,0,1]"#)), "{answer}");
    let (names, answer) =
        in_redis("window = { tumbling = \"10s\" }\ngroup-map = \"streams.median(n)\"\nas = \"half\"", rows);
    assert_eq!(names[0], "weir:p:step:2024-01-01T00:00:00Z");
    assert!(answer.contains("[7,\"2024-01-01T00:00:00Z\",1]\r\n$7\r\n{\"n\":2}"), "{answer}");
}

#[test]
fn whole_groups_stay_within_memory() {
    for window in ["tumbling = \"300s\"", "hopping = \"200s\", step = \"100s\""] {
        let apply = "group-map = \"streams.median(n)\"\nas = \"median\"";
        stays_within_memory(&format!("window = {{ {window} }}\n{apply}"));
    }
}
