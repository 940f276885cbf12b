//! What was found of a component, and what that comes to.

use serde::Serialize;

use crate::function::{Kind, Signature};
use crate::sandbox::Artifact;
use crate::sandbox::settings::Amount;

/// What was found of a component.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether it is fit to run.
    pub verdict: Verdict,
    /// SHA-256 of the component in hexadecimal.
    pub digest: String,
    /// Size of the component.
    pub bytes: u64,
    /// Milliseconds that compiling it took; 0 where it was compiled before.
    pub compile_ms: f64,
    /// The contract that it was built for.
    pub world: String,
    /// Interfaces that it imports, and what it is granted by each.
    pub imports: Vec<Import>,
    /// Interfaces that it exports.
    pub exports: Vec<String>,
    /// Limits that it was tried under, where they are not the defaults.
    pub limits: Vec<(String, String)>,
    /// Its functions.
    pub functions: Vec<FunctionReport>,
}

/// An interface that a component imports.
#[derive(Clone, Debug, Serialize)]
pub struct Import {
    /// Its name.
    pub name: String,
    /// What comes with it.
    pub grants: &'static str,
}

/// What all that was found comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// All that was tried holds.
    Fit,
    /// Something was not tried, or is worth a look.
    FitWithNotes,
    /// Something that the host builds on does not hold.
    Unfit,
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "result", content = "why")]
pub enum Check {
    /// It holds, as far as it was tried.
    Held,
    /// It does not hold; an example.
    Broken(String),
    /// Worth a look.
    Noted(String),
    /// It was not tried.
    Untried(String),
    /// It does not apply to such a function.
    Absent,
}

impl Check {
    /// Not tried.
    pub fn untried(why: impl Into<String>) -> Self {
        Self::Untried(why.into())
    }

    fn verdict(&self) -> Verdict {
        match self {
            Self::Held | Self::Absent => Verdict::Fit,
            Self::Noted(_) | Self::Untried(_) => Verdict::FitWithNotes,
            Self::Broken(_) => Verdict::Unfit,
        }
    }
}

/// What calls cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// The median of calls with 8,192 rows, or with fewer where it can't take those.
    pub ns_per_row: f64,
    /// WebAssembly instructions, about.
    pub instructions_per_row: f64,
    /// Linear memory of an instance, behind the calls.
    pub memory_bytes: usize,
}

/// What was found of a function.
#[derive(Clone, Debug, Serialize)]
pub struct FunctionReport {
    /// What it says of itself.
    #[serde(flatten)]
    pub signature: Signature,
    /// What it costs, where it could be called.
    pub cost: Option<Cost>,
    /// Whether it can be called on made-up rows.
    pub runs: Check,
    /// Whether two instances give the same for the same.
    pub deterministic: Check,
    /// Whether an instance that has seen other rows gives the same as one that has not.
    pub forgets: Check,
    /// Whether it takes the edges of its types: the least and greatest numbers, NaN, empty and long texts.
    pub edges: Check,
    /// Of an aggregate, whether `merge` agrees with `accumulate` however rows are split.
    pub lawful: Check,
}

impl FunctionReport {
    pub(super) fn new(signature: Signature, cost: Option<Cost>, runs: Check, checks: [Check; 4]) -> Self {
        let [deterministic, forgets, edges, lawful] = checks;
        let lawful = if signature.kind == Kind::Aggregate { lawful } else { Check::Absent };
        Self { signature, cost, runs, deterministic, forgets, edges, lawful }
    }

    pub(super) fn untried(signature: Signature, why: String) -> Self {
        let untried = || Check::Untried(why.clone());
        Self::new(signature, None, untried(), [untried(), untried(), untried(), untried()])
    }

    /// The checks with what each is about.
    pub fn checks(&self) -> [(&'static str, &Check); 5] {
        [
            ("runs", &self.runs),
            ("deterministic", &self.deterministic),
            ("keeps nothing", &self.forgets),
            ("edges", &self.edges),
            ("merge agrees", &self.lawful),
        ]
    }
}

impl Report {
    pub(super) fn new(
        artifact: &Artifact,
        limits: impl Iterator<Item = (&'static str, Amount)>,
        functions: Vec<FunctionReport>,
    ) -> Self {
        let verdict = functions.iter().flat_map(FunctionReport::checks).map(|(_, check)| check.verdict()).max();
        let import = |name: &String| Import {
            name: name.clone(),
            grants: match name.starts_with("wasi:") {
                true => "nothing: no files, network or environment; clocks and random numbers are the batch's",
                false if name.starts_with("weir:udf/host") => {
                    "a log, its parameters, the batch's time and random numbers"
                }
                false => "types",
            },
        };
        let version = |name: &String| name.split_once("catalog@").map(|(_, version)| format!("weir:udf {version}"));
        Self {
            verdict: verdict.unwrap_or(Verdict::Fit),
            digest: artifact.digest().to_string(),
            bytes: artifact.bytes() as u64,
            compile_ms: if artifact.cached() { 0.0 } else { artifact.compile_time().as_secs_f64() * 1e3 },
            world: artifact.exports().iter().find_map(version).unwrap_or_default(),
            imports: artifact.imports().iter().map(import).collect(),
            exports: artifact.exports().to_vec(),
            limits: limits.map(|(name, amount)| (name.to_string(), amount.to_string())).collect(),
            functions,
        }
    }
}
