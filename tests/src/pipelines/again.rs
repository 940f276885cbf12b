//! The same plan once more: a run uses a plan up, and planning anew would compile the functions anew,
//! which takes longer than most runs.

use weir::Result;
use weir::flow::source::discover;
use weir::plan::{Aggregate, Apply, Bound, Compute, Node, Operator, Plan, Sink, Source, StatefulMap, Window};

/// A plan like this one, whose sources are looked at again.
pub(super) fn again(plan: &Plan) -> Result<Plan> {
    let nodes = plan.nodes.iter().map(node).collect::<Result<_>>()?;
    Ok(Plan {
        name: plan.name.clone(),
        nodes,
        dead_letters: plan.dead_letters.clone(),
        state: plan.state.clone(),
        max_failed: plan.max_failed,
        checkpoint: plan.checkpoint.clone(),
    })
}

fn node(node: &Node) -> Result<Node> {
    let Node { name, input, fields, timed, windowed, on_error, operator } = node;
    let operator = match operator {
        Operator::Source(source) => Operator::Source(Source {
            settings: source.settings.clone(),
            discovered: discover(&source.settings)?,
            columns: source.columns.clone(),
            event_time: source.event_time.clone(),
        }),
        Operator::Map(of) => Operator::Map(apply(of)),
        Operator::Filter(of) => Operator::Filter(apply(of)),
        Operator::FlatMap(of) => Operator::FlatMap(apply(of)),
        Operator::StatefulMap(StatefulMap { apply: of, key, ttl_us, empty }) => Operator::StatefulMap(StatefulMap {
            apply: apply(of),
            key: key.clone(),
            ttl_us: *ttl_us,
            empty: empty.clone(),
        }),
        Operator::Window(Window { key, kind, firing, compute, phases }) => {
            let aggregate =
                |a: &Aggregate| Aggregate { call: bound(&a.call), outputs: a.outputs.clone(), empty: a.empty.clone() };
            let compute = match compute {
                Compute::Aggregates(aggregates) => Compute::Aggregates(aggregates.iter().map(aggregate).collect()),
                Compute::Groups(of) => Compute::Groups(apply(of)),
            };
            Operator::Window(Window { key: key.clone(), kind: *kind, firing: *firing, compute, phases: *phases })
        }
        Operator::Join(join) => Operator::Join(join.clone()),
        Operator::Late => Operator::Late,
        Operator::Partition(how) => Operator::Partition(how.clone()),
        Operator::Sink(Sink { output, format }) => {
            Operator::Sink(Sink { output: output.clone(), format: format.clone() })
        }
    };
    let (name, fields) = (name.clone(), fields.clone());
    Ok(Node { name, input: *input, fields, timed: *timed, windowed: *windowed, on_error: *on_error, operator })
}

fn apply(Apply { call, outputs }: &Apply) -> Apply {
    Apply { call: bound(call), outputs: outputs.clone() }
}

fn bound(Bound { label, function, arguments, seed }: &Bound) -> Bound {
    Bound { label: label.clone(), function: function.clone(), arguments: arguments.clone(), seed: *seed }
}
