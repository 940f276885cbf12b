//! A pipeline folder in a place of its own, where it can be run and write.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;
use weir::checkpoint::{Files, Folder, Manifest, Settings};
use weir::flow::sink::Output;
use weir::flow::{self, Options, cluster};
use weir::letter::stored;
use weir::plan::{Environment, Operator, Plan, Policy};
use weir::report::Report;
use weir::state::Settings as State;
use weir::{Error, Result};

use super::again::again;
use super::ways::Keep;
use crate::{guests, redis};

/// A copy of a pipeline folder. `NAME.wasm` in its pipeline is a guest where the folder has no such
/// file; a `.wat` beside it is made a `.wasm`; a source folder is the guest of its name.
pub(crate) struct Case {
    folder: TempDir,
    pipeline: PathBuf,
}

/// What a run left behind.
pub(crate) struct Ran {
    /// How the run ended.
    pub(crate) result: Result<Report>,
    /// The content of each file that a sink wrote, by its name.
    pub(crate) sinks: Vec<(String, String)>,
    /// The lines of the dead letters.
    pub(crate) dead_letters: Vec<serde_json::Value>,
}

impl Case {
    /// A copy of a folder.
    pub(crate) fn copy(from: &Path) -> Self {
        let case = Self::empty();
        for entry in fs::read_dir(from).expect("a pipeline folder").map(|e| e.expect("an entry")) {
            fs::copy(entry.path(), case.path().join(entry.file_name())).expect("a copy");
        }
        case.provide();
        case
    }

    /// An empty folder; fill it and then call [`Case::provide`].
    pub(crate) fn empty() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        Self { pipeline: folder.path().join("pipeline.toml"), folder }
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The pipeline file.
    pub(crate) fn pipeline(&self) -> &Path {
        &self.pipeline
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path().join(name), content).expect("a file");
        self
    }

    /// Puts the components there that the pipeline names.
    pub(crate) fn provide(&self) {
        let pipeline = fs::read_to_string(&self.pipeline).unwrap_or_default();
        for entry in fs::read_dir(self.path()).expect("the folder").flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|e| e == "wat") {
                fs::write(path.with_extension("wasm"), wat::parse_file(&path).expect("WAT")).expect("a file");
            }
        }
        for name in guests::names() {
            let file = format!("{name}.wasm");
            let path = self.path().join(&file);
            if pipeline.contains(&format!("\"{file}\"")) && !path.exists() {
                fs::copy(guests::component(name), path).expect("a copy");
            }
        }
    }

    /// Reads and checks the pipeline.
    pub(crate) fn plan(&self) -> Result<Plan> {
        plan(&self.pipeline)
    }

    /// Runs a plan that may be run again.
    pub(crate) fn run_again(&self, plan: &Plan, options: &Options) -> Ran {
        self.run_plan(again(plan).expect("the sources are still there"), options, true)
    }

    /// Runs a plan that may be run again, with its state somewhere, in one or several processes.
    pub(crate) fn run_keeping(&self, plan: &Plan, options: &Options, keep: Keep, processes: usize) -> Ran {
        if processes == 1 {
            return self.run_plan(self.keeping(plan, keep), options, true);
        }
        // Each has its own plan, counters and stop flag, and all that they share goes through sockets.
        let addresses = cluster::free_addresses(processes).expect("free ports");
        let run = |process: usize| {
            let cluster = cluster::Settings {
                peer_timeout: Duration::from_secs(120),
                ..cluster::Settings::new(process, addresses.clone())
            };
            self.run_plan(self.keeping(plan, keep), &Options { cluster: Some(cluster), ..options.clone() }, true)
        };
        let ran: Vec<Ran> = thread::scope(|scope| {
            let runs: Vec<_> = (0..processes).map(|p| scope.spawn(move || run(p))).collect();
            runs.into_iter().map(|r| r.join().expect("a run")).collect()
        });
        // Where one fails the others say so; what it said itself counts.
        let echo = |ran: &Ran| matches!(&ran.result, Err(Error::Peer { .. }));
        let dead_letters = ran.iter().flat_map(|r| r.dead_letters.clone()).collect();
        let failed = ran.iter().position(|r| r.result.is_err() && !echo(r));
        let counts = failed.or(ran.iter().position(echo)).unwrap_or(0);
        let (mut result, mut sinks) = (None, Vec::new());
        for (process, ran) in ran.into_iter().enumerate() {
            if process == 0 {
                sinks = ran.sinks;
            }
            if process == counts {
                result = Some(ran.result);
            }
        }
        Ran { result: result.expect("one of them"), sinks, dead_letters }
    }

    /// The same plan once more, with its state somewhere else.
    fn keeping(&self, plan: &Plan, keep: Keep) -> Plan {
        let mut plan = again(plan).expect("the sources are still there");
        let disk = |memory_bytes| State::Disk { folder: self.path().join("state"), memory_bytes };
        let redis = |memory_bytes| {
            let prefix = self.path().display().to_string();
            State::Redis { url: redis::shared(), prefix, memory_bytes }
        };
        plan.state = match keep {
            Keep::Memory => return plan,
            Keep::Disk => disk(0),
            Keep::DiskBehind(memory_bytes) => disk(memory_bytes),
            Keep::Redis => redis(0),
            Keep::RedisBehind(memory_bytes) => redis(memory_bytes),
        };
        plan
    }

    /// Runs a plan again and again, each time until an operation on a file fails, and each time with another
    /// number of workers, until it gets to its end. What a run does is lost with it but for what is on the
    /// disk, as if it was killed in the middle of that operation. Says how often it was.
    pub(crate) fn run_killed(&self, plan: &Plan, options: &Options, keep: Keep) -> (Ran, usize) {
        let folder = self.path().join("checkpoints");
        drop(fs::remove_dir_all(&folder));
        let (mut operations, mut kills, mut last) = (4, 0, None);
        loop {
            // On disk there is much in front of it, nothing, or little: what of it a checkpoint finds in memory differs.
            let keep = match keep {
                Keep::Disk => Keep::DiskBehind([1 << 20, 0, 4096, 1 << 20][kills % 4]),
                other => other,
            };
            let mut plan = self.keeping(plan, keep);
            plan.checkpoint = Some(Settings { location: folder.clone().into(), every: Duration::ZERO, keep: 2 });
            let files = Files::failing_at(operations);
            let workers = 1 + kills % 3;
            let ran = self.run_plan(plan, &Options { files, workers, ..options.clone() }, kills == 0);
            match &ran.result {
                Err(error) if caused_by_the_disk(error) => kills += 1,
                _ => return (ran, kills),
            }
            assert!(kills < 10_000, "it does not get anywhere");
            // It is to read on each time, but not much.
            let at = Folder::look_at(&folder.clone().into(), Files::default()).expect("a folder");
            let of =
                |manifest: Manifest| manifest.positions.into_iter().map(|p| (p.record, p.ended)).collect::<Vec<_>>();
            let positions = at.last().ok().flatten().map(of);
            // A checkpoint of state on disk takes as many operations as there are files.
            match positions == last {
                false => operations = operations / 2 + 3 + kills as u64 % 29,
                true => operations += 4 + operations / 4,
            }
            last = positions;
        }
    }

    /// Runs a plan. What it would write to standard output goes to `out.jsonl`. Afresh, what earlier runs
    /// have written goes first.
    fn run_plan(&self, mut plan: Plan, options: &Options, afresh: bool) -> Ran {
        let mut files = Vec::new();
        for node in &mut plan.nodes {
            let Operator::Sink(sink) = &mut node.operator else { continue };
            match &sink.output {
                Output::Stdout => sink.output = Output::File(self.path().join("out.jsonl")),
                Output::File(_) | Output::Folder(_) | Output::Blackhole => {}
            }
            if let Output::File(path) = &sink.output {
                files.push(path.clone());
            }
        }
        let process = options.cluster.as_ref().map_or(0, |c| c.process);
        let letters = plan.dead_letters.as_ref().map(|letters| cluster::file_of(&letters.path, process));
        let written = if process == 0 { files.as_slice() } else { &[] };
        if afresh {
            written.iter().chain(&letters).for_each(|file| drop(fs::remove_file(file)));
            letters.iter().for_each(|folder| drop(fs::remove_dir_all(folder)));
        }
        let metrics = Arc::new(plan.metrics(options.workers));
        let result = flow::run(plan, options, &metrics, &Arc::new(AtomicBool::new(false)));
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let sinks = files.iter().map(|f| (name(f), fs::read_to_string(f).unwrap_or_default())).collect();
        // Of a run that was killed a Parquet file may not be whole.
        let letters = letters.filter(|path| path.exists()).and_then(|path| stored(&path).ok()).unwrap_or_default();
        let dead_letters = letters.iter().map(|l| serde_json::from_str(&l.line).expect("a JSON object")).collect();
        Ran { result, sinks, dead_letters }
    }

    /// A text without the folder's own path.
    pub(crate) fn without_path(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.path().display()), "")
    }

    /// An error as the command prints it, without what changes from build to build: the frames of a
    /// backtrace.
    pub(crate) fn error_text(&self, error: &Error) -> String {
        let mut text = format!("error: {error}\n");
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            text.push_str(&format!("caused by: {cause}\n"));
            source = cause.source();
        }
        if let Some(hint) = error.hint() {
            text.push_str(&format!("hint: {hint}\n"));
        }
        let lines = text.lines().filter(|line| !line.starts_with("    at ")).map(|line| format!("{line}\n"));
        self.without_path(&lines.collect::<String>())
    }
}

/// Whether a run failed where the disk was made to.
fn caused_by_the_disk(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(|cause| cause.to_string() == "the disk was made to fail")
}

/// Reads and checks a pipeline.
pub(crate) fn plan(path: &Path) -> Result<Plan> {
    let build = |folder: &Path| {
        let folder = folder.canonicalize().map_err(|e| Error::invalid(e.to_string()))?;
        Ok(guests::component(&folder.file_name().unwrap_or_default().to_string_lossy()))
    };
    Plan::load(
        path,
        &Environment { runtime: guests::runtime(), build: &build, native: HashMap::new(), policy: Policy::default() },
    )
}
