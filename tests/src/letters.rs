//! Dead letters, called again: what failed in a pipeline fails alone in the same way, to the letter.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use weir::flow::Options;
use weir::function::invoke::attempt::Method;
use weir::letter::{Letter, Outcome, native_test};

use crate::guests;
use crate::pipelines::Case;

/// Two runs' letters.
fn run_twice(folder: &Path) -> [Vec<Value>; 2] {
    let case = Case::copy(folder);
    let plan = case.plan().expect("a plan");
    [(), ()].map(|()| case.run_again(&plan, &Options::default()).dead_letters)
}

/// The folders of pipelines that leave dead letters.
fn folders() -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(all).expect("pipelines").map(|e| e.expect("an entry").path()).collect();
    folders.retain(|folder| folder.join("expected.dead-letters.jsonl").exists());
    folders.sort();
    folders
}

#[test]
fn what_failed_fails_again_in_the_same_way() {
    let (mut replayed, mut methods) = (0, Vec::new());
    for folder in folders() {
        let [letters, again] = run_twice(&folder);
        assert_eq!(letters, again, "{}: two runs leave the same letters", folder.display());
        // Of many rows that failed alike a few are enough.
        for line in letters.iter().map(Value::to_string).step_by(letters.len() / 5 + 1) {
            let letter = Letter::parse("it", &line).expect("a letter");
            let Some(made) = &letter.call else { continue };
            let component = Path::new(letter.component.as_deref().expect("a component")).file_stem().expect("a name");
            let artifact = guests::artifact(&component.to_string_lossy());
            assert_eq!(letter.digest.as_deref(), Some(artifact.digest()));
            let outcome = letter.replay(&artifact).expect("it is called");
            if made.tried {
                assert_eq!(outcome.reason().as_ref(), Some(&letter.reason), "{}: {line}", folder.display());
            }
            if let Outcome::Fault(fault) = &outcome {
                let kind = serde_json::to_value(fault.kind).expect("a word");
                assert_eq!(kind.as_str(), letter.fault.as_deref(), "{line}");
            }
            let test = native_test(&letter).expect("a test");
            assert!(test.contains(letter.function_name().expect("a function")), "{test}");
            assert_eq!(test.contains("the letter's `held`"), !made.held.is_empty(), "{test}");
            replayed += 1;
            methods.push(format!("{:?}", made.method));
        }
    }
    methods.sort();
    methods.dedup();
    let all = [
        Method::Map,
        Method::Filter,
        Method::FlatMap,
        Method::GroupMap,
        Method::StatefulMap,
        Method::Accumulate,
        Method::Finish,
    ];
    for method in all.map(|method| format!("{method:?}")) {
        assert!(methods.contains(&method), "no letter of {method} among {replayed}: {methods:?}");
    }
}

#[test]
fn what_is_no_letter_is_told() {
    let error = Letter::parse("letters.jsonl:3", "{}").expect_err("no letter").to_string();
    assert!(error.starts_with("letters.jsonl:3: this is no dead letter: missing field"), "{error}");
    let record = Letter::parse("it", r#"{"step": "source", "reason": "no number"}"#).expect("a letter");
    let error = record.replay(&guests::artifact("lab")).expect_err("no call");
    assert_eq!(error.to_string(), "step `source` has no call to make again: no number");
    let letter = r#"{"step": "s", "reason": "r", "function": "lab.double", "call":
        {"as": "map", "types": ["text"], "columns": [["a"]], "rows": 1}}"#;
    let error = Letter::parse("it", &letter.replace('\n', " ")).expect("a letter").replay(&guests::artifact("lab"));
    assert_eq!(error.expect_err("no such form").to_string(), "the component has no mapper `double` of (text)");
}
