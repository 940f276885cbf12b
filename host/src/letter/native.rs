//! A letter's call as a Rust test that runs the function without a sandbox, for a debugger. Pure text.

use std::fmt::Write;

use super::{Letter, replay};
use crate::error::Result;
use crate::function::invoke::attempt::Method;
use crate::sandbox::column_bytes;

/// The test, to be put into the function's crate.
///
/// # Errors
/// Where the letter has no call.
pub fn native_test(letter: &Letter) -> Result<String> {
    let made = letter.made()?;
    let name = letter.function_name().unwrap_or_default();
    let columns = replay::read(&made.columns, &made.types)?;
    let mut out = String::new();
    let rows = columns.first().map_or(1, |c| c.len());
    let _ =
        writeln!(out, "// Put this at the end of the function's src/lib.rs, or of the file that has `{name}`. Then:");
    let _ = writeln!(out, "//   cargo test again");
    let _ = writeln!(
        out,
        "//   rust-gdb --args $(cargo test --no-run 2>&1 | sed -n 's/.*(\\(.*\\))/\\1/p' | head -1) again"
    );
    if letter.now != 0 || letter.seed != 0 {
        let _ = writeln!(
            out,
            "// Natively `host::now` is 0 and `host::random` starts at 0; there they were {} and {}.",
            letter.now, letter.seed
        );
    }
    if !made.held.is_empty() {
        let _ = writeln!(out, "// Natively it starts from what has seen nothing; there it had the letter's `held`.");
    }
    let _ = writeln!(
        out,
        "#[cfg(test)]\nmod again {{\n    use weir::testing::{{self, Batch, Column}};\n\n    use super::*;\n"
    );
    let _ = writeln!(out, "    #[test]\n    fn again() {{\n        // {}", letter.reason.replace('\n', " "));
    let _ = writeln!(out, "        let input = Batch {{\n            rows: {rows},\n            columns: vec![");
    for column in &columns {
        let (validity, offsets, values) = column_bytes(column);
        let _ = writeln!(
            out,
            "                Column {{ validity: vec!{validity:?}, offsets: vec!{offsets:?}, values: vec!{values:?} }},"
        );
    }
    let _ = writeln!(out, "            ],\n        }};");
    let call = match made.method {
        Method::Map => format!("testing::map::<{name}>(input)"),
        Method::Filter => format!("testing::filter::<{name}>(input)"),
        Method::FlatMap => format!("testing::flat_map::<{name}>(input)"),
        Method::GroupMap => format!("testing::group_map::<{name}>(1, &[0; {rows}], input)"),
        Method::StatefulMap => format!("testing::stateful_map::<{name}>(input)"),
        Method::Accumulate => {
            format!(
                "(testing::aggregate::<{name}>().accumulate)((testing::aggregate::<{name}>().create)(1).unwrap(), testing::groups(&[0; {rows}]), input)"
            )
        }
        Method::Merge => {
            format!(
                "(testing::aggregate::<{name}>().merge)((testing::aggregate::<{name}>().create)(1).unwrap(), testing::groups(&[0; {rows}]), input)"
            )
        }
        Method::Finish => format!("(testing::aggregate::<{name}>().finish)(input)"),
    };
    let parameters: Vec<String> = letter.parameters.iter().map(|(k, v)| format!("({k:?}, {v:?})")).collect();
    let _ = writeln!(
        out,
        "        let result = testing::with_parameters(&[{}], || {call});\n        println!(\"{{result:?}}\");\n    }}\n}}",
        parameters.join(", ")
    );
    Ok(out)
}
