//! What should run: a pipeline file, checked once and typed.
//!
//! A `Spec` is what was written, a [`Plan`] is what is true: every function loaded,
//! every column found, every type agreed, every source looked at. Nothing after the plan checks
//! any of that again, and nothing here moves a row.

mod bind;
mod call;
mod checkpoint;
mod event_time;
mod join;
mod letters;
mod limits;
mod load;
mod partition;
mod prune;
pub(crate) mod quantity;
mod spec;
mod state;
mod stateful;
mod steps;
mod streams;
mod tree;
mod trust;
mod two_phase;
mod window;

use std::sync::Arc;

pub use join::{Join, JoinKind, Origin, PairColumn, Pairing};
pub use letters::{DeadLetters, LettersForm};
pub(crate) use limits::limits_as_written;
pub use load::{Environment, Policy, checkpoint_location};
pub use two_phase::Phases;
pub use window::{Aggregate, Compute, Emit, Firing, Late, WINDOW_COLUMNS, WINDOW_EMIT, Window, WindowKind};

use crate::checkpoint as checkpoints;
use crate::flow::times::TimeFormat;
use crate::flow::{sink, source};
use crate::function::{Calls, Fault, Native, Signature};
use crate::report::{Metrics, Node as Counters, NodeKind};
use crate::sandbox::{Artifact, Instance, Limits, Parameters, Reuse};
use crate::state::Settings;
use crate::types::{DataType, Field};

/// A pipeline that can run.
#[derive(Debug)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// Sources, steps and sinks; each after those it takes rows from.
    pub nodes: Vec<Node>,
    /// Where rows that failed are kept.
    pub dead_letters: Option<DeadLetters>,
    /// Where the state of steps is kept.
    pub state: Settings,
    /// How many of a step's rows may fail until the pipeline stops.
    pub max_failed: Option<Share>,
    /// When checkpoints are taken, and where they are.
    pub checkpoint: Option<checkpoints::Settings>,
}

/// A source, step or sink.
#[derive(Debug)]
pub struct Node {
    /// Its name: unique in the pipeline.
    pub name: String,
    /// The node that it takes rows from, of a join the left one; a source has none.
    pub input: Option<usize>,
    /// The columns that it gives and somebody needs.
    pub fields: Vec<Field>,
    /// Whether its rows carry an event time.
    pub timed: bool,
    /// Whether its rows come from windows or a join, and so in an order of their own: (window end,
    /// key), or (time, key) of the left row.
    pub windowed: bool,
    /// What becomes of rows that fail.
    pub on_error: OnError,
    /// What it does.
    pub operator: Operator,
}

/// A part of all rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(pub f64);

/// What becomes of rows that fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnError {
    /// They are kept with the reason, and the pipeline goes on.
    DeadLetter,
    /// They are counted, and the pipeline goes on.
    Skip,
    /// The pipeline stops.
    Stop,
}

/// What a node does.
#[derive(Debug)]
pub enum Operator {
    /// Gives rows.
    Source(Source),
    /// One row out for each row in; the outputs are added, or replace columns of their names.
    Map(Apply),
    /// Keeps some of the rows.
    Filter(Apply),
    /// Any number of rows out for each row in, which keep its other columns.
    FlatMap(Apply),
    /// Any number of rows out for each row in, with a state for each key.
    StatefulMap(StatefulMap),
    /// Folds rows by key and window.
    Window(Window),
    /// Pairs rows of two streams by key and time.
    Join(Join),
    /// Gives the rows that came too late for all windows of its input.
    Late,
    /// Spreads rows over the workers.
    Partition(Partition),
    /// Takes rows.
    Sink(Sink),
}

/// How rows are spread over the workers. No result depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Partition {
    /// Batch by batch, to one worker after the other.
    RoundRobin,
    /// Rows of one key to one worker.
    Key(Vec<Field>),
    /// Rows of one range of values to one worker.
    Range {
        /// The column of the values.
        column: Field,
        /// Where one range ends and the next begins, ascending, encoded as keys are.
        bounds: Vec<Vec<u8>>,
    },
}

/// Where rows come from.
#[derive(Debug)]
pub struct Source {
    /// What to read and how.
    pub settings: source::Settings,
    /// What is there.
    pub discovered: source::Discovered,
    /// The columns to read: those of the node and the event time.
    pub columns: Vec<Field>,
    /// Where the rows' time stands.
    pub event_time: Option<EventTime>,
}

/// When the rows of a source happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventTime {
    /// What says it.
    pub of: TimeOf,
    /// How much earlier than the latest row a row may be, in microseconds.
    pub out_of_order_us: i64,
    /// For how many microseconds a partition has to give nothing until the others do not wait for it.
    pub idle_after_us: Option<i64>,
}

/// What says when a row happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeOf {
    /// A column of the source.
    Column {
        /// Its name.
        name: String,
        /// How it writes times; fits its type.
        format: TimeFormat,
    },
    /// The clock, when the row is read.
    Clock,
}

impl EventTime {
    /// The column that says it, if one does.
    pub fn column(&self) -> Option<&str> {
        match &self.of {
            TimeOf::Column { name, .. } => Some(name),
            TimeOf::Clock => None,
        }
    }
}

/// A function of a step.
#[derive(Debug)]
pub struct Apply {
    /// The function and its columns.
    pub call: Bound,
    /// The names of its outputs in the row.
    pub outputs: Vec<Field>,
}

/// A function with a state for each key.
#[derive(Debug)]
pub struct StatefulMap {
    /// The function, its columns and its outputs.
    pub apply: Apply,
    /// The columns that make the key; without any, all rows have one state.
    pub key: Vec<Field>,
    /// Microseconds of event time without a row of the key after which its state is forgotten.
    pub ttl_us: Option<i64>,
    /// A state that has seen nothing.
    pub empty: Vec<arrow_array::ArrayRef>,
}

/// A function with its arguments.
#[derive(Debug)]
pub struct Bound {
    /// As the user knows it: `flights.departed`.
    pub label: String,
    /// What is called.
    pub function: Function,
    /// The columns for its inputs.
    pub arguments: Vec<Argument>,
    /// What its random numbers start from beside the batch: of the pipeline, the step and the function.
    pub seed: u64,
}

/// A column for an input of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its name in the row.
    pub column: String,
    /// The type that the function takes, where the column has a narrower one.
    pub widen: Option<DataType>,
    /// Whether rows without a value pass the function by.
    pub strict: bool,
}

/// Something that can be called, with its parameters.
#[derive(Debug, Clone)]
pub enum Function {
    /// In a sandbox.
    Sandboxed {
        /// The component.
        artifact: Arc<Artifact>,
        /// Which of its functions.
        index: usize,
        /// What the pipeline gives, and the defaults.
        parameters: Parameters,
        /// What an instance may use.
        limits: Box<Limits>,
    },
    /// In the host: a library user's own.
    Native(Arc<Native>),
}

impl Function {
    /// What it says of itself.
    pub fn signature(&self) -> &Signature {
        match self {
            Self::Sandboxed { artifact, index, .. } => &artifact.functions()[*index],
            Self::Native(native) => native.signature(),
        }
    }

    /// A callable of it, for one step and worker.
    pub fn open(&self, reuse: Reuse) -> Box<dyn Calls> {
        match self {
            Self::Sandboxed { artifact, index, parameters, limits } => {
                Box::new(Instance::new(artifact, *index, Arc::clone(parameters), **limits, reuse))
            }
            Self::Native(native) => native.open(),
        }
    }

    /// The digest of its component.
    pub fn digest(&self) -> Option<&str> {
        match self {
            Self::Sandboxed { artifact, .. } => Some(artifact.digest()),
            Self::Native(_) => None,
        }
    }
}

/// Where rows go.
#[derive(Debug)]
pub struct Sink {
    /// Where to.
    pub output: sink::Output,
    /// How records are written.
    pub format: sink::Format,
}

impl Plan {
    /// Gives each function the seed of its place.
    fn seed(&mut self) {
        for node in &mut self.nodes {
            let place = format!("{}\0{}\0", self.name, node.name);
            let set = |call: &mut Bound| {
                call.seed = xxhash_rust::xxh3::xxh3_64(format!("{place}{}", call.label).as_bytes());
            };
            match &mut node.operator {
                Operator::Map(apply) | Operator::Filter(apply) | Operator::FlatMap(apply) => set(&mut apply.call),
                Operator::StatefulMap(stateful) => set(&mut stateful.apply.call),
                Operator::Window(window) => window.compute.calls_mut().for_each(set),
                Operator::Source(_)
                | Operator::Join(_)
                | Operator::Late
                | Operator::Partition(_)
                | Operator::Sink(_) => {}
            }
        }
    }

    /// Counters for the nodes, in their order.
    pub fn metrics(&self, workers: usize) -> Metrics {
        let counters = self.nodes.iter().map(|n| Counters::new(&n.name, n.operator.kind(), n.operator.detail()));
        Metrics::new(&self.name, workers, counters.collect())
    }
}

impl Node {
    /// The nodes that it takes rows from: none, one, or of a join the left and the right one.
    pub fn inputs(&self) -> impl Iterator<Item = usize> {
        self.input.into_iter().chain(self.right())
    }

    /// Whether it remembers something between rows.
    pub fn has_state(&self) -> bool {
        matches!(self.operator, Operator::Window(_) | Operator::StatefulMap(_) | Operator::Join(_))
    }

    /// The other stream of a join.
    pub fn right(&self) -> Option<usize> {
        match &self.operator {
            Operator::Join(join) => Some(join.right),
            _ => None,
        }
    }
}

impl Plan {
    /// The names of the source's partitions that the rows a node takes (or, of a source, gives)
    /// are of; none behind a window, and none of a join, whose rows are of two sources.
    pub fn partitions_of(&self, node: usize) -> Vec<String> {
        self.source_of(node).map_or_else(Vec::new, |source| source.discovered.partitions.clone())
    }

    /// What tells those partitions apart wherever the command is run.
    pub fn partition_names_of(&self, node: usize) -> Vec<String> {
        self.source_of(node).map_or_else(Vec::new, |source| source.discovered.names())
    }

    /// The source whose partitions the rows are of that a node takes, or gives if it is one.
    fn source_of(&self, node: usize) -> Option<&Source> {
        let mut node = &self.nodes[node];
        loop {
            match (&node.operator, node.input) {
                (Operator::Source(source), _) => return Some(source),
                (Operator::Join(_), _) => return None,
                (_, Some(input)) => {
                    let late = matches!(node.operator, Operator::Late);
                    node = &self.nodes[input];
                    if matches!(node.operator, Operator::Window(_)) && !late {
                        return None;
                    }
                }
                (_, None) => return None,
            }
        }
    }

    /// The partitions of the stream that a node gives: those of its source, or behind a window or a
    /// join one for each worker.
    pub fn partition_count(&self, node: usize, workers: usize) -> usize {
        match &self.nodes[node].operator {
            Operator::Window(_) | Operator::Join(_) => workers,
            Operator::Source(source) => source.discovered.partitions.len(),
            // Late rows are those of the stream that the window takes.
            Operator::Late => {
                let window = self.nodes[node].input.and_then(|window| self.nodes[window].input);
                window.map_or(0, |input| self.partition_count(input, workers))
            }
            _ => self.nodes[node].input.map_or(0, |input| self.partition_count(input, workers)),
        }
    }
}

impl Operator {
    /// What it is, for the report.
    pub fn kind(&self) -> NodeKind {
        match self {
            Self::Source(_) => NodeKind::Source,
            Self::Map(_) => NodeKind::Map,
            Self::Filter(_) => NodeKind::Filter,
            Self::FlatMap(_) => NodeKind::FlatMap,
            Self::StatefulMap(_) => NodeKind::StatefulMap,
            Self::Window(_) => NodeKind::Window,
            Self::Join(_) => NodeKind::Join,
            Self::Late => NodeKind::Late,
            Self::Partition(_) => NodeKind::Partition,
            Self::Sink(_) => NodeKind::Sink,
        }
    }

    /// What it runs, reads or writes, in a few words.
    pub fn detail(&self) -> String {
        match self {
            Self::Source(source) => match &source.settings.input {
                source::Input::File(path) => path.display().to_string(),
                source::Input::Stdin => "stdin".to_string(),
                source::Input::Nexmark(settings) => {
                    format!("nexmark {}", format!("{:?}", settings.stream).to_lowercase())
                }
            },
            Self::Map(apply) | Self::Filter(apply) | Self::FlatMap(apply) => apply.call.label.clone(),
            Self::StatefulMap(stateful) => stateful.apply.call.label.clone(),
            Self::Window(window) => {
                window.compute.calls().map(|call| call.label.as_str()).collect::<Vec<_>>().join(", ")
            }
            Self::Join(join) => join.text(),
            Self::Late => "rows".to_string(),
            Self::Partition(how) => how.to_string(),
            Self::Sink(sink) => match &sink.output {
                sink::Output::File(path) => path.display().to_string(),
                sink::Output::Folder(path) => format!("{}/", path.display()),
                sink::Output::Stdout => "stdout".to_string(),
                sink::Output::Blackhole => "blackhole".to_string(),
            },
        }
    }
}

/// Asks a function whether its parameters make sense, with a batch of no rows.
fn dry_run(function: &Function) -> Result<Vec<arrow_array::ArrayRef>, Fault> {
    use crate::function::{Input, Kind};
    let signature = function.signature();
    let columns: Vec<_> = signature.inputs.iter().map(|f| arrow_array::new_empty_array(&f.data_type.arrow())).collect();
    let input = Input { rows: 0, columns: &columns, now: 0, seed: 0 };
    let mut calls = function.open(Reuse::UntilFault);
    match signature.kind {
        Kind::Mapper => calls.map(input).map(|_| Vec::new()),
        Kind::Filter => calls.filter(input).map(|_| Vec::new()),
        Kind::FlatMapper => calls.flat_map(input).map(|_| Vec::new()),
        Kind::Aggregate | Kind::StatefulMapper => calls.create(1),
        Kind::GroupMapper => calls.map_groups(0, &[], input).map(|_| Vec::new()),
    }
}
