//! The command: arguments in, text and an exit code out.
//!
//! Results go to stdout, and only they: what a pipeline writes there, a plan, a signature, JSON.
//! Progress, the closing table and errors go to stderr. Every subcommand is one function here that
//! reads like what it does; how things look is in [`table`], [`live`], [`inspect`] and [`bench`],
//! and what they show comes through [`engine`], which alone knows the library's insides.

mod args;
mod bench;
mod cache;
mod checkpoints;
mod cluster;
mod conform;
mod engine;
mod inspect;
mod live;
mod logging;
mod measure;
mod new;
mod print;
mod replay;
mod rows;
mod sign;
mod signals;
mod supervise;
mod table;
mod telemetry;
mod test;
mod text;
mod watch;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory, Parser};
use weir::admission::Verdict;
use weir::error::{Error, Invalid, Result};
use weir::flow::{self, Options};
use weir::metrics::Server;

use args::{Bench, Build, Cache, Cli, Command, Inspect, Run, Test};
use telemetry::Telemetry;

/// Runs the command that the process's arguments ask for.
pub(crate) fn main() -> ExitCode {
    let command = Cli::parse().command;
    let has_log = matches!(&command, Command::Run(run) if run.log.is_some());
    // Sends what is left when it goes, which is behind the last error.
    let mut telemetry = Telemetry::default();
    let done = match command {
        Command::Run(run) if run.watch => watch::run(&run.pipeline),
        Command::Run(run) if run.is_supervisor() => match supervise::supervise(&run, &mut telemetry) {
            Ok(code) => return code,
            Err(error) => Err(error),
        },
        Command::Run(run) => self::run(&run, &mut telemetry),
        Command::Check { pipeline } => check(&pipeline),
        Command::Inspect(inspect) => self::inspect(&inspect),
        Command::Checkpoints(args) => checkpoints::run(&args.action),
        Command::Bench(bench) => self::bench(&bench),
        Command::Build(build) => self::build(&build),
        Command::Replay(args) => replay::replay(&args),
        Command::Sign(args) => sign::component(&args),
        Command::Keygen { key } => sign::keygen(&key),
        Command::Cache { what } => cache(what),
        Command::Compile { arguments } => return ExitCode::from(weir::sandbox::compile_as_child(&arguments)),
        Command::New { folder, lang } => new::make(&folder, lang).and_then(|next| print::out(&next)),
        Command::Test(test) => self::test(&test),
        Command::Conform { component } => conform(&component),
        Command::Completions { shell } => completions(shell),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !has_log || !logging::is_on() {
                print::error(&error);
            }
            logging::error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(args: &Run, telemetry: &mut Telemetry) -> Result<()> {
    let stop = signals::stop_flag()?;
    let cluster = cluster::settings(args)?;
    if args.end_with_stdin {
        signals::stop_with_stdin(&stop);
    }
    let options = Options {
        workers: args.workers.get(),
        batch_rows: args.batch_rows.get(),
        epoch_rows: args.epoch_rows.get(),
        from_scratch: args.from_scratch,
        cluster,
        ..Options::default()
    };
    telemetry.start(args)?;
    logging::start(args, telemetry)?;
    let plan = engine::load_plan(&args.pipeline, args.is_quiet())?;
    let metrics = Arc::new(plan.metrics(options.workers));
    let process = args.process.unwrap_or(0);
    telemetry.watch(&metrics, process)?;
    let served = args.metrics.as_deref().map(|at| Server::start(at, Arc::clone(&metrics), process)).transpose()?;
    tracing::info!(pipeline = plan.name, workers = options.workers, process, "a run starts");
    let live = (!args.is_quiet() && live::has_room(&metrics.snapshot()))
        .then(|| live::Live::start(Arc::clone(&metrics), Arc::clone(&stop)));
    let done = flow::run(plan, &options, &metrics, &stop);
    if let Some(live) = live {
        live.end();
    }
    // What was counted until then helps to see why a run failed.
    let report = done.as_ref().map_or_else(|_| metrics.snapshot(), Clone::clone);
    drop(served);
    let (rows_in, rows_out, failed, late) = (report.rows_in, report.rows_out, report.failed, report.late);
    tracing::info!(rows_in, rows_out, failed, late, elapsed_ms = report.elapsed_ms, "a run has ended");
    if !args.is_quiet() {
        report.checkpoints.iter().for_each(|of| print::note(&checkpoints::summary(of, done.is_ok())));
        print::note(&table::render(&report));
    }
    let report_file = args.report.as_deref().map(|path| flow::cluster::file_of(path, process));
    let written = report_file.map_or(Ok(()), |path| write_json(&path, &report));
    done.and(written)
}

fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<()> {
    weir::build::write_atomic(path, text::json(value)?.as_bytes())
        .map_err(|e| Error::sink_io(format!("the report {} can't be written", path.display()), e))
}

fn check(pipeline: &Path) -> Result<()> {
    print::out(&engine::load_plan(pipeline, false)?.tree())
}

fn inspect(args: &Inspect) -> Result<()> {
    let wasm = weir::build::load(&args.component, &print::note)?;
    let found = engine::inspect(args, &wasm)?;
    print::out(&if args.json { text::json(&found)? } else { inspect::render(&found) })?;
    match found.report.verdict {
        Verdict::Unfit => Err(Error::Unfit(format!("{} is not fit to run", found.component))),
        Verdict::Fit | Verdict::FitWithNotes => Ok(()),
    }
}

fn bench(args: &Bench) -> Result<()> {
    let wasm = weir::build::load(&args.component, &print::note)?;
    let result = engine::bench(args, &wasm)?;
    if cfg!(debug_assertions) {
        print::note("this weir was built without optimisation: rows cost more than they will (cargo run --release)");
    }
    print::out(&if args.json { text::json(&result)? } else { bench::render(&result) })
}

fn build(args: &Build) -> Result<()> {
    let bytes = weir::build::load(&args.folder, &print::note)?;
    let path = match &args.output {
        Some(output) => {
            weir::build::write_atomic(output, &bytes)
                .map_err(|e| Error::sink_io(format!("the component {} can't be written", output.display()), e))?;
            output.clone()
        }
        None if args.folder.is_dir() => weir::build::component(&args.folder, &print::note)?,
        None => {
            return Err(Invalid::new(format!(
                "{} is a file: nothing says where its component goes",
                args.folder.display()
            ))
            .hint("give -o FILE")
            .into());
        }
    };
    print::note(&format!("sha256:{} ({})", weir::build::digest(&bytes), text::bytes(bytes.len() as u64)));
    print::out(&format!("{}\n", path.display()))
}

fn cache(what: Cache) -> Result<()> {
    let Some(cache) = cache::open()? else {
        return print::out("nothing is kept: WEIR_CACHE is empty, or there is no home\n");
    };
    print::out(&match what {
        Cache::Ls => cache::list(&cache)?,
        Cache::Clear => cache::clear(&cache)?,
    })
}

fn test(args: &Test) -> Result<()> {
    let file = test::file(&args.component, args.cases.as_deref())?;
    let wasm = weir::build::load(&args.component, &print::note)?;
    let tally = test::run(&engine::load(&args.component, &wasm)?, &file, args.update)?;
    let updated = if tally.updated > 0 { format!(", {} updated", tally.updated) } else { String::new() };
    print::out(&format!("{} passed, {} failed{updated}\n", tally.passed, tally.failed))?;
    match tally.failed {
        0 => Ok(()),
        _ => Err(Error::Function(format!("{} does not do what is expected of it", args.component.display()))),
    }
}

fn conform(component: &Path) -> Result<()> {
    let wasm = weir::build::load(component, &print::note)?;
    let tested = weir::cases::conformance::test(&engine::load(component, &wasm)?)?;
    print::out(&conform::render(&tested))?;
    match tested.iter().all(weir::cases::conformance::Tested::passed) {
        true => Ok(()),
        false => Err(Error::Function(format!("{} does not conform", component.display()))),
    }
}

fn completions(shell: clap_complete::Shell) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "weir", &mut script);
    print::out(&String::from_utf8_lossy(&script))
}
