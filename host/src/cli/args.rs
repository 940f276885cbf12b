//! What can be asked for: the subcommands, their options and their help.
//!
//! Nothing is looked at here but the arguments themselves; a wrong one ends the process with
//! code 2 before anything is read.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

const EXIT_CODES: &str = "\
Exit codes:
  0    done, or interrupted once and ended cleanly
  1    a bug in weir
  2    the pipeline, a component or the arguments are not right; nothing has run
  3    a function failed and the policy is to stop
  4    a source can't be read
  5    a sink, a report or a dead-letter file can't be written
  6    a function can't be built from its source
  7    state can't be kept on disk or in Redis
  8    a component was inspected, and is not fit to run
  9    another process of the run has failed or is gone
  10   a checkpoint can't be written, read or resumed from
  130  interrupted twice";

/// Run other people's functions on streams.
///
/// A function is a WebAssembly component. It runs in a sandbox that can reach nothing but the rows
/// it is given; time, windows and state stay with the host. A pipeline file says which functions
/// run on which stream.
#[derive(Debug, Parser)]
#[command(name = "weir", version, after_long_help = EXIT_CODES, max_term_width = 100)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Run(Run),
    /// Check a pipeline without running it, and print its plan
    ///
    /// Builds and loads every function, looks at every source, and prints the plan as a tree with
    /// the columns and types on every edge.
    #[command(after_help = "Example:\n  weir check examples/flights/pipeline.toml")]
    Check {
        /// The pipeline file
        pipeline: PathBuf,
    },
    Inspect(Inspect),
    Checkpoints(Checkpoints),
    Bench(Bench),
    Build(Build),
    Replay(Replay),
    Sign(Sign),
    /// Make a pair of keys to sign components with
    #[command(after_help = "Example:\n  weir keygen weir.key    # and weir.key.pub")]
    Keygen {
        /// Where the secret key goes; the public one goes beside it, with `.pub` behind its name
        key: PathBuf,
    },
    /// Look into the compiled code that is kept between runs, or remove it
    ///
    /// Kept in $WEIR_CACHE, or else ~/.cache/weir/artifacts. An empty WEIR_CACHE keeps nothing.
    Cache {
        /// What to do
        #[command(subcommand)]
        what: Cache,
    },
    /// Compile a component from standard input, for the process that started this one
    #[command(name = super::cache::COMPILE, hide = true)]
    Compile {
        /// What that process says
        arguments: Vec<String>,
    },
    /// Make a folder with a function, its tests and a pipeline
    #[command(after_help = "Examples:\n  weir new prices --lang python\n  weir new prices --lang rust")]
    New {
        /// The folder, which is not there yet
        folder: PathBuf,
        /// The language: rust, python, javascript, typescript, c, c++ or go
        #[arg(long, value_name = "L")]
        lang: weir::build::Language,
    },
    Test(Test),
    /// Hold a component against the conformance kit
    ///
    /// Runs the reference functions that an SDK's author has written (tests/conformance/README.md) on
    /// vectors of every type and prints a table.
    #[command(after_help = "Example:\n  weir conform tests/conformance/c")]
    Conform {
        /// A component (.wasm), or the folder of its source
        component: PathBuf,
    },
    /// Print a completion script for a shell
    #[command(after_help = "Example:\n  weir completions bash > ~/.local/share/bash-completion/completions/weir")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Make the call again that a row failed in
///
/// Takes dead letters as a pipeline wrote them, and makes each one's call again in a sandbox: the same values, accumulator,
/// parameters, clock, random numbers and limits. Exits with 3 while one fails, and with 0 when none does.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  weir replay dead-letters.jsonl
  weir replay dead-letters.parquet   # or a folder of Parquet files
  weir replay dead-letters.jsonl --line 3 --component fixed.wasm
  weir replay dead-letters.jsonl --line 3 --native   # a Rust test, for a debugger")]
pub(super) struct Replay {
    /// A file of dead letters: JSON Lines or Parquet; or a folder of Parquet files
    pub(super) letters: PathBuf,
    /// Only the letter on this line, or in this row, from 1
    #[arg(long, value_name = "N")]
    pub(super) line: Option<NonZeroUsize>,
    /// Another component than the letter's: a .wasm, or the folder of its source
    #[arg(long, value_name = "PATH")]
    pub(super) component: Option<PathBuf>,
    /// Print a test for the function's crate that makes the call without a sandbox
    #[arg(long)]
    pub(super) native: bool,
}

/// Sign a component, so that pipelines which trust the key run it
///
/// The signature goes into the component, or beside it (NAME.wasm.sig). Pipelines say whom they trust:
/// `[trust]` with `keys = ["weir.key.pub"]`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  weir sign flights.wasm --key weir.key
  weir sign flights.wasm --key weir.key --detached")]
pub(super) struct Sign {
    /// A component (.wasm)
    pub(super) component: PathBuf,
    /// The secret key
    #[arg(long, value_name = "FILE")]
    pub(super) key: PathBuf,
    /// Write the signature beside the component, which stays as it is
    #[arg(long)]
    pub(super) detached: bool,
    /// Write to this file instead
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub(super) enum Cache {
    /// List what is kept, the last used first
    Ls,
    /// Remove all of it
    Clear,
}

/// Run a pipeline
///
/// Functions given as a source folder are built first when their source has changed. On a terminal
/// a line shows how far the run is; at the end a table says what each step did. Ctrl-C stops
/// reading, finishes what has been read and exits with 0; a second one ends at once. With
/// `[checkpoint]` a run goes on where the last one was killed or stopped.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  weir run examples/flights/pipeline.toml
  weir run pipeline.toml --workers 2 --report report.json
  weir run pipeline.toml --processes 2 --restart 5
  weir run pipeline.toml --metrics 127.0.0.1:9100 --log json
  weir run pipeline.toml --otlp http://collector:4318
  weir run pipeline.toml --hosts hosts.txt --process 1 --listen 0.0.0.0:2101
  weir run pipeline.toml --quiet | jq .    # where the sink is stdout")]
pub(super) struct Run {
    /// The pipeline file
    pub(super) pipeline: PathBuf,
    /// Threads to run on; the result is the same with any number
    #[arg(short, long, value_name = "N", default_value = "1")]
    pub(super) workers: NonZeroUsize,
    /// Rows in a batch, which is one call of a function
    #[arg(long, value_name = "N", default_value = "8192")]
    pub(super) batch_rows: NonZeroUsize,
    /// Rows of each source partition in an epoch: checkpoints and results as they change come between
    /// epochs
    #[arg(long, value_name = "N", default_value = "65536")]
    pub(super) epoch_rows: NonZeroUsize,
    /// Write what each step did as JSON
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
    /// Start again whenever the pipeline file or a function's source changes
    #[arg(long)]
    pub(super) watch: bool,
    /// Start from nothing although there is a checkpoint to go on from; it and its outputs are replaced
    #[arg(long)]
    pub(super) from_scratch: bool,
    /// No live line and no closing table; errors are still printed
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// Serve metrics for Prometheus here, at /metrics; with --processes each at the next port
    #[arg(long, value_name = "HOST:PORT")]
    pub(super) metrics: Option<String>,
    /// Send metrics and logs to an OpenTelemetry collector that takes OTLP over HTTP; without a URL to where
    /// OTEL_EXPORTER_OTLP_ENDPOINT says, or else to http://localhost:4318
    #[arg(long, value_name = "URL", value_parser = url)]
    pub(super) otlp: Option<Option<String>>,
    /// Log what happens to stderr, in place of the live line, the table and the words of errors
    #[arg(long, value_name = "FORMAT")]
    pub(super) log: Option<super::logging::Format>,
    /// Start so many processes on this machine, each with as many workers as --workers says
    #[arg(long, value_name = "N", conflicts_with = "hosts")]
    pub(super) processes: Option<NonZeroUsize>,
    /// Start all processes again when one dies, at most so many times
    #[arg(long, value_name = "TIMES", default_value = "0", conflicts_with = "hosts")]
    pub(super) restart: u32,
    /// Be one of several processes: a line HOST:PORT for each, the first that of process 0
    #[arg(long, value_name = "FILE", requires = "process")]
    pub(super) hosts: Option<PathBuf>,
    /// Which of them this process is, from 0
    #[arg(long, value_name = "I", requires = "hosts")]
    pub(super) process: Option<usize>,
    /// Take connections of the others here; there is no authentication, so without this only loopback
    #[arg(long, value_name = "HOST:PORT", requires = "hosts")]
    pub(super) listen: Option<String>,
    /// Seconds to wait for the others to be there
    #[arg(long, value_name = "S", default_value = "60", value_parser = seconds)]
    pub(super) join_timeout: f64,
    /// Seconds of silence after which a process is taken for dead
    #[arg(long, value_name = "S", default_value = "10", value_parser = seconds)]
    pub(super) peer_timeout: f64,
    /// Stop when standard input ends: how a process ends with the one that started it
    #[arg(long, hide = true)]
    pub(super) end_with_stdin: bool,
}

impl Run {
    /// Whether there is neither a live line nor a table.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet || self.log.is_some()
    }

    /// Whether this process runs nothing itself, and looks after those that do.
    pub(super) fn is_supervisor(&self) -> bool {
        self.processes.is_some_and(|n| n.get() > 1) || self.restart > 0
    }
}

/// List, show, verify and remove the checkpoints of a pipeline
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  weir checkpoints ls pipeline.toml
  weir checkpoints show checkpoints/ --checkpoint 17
  weir checkpoints verify pipeline.toml
  weir checkpoints prune pipeline.toml --keep 1")]
pub(super) struct Checkpoints {
    #[command(subcommand)]
    pub(super) action: CheckpointsAction,
}

#[derive(Debug, Subcommand)]
pub(super) enum CheckpointsAction {
    /// List them: when they were taken, how many workers there were, how large they are
    Ls {
        /// The pipeline file, the folder of its checkpoints, or s3://BUCKET/PREFIX
        place: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print one of them: where the sources were, what each step held, what was published
    Show {
        /// The pipeline file, the folder of its checkpoints, or s3://BUCKET/PREFIX
        place: PathBuf,
        /// Which; the last one if nothing is said
        #[arg(long, value_name = "N")]
        checkpoint: Option<u64>,
        /// Print the manifest as it is
        #[arg(long)]
        json: bool,
    },
    /// Read every file of all of them, and say which are whole; exits with 10 if one is not
    Verify {
        /// The pipeline file, the folder of its checkpoints, or s3://BUCKET/PREFIX
        place: PathBuf,
    },
    /// Remove all but the last ones, and what belongs to none
    Prune {
        /// The pipeline file, the folder of its checkpoints, or s3://BUCKET/PREFIX
        place: PathBuf,
        /// How many are kept
        #[arg(long, value_name = "N", default_value = "1")]
        keep: NonZeroUsize,
    },
}

/// Show what a component offers and asks for, and whether it is fit to run
///
/// Its functions with their parameters and columns, the interfaces it imports and exports, its
/// size and its digest. Each function is tried in a sandbox, on rows made up from its columns' types: what a row
/// costs, whether it gives the same for the same, keeps nothing between calls, and of an aggregate
/// whether `merge` agrees with `accumulate`. Exits with 8 where something does not hold.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  weir inspect udfs/stats
  weir inspect stats.wasm --with q=0.5
  weir inspect stats.wasm --json | jq .verdict")]
pub(super) struct Inspect {
    /// A component (.wasm), or the folder of its source
    pub(super) component: PathBuf,
    /// A parameter of the functions that have it; may be given several times
    #[arg(long = "with", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(super) parameters: Vec<(String, String)>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Measure a function: what a row costs, by batch size
///
/// Calls the function on made-up rows, or on yours, and times every call, the copying of columns
/// into and out of the sandbox included. An aggregate is measured by `accumulate`, with a group
/// for every four rows.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  weir bench udfs/flights delay_class
  weir bench udfs/text parse --rows numbers.jsonl --seconds 5
  weir bench udfs/stats mean --json")]
pub(super) struct Bench {
    /// A component (.wasm), or the folder of its source
    pub(super) component: PathBuf,
    /// The function's name in the component's catalog
    pub(super) function: String,
    /// Rows to call it on: a JSON Lines file with the function's input columns
    #[arg(long, value_name = "FILE")]
    pub(super) rows: Option<PathBuf>,
    /// A parameter of the function; may be given several times
    #[arg(long = "with", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(super) parameters: Vec<(String, String)>,
    /// How long to measure, all batch sizes together
    #[arg(long, value_name = "S", default_value = "2", value_parser = seconds)]
    pub(super) seconds: f64,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Build a function from its source folder, and print where its component is
///
/// The folder's language is that of its Cargo.toml, its go.mod or its one source file, or stands in a
/// weir.toml. The language's own compiler is called with the SDK that comes with weir; where it is not
/// installed, what to install is printed. The result is a component that imports nothing but weir:udf/host.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  weir build udfs/flights
  weir build udfs/flights -o flights.wasm
  weir build module.wasm -o component.wasm    # of a core module")]
pub(super) struct Build {
    /// The folder, or a core module (.wasm)
    pub(super) folder: PathBuf,
    /// Write the component here
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
}

/// Run a function's test cases in the sandbox
///
/// A case is a line of tests.jsonl beside the source: a function, rows, and what is to come of them. Each is
/// run at once, in halves, row by row and with fresh instances, which must make no difference.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  weir test my-function
  weir test my-function --update    # take what comes as what is expected
  weir test stats.wasm --cases stats.jsonl")]
pub(super) struct Test {
    /// The folder of a function's source, or a component (.wasm)
    #[arg(default_value = ".")]
    pub(super) component: PathBuf,
    /// The cases, where they are not the folder's tests.jsonl
    #[arg(long, value_name = "FILE")]
    pub(super) cases: Option<PathBuf>,
    /// Write what comes as what is expected, where it differs
    #[arg(long)]
    pub(super) update: bool,
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

/// A collector's place. What stands behind `--otlp` without being one may be meant as the pipeline.
fn url(text: &str) -> Result<String, String> {
    match text.starts_with("http://") || text.starts_with("https://") {
        true => Ok(text.to_owned()),
        false => Err("give a URL as in http://collector:4318, or --otlp behind the pipeline".to_owned()),
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 3600.0 => Ok(seconds),
        _ => Err("give a number of seconds above 0 and up to 3600".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_make_sense() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_exit_codes_are_the_library_s() {
        use weir::Error;
        let cause = || Some(std::io::Error::other("x"));
        let errors = [
            Error::Bug(String::new()),
            Error::invalid(""),
            Error::Function(String::new()),
            Error::Source { message: String::new(), cause: cause() },
            Error::Sink { message: String::new(), cause: cause() },
            Error::Build { message: String::new(), hint: None },
            Error::State { message: String::new(), hint: None, cause: None },
            Error::Unfit(String::new()),
            Error::peer(""),
            Error::Checkpoint { message: String::new(), hint: None, cause: None },
        ];
        let words = [
            "a bug",
            "not right",
            "policy is to stop",
            "source can't",
            "sink",
            "built from its source",
            "state can't",
            "not fit",
            "another process",
            "a checkpoint",
        ];
        for (error, word) in errors.iter().zip(words) {
            let line = EXIT_CODES.lines().find(|l| l.contains(word)).unwrap();
            assert!(line.trim_start().starts_with(&format!("{} ", error.exit_code())), "{line}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "run",
            "run p --workers 0",
            "bench c f --seconds 0",
            "bench c f --with =1",
            "bench c f --with a",
            "run p --process 1",
            "run p --hosts h",
            "run p --hosts h --process 0 --restart 1",
        ] {
            let arguments = ["weir"].into_iter().chain(line.split(' '));
            assert_eq!(Cli::try_parse_from(arguments).map_err(|e| e.exit_code()).unwrap_err(), 2, "{line}");
        }
    }
}
