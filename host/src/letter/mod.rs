//! A dead letter: one row that failed, with all that its call depended on, as one line of JSON or a row of a
//! table (`letter/table.rs`).
//!
//! Fields that say nothing are left out:
//!
//! | field | |
//! | --- | --- |
//! | `step` | the source or step that failed |
//! | `function`, `component`, `digest` | what it called, the component's file and its SHA-256 |
//! | `parameters`, `limits` | the function's parameters, and its limits where they are not the defaults |
//! | `reason` | in one line |
//! | `fault` | `trap`, `time`, `memory`, ..: the function failed on more than the row's value |
//! | `log`, `backtrace` | what the function logged in that call, and where it stood |
//! | `source`, `position` | the partition, and the record's number in it from 0 |
//! | `time` | the row's event time in microseconds |
//! | `line`, `text` | of a record that could not be read |
//! | `now`, `seed` | what the function's clock and random numbers were in that call |
//! | `row` | the columns that the pipeline uses |
//! | `call` | the call: see [`Made`] |
//!
//! [`Letter::replay`] makes the call again.

mod native;
mod replay;
mod stored;
pub(crate) mod table;
mod values;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Invalid, Result};
use crate::function::invoke::attempt::{Attempt, Method};
use crate::types::DataType;

pub use native::native_test;
pub use replay::Outcome;
pub use stored::{Stored, stored};

/// What a dead letter says that matters for its call.
#[derive(Clone, Debug, Deserialize)]
pub struct Letter {
    /// The step that failed.
    pub step: String,
    /// What it called, as the pipeline knows it.
    pub function: Option<String>,
    /// Where the component was.
    pub component: Option<String>,
    /// Its SHA-256.
    pub digest: Option<String>,
    /// The function's parameters.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Limits that are not the defaults, as they are written.
    #[serde(default)]
    pub limits: BTreeMap<String, Value>,
    /// Why it failed.
    pub reason: String,
    /// The kind of fault, if it was one.
    pub fault: Option<String>,
    /// The partition of the record.
    pub source: Option<String>,
    /// Its number there.
    pub position: Option<u64>,
    /// What the function's clock said.
    #[serde(default)]
    pub now: i64,
    /// Where its random numbers started.
    #[serde(default)]
    pub seed: u64,
    /// The call.
    pub call: Option<Made>,
}

/// A call as it was made for one row, group or accumulator.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Made {
    /// What was called.
    #[serde(rename = "as")]
    pub method: Method,
    /// The types of the columns.
    pub types: Vec<DataType>,
    /// The values of each column: of the row, of the group's rows, or of the accumulator. Numbers of 64 bits
    /// whole, floats as text, bytes in hexadecimal.
    pub columns: Vec<Value>,
    /// The values of its accumulator or state before the call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<Value>,
    /// Rows that were in the call with it: with 1 it is made again exactly.
    pub rows: usize,
    /// `false` where the function was not tried on this row, because it had run out of time on too many before it.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub tried: bool,
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_true(yes: &bool) -> bool {
    *yes
}

impl Made {
    /// The call of an attempt.
    pub fn new(attempt: &Attempt) -> Self {
        Self {
            method: attempt.method,
            types: attempt.columns.iter().filter_map(|c| DataType::of(c.data_type())).collect(),
            columns: attempt.columns.iter().map(values::write).collect(),
            held: attempt.held.iter().map(values::write).collect(),
            rows: attempt.rows,
            tried: attempt.tried,
        }
    }
}

impl Letter {
    /// Reads one line. `place` is what errors call it.
    pub fn parse(place: &str, line: &str) -> Result<Self> {
        serde_json::from_str(line).map_err(|e| {
            Invalid::new(format!("{place}: this is no dead letter: {e}")).hint("it is one line of JSON").into()
        })
    }

    /// The function's name in its component.
    pub fn function_name(&self) -> Option<&str> {
        self.function.as_deref().map(|label| label.rsplit_once('.').map_or(label, |(_, name)| name))
    }
}
