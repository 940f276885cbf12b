//! The ways in which a pipeline is run: none of them may show in its output.

use weir::flow::Options;
use weir::sandbox::Reuse;

/// A way to run a pipeline.
pub(super) struct Way {
    /// What a failure calls it.
    pub(super) name: &'static str,
    /// The settings.
    pub(super) options: Options,
    /// Where state is kept.
    pub(super) keep: Keep,
    /// Runs that are one together, over sockets, as the processes of a cluster are.
    pub(super) processes: usize,
}

/// Where state is kept; with no memory in front, so that it goes there and comes back all the time, or
/// with so many bytes of it, so that some does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Keep {
    Memory,
    Disk,
    DiskBehind(usize),
    Redis,
    RedisBehind(usize),
}

impl Way {
    /// Whether its epochs are as large as they mostly are. Rows of several partitions that go
    /// through no window are written epoch by epoch, so smaller ones take turns earlier.
    pub(super) fn has_usual_epochs(&self) -> bool {
        self.options.epoch_rows == Options::default().epoch_rows
    }
}

fn way(name: &'static str, change: fn(&mut Options)) -> Way {
    let mut options = Options::default();
    change(&mut options);
    Way { name, options, keep: Keep::Memory, processes: 1 }
}

/// With so many processes, each with the workers of the options.
fn processes(processes: usize, name: &'static str, change: fn(&mut Options)) -> Way {
    Way { processes, ..way(name, change) }
}

/// Those for inputs of many rows.
pub(super) fn coarse() -> Vec<Way> {
    vec![
        way("straight", |_| {}),
        way("epochs of 5,000 rows, batches of 333", |o| (o.epoch_rows, o.batch_rows) = (5000, 333)),
        way("2 workers", |o| o.workers = 2),
        way("3 workers, batches of 1,000 rows", |o| (o.workers, o.batch_rows) = (3, 1000)),
        processes(2, "2 processes", |_| {}),
        way("a fresh instance for every call, batches of 500 rows", |o| (o.reuse, o.batch_rows) = (Reuse::Never, 500)),
    ]
}

/// All of them, the plain one first.
pub(super) fn all() -> Vec<Way> {
    vec![
        way("straight", |_| {}),
        way("batches of 1 row", |o| o.batch_rows = 1),
        way("batches of 7 rows", |o| o.batch_rows = 7),
        way("epochs of 10 rows, batches of 3", |o| (o.epoch_rows, o.batch_rows) = (10, 3)),
        way("2 workers", |o| o.workers = 2),
        way("3 workers, batches of 5 rows", |o| (o.workers, o.batch_rows) = (3, 5)),
        processes(2, "2 processes", |_| {}),
        processes(2, "2 processes of 2 workers, batches of 5 rows", |o| (o.workers, o.batch_rows) = (2, 5)),
        way("2 workers, epochs of 10 rows, batches of 3", |o| (o.workers, o.epoch_rows, o.batch_rows) = (2, 10, 3)),
        way("a fresh instance for every call, batches of 7 rows", |o| (o.reuse, o.batch_rows) = (Reuse::Never, 7)),
    ]
}

/// The one that is killed all the time, and goes on from checkpoints with another number of workers: so
/// many rows are some ten epochs, which are not smaller than those of other ways.
pub(super) fn killed(rows: u64) -> Way {
    let mut way = way("killed and resumed", |_| {});
    way.options.epoch_rows = (rows / 10).max(10) as usize;
    way.options.batch_rows = (rows / 25).max(1) as usize;
    way
}

/// Those for pipelines whose state may be elsewhere than in memory.
pub(super) fn with_stores() -> Vec<Way> {
    let keep = |keep, name, change| Way { keep, ..way(name, change) };
    vec![
        keep(Keep::Disk, "on disk", |_| {}),
        keep(Keep::Disk, "on disk, epochs of 10 rows, batches of 3", |o| (o.epoch_rows, o.batch_rows) = (10, 3)),
        keep(Keep::Disk, "on disk, 2 workers, batches of 5 rows", |o| (o.workers, o.batch_rows) = (2, 5)),
        keep(Keep::DiskBehind(2_000), "on disk behind 2 kB, epochs of 10 rows, batches of 3", |o| {
            (o.epoch_rows, o.batch_rows) = (10, 3);
        }),
        Way { processes: 2, ..keep(Keep::Disk, "on disk, 2 processes, batches of 5 rows", |o| o.batch_rows = 5) },
        keep(Keep::Redis, "in Redis, batches of 7 rows", |o| o.batch_rows = 7),
        Way { processes: 2, ..keep(Keep::Redis, "in Redis, 2 processes, batches of 5 rows", |o| o.batch_rows = 5) },
        keep(Keep::Redis, "in Redis, 2 workers, epochs of 10 rows, batches of 3", |o| {
            (o.workers, o.epoch_rows, o.batch_rows) = (2, 10, 3);
        }),
    ]
}
