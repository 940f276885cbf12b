//! One run of the host beside the model.

use serde_json::Value;
use weir::flow::Options;
use weir::plan::Plan;

use super::oracle::{self, Outcome};
use super::scenario::{self, Scenario};
use crate::pipelines::{Case, Keep, may_keep_state_elsewhere};

/// A pipeline, its input, and how it is run.
#[derive(Clone)]
pub(super) struct Trial {
    pub(super) scenario: Scenario,
    pub(super) options: Options,
    /// Where state is kept, if it may be kept there.
    pub(super) keep: Keep,
}

impl Trial {
    /// Everything that is needed to do it by hand.
    pub(super) fn show(&self) -> String {
        let files = self.scenario.partitions.iter().enumerate();
        let files = files.map(|(i, rows)| format!("--- in-{i}.csv\n{}", scenario::csv(rows)));
        format!(
            "{:?}, {:?}\n--- pipeline.toml\n{}{}",
            self.options,
            self.keep,
            self.scenario.pipeline(),
            files.collect::<String>()
        )
    }
}

/// What came of it that should not have.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// There is no plan.
    Plan(String),
    /// The run ended with an error.
    Run(String),
    /// The results are not the model's.
    Differs(String),
}

impl Failure {
    /// Whether it may have the cause of another one.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    pub(super) fn text(&self) -> &str {
        let (Self::Plan(text) | Self::Run(text) | Self::Differs(text)) = self;
        text
    }
}

/// Where trials run. Those with one pipeline share a plan, since planning takes longer than most runs.
#[derive(Default)]
pub(super) struct Bench {
    planned: Option<(String, Case, Plan)>,
}

impl Bench {
    pub(super) fn run(&mut self, Trial { scenario, options, keep }: &Trial) -> Result<(), Failure> {
        let pipeline = scenario.pipeline();
        let (case, plan) = match self.planned.take() {
            Some((known, case, plan)) if known == pipeline => (case, Some(plan)),
            _ => (Case::empty(), None),
        };
        for entry in std::fs::read_dir(case.path()).expect("the folder").flatten() {
            if entry.file_name().to_string_lossy().starts_with("in-") {
                std::fs::remove_file(entry.path()).expect("a file of ours");
            }
        }
        for (i, partition) in scenario.partitions.iter().enumerate() {
            case.write(&format!("in-{i}.csv"), scenario::csv(partition));
        }
        let plan = match plan {
            Some(plan) => plan,
            None => {
                case.write("pipeline.toml", &pipeline).provide();
                case.plan().map_err(|e| Failure::Plan(case.error_text(&e)))?
            }
        };
        let expected = oracle::run(scenario, options.epoch_rows);
        let keep = if may_keep_state_elsewhere(&plan) { *keep } else { Keep::Memory };
        let ran = case.run_keeping(&plan, options, keep, 1);
        let compared = match &ran.result {
            Err(error) => Err(Failure::Run(case.error_text(error))),
            Ok(report) => {
                let sink = |name: &str| ran.sinks.iter().find(|(n, _)| n == name).map(|(_, text)| text.clone());
                let found = Outcome {
                    output: sink("out.jsonl").unwrap_or_default(),
                    late_rows: sink("late.jsonl").unwrap_or_default(),
                    late: report.late,
                    failed: failed(&case, &ran.dead_letters),
                };
                expected.same_as(&found).map_err(Failure::Differs)
            }
        };
        self.planned = Some((pipeline, case, plan));
        compared
    }
}

/// (function, source, position) of each dead letter, sorted.
fn failed(case: &Case, letters: &[Value]) -> Vec<(String, String, u64)> {
    let text = |letter: &Value, key: &str| letter[key].as_str().unwrap_or_default().to_owned();
    let of = |letter: &Value| {
        let source = case.without_path(&text(letter, "source"));
        (text(letter, "function"), source, letter["position"].as_u64().unwrap_or(u64::MAX))
    };
    let mut failed: Vec<_> = letters.iter().map(of).collect();
    failed.sort();
    failed
}
