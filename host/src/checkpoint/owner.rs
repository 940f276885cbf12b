//! Whose the checkpoints in a bucket are: there is no lock that goes with the process that holds it.
//!
//! A run that starts writes its name into `owner.json`, and then takes the name that the next checkpoint of the run before it
//! would have (`checkpoint-N.json`, and `checkpoint-N.1.json` and so on where runs have ended before they got to one),
//! with a note of a few bytes. A manifest is only put where nothing has its name. So a run that does not know yet
//! that it is over, or a request of its that was on its way when it was killed, makes no checkpoint any more, and
//! publishes nothing: its manifest is there before the note, and the new run goes on from it, or it will never be.

use std::collections::BTreeMap;
use std::io;

use super::store::{Made, Store};

const NAME: &str = "owner.json";

/// What a note starts with. Behind it stands the run, in 16 digits, and a line's end.
const NOTE: &str = "taken ";

/// The length of a note, by which a list tells it from a manifest: that is longer.
pub(super) const NOTE_BYTES: u64 = NOTE.len() as u64 + 16 + 1;

/// Notes so many checkpoints back are of runs that are long gone.
const KEPT: u64 = 100;

/// The name of a manifest: the nth that the checkpoint may have.
pub(super) fn manifest_name(checkpoint: u64, nth: usize) -> String {
    match nth {
        0 => format!("checkpoint-{checkpoint:08}.json"),
        nth => format!("checkpoint-{checkpoint:08}.{nth}.json"),
    }
}

/// The checkpoint and the nth of a manifest's name.
pub(super) fn number(name: &str) -> Option<(u64, usize)> {
    let of = name.strip_prefix("checkpoint-")?.strip_suffix(".json")?;
    match of.split_once('.') {
        None => Some((of.parse().ok()?, 0)),
        Some((checkpoint, nth)) => Some((checkpoint.parse().ok()?, nth.parse().ok()?)),
    }
}

/// The names of the manifests that stand, by their checkpoints.
pub(super) fn manifests(names: &[String]) -> BTreeMap<u64, String> {
    let mut found: Vec<_> = names.iter().filter_map(|name| Some((number(name)?, name.clone()))).collect();
    found.sort_unstable();
    // The last of those of a checkpoint is what the run that came last has put there.
    found.into_iter().map(|((checkpoint, _), name)| (checkpoint, name)).collect()
}

/// Those of the names of notes that nobody needs any more, when this is the last checkpoint.
pub(super) fn outlived(notes: &[String], last: u64) -> impl Iterator<Item = &String> {
    notes.iter().filter(move |name| number(name).is_some_and(|(checkpoint, _)| checkpoint + KEPT <= last))
}

/// A run that has taken a bucket.
#[derive(Clone, Debug)]
pub(super) struct Owner {
    run: String,
}

impl Owner {
    /// Takes a bucket for a run, in 16 digits.
    pub(super) fn take(store: &Store, run: &str) -> io::Result<Self> {
        let owner = Self { run: run.to_owned() };
        store.write(NAME, owner.text().as_bytes())?;
        let note = format!("{NOTE}{run}\n");
        loop {
            let last = manifests(&store.list()?.names).into_keys().next_back().unwrap_or(0);
            let mut nth = 0;
            loop {
                let name = manifest_name(last + 1, nth);
                match store.publish(&name, note.as_bytes())? {
                    Made::New => return Ok(owner),
                    Made::Taken if is_note(&store.read(&name)?) => nth += 1,
                    // A checkpoint that was on its way; the next one is to be taken.
                    Made::Taken => break,
                }
            }
        }
    }

    /// Puts the manifest of a checkpoint there, unless another run has taken the bucket.
    pub(super) fn publish(&self, store: &Store, checkpoint: u64, bytes: &[u8]) -> io::Result<Made> {
        let mut nth = 0;
        loop {
            // A note that is there may be that of a later run: it has put its name here before.
            if store.read(NAME)? != self.text().as_bytes() {
                return Ok(Made::Taken);
            }
            let name = manifest_name(checkpoint, nth);
            match store.publish(&name, bytes)? {
                Made::New => return Ok(Made::New),
                Made::Taken if is_note(&store.read(&name)?) => nth += 1,
                Made::Taken => return Ok(Made::Taken),
            }
        }
    }

    /// What it says of itself.
    fn text(&self) -> String {
        format!("{{\"run\":\"{}\",\"pid\":{}}}\n", self.run, std::process::id())
    }
}

fn is_note(bytes: &[u8]) -> bool {
    bytes.len() as u64 == NOTE_BYTES && bytes.starts_with(NOTE.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for of in [(1, 0), (17, 2), (123_456_789, 11)] {
            assert_eq!(number(&manifest_name(of.0, of.1)), Some(of));
        }
        for other in
            ["checkpoint-.json", "checkpoint-1.x.json", "checkpoint-00000001.tmp", "owner.json", "part-1-0-a.weir"]
        {
            assert_eq!(number(other), None, "{other}");
        }
    }

    #[test]
    fn of_two_manifests_of_a_checkpoint_the_later_run_s_stands() {
        let names = [(2, 0), (1, 0), (2, 10), (2, 9)].map(|(checkpoint, nth)| manifest_name(checkpoint, nth));
        let stand = manifests(&names).into_iter().collect::<Vec<_>>();
        assert_eq!(stand, [(1, names[1].clone()), (2, names[2].clone())]);
    }

    #[test]
    fn notes_go_when_they_are_old() {
        let notes = [1, 50, 51].map(|checkpoint| manifest_name(checkpoint, 0));
        assert_eq!(outlived(&notes, 150).collect::<Vec<_>>(), [&notes[0], &notes[1]]);
        assert!(is_note(format!("{NOTE}{:016x}\n", 7).as_bytes()) && !is_note(b"weir-checkpoint 1 0000\n"));
    }
}
