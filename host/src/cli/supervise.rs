//! Several processes of one run on this machine, started, watched and, if wanted, started again.
//!
//! Each is this same command on a free loopback port. When one ends badly the others end by themselves;
//! then all are started again, a bounded number of times and each time later, unless what happened
//! would happen again. They end with this process, however it ends: what they read as standard input
//! is held open here, and its end asks them to stop.

use std::io::Write;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use weir::error::{Error, Result};
use weir::flow::cluster::free_addresses;

use super::args::Run;
use super::telemetry::Telemetry;
use super::{engine, logging, print, signals};

/// How often to look at the processes.
const LOOK: Duration = Duration::from_millis(20);

/// What those that are left get, beyond the time that silence may last, to end by themselves.
const GRACE: Duration = Duration::from_secs(5);

/// The wait before the first restart; twice as long before each further one.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Runs the processes to their end.
pub(super) fn supervise(args: &Run, telemetry: &mut Telemetry) -> Result<ExitCode> {
    let stop = signals::stop_flag()?;
    telemetry.start(args)?;
    logging::start(args, telemetry)?;
    // What is wrong with the pipeline is said once, and functions are built once.
    drop(engine::load_plan(&args.pipeline, args.is_quiet())?);
    for restarts in 0.. {
        let ended = Group::start(args, restarts)?.wait(&stop, Duration::from_secs_f64(args.peer_timeout))?;
        match decide(&ended, restarts, args.restart, stop.load(Relaxed)) {
            Next::Over => return Ok(ExitCode::SUCCESS),
            Next::GiveUp { code } => return Ok(ExitCode::from(code)),
            Next::Restart { because, after } => {
                let (nth, of) = (restarts + 1, args.restart);
                let text = format!("{because}; all start again in {} s ({nth} of {of})", after.as_secs_f64());
                tracing::warn!("{text}");
                if args.log.is_none() {
                    print::note(&text);
                }
                let until = Instant::now() + after;
                while Instant::now() < until && !stop.load(Relaxed) {
                    thread::sleep(LOOK);
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Code(u8),
    /// By a signal, or with a code that no weir ends with.
    Crash,
}

/// What to do when all processes have ended.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Over,
    GiveUp { code: u8 },
    Restart { because: String, after: Duration },
}

/// Decides by how the processes ended, in the order in which they did.
fn decide(ended: &[(usize, End)], restarts: u32, restarts_max: u32, stopping: bool) -> Next {
    let bad = || ended.iter().filter(|(_, end)| *end != End::Code(0));
    // Code 9 is the echo of what happened to another one.
    let Some((process, end)) = bad().find(|(_, end)| *end != End::Code(9)).or(bad().next()).copied() else {
        return Next::Over;
    };
    let (what, code) = match end {
        End::Code(code) => (format!("ended with code {code}"), code),
        End::Crash => ("was killed or crashed".to_owned(), 1),
    };
    // What is wrong with the pipeline, or what a function does, stays so.
    let lasting = matches!(end, End::Code(2 | 3 | 6));
    match stopping || lasting || restarts >= restarts_max {
        true => Next::GiveUp { code },
        false => Next::Restart {
            because: format!("process {process} {what}"),
            after: FIRST_WAIT.saturating_mul(1 << restarts.min(16)).min(LONGEST_WAIT),
        },
    }
}

/// Processes that run. Dropped, they are killed.
struct Group {
    children: Vec<Child>,
    /// Named on their command lines, and gone with this.
    _hosts: tempfile::NamedTempFile,
}

impl Group {
    fn start(args: &Run, restarts: u32) -> Result<Self> {
        let failed = |e: std::io::Error| Error::peer(format!("the processes can't be started: {e}"));
        let processes = args.processes.map_or(1, std::num::NonZeroUsize::get);
        let mut hosts = tempfile::NamedTempFile::new().map_err(failed)?;
        for address in free_addresses(processes)? {
            writeln!(hosts, "{address}").map_err(failed)?;
        }
        let weir = std::env::current_exe().map_err(failed)?;
        let mut group = Self { children: Vec::new(), _hosts: hosts };
        for process in 0..processes {
            let mut command = Command::new(&weir);
            command.arg("run").arg(&args.pipeline).stdin(Stdio::piped()).arg("--end-with-stdin");
            command.arg("--workers").arg(args.workers.to_string());
            command.arg("--batch-rows").arg(args.batch_rows.to_string());
            command.arg("--epoch-rows").arg(args.epoch_rows.to_string());
            if args.from_scratch && restarts == 0 {
                command.arg("--from-scratch");
            }
            command.arg("--hosts").arg(group._hosts.path()).arg("--process").arg(process.to_string());
            command.arg("--join-timeout").arg(args.join_timeout.to_string());
            command.arg("--peer-timeout").arg(args.peer_timeout.to_string());
            if args.quiet || process > 0 {
                command.arg("--quiet");
            }
            if let Some(log) = args.log.and_then(|log| log.to_possible_value()) {
                command.arg("--log").arg(log.get_name());
            }
            if let Some(metrics) = &args.metrics {
                command.arg("--metrics").arg(port_after(metrics, process)?);
            }
            if let Some(url) = &args.otlp {
                command.arg(url.as_ref().map_or("--otlp".to_owned(), |url| format!("--otlp={url}")));
            }
            if let (Some(report), 0) = (&args.report, process) {
                command.arg("--report").arg(report);
            }
            group.children.push(command.spawn().map_err(failed)?);
        }
        Ok(group)
    }

    /// Waits for all of them, and says in which order and how they ended.
    fn wait(mut self, stop: &AtomicBool, silence: Duration) -> Result<Vec<(usize, End)>> {
        let mut ended: Vec<(usize, End)> = Vec::new();
        let mut since = None;
        while ended.len() < self.children.len() {
            for (process, child) in self.children.iter_mut().enumerate() {
                if stop.load(Relaxed) {
                    // The end of its standard input asks it to stop.
                    drop(child.stdin.take());
                }
                if ended.iter().any(|(of, _)| *of == process) {
                    continue;
                }
                let status = child.try_wait();
                if let Some(status) = status.map_err(|e| Error::peer(format!("process {process}: {e}")))? {
                    let end = end_of(status);
                    ended.push((process, end));
                    if end != End::Code(0) {
                        since.get_or_insert_with(Instant::now);
                    }
                } else if since.is_some_and(|since: Instant| since.elapsed() > silence + GRACE) {
                    // One that hangs, or was stopped.
                    drop(child.kill());
                }
            }
            thread::sleep(LOOK);
        }
        Ok(ended)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for child in &mut self.children {
            // Those that have ended are not there to be killed.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// An address whose port is so many further.
fn port_after(address: &str, further: usize) -> Result<String> {
    let parts = address.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    let next = parts.and_then(|(host, port)| Some((host, port.checked_add(u16::try_from(further).ok()?)?)));
    next.map(|(host, port)| format!("{host}:{port}"))
        .ok_or_else(|| Error::invalid(format!("metrics can't be served {further} ports after `{address}`")))
}

fn end_of(status: ExitStatus) -> End {
    match status.code().and_then(|code| u8::try_from(code).ok()) {
        Some(code @ 0..=10) => End::Code(code),
        _ => End::Crash,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_process_has_a_port_for_its_metrics() {
        assert_eq!(port_after("127.0.0.1:9100", 2).expect("an address"), "127.0.0.1:9102");
        assert!(port_after("127.0.0.1:65535", 1).is_err() && port_after("nowhere", 0).is_err());
    }

    #[test]
    fn what_may_pass_is_tried_again_and_nothing_else() {
        let restart = |because: &str, ms| Next::Restart { because: because.into(), after: Duration::from_millis(ms) };
        let decided = |ended: &[(usize, End)], restarts| decide(ended, restarts, 3, false);
        assert_eq!(decided(&[(1, End::Code(0)), (0, End::Code(0))], 0), Next::Over);
        // The others end with 9 when one is lost; the cause counts, whoever was seen first.
        let killed = [(0, End::Code(9)), (1, End::Crash)];
        assert_eq!(decided(&killed, 0), restart("process 1 was killed or crashed", 500));
        assert_eq!(decided(&killed, 2), restart("process 1 was killed or crashed", 2000));
        assert_eq!(decided(&killed, 3), Next::GiveUp { code: 1 });
        assert_eq!(decided(&[(0, End::Code(9)), (1, End::Code(9))], 0), restart("process 0 ended with code 9", 500));
        for code in [2, 3, 6] {
            assert_eq!(decided(&[(0, End::Code(9)), (1, End::Code(code))], 0), Next::GiveUp { code });
        }
        assert_eq!(decided(&[(0, End::Code(5))], 0), restart("process 0 ended with code 5", 500));
        assert_eq!(decide(&killed, 0, 3, true), Next::GiveUp { code: 1 });
        assert_eq!(decide(&killed, 20, 99, false), restart("process 1 was killed or crashed", 30_000));
    }
}
