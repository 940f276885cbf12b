//! Runs a plan: one Timely dataflow on every worker, from the sources to the end of their input.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use timely::WorkerConfig;
use timely::dataflow::operators::Probe;
use timely::dataflow::operators::probe::Handle;
use timely::worker::Worker;

use super::clock::Clock;
use super::cluster::{self, Cluster};
use super::cut::{Saved, Start};
use super::dead_letters::{Failures, Shared, check_rates};
use super::epochs::Order;
use super::exchange::{Edge, exchange};
use super::join;
use super::partition;
use super::read;
use super::sink::{self, Stager};
use super::stateful;
use super::transform::transform;
use super::window;
use super::write::{Target, write};
use super::{Epoch, Stream};
use crate::checkpoint::Files;
use crate::error::{Error, Result};
use crate::plan::{Late, Node, Operator, Phases, Plan};
use crate::report::{Metrics, Report};
use crate::sandbox::Reuse;
use crate::state::Stores;

/// How a plan is run. Nothing of it changes the results, but for `epoch_rows` the order in which rows
/// of several partitions interleave, and `clock` those of sources that ask for it.
#[derive(Clone, Debug)]
pub struct Options {
    /// Threads, each with a share of the partitions and keys.
    pub workers: usize,
    /// Rows of a batch, at most.
    pub batch_rows: usize,
    /// Rows of each source partition in an epoch.
    pub epoch_rows: usize,
    /// When instances of functions are thrown away.
    pub reuse: Reuse,
    /// What a source that asks for the time is told.
    pub clock: Clock,
    /// The other processes of the run, if there are any; each has as many workers as this one.
    pub cluster: Option<cluster::Settings>,
    /// Whether a run starts from nothing although there is a checkpoint to go on from. That and all
    /// others of the pipeline are removed.
    pub from_scratch: bool,
    /// How checkpoints and the outputs that they publish come to the disk.
    pub files: Files,
}

impl Default for Options {
    /// 8,192 rows are where a call's own cost is spread thin and a batch still is in the cache.
    fn default() -> Self {
        Self {
            workers: 1,
            batch_rows: 8192,
            epoch_rows: 65_536,
            reuse: Reuse::UntilFault,
            clock: Clock::default(),
            cluster: None,
            from_scratch: false,
            files: Files::default(),
        }
    }
}

type Writers = Vec<Mutex<Target>>;

/// Runs a plan to the end of its input, or until `stop` is set: then what was read is finished
/// and open windows fire. `metrics` are [`Plan::metrics`] for as many workers. With several processes
/// the first one's report is that of all.
pub fn run(mut plan: Plan, options: &Options, metrics: &Arc<Metrics>, stop: &Arc<AtomicBool>) -> Result<Report> {
    let Some(settings) = &options.cluster else { return run_here(plan, options, metrics, stop, None) };
    let cluster = Cluster::join(settings, &mut plan, options, stop)?;
    let ran = run_here(plan, options, metrics, stop, Some(&cluster));
    cluster.part(ran)
}

/// Runs this process's part of a plan.
fn run_here(
    plan: Plan,
    options: &Options,
    metrics: &Arc<Metrics>,
    stop: &Arc<AtomicBool>,
    cluster: Option<&Cluster>,
) -> Result<Report> {
    let with_state = plan.nodes.iter().filter(|node| node.has_state()).count();
    let saved = match Saved::open(&plan, options, metrics)? {
        Start::At(saved) => *saved,
        Start::Complete => return Ok(metrics.snapshot()),
    };
    let stores = Arc::new(Stores::open(&plan.state, &plan.name, with_state)?);
    let writers = open_sinks(&plan, &saved, &options.files, cluster.is_none_or(Cluster::has_sinks))?;
    let shared = Arc::new(Shared::new(&plan, Arc::clone(stop), &options.files, saved.letters_behind(&plan))?);
    let (plan, saved) = (Arc::new(plan), Arc::new(saved));
    let (allocators, threads) = match (cluster, options.workers) {
        (Some(cluster), workers) => {
            cluster.ready()?;
            (cluster.allocators(workers.max(1))?, Box::new(()) as Box<dyn Any + Send>)
        }
        (None, 0 | 1) => timely::CommunicationConfig::Thread.try_build().map_err(Error::Bug)?,
        (None, workers) => timely::CommunicationConfig::Process(workers).try_build().map_err(Error::Bug)?,
    };
    let watch = cluster.map(|cluster| cluster.watch(&shared, stop));
    let work = {
        let (plan, options, metrics) = (Arc::clone(&plan), options.clone(), Arc::clone(metrics));
        let (shared, writers, stores) = (Arc::clone(&shared), Arc::new(writers), Arc::clone(&stores));
        move |worker: &mut Worker| {
            let work = || run_worker(worker, &plan, &options, &metrics, &shared, &writers, &stores, &saved);
            if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a worker panicked");
                shared.panic(text.to_string());
                std::panic::resume_unwind(panic);
            }
        }
    };
    let joined = timely::execute::execute_from(allocators, threads, WorkerConfig::default(), work)
        .map(timely::communication::WorkerGuards::join);
    if let Some(watch) = watch {
        watch.end();
    }
    let joined = joined.map_err(Error::Bug)?;
    let bug = joined.into_iter().find_map(std::result::Result::err);
    if stop.load(Relaxed) {
        metrics.set_interrupted();
    }
    plan_ended(&plan, metrics);
    check_rates(&plan, metrics, &shared);
    let shared = Arc::into_inner(shared).ok_or_else(|| Error::Bug("a worker is still running".into()))?;
    shared.finish()?;
    match bug {
        Some(bug) => Err(Error::Bug(bug)),
        None => Ok(metrics.snapshot()),
    }
}

/// A source that has ended has no watermark any more.
fn plan_ended(plan: &Plan, metrics: &Metrics) {
    for (index, node) in plan.nodes.iter().enumerate() {
        if matches!(node.operator, Operator::Source(_)) {
            metrics.node(index).watermark.store(i64::MAX, Relaxed);
        }
    }
}

/// Opens every sink before the first row is read, so that one that can't be written is known then.
fn open_sinks(plan: &Plan, saved: &Saved, files: &Files, here: bool) -> Result<Writers> {
    let open = |node: &Node| {
        let Operator::Sink(to) = &node.operator else { return Ok(Target::Nowhere) };
        if !here {
            return Ok(Target::Nowhere);
        }
        let schema = crate::types::arrow_schema(&node.fields);
        Ok(match (&to.output, saved.after()) {
            (sink::Output::Blackhole, _) => Target::Nowhere,
            (sink::Output::File(_) | sink::Output::Folder(_), Some(after)) => {
                let (was, encoding) = (saved.output(&node.name), (&to.format, &*schema));
                Target::Staged(Box::new(Stager::new(&node.name, &to.output, encoding, files, after, was)?))
            }
            (output, _) => Target::Writer(sink::open(output, &to.format, &schema)?),
        })
    };
    plan.nodes.iter().map(|node| open(node).map(Mutex::new)).collect()
}

#[expect(clippy::too_many_arguments, reason = "what a run shares is known in one place")]
fn run_worker(
    worker: &mut Worker,
    plan: &Arc<Plan>,
    options: &Options,
    metrics: &Arc<Metrics>,
    shared: &Arc<Shared>,
    writers: &Writers,
    stores: &Stores,
    saved: &Arc<Saved>,
) {
    let probe = Handle::<Epoch>::new();
    let cuts = saved.cuts();
    let committer = worker.dataflow::<Epoch, _, _>(|scope| {
        let mut sinks = Vec::new();
        let restored = saved.restored();
        let mut streams: Vec<Option<Stream<'_>>> = Vec::new();
        let order = |of: &Node| of.input.map_or(Order::Source, |input| Order::of(&plan.nodes[input]));
        // The late rows of each window.
        let mut late: HashMap<usize, Stream<'_>> = HashMap::new();
        for (index, node) in plan.nodes.iter().enumerate() {
            let counters = metrics.node(index);
            let failures = || Failures::new(plan, index, Arc::clone(&counters), Arc::clone(shared));
            let input = node.input.map(|i| (streams[i].clone().expect("an input comes before"), &plan.nodes[i].fields));
            let stream = match (&node.operator, input) {
                (Operator::Source(source), _) => {
                    let setting = read::Setting {
                        node,
                        source,
                        options,
                        counters: counters.clone(),
                        failures: failures(),
                        probe: probe.clone(),
                        cuts: cuts.clone(),
                        restored: &restored,
                    };
                    let stream = read::read(&scope, setting);
                    // A source with fewer partitions than workers would leave some without work.
                    match source.discovered.partitions.len() < scope.peers() {
                        true => Some(exchange(stream, &Edge::Turn, &node.fields)),
                        false => Some(stream),
                    }
                }
                (Operator::Map(apply) | Operator::Filter(apply) | Operator::FlatMap(apply), Some((input, fields))) => {
                    Some(transform(input, node, apply, fields, options, failures()))
                }
                (Operator::StatefulMap(spec), Some((input, fields))) => {
                    let edge = Edge::Key { columns: spec.key.clone(), numbered: true };
                    let setting = stateful::Setting {
                        node,
                        stateful: spec,
                        input: fields,
                        partitions: plan.partition_count(node.input.unwrap_or_default(), scope.peers()),
                        order: order(node),
                        options,
                        failures: failures(),
                        stores,
                        cuts: cuts.clone(),
                        restored: restored.node(&node.name),
                        names: &plan.partition_names_of(index),
                    };
                    Some(stateful::stateful_map(exchange(input, &edge, fields), setting))
                }
                (Operator::Window(spec), Some((input, fields))) => {
                    // Results have an order of their own; late rows keep that of the stream.
                    let numbered = spec.firing.late == Late::Side;
                    let edge = Edge::Key { columns: spec.key.clone(), numbered };
                    let timed = plan.nodes[node.input.unwrap_or_default()].timed;
                    let input = match spec.phases {
                        Phases::Two if scope.peers() > 1 => {
                            window::fold_locally(input, node, spec, fields, timed, options, failures())
                        }
                        _ => input,
                    };
                    let input = exchange(input, &edge, fields);
                    let setting = window::Setting {
                        node,
                        window: spec,
                        input: fields,
                        timed,
                        partitions: plan.partition_count(node.input.unwrap_or_default(), scope.peers()),
                        order: order(node),
                        options,
                        counters: counters.clone(),
                        failures: failures(),
                        stores,
                        cuts: cuts.clone(),
                        restored: restored.node(&node.name),
                        names: &plan.partition_names_of(index),
                    };
                    let (results, late_rows) = window::window(input, setting);
                    late.insert(index, late_rows);
                    Some(results)
                }
                (Operator::Partition(how), Some((input, _))) => {
                    Some(partition::partition(input, node, how, counters.clone()))
                }
                (Operator::Late, Some(_)) => {
                    let of = node.input.unwrap_or_default();
                    let stream = late.remove(&of).expect("a window comes before its late rows");
                    let input = plan.nodes[of].input.unwrap_or_default();
                    Some(window::late(stream, node, &plan.nodes[input].fields, counters.clone()))
                }
                (Operator::Join(spec), Some(left)) => {
                    let right = (streams[spec.right].clone().expect("an input comes before"), spec.right);
                    let inputs = [(left.0, node.input.unwrap_or_default()), right];
                    Some(join::join(
                        inputs,
                        plan,
                        join::Setting {
                            node,
                            join: spec,
                            options,
                            counters,
                            shared,
                            stores,
                            cuts: cuts.clone(),
                            restored: restored.node(&node.name),
                        },
                    ))
                }
                (Operator::Sink(to), Some((input, fields))) => {
                    let (input, target) = match to.output {
                        sink::Output::Blackhole => (input, Target::Nowhere),
                        _ => {
                            let first = scope.index() == 0;
                            let mut writer = writers[index].lock().unwrap_or_else(PoisonError::into_inner);
                            let target = match first {
                                true => std::mem::replace(&mut *writer, Target::Nowhere),
                                false => Target::Nowhere,
                            };
                            (exchange(input, &Edge::One, fields), target)
                        }
                    };
                    let counters = counters.clone();
                    let shared = Arc::clone(shared);
                    let partitions = plan.partition_count(node.input.unwrap_or_default(), scope.peers());
                    let order = (order(node), partitions);
                    let done = write(input, &node.name, fields, order, target, counters, shared, cuts.clone());
                    sinks.push(done.probe_with(&probe));
                    None
                }
                (_, None) => None,
            };
            streams.push(stream);
        }
        saved.conduct(&scope, sinks, &probe, &cuts, shared)
    });
    while worker.has_dataflows() {
        worker.step_or_park(Some(Duration::from_millis(10)));
        if shared.has_panicked() {
            // Another worker's share of the progress will never come.
            worker.installed_dataflows().into_iter().for_each(|dataflow| worker.drop_dataflow(dataflow));
        }
    }
    if let Some(committer) = committer {
        committer.finish();
    }
}
