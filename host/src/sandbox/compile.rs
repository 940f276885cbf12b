//! From a component to native code, here or in a process of its own.
//!
//! What Cranelift takes for a component cannot be known before, and it cannot be stopped half way. So
//! a host that takes components from others hands them to a child: this program again, with limits on
//! address space and processor time that the system holds it to, killed when its time is over. What
//! the child gives back is native code that the parent trusts as it would its own: the child is the
//! same compiler, and the component is its input either way.

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, setrlimit};
use wasmtime::Engine;

use super::limits::Limits;
use super::runtime::{Features, config};
use super::settings::Amount;
use crate::error::{Error, Result};

/// Who compiles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Compiler {
    /// This process, on the thread that asks. Nothing bounds its time and memory but the component's shape.
    #[default]
    Here,
    /// A child: this program with these arguments, which has to call [`compile_as_child`].
    Child {
        /// The program.
        program: PathBuf,
        /// What tells it to be the compiler; the features follow.
        arguments: Vec<String>,
    },
}

/// How often a parent looks whether its child is done.
const LOOK: Duration = Duration::from_millis(2);

impl Compiler {
    /// Compiles a component; what comes out can be deserialised by an engine with these features.
    pub(super) fn compile(
        &self,
        engine: &Engine,
        features: Features,
        wasm: &[u8],
        limits: &Limits,
    ) -> Result<Vec<u8>, String> {
        match self {
            Self::Here => engine.precompile_component(wasm).map_err(|e| format!("{e:#}")),
            Self::Child { program, arguments } => {
                let mut command = Command::new(program);
                command
                    .args(arguments)
                    .args([features.fuel.to_string(), limits.compile_memory_bytes_max.to_string()])
                    .arg(limits.compile_time_max.as_secs().saturating_add(1).to_string());
                wait(command, wasm, limits.compile_time_max).map_err(|end| match end {
                    End::Time => {
                        let most = Amount::Time(limits.compile_time_max);
                        format!("it took longer than {most} (`compile-time` in `[limits]`)")
                    }
                    End::Died(how) => {
                        let most = Amount::Bytes(limits.compile_memory_bytes_max as u64);
                        format!("the compiler ended with {how}; it may have needed more than {most} (`compile-memory`)")
                    }
                    End::Refused(why) => why,
                })
            }
        }
    }
}

/// How a child ended that gave no code.
enum End {
    Time,
    Died(String),
    Refused(String),
}

/// Runs a child to its end, or to the end of its time.
fn wait(mut command: Command, input: &[u8], time: Duration) -> Result<Vec<u8>, End> {
    let died = |e: io::Error| End::Died(e.to_string());
    let deadline = Instant::now() + time;
    let mut child = command
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| End::Died(format!("an error ({}: {e})", command.get_program().display())))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        // A child that is killed closes its ends, and so ends these threads.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
        let code = scope.spawn(move || read(stdout));
        let words = scope.spawn(move || read(stderr));
        let status = loop {
            match child.try_wait().map_err(died)? {
                Some(status) => break status,
                None if Instant::now() >= deadline => {
                    end(&mut child);
                    return Err(End::Time);
                }
                None => thread::sleep(LOOK),
            }
        };
        let (code, words) = (code.join().unwrap_or_default(), words.join().unwrap_or_default());
        let words = String::from_utf8_lossy(&words).trim().to_string();
        match status.code() {
            Some(0) => Ok(code),
            Some(REFUSED) => Err(End::Refused(words)),
            _ => Err(End::Died(status.to_string())),
        }
    })
}

fn end(child: &mut Child) {
    // It may have ended by itself meanwhile; either way it is waited for.
    let _ = child.kill();
    let _ = child.wait();
}

fn read(pipe: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        // What is missing shows in the status.
        let _ = pipe.read_to_end(&mut bytes);
    }
    bytes
}

/// The exit code of a child that found something wrong with the component.
const REFUSED: i32 = 3;

/// What the child of [`Compiler::Child`] is: reads a component from standard input, writes native code to standard
/// output. `arguments` are those that the parent added. Returns the exit code.
pub fn compile_as_child(arguments: &[String]) -> u8 {
    match as_child(arguments) {
        Ok(()) => 0,
        Err(Error::Invalid(invalid)) => {
            // The parent reads it; nobody else does.
            let _ = writeln!(io::stderr(), "{invalid}");
            REFUSED as u8
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            1
        }
    }
}

fn as_child(arguments: &[String]) -> Result<()> {
    let wrong = || Error::Bug("a compiler was started without its three arguments".into());
    let [fuel, memory_bytes, seconds] = arguments else { return Err(wrong()) };
    let features = Features { fuel: fuel.parse().map_err(|_| wrong())?, ..Features::default() };
    let limit = |resource, most: u64| {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
            .map_err(|e| Error::Bug(format!("the compiler can't be limited: {e}")))
    };
    limit(Resource::As, memory_bytes.parse().map_err(|_| wrong())?)?;
    // Of all its threads together.
    let threads = thread::available_parallelism().map_or(1, |n| n.get() as u64);
    limit(Resource::Cpu, seconds.parse::<u64>().map_err(|_| wrong())?.saturating_mul(threads))?;
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    let broken = |e: io::Error| Error::Bug(format!("the compiler's pipes are broken: {e}"));
    let mut wasm = Vec::new();
    io::stdin().read_to_end(&mut wasm).map_err(broken)?;
    let engine = Engine::new(&config(features)).map_err(|e| Error::Bug(format!("{e:#}")))?;
    let code = engine.precompile_component(&wasm).map_err(|e| Error::invalid(format!("{e:#}")))?;
    let mut out = io::stdout().lock();
    out.write_all(&code).and_then(|()| out.flush()).map_err(broken)
}
