//! A disk that is full: a real one, small, for real processes. What was published stays right, what went
//! wrong is said, and when there is room again the run goes on.
//!
//! The disk is a file system in memory that only the process sees (in namespaces of its own). Where the machine
//! does not allow that, no file may grow beyond a size: as for the program, a write that fails half way.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use crate::command::{binary, weir};
use crate::kills::{PIPELINE, Published, rows};
use crate::pipelines::Case;
use crate::random::Random;

/// Runs its arguments twice, the second time with room; what is in `full/` is moved out of the disk then.
const DISK: &str = r#"
bytes=$1; shift
mkdir full && mount -t tmpfs -o size="$bytes" none full || exit 77
"$@" 2>first.err; echo $? >first.code
mount -o remount,size=256m none full
"$@" 2>second.err; echo $? >second.code
cp -r full/. .
"#;

/// The same, with files that may not grow beyond so many bytes.
const LIMIT: &str = r#"
bytes=$1; shift
mkdir full
(trap '' XFSZ; ulimit -f $((bytes / 512)); exec "$@" 2>&3) 3>first.err; echo $? >first.code
"$@" 2>second.err; echo $? >second.code
cp -r full/. .
"#;

static HAS_DISKS: LazyLock<bool> = LazyLock::new(|| {
    let mut tried = Command::new("unshare");
    tried.args(["-Urm", "mount", "-t", "tmpfs", "none", "/mnt"]).stdout(Stdio::null()).stderr(Stdio::null());
    tried.status().is_ok_and(|status| status.success())
});

/// Runs the pipeline where `full/` has so little room, and again where it has more: how it ended both times, with
/// what it said.
fn run(case: &Case, bytes: u64) -> [(i32, String); 2] {
    let run = weir(case, &["run", "pipeline.toml", "--quiet", "--epoch-rows", "1000", "--workers", "2"]);
    let mut command = match *HAS_DISKS {
        true => Command::new("unshare"),
        false => Command::new("sh"),
    };
    match *HAS_DISKS {
        true => command.args(["-Urm", "sh", "-c", DISK]),
        false => command.args(["-c", LIMIT]),
    };
    command.arg("sh").arg(bytes.to_string()).arg(binary()).args(run.get_args()).current_dir(case.path());
    command.envs(run.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ran = command.stdin(Stdio::null()).output().expect("a shell");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let read = |name: &str| fs::read_to_string(case.path().join(name)).expect("it was written");
    ["first", "second"].map(|run| {
        let code = read(&format!("{run}.code")).trim().parse().expect("a code");
        (code, read(&format!("{run}.err")))
    })
}

fn case(pipeline: &str) -> Case {
    let case = Case::empty();
    case.write("pipeline.toml", pipeline);
    case.provide();
    let mut random = Random::new(11);
    for partition in 0..2 {
        case.write(&format!("in-{partition}.csv"), rows(&mut random, 20_000));
    }
    case
}

/// What is expected where nothing is full.
static EXPECTED: LazyLock<Published> = LazyLock::new(|| {
    let case = case(PIPELINE);
    let ran = weir(&case, &["run", "pipeline.toml", "--quiet", "--epoch-rows", "1000"]).output().expect("weir runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    Published::of(&case)
});

#[track_caller]
fn fills_up(from: &str, to: &str, bytes: u64, code: i32, said: &str) {
    assert!(PIPELINE.contains(from), "{from}");
    let case = case(&PIPELINE.replace(from, to));
    let [first, second] = run(&case, bytes);
    let (ended, errors) = &first;
    assert_eq!(*ended, code, "{errors}");
    let why = if *HAS_DISKS { "No space left on device" } else { "File too large" };
    assert!(errors.starts_with("error: ") && errors.contains(said) && errors.contains(why), "{said}: {errors}");
    assert_eq!((second.0, second.1.as_str()), (0, ""), "with room again");
    Published::of(&case).assert_is(&EXPECTED, "with room again");
}

#[test]
fn where_checkpoints_are_kept() {
    fills_up("dir = \"checkpoints\"", "dir = \"full/checkpoints\"", 16 << 10, 10, "full/checkpoints/");
}

#[test]
fn where_a_sink_publishes_with_each_checkpoint() {
    fills_up("folder = \"running\"", "folder = \"full/running\"", 1 << 20, 5, "full/running/_weir/part-");
}

#[test]
fn where_a_sink_has_one_file() {
    fills_up("file = \"hops.jsonl\"", "file = \"full/hops.jsonl\"", 128 << 10, 5, "full/hops.jsonl");
}

#[test]
fn where_dead_letters_go() {
    fills_up("file = \"letters.jsonl\"", "file = \"full/letters.jsonl\"", 8 << 10, 5, "the dead letters");
}
