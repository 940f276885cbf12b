//! `weir checkpoints`: what is in a folder of checkpoints.

use std::fmt::Write as _;
use std::path::Path;

use chrono::DateTime;
use weir::checkpoint::{Bucket, Files, Folder, Location, Manifest, PartRef, is_url};
use weir::error::{Error, Invalid, Result};
use weir::plan;
use weir::report::CheckpointsReport;

use super::args::CheckpointsAction;
use super::{print, text};

pub(super) fn run(action: &CheckpointsAction) -> Result<()> {
    match action {
        CheckpointsAction::Ls { place, json } => ls(&open(place)?, *json),
        CheckpointsAction::Show { place, checkpoint, json } => show(&open(place)?, *checkpoint, *json),
        CheckpointsAction::Verify { place } => verify(&open(place)?),
        CheckpointsAction::Prune { place, keep } => {
            // While a run writes there, what no manifest names may be what it has just written.
            let folder = Folder::take_to_prune(&of(place)?, Files::default())?;
            let gone = folder.prune(keep.get())?;
            print::out(&format!("{gone} files removed, {} checkpoints left\n", folder.numbers()?.len()))
        }
    }
}

/// The closing line of a run that has to do with checkpoints.
pub(super) fn summary(of: &CheckpointsReport, went_well: bool) -> String {
    let mut line = match (of.resumed, of.taken, went_well) {
        (Some(resumed), 0, true) => {
            return format!(
                "checkpoint {resumed} is complete: its input had ended and its results are published \
                 (`--from-scratch` runs it again)"
            );
        }
        (Some(resumed), ..) => format!("went on from checkpoint {resumed}"),
        (None, ..) => "started from nothing".to_owned(),
    };
    if let Some(mean_ms) = of.commit_ms.checked_div(of.taken) {
        let _ = write!(line, "; {} checkpoints taken, the last is {} ({mean_ms} ms each to commit)", of.taken, of.last);
    }
    line
}

/// What was named: a pipeline, the folder of its checkpoints, or a bucket at a server that the environment names.
fn of(place: &Path) -> Result<Location> {
    match place.to_str().filter(|text| is_url(text)) {
        Some(url) => {
            let bucket = Bucket::parse(url).map_err(|(wrong, hint)| Invalid::new(wrong).hint(hint))?;
            Ok(Location::Bucket(bucket))
        }
        None if place.is_dir() => Ok(place.to_path_buf().into()),
        None => plan::checkpoint_location(place),
    }
}

fn open(place: &Path) -> Result<Folder> {
    Folder::look_at(&of(place)?, Files::default())
}

fn ls(folder: &Folder, json: bool) -> Result<()> {
    let manifests = folder.numbers()?.into_iter().map(|number| folder.manifest(number));
    let manifests = manifests.collect::<Result<Vec<Manifest>>>()?;
    if json {
        return print::out(&text::json(&manifests)?);
    }
    if manifests.is_empty() {
        return print::out(&format!("no checkpoints in {}\n", folder.location()));
    }
    let mut out = format!("{:>10}  {:<24}  {:>7}  {:>10}  {}\n", "checkpoint", "taken", "workers", "bytes", "pipeline");
    for m in &manifests {
        let bytes: u64 = m.parts.iter().map(PartRef::all_bytes).sum();
        let complete = if m.complete { " (complete)" } else { "" };
        let _ = writeln!(
            out,
            "{:>10}  {:<24}  {:>7}  {:>10}  {}{complete}",
            m.checkpoint,
            time(m.taken_ms),
            m.workers,
            text::bytes(bytes),
            m.pipeline
        );
    }
    print::out(&out)
}

fn show(folder: &Folder, checkpoint: Option<u64>, json: bool) -> Result<()> {
    let manifest = match checkpoint {
        Some(number) => Some(folder.manifest(number)?),
        None => folder.last()?,
    };
    let Some(m) = manifest else {
        return print::out(&format!("no checkpoints in {}\n", folder.location()));
    };
    if json {
        return print::out(&text::json(&m)?);
    }
    let mut out =
        format!("checkpoint {} of `{}`, taken {} by weir {}\n", m.checkpoint, m.pipeline, time(m.taken_ms), m.weir);
    let _ = writeln!(out, "{} workers{}", m.workers, if m.complete { "; the input had ended" } else { "" });
    out.push_str("\nsources\n");
    for p in &m.positions {
        let ended = if p.ended { ", ended" } else { "" };
        let _ = writeln!(out, "  {}  {}  record {}{ended}", p.source, p.partition, p.record);
    }
    out.push_str("\nstate\n");
    for part in &m.parts {
        let nodes: Vec<String> = part
            .sections
            .iter()
            .map(|s| format!("{} ({})", s.node, if s.whole { "whole" } else { "changes" }))
            .collect();
        let with = match part.files.len() {
            0 => String::new(),
            files => format!("  with {files} files of state on disk"),
        };
        let (bytes, nodes) = (text::bytes(part.all_bytes()), nodes.join(", "));
        let _ = writeln!(out, "  {}  worker {}  {bytes}  {nodes}{with}", part.file, part.worker);
    }
    out.push_str("\noutputs\n");
    for o in &m.outputs {
        let _ = writeln!(out, "  {}  {}  {} rows more, {}", o.sink, o.published, o.rows, text::bytes(o.bytes));
    }
    print::out(&out)
}

fn verify(folder: &Folder) -> Result<()> {
    let (mut out, mut broken) = (String::new(), 0);
    for number in folder.numbers()? {
        match folder.verify(number) {
            Ok(files) => {
                let _ = writeln!(out, "checkpoint {number}: whole ({files} files)");
            }
            Err(error) => {
                broken += 1;
                let _ = writeln!(out, "checkpoint {number}: {error}");
            }
        }
    }
    print::out(&out)?;
    match broken {
        0 => Ok(()),
        n => {
            Err(Error::Checkpoint { message: format!("{n} of the checkpoints can't be used"), hint: None, cause: None })
        }
    }
}

fn time(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(DateTime::from_timestamp_millis);
    time.map_or_else(String::new, |time| time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}
