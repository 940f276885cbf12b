//! Takes out of every stream the columns that nobody after it needs, back to the sources, which
//! then do not even decode them.

use std::collections::BTreeSet;

use super::{Apply, Node, Operator, Partition};

pub(super) fn prune(nodes: &mut [Node]) {
    let mut needed: Vec<BTreeSet<String>> = vec![BTreeSet::new(); nodes.len()];
    for index in (0..nodes.len()).rev() {
        let wanted = std::mem::take(&mut needed[index]);
        let node = &mut nodes[index];
        if !matches!(node.operator, Operator::Sink(_)) {
            node.fields.retain(|f| wanted.contains(&f.name));
        }
        let from_input: BTreeSet<String> = match &mut node.operator {
            Operator::Source(source) => {
                let time = source.event_time.as_ref().and_then(super::EventTime::column);
                source.columns.retain(|f| wanted.contains(&f.name) || time == Some(&f.name));
                BTreeSet::new()
            }
            Operator::Map(apply) | Operator::Filter(apply) | Operator::FlatMap(apply) => through(apply, &wanted),
            Operator::StatefulMap(stateful) => {
                let key = stateful.key.iter().map(|f| f.name.clone());
                key.chain(through(&stateful.apply, &wanted)).collect()
            }
            Operator::Window(window) => {
                let arguments = window.compute.calls().flat_map(|call| &call.arguments).map(|a| a.column.clone());
                window.key.iter().map(|f| f.name.clone()).chain(arguments).collect()
            }
            Operator::Join(join) => {
                join.columns.retain(|c| wanted.contains(&c.name));
                needed[join.right].extend(join.needs_of_right());
                join.needs_of_left().collect()
            }
            Operator::Partition(how) => {
                let columns = match how {
                    Partition::RoundRobin => &[][..],
                    Partition::Key(columns) => columns,
                    Partition::Range { column, .. } => std::slice::from_ref(column),
                };
                columns.iter().map(|f| f.name.clone()).chain(wanted.iter().cloned()).collect()
            }
            // Its columns are those of the window's input.
            Operator::Late => BTreeSet::new(),
            Operator::Sink(_) => node.fields.iter().map(|f| f.name.clone()).collect(),
        };
        let Some(input) = node.input else { continue };
        let late = matches!(node.operator, Operator::Late);
        match nodes[input].input.filter(|_| late) {
            Some(stream) => needed[stream].extend(wanted),
            None => needed[input].extend(from_input),
        }
    }
}

/// What a step needs of its input: its arguments, and what it only carries along.
fn through(apply: &Apply, wanted: &BTreeSet<String>) -> BTreeSet<String> {
    let carried = wanted.iter().filter(|name| apply.outputs.iter().all(|o| o.name != **name)).cloned();
    apply.call.arguments.iter().map(|a| a.column.clone()).chain(carried).collect()
}
