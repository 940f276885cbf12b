//! What a process runs, in a form that can be compared: all processes of a run have the same.
//!
//! Files are compared by their paths, with links followed: every process has to find the same ones, and
//! each is then read by one worker alone. Functions are compared by their components' digests.

use std::fmt::Debug;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Settings;
use crate::checkpoint::Location;
use crate::error::{Invalid, Result};
use crate::flow::source::Input;
use crate::flow::{Options, sink};
use crate::plan::{Bound, Node, Operator, Plan};

/// Pairs of what and its value, in the pipeline's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity(Vec<(String, String)>);

impl Identity {
    /// That of a plan.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] where the plan can't be run by several processes.
    pub(super) fn of(plan: &Plan, options: &Options, settings: &Settings) -> Result<Self> {
        let mut items = vec![
            ("the version of weir".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ("the number of processes".to_owned(), settings.addresses.len().to_string()),
            ("the number of workers of a process".to_owned(), options.workers.max(1).to_string()),
            ("the rows of a batch".to_owned(), options.batch_rows.to_string()),
            ("the rows of an epoch".to_owned(), options.epoch_rows.to_string()),
            ("the name of the pipeline".to_owned(), plan.name.clone()),
        ];
        for (node, line) in plan.nodes.iter().zip(plan.lines()) {
            node_items(node, line, &mut items)?;
        }
        let letters = plan.dead_letters.as_ref().map_or("nowhere".to_owned(), |letters| whole(&letters.path));
        items.push(("the place of dead letters".to_owned(), letters));
        items.push(("the place of state".to_owned(), digest(&plan.state)));
        let checkpoints = plan.checkpoint.as_ref().map_or("nowhere".to_owned(), |settings| match &settings.location {
            Location::Folder(path) => whole(path),
            Location::Bucket(bucket) => settings.location.to_string() + &digest(&(&bucket.endpoint, &bucket.region)),
        });
        items.push(("the place of checkpoints".to_owned(), checkpoints));
        Ok(Self(items))
    }

    /// The first thing that `other`, called by its name, has otherwise.
    pub(super) fn difference(&self, other: &Self, name: &str) -> Option<String> {
        let (ours, theirs) = self.0.iter().zip(&other.0).find(|(ours, theirs)| ours != theirs).unzip();
        match (ours.or(self.0.get(other.0.len())), theirs.or(other.0.get(self.0.len()))) {
            (None, None) => None,
            (Some((what, here)), Some((same, there))) if what == same => {
                Some(format!("{what} is `{there}` in {name} and `{here}` here"))
            }
            (ours, theirs) => {
                let what =
                    |item: Option<&(String, String)>| item.map_or("nothing", |(what, _)| what.as_str()).to_owned();
                Some(format!("{name} has {} where this one has {}", what(theirs), what(ours)))
            }
        }
    }
}

fn node_items(node: &Node, line: String, items: &mut Vec<(String, String)>) -> Result<()> {
    let Node { name, fields, on_error, operator, .. } = node;
    match operator {
        Operator::Source(source) => {
            if matches!(source.settings.input, Input::Stdin) {
                let message = format!("source `{name}` is standard input, which one process has and the others do not");
                return Err(Invalid::new(message).hint("with several processes read a file or a named pipe").into());
            }
            let files = matches!(source.settings.input, Input::File(_));
            let partition = |p: &String| if files { whole(Path::new(p)) } else { p.clone() };
            let partitions: Vec<_> = source.discovered.partitions.iter().map(partition).collect();
            items.push((format!("the list of partitions of source `{name}`"), partitions.join(", ")));
            // The path of the settings is how it was written; what it means stands above.
            let input = match &source.settings.input {
                Input::Nexmark(nexmark) => Some(nexmark),
                Input::File(_) | Input::Stdin => None,
            };
            let rest = (input, &source.settings.format, &source.columns, &source.event_time, on_error);
            items.push((format!("the digest of what source `{name}` says"), digest(&rest)));
        }
        Operator::Sink(sink) => {
            let output = match &sink.output {
                sink::Output::File(path) => whole(path),
                other => format!("{other:?}"),
            };
            items.push((format!("the place of sink `{name}`"), output));
            items.push((format!("the digest of what sink `{name}` says"), digest(&(&sink.format, node.input))));
        }
        Operator::Map(apply) | Operator::Filter(apply) | Operator::FlatMap(apply) => {
            items.push((format!("step `{name}`"), line));
            call(name, &apply.call, items);
        }
        Operator::StatefulMap(stateful) => {
            items.push((format!("step `{name}`"), line));
            call(name, &stateful.apply.call, items);
        }
        Operator::Window(window) => {
            items.push((format!("step `{name}`"), line));
            window.compute.calls().for_each(|of| call(name, of, items));
        }
        Operator::Join(_) | Operator::Late | Operator::Partition(_) => items.push((format!("step `{name}`"), line)),
    }
    items.push((format!("the digest of the columns of `{name}`"), digest(&(node.input, fields))));
    Ok(())
}

fn call(step: &str, of: &Bound, items: &mut Vec<(String, String)>) {
    let what = format!("the digest of function `{}` in step `{step}`", of.label);
    items.push((what, of.function.digest().unwrap_or("none: it is native").to_owned()));
}

/// What says whether two values are the same.
fn digest(of: &impl Debug) -> String {
    let hash = Sha256::digest(format!("{of:?}").as_bytes());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// A path that means the same from everywhere, whether the file is there or not.
fn whole(path: &Path) -> String {
    let folder = || {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(folder.canonicalize().ok()?.join(path.file_name()?))
    };
    path.canonicalize().ok().or_else(folder).unwrap_or_else(|| path.to_path_buf()).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(items: &[(&str, &str)]) -> Identity {
        Identity(items.iter().map(|(what, value)| ((*what).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn what_differs_is_named() {
        let ours = identity(&[("version", "1"), ("step `a`", "map x"), ("step `b`", "map y")]);
        let difference = |items: &[(&str, &str)]| ours.difference(&identity(items), "process 1");
        assert_eq!(difference(&[("version", "1"), ("step `a`", "map x"), ("step `b`", "map y")]), None);
        let other = difference(&[("version", "1"), ("step `a`", "map z"), ("step `b`", "map q")]);
        assert_eq!(other.as_deref(), Some("step `a` is `map z` in process 1 and `map x` here"));
        let other = difference(&[("version", "1"), ("step `c`", "map z")]);
        assert_eq!(other.as_deref(), Some("process 1 has step `c` where this one has step `a`"));
        let fewer = difference(&[("version", "1"), ("step `a`", "map x")]);
        assert_eq!(fewer.as_deref(), Some("process 1 has nothing where this one has step `b`"));
    }
}
