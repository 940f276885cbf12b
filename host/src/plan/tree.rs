//! A plan as a tree, with the types on every edge: what `weir check` prints.

use std::fmt::Write;

use super::quantity::duration_text;
use super::{Bound, Emit, Firing, Node, OnError, Operator, Plan, WindowKind};
use crate::flow::sink::Output;
use crate::types::Field;

impl Plan {
    /// The plan as a tree, each node under the one it takes rows from.
    pub fn tree(&self) -> String {
        let mut out = format!("{}\n", self.name);
        let roots: Vec<usize> = (0..self.nodes.len()).filter(|i| self.nodes[*i].input.is_none()).collect();
        for (i, root) in roots.iter().enumerate() {
            self.branch(&mut out, *root, "", i + 1 == roots.len());
        }
        if let Some(letters) = &self.dead_letters {
            let _ = writeln!(out, "dead letters: {}", letters.path.display());
        }
        if let Some(checkpoint) = &self.checkpoint {
            let every = duration_text(i64::try_from(checkpoint.every.as_micros()).unwrap_or(i64::MAX));
            let _ = writeln!(out, "checkpoints: {}, every {every}", checkpoint.location);
            for node in &self.nodes {
                let Operator::Sink(sink) = &node.operator else { continue };
                let published = match sink.output {
                    Output::Folder(_) => "exactly once, with each checkpoint",
                    Output::File(_) => "exactly once, when the input has ended",
                    Output::Stdout => "at least once",
                    Output::Blackhole => continue,
                };
                let _ = writeln!(out, "  sink {}: {published}", node.name);
            }
        }
        out
    }

    /// What the tree says of each node, in the nodes' order, without where the rows come from.
    pub(crate) fn lines(&self) -> Vec<String> {
        let whole = |node: &Node| [vec![node.line()], node.lines()].concat().join("; ");
        self.nodes.iter().map(whole).collect()
    }

    fn branch(&self, out: &mut String, index: usize, indent: &str, last: bool) {
        let node = &self.nodes[index];
        let (corner, bar) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let _ = writeln!(out, "{indent}{corner}{}", node.line());
        let children: Vec<usize> = (0..self.nodes.len()).filter(|i| self.nodes[*i].input == Some(index)).collect();
        // A join stands under its left stream; the right one says where it goes.
        let joins = self.nodes.iter().filter(|n| n.right() == Some(index));
        let joins: Vec<String> = joins.map(|n| format!("-> {}, as the right stream", n.name)).collect();
        let below = format!("{indent}{bar}");
        for line in node.lines().into_iter().chain(joins) {
            let stem = if children.is_empty() { "   " } else { "│  " };
            let _ = writeln!(out, "{below}{stem}{line}");
        }
        for (i, child) in children.iter().enumerate() {
            self.branch(out, *child, &below, i + 1 == children.len());
        }
    }
}

impl Node {
    fn line(&self) -> String {
        let policy = match self.on_error {
            OnError::DeadLetter => ", failed rows to the dead letters",
            OnError::Skip => ", failed rows skipped",
            OnError::Stop => "",
        };
        let what = match &self.operator {
            Operator::Source(source) => {
                let n = source.discovered.partitions.len();
                format!(
                    "source {}: {} ({n} partition{})",
                    self.name,
                    self.operator.detail(),
                    if n == 1 { "" } else { "s" }
                )
            }
            Operator::Map(apply) => format!("map {}: {}", self.name, apply.call.text()),
            Operator::Filter(apply) => format!("filter {}: {}", self.name, apply.call.text()),
            Operator::FlatMap(apply) => format!("flat-map {}: {}", self.name, apply.call.text()),
            Operator::StatefulMap(stateful) => {
                let ttl =
                    stateful.ttl_us.map_or(String::new(), |us| format!(", forgotten after {}", duration_text(us)));
                let key = by(&stateful.key);
                format!("stateful-map {}: {}, {key}{ttl}", self.name, stateful.apply.call.text())
            }
            Operator::Window(window) => {
                format!("window {}: {}, {}{}", self.name, window.kind.text(), by(&window.key), window.firing)
            }
            Operator::Join(join) => format!("join {}: {}, {}", self.name, join.text(), join.key_text()),
            Operator::Partition(how) => format!("partition {}: {how}", self.name),
            Operator::Late => format!("late rows {}", self.name),
            Operator::Sink(_) => return format!("sink {}: {}", self.name, self.operator.detail()),
        };
        format!("{what}{policy}")
    }

    /// What stands under the node's line: its aggregates, its time, its columns.
    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        match &self.operator {
            Operator::Source(source) => {
                if let Some(time) = &source.event_time {
                    lines.push(time.line());
                }
            }
            Operator::Window(window) => {
                lines.push(window.phases.to_string());
                let line = |outputs: &[Field], call: &Bound| format!("{} = {}", list(outputs), call.text());
                lines.extend(window.compute.aggregates().iter().map(|a| line(&a.outputs, &a.call)));
                lines.extend(window.compute.group_map().map(|apply| line(&apply.outputs, &apply.call)));
            }
            _ => {}
        }
        lines.push(format!("({})", list(&self.fields)));
        lines
    }
}

impl WindowKind {
    /// The kind with its durations: `hopping 1h every 5m, offset 1m`.
    pub(super) fn text(self) -> String {
        let kind = match self {
            Self::Tumbling { size_us, .. } => format!("tumbling {}", duration_text(size_us)),
            Self::Hopping { size_us, step_us, .. } => {
                format!("hopping {} every {}", duration_text(size_us), duration_text(step_us))
            }
            Self::Cumulating { size_us, step_us, .. } => {
                format!("cumulating {} every {}", duration_text(size_us), duration_text(step_us))
            }
            Self::Session { gap_us } => format!("sessions, gap {}", duration_text(gap_us)),
            Self::Count { rows, step } if rows == step => format!("{rows} rows"),
            Self::Count { rows, step } => format!("{rows} rows every {step}"),
            Self::Global => "global".to_string(),
        };
        let offset = match self {
            Self::Tumbling { offset_us: us @ 1.., .. }
            | Self::Hopping { offset_us: us @ 1.., .. }
            | Self::Cumulating { offset_us: us @ 1.., .. } => format!(", offset {}", duration_text(us)),
            _ => String::new(),
        };
        format!("{kind}{offset}")
    }
}

impl std::fmt::Display for Firing {
    /// What is not as it mostly is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.emit {
            Emit::Final => {}
            Emit::Every { us } => write!(f, ", early results every {}", duration_text(us))?,
            Emit::Changes => f.write_str(", results as they change")?,
        }
        match self.allowed_lateness_us {
            0 => Ok(()),
            us => write!(f, ", late by up to {}", duration_text(us)),
        }
    }
}

impl Bound {
    /// The call with its columns and parameters: `stats.quantile(delay, q = 0.95)`.
    fn text(&self) -> String {
        let columns = self.arguments.iter().map(|a| match a.widen {
            Some(to) => format!("{} as {to}", a.column),
            None => a.column.clone(),
        });
        let parameters = match &self.function {
            super::Function::Sandboxed { parameters, .. } => {
                parameters.iter().map(|(n, v)| format!("{n} = {v}")).collect()
            }
            super::Function::Native(_) => Vec::new(),
        };
        format!("{}({})", self.label, columns.chain(parameters).collect::<Vec<_>>().join(", "))
    }
}

fn list(fields: &[Field]) -> String {
    fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn by(key: &[Field]) -> String {
    match key.is_empty() {
        true => "all rows".to_string(),
        false => format!("by {}", list(key)),
    }
}
