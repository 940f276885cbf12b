//! Functions held against what is expected of them: cases in, verdicts out.
//!
//! A [`Case`] is one line of JSON: a function, its parameters, rows, and what comes of them. It is
//! run in the real sandbox and compared value by value. [`conformance`] are the cases that say
//! whether an SDK does what the contract wants. Nothing is written here but values.

mod call;
mod compare;
pub mod conformance;
pub mod exact;
mod value;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

pub use call::Way;
pub use value::Row;

use crate::function::{Kind, Signature};
use crate::sandbox::{Artifact, Instance, Limits, Reuse};

/// A function, rows, and what comes of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows, for people.
    #[serde(default)]
    pub name: String,
    /// The function's name.
    pub function: String,
    /// Its parameters.
    #[serde(default)]
    pub with: BTreeMap<String, Value>,
    /// The batch's time: a text, or microseconds.
    pub now: Option<Value>,
    /// The rows of the call.
    #[serde(default)]
    pub rows: Vec<Row>,
    /// For each row its group (an aggregate's, a group map's) or key (a stateful map's); one for all
    /// without it.
    pub groups: Option<Vec<u32>>,
    /// Rows over and over until there are so many, and what comes of them likewise. For kinds that
    /// look at one row at a time.
    pub times: Option<usize>,
    /// What is to come: for each row (or group) a value, as `Way::run` says; `{"fault": ".."}` where the
    /// whole call fails. None: not known yet.
    pub expect: Option<Value>,
}

impl Case {
    /// Reads a line.
    ///
    /// # Errors
    /// Where it is no case, in a reader's words.
    pub fn parse(line: &str) -> Result<Self, String> {
        exact::parse(line).and_then(serde_json::from_value).map_err(|e| e.to_string())
    }
}

/// What a case came to.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It is as expected.
    Passed,
    /// It is not; how it differs, a line each.
    Differs(Vec<String>),
    /// Nothing was expected.
    Unknown,
    /// It makes no sense: why.
    Invalid(String),
}

/// A case that was run.
#[derive(Clone, Debug)]
pub struct Checked {
    /// How it ended.
    pub verdict: Verdict,
    /// What came of the rows, in canonical form.
    pub actual: Value,
    /// What the function logged, where the whole call failed.
    pub log: Vec<String>,
}

/// Room enough for an interpreter: cases are about results.
fn limits() -> Limits {
    Limits { memory_bytes_max: 1 << 30, batch_time_max: Duration::from_secs(30), ..Limits::default() }
}

/// Runs a case.
pub fn check(artifact: &Arc<Artifact>, case: &Case, way: Way) -> Checked {
    match run(artifact, case, way) {
        Ok((signature, (actual, log))) => {
            let verdict = match &case.expect {
                None => Verdict::Unknown,
                Some(expect) => compare::compare(signature, &repeated(case, expect), &actual),
            };
            Checked { verdict, actual, log }
        }
        Err(why) => Checked { verdict: Verdict::Invalid(why), actual: Value::Null, log: Vec::new() },
    }
}

type Ran<'a> = (&'a Signature, (Value, Vec<String>));

fn run<'a>(artifact: &'a Arc<Artifact>, case: &Case, way: Way) -> Result<Ran<'a>, String> {
    let functions = artifact.functions();
    let index = functions.iter().position(|f| f.name == case.function).ok_or_else(|| {
        let all: Vec<_> = functions.iter().map(|f| f.name.as_str()).collect();
        format!("there is no function `{}`; there are: {}", case.function, all.join(", "))
    })?;
    let signature = &functions[index];
    let rows = match case.times {
        Some(times) => case.rows.iter().cycle().take(times).cloned().collect(),
        None => case.rows.clone(),
    };
    let columns = value::columns(&signature.inputs, &rows)?;
    let now = match &case.now {
        Some(now) => value::timestamp(now).ok_or_else(|| format!("now: {now} is no time"))?,
        None => 0,
    };
    let groups = groups(signature.kind, case.groups.as_deref(), rows.len())?;
    let parameters = Arc::new(parameters(signature, &case.with)?);
    let reuse = if way == Way::Fresh { Reuse::Never } else { Reuse::UntilFault };
    let mut instance = Instance::new(artifact, index, parameters, limits(), reuse);
    let call = call::Call { signature, columns: &columns, rows: rows.len(), groups: &groups, now };
    Ok((signature, way.run(&mut instance, &call)))
}

fn groups(kind: Kind, given: Option<&[u32]>, rows: usize) -> Result<Vec<u32>, String> {
    let grouped = matches!(kind, Kind::Aggregate | Kind::StatefulMapper | Kind::GroupMapper);
    match given {
        Some(_) if !grouped => Err(format!("groups: {} has none", kind.with_article())),
        Some(groups) if groups.len() != rows => Err(format!("{} groups for {rows} rows", groups.len())),
        Some(groups) if kind == Kind::GroupMapper && !groups.is_sorted() => {
            Err("the groups of a group map stand one after the other".into())
        }
        Some(groups) => Ok(groups.to_vec()),
        None => Ok(vec![0; rows]),
    }
}

fn repeated(case: &Case, expect: &Value) -> Value {
    match (case.times, expect) {
        (Some(times), Value::Array(rows)) => Value::Array(rows.iter().cycle().take(times).cloned().collect()),
        _ => expect.clone(),
    }
}

/// The text forms of what is given, and the defaults.
fn parameters(signature: &Signature, given: &BTreeMap<String, Value>) -> Result<BTreeMap<String, String>, String> {
    let mut values = BTreeMap::new();
    for (name, value) in given {
        let parameter =
            signature.parameter(name).ok_or_else(|| format!("`{}` has no parameter `{name}`", signature.name))?;
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if !crate::function::signature::fits(&text, parameter.data_type) {
            return Err(format!("parameter `{name}` is {}, not {value}", parameter.data_type));
        }
        values.insert(name.clone(), text);
    }
    for parameter in &signature.parameters {
        if !values.contains_key(&parameter.name) {
            let default =
                parameter.default.clone().ok_or_else(|| format!("`{}` needs `{}`", signature.name, parameter.name))?;
            values.insert(parameter.name.clone(), default);
        }
    }
    Ok(values)
}
