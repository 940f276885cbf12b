//! What a node is to its state: what may not change between a checkpoint and the run that resumes it.
//!
//! A function's new version, a stateless step more or less and another number of workers change
//! nothing here. Another key, window, accumulator or output does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::plan::{Compute, Node, Operator, Plan};
use crate::types::Field;

/// What a node that holds something is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Its name.
    pub node: String,
    /// What it is: `source`, `window`, `stateful-map`, `join`, `sink`.
    pub kind: String,
    /// What its state depends on, by what that is called.
    pub facts: BTreeMap<String, String>,
}

impl Shape {
    /// Those of a plan.
    pub fn of(plan: &Plan) -> Vec<Self> {
        plan.nodes.iter().filter_map(Self::of_node).collect()
    }

    fn of_node(node: &Node) -> Option<Self> {
        let mut facts = BTreeMap::new();
        let mut fact = |name: &str, value: String| drop(facts.insert(name.to_owned(), value));
        let kind = match &node.operator {
            Operator::Map(_) | Operator::Filter(_) | Operator::FlatMap(_) | Operator::Late | Operator::Partition(_) => {
                return None;
            }
            Operator::Source(_) => "source",
            Operator::StatefulMap(stateful) => {
                fact("key", fields(&stateful.key));
                fact("state", fields(&stateful.apply.call.function.signature().accumulator));
                "stateful-map"
            }
            Operator::Window(window) => {
                fact("key", fields(&window.key));
                fact("window", format!("{:?}", window.kind));
                fact("emit", format!("{:?}", window.firing.emit));
                match &window.compute {
                    Compute::Aggregates(aggregates) => {
                        for (number, aggregate) in aggregates.iter().enumerate() {
                            let state = fields(&aggregate.call.function.signature().accumulator);
                            let name = format!("accumulator {} ({})", number + 1, aggregate.call.label);
                            fact(&name, state);
                        }
                    }
                    Compute::Groups(apply) => {
                        let columns = apply.call.arguments.iter().map(|a| a.column.as_str());
                        fact("rows", columns.collect::<Vec<_>>().join(", "));
                    }
                }
                "window"
            }
            Operator::Join(join) => {
                fact("left key", fields(&join.left_key));
                fact("right key", fields(&join.right_key));
                fact("pairing", format!("{:?}", join.pairing));
                fact("columns", fields(&join.columns.iter().map(|c| c.field()).collect::<Vec<_>>()));
                "join"
            }
            Operator::Sink(sink) => {
                fact("output", node.operator.detail());
                fact("format", format!("{:?}", sink.format));
                "sink"
            }
        };
        Some(Self { node: node.name.clone(), kind: kind.to_owned(), facts })
    }
}

fn fields(fields: &[Field]) -> String {
    fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What keeps a pipeline of the second shape from going on where one of the first was.
pub fn difference(was: &[Shape], is: &[Shape]) -> Option<String> {
    for old in was {
        let Some(new) = is.iter().find(|new| new.node == old.node) else {
            return Some(format!("it has no {} `{}` any more", old.kind, old.node));
        };
        if new.kind != old.kind {
            return Some(format!("`{}` was a {}, and is a {}", old.node, old.kind, new.kind));
        }
        let names = old.facts.keys().chain(new.facts.keys());
        for name in names {
            let (before, after) = (old.facts.get(name), new.facts.get(name));
            if before != after {
                let text = |fact: Option<&String>| fact.map_or("nothing".to_owned(), |f| format!("`{f}`"));
                return Some(format!(
                    "{} `{}`: its {name} was {}, and is {}",
                    old.kind,
                    old.node,
                    text(before),
                    text(after)
                ));
            }
        }
    }
    let new = is.iter().find(|new| was.iter().all(|old| old.node != new.node))?;
    Some(format!("it has a new {} `{}`, of which the checkpoint knows nothing", new.kind, new.node))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(node: &str, kind: &str, key: &str) -> Shape {
        let facts = [("key".to_owned(), key.to_owned())].into();
        Shape { node: node.into(), kind: kind.into(), facts }
    }

    #[test]
    fn the_difference_is_named() {
        let was = [shape("source", "source", ""), shape("daily", "window", "origin text")];
        assert_eq!(difference(&was, &was), None);
        let swapped = [was[1].clone(), was[0].clone()];
        assert_eq!(difference(&was, &swapped), None);
        let said = |is: &[Shape]| difference(&was, is).unwrap();
        assert_eq!(said(&was[..1]), "it has no window `daily` any more");
        let other = [was[0].clone(), shape("daily", "window", "dest text")];
        assert_eq!(said(&other), "window `daily`: its key was `origin text`, and is `dest text`");
        let other = [was[0].clone(), shape("daily", "join", "origin text")];
        assert_eq!(said(&other), "`daily` was a window, and is a join");
        let more = [was[0].clone(), was[1].clone(), shape("last", "stateful-map", "")];
        assert_eq!(said(&more), "it has a new stateful-map `last`, of which the checkpoint knows nothing");
    }
}
