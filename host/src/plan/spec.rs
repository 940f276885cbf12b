//! A pipeline file as it is written: every value with its place, nothing checked but the shape.
//!
//! In comes TOML; out goes a [`Spec`] whose values know where they stand, so that what the checks
//! find later is shown at its line. Keys that do not exist are refused here.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use toml::{Spanned, Table};

use crate::error::{Invalid, Place};

/// A value and where it stands.
pub(super) type At<T> = Spanned<T>;

/// Named things in the order of their names in the file.
pub(super) type Named<T> = BTreeMap<Spanned<String>, At<T>>;

/// What was written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Spec {
    pub(super) name: Option<String>,
    pub(super) on_error: Option<At<String>>,
    pub(super) max_failed: Option<At<String>>,
    #[serde(default)]
    pub(super) limits: LimitsSpec,
    #[serde(default)]
    pub(super) functions: BTreeMap<String, At<FunctionsSpec>>,
    pub(super) source: Option<At<SourceSpec>>,
    #[serde(default)]
    pub(super) sources: Named<SourceSpec>,
    #[serde(default)]
    pub(super) steps: Vec<At<StepSpec>>,
    pub(super) sink: Option<At<SinkSpec>>,
    #[serde(default)]
    pub(super) sinks: Named<SinkSpec>,
    pub(super) dead_letters: Option<At<DeadLettersSpec>>,
    pub(super) trust: Option<At<TrustSpec>>,
    pub(super) state: Option<At<StateSpec>>,
    pub(super) checkpoint: Option<At<CheckpointSpec>>,
}

/// `[limits]`: which names there are, the sandbox knows.
pub(super) type LimitsSpec = Named<toml::Value>;

/// An entry of `[functions]`: a path, or a table with a path and limits.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a path, or a table with `path` and maybe limits")]
pub(super) enum FunctionsSpec {
    Path(String),
    Table(FunctionsTable),
}

#[derive(Debug, Deserialize)]
pub(super) struct FunctionsTable {
    pub(super) path: String,
    #[serde(flatten)]
    pub(super) limits: BTreeMap<String, toml::Value>,
}

/// `[source]` or `[sources.NAME]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct SourceSpec {
    pub(super) file: Option<At<String>>,
    pub(super) stdin: Option<At<bool>>,
    pub(super) nexmark: Option<At<NexmarkSpec>>,
    pub(super) format: Option<At<String>>,
    pub(super) csv: Option<At<CsvSpec>>,
    pub(super) schema: Option<At<SchemaSpec>>,
    pub(super) event_time: Option<At<EventTimeSpec>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct NexmarkSpec {
    pub(super) stream: At<String>,
    pub(super) rows: At<i64>,
    pub(super) seed: Option<u64>,
    pub(super) partitions: Option<At<i64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct CsvSpec {
    pub(super) delimiter: Option<At<String>>,
    pub(super) quote: Option<At<String>>,
    pub(super) header: Option<bool>,
    pub(super) nulls: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct EventTimeSpec {
    pub(super) column: Option<At<String>>,
    pub(super) format: Option<At<String>>,
    pub(super) zone: Option<At<String>>,
    pub(super) out_of_order: Option<At<String>>,
    pub(super) idle_after: Option<At<String>>,
    pub(super) processing: Option<At<bool>>,
}

/// An entry of `[[steps]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct StepSpec {
    pub(super) name: Option<At<String>>,
    pub(super) from: Option<At<String>>,
    pub(super) map: Option<At<String>>,
    pub(super) filter: Option<At<String>>,
    pub(super) flat_map: Option<At<String>>,
    pub(super) stateful_map: Option<At<String>>,
    pub(super) ttl: Option<At<String>>,
    pub(super) with: Option<At<Table>>,
    #[serde(rename = "as")]
    pub(super) rename: Option<At<AsSpec>>,
    pub(super) key_by: Option<At<Vec<At<String>>>>,
    pub(super) window: Option<At<WindowSpec>>,
    pub(super) aggregate: Option<At<Aggregates>>,
    pub(super) two_phase: Option<At<bool>>,
    pub(super) join: Option<At<String>>,
    pub(super) on: Option<At<Named<String>>>,
    pub(super) within: Option<At<WithinSpec>>,
    pub(super) kind: Option<At<String>>,
    pub(super) prefix: Option<At<String>>,
    pub(super) broadcast: Option<At<bool>>,
    pub(super) group_map: Option<At<String>>,
    pub(super) emit: Option<At<EmitSpec>>,
    pub(super) allowed_lateness: Option<At<String>>,
    pub(super) late: Option<At<String>>,
    pub(super) on_error: Option<At<String>>,
    pub(super) partition: Option<At<PartitionSpec>>,
}

/// How rows are spread over workers.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected `\"round-robin\"`, `{ key = [\"column\"] }` or `{ range = \"column\", at = [10, 20] }`"
)]
pub(super) enum PartitionSpec {
    Word(String),
    Table(PartitionTable),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartitionTable {
    pub(super) key: Option<Vec<String>>,
    pub(super) range: Option<String>,
    pub(super) at: Option<Vec<toml::Value>>,
}

/// How far the times of the two rows of a pair may be apart.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct WithinSpec {
    pub(super) before: Option<At<String>>,
    pub(super) after: Option<At<String>>,
}

/// Columns and their types.
pub(super) type SchemaSpec = BTreeMap<String, At<String>>;

/// Result columns and the calls that fill them.
pub(super) type Aggregates = BTreeMap<String, At<String>>;

/// The names of a function's outputs: one, or a list.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a name, or a list of names")]
pub(super) enum AsSpec {
    One(String),
    Many(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct WindowSpec {
    pub(super) tumbling: Option<At<String>>,
    pub(super) hopping: Option<At<String>>,
    pub(super) cumulating: Option<At<String>>,
    pub(super) session: Option<At<String>>,
    pub(super) count: Option<At<i64>>,
    pub(super) global: Option<At<bool>>,
    pub(super) step: Option<At<Amount>>,
    pub(super) offset: Option<At<String>>,
}

/// How far it is from one window to the next.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a duration as in `\"5m\"`, or a number of rows")]
pub(super) enum Amount {
    Rows(i64),
    Time(String),
}

/// When windows give results.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected `\"final\"`, `\"changes\"` or `{ every = \"10s\" }`")]
pub(super) enum EmitSpec {
    Word(String),
    Every(EverySpec),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EverySpec {
    pub(super) every: String,
}

/// `[sink]` or `[sinks.NAME]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct SinkSpec {
    pub(super) from: Option<At<String>>,
    pub(super) file: Option<At<String>>,
    pub(super) folder: Option<At<String>>,
    pub(super) stdout: Option<At<bool>>,
    pub(super) blackhole: Option<At<bool>>,
    pub(super) format: Option<At<String>>,
    pub(super) csv: Option<At<CsvSpec>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct DeadLettersSpec {
    pub(super) file: Option<At<String>>,
    pub(super) folder: Option<At<String>>,
    pub(super) format: Option<At<String>>,
}

/// `[trust]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct TrustSpec {
    pub(super) keys: Vec<At<String>>,
}

/// `[state]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct StateSpec {
    pub(super) disk: Option<At<String>>,
    pub(super) redis: Option<At<String>>,
    pub(super) prefix: Option<At<String>>,
    pub(super) memory: Option<At<String>>,
}

/// `[checkpoint]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct CheckpointSpec {
    pub(super) dir: At<String>,
    pub(super) endpoint: Option<At<String>>,
    pub(super) region: Option<At<String>>,
    pub(super) retry: Option<At<String>>,
    pub(super) every: Option<At<String>>,
    pub(super) keep: Option<At<i64>>,
}

/// A pipeline file's text, to say where in it something stands.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl Text {
    pub(super) fn parse(&self) -> Result<Spec, Invalid> {
        toml::from_str(&self.text).map_err(|error| {
            let invalid = Invalid::new(error.message().trim().replace('\n', ", "));
            match error.span() {
                Some(span) => invalid.at(self.place(span.start)),
                None => invalid.at(self.place(0)),
            }
        })
    }

    /// The line and column of a byte.
    pub(super) fn place(&self, byte: usize) -> Place {
        let before = &self.text[..self.text.floor_char_boundary(byte)];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        Place {
            file: self.path.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// Something wrong with a value, or else with what it would be part of.
    pub(super) fn wrong_at<T, U>(&self, at: Option<&At<T>>, owner: &At<U>, message: impl Into<String>) -> Invalid {
        let start = at.map_or(owner.span().start, |at| at.span().start);
        Invalid::new(message).at(self.place(start))
    }

    /// Something wrong with a value.
    pub(super) fn wrong<T>(&self, at: &At<T>, message: impl Into<String>) -> Invalid {
        Invalid::new(message).at(self.place(at.span().start))
    }
}
