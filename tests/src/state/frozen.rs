//! A store on disk goes on from the files that it was frozen to, with other workers as well.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use weir::checkpoint::{FileRef, Frozen};
use weir::state::{Pane, PerKey, Saved, Settings, Store, Stores};

use super::{Model, entries_of, key, pages, pane, some_keys, store, store_of};
use crate::random::Random;

fn settings(folder: &Path) -> Settings {
    Settings::Disk { folder: folder.to_owned(), memory_bytes: 1 << 20 }
}

/// Puts the same to the stores of so many workers as to a model.
fn put(stores: &mut [Box<dyn Store>], model: &mut Model, panes: &[Pane], round: i64, random: &mut Random) {
    for pane in panes {
        let keys = some_keys(random, 30);
        let new: BTreeMap<_, _> = keys.into_iter().map(|key| (key, vec![(round as f64, None)])).collect();
        let workers = stores.len();
        for (worker, store) in stores.iter_mut().enumerate() {
            let of = |key: &[u8]| usize::from(key[key.len() - 1]) % workers == worker;
            let mine = new.iter().filter(|(key, _)| of(key)).map(|(key, value)| (key.clone(), value.clone())).collect();
            store.put(&mut [entries_of(*pane, &mine)].into_iter()).expect("put");
        }
        model.extend(new.into_iter().map(|(key, value)| ((*pane, key), value)));
    }
}

/// Everything that the stores have.
fn all(stores: &mut [Box<dyn Store>]) -> Model {
    let mut model = Model::new();
    for store in stores {
        for pane in store.panes() {
            let pages = pages(&mut **store, pane, 7);
            model.extend(pages.into_iter().map(|(key, value)| ((pane, key), value)));
        }
    }
    model
}

fn files(frozen: &Frozen) -> Vec<FileRef> {
    let file = |(name, path): &(String, std::path::PathBuf)| FileRef {
        file: path.display().to_string(),
        node: "n".into(),
        name: name.clone(),
        bytes: 0,
        sum: String::new(),
    };
    frozen.files.iter().map(file).collect()
}

#[test]
fn a_store_goes_on_from_its_files_with_any_number_of_workers() {
    for seed in 0..6 {
        let mut random = Random::new(seed);
        let folder = tempfile::tempdir().expect("a folder");
        let (mut model, mut workers, mut removed) = (Model::new(), 2, Vec::new());
        let mut frozen: Option<Vec<Frozen>> = None;
        // A run's folder is emptied when it ends, which these do when all is over.
        let mut lives = Vec::new();
        for life in 0..5 {
            let refs: BTreeMap<usize, Vec<FileRef>> = frozen.iter().flatten().map(files).enumerate().collect();
            let before = refs.len().max(1);
            let taken = Stores::open(&settings(&folder.path().join(format!("{life}"))), "p", 1).expect("a place");
            let fetch = |file: &FileRef, to: &Path| {
                fs::copy(&file.file, to).expect("the file is still as it was");
                Ok(())
            };
            let saved = Saved {
                files: refs.iter().map(|(worker, files)| (*worker, files.iter().collect())).collect(),
                same_workers: before == workers,
                fetch: &fetch,
            };
            let saved = frozen.is_some().then_some(&saved);
            let mut stores: Vec<_> = (0..workers).map(|w| store_of(&taken, PerKey::One, w, workers, saved)).collect();
            assert!(all(&mut stores) == model, "seed {seed}, life {life}, from {before} to {workers} workers");
            // What comes later is newer than what was there.
            let panes: Vec<Pane> =
                (0..9).map(pane).filter(|pane| !removed.contains(pane) && random.once_in(2)).collect();
            for round in 0..3 {
                put(&mut stores, &mut model, &panes, life * 10 + round, &mut random);
            }
            if let Some(gone) = panes.first().filter(|_| random.once_in(2)) {
                stores.iter_mut().for_each(|store| store.remove(&[*gone]).expect("removed"));
                model.retain(|(pane, _), _| pane != gone);
                removed.push(*gone);
            }
            assert!(all(&mut stores) == model, "seed {seed}, life {life}");
            let frozen_now = stores.iter_mut().map(|s| s.freeze().expect("frozen").expect("on disk")).collect();
            // What happens behind the cut is not in it.
            put(&mut stores, &mut model.clone(), &[pane(9), pane(10)], 1000, &mut random);
            frozen = Some(frozen_now);
            workers = random.of(1..4) as usize;
            lives.push(taken);
        }
    }
}

#[test]
fn what_has_not_changed_is_frozen_to_the_same_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let stores = Stores::open(&settings(&folder.path().join("state")), "p", 1).expect("a place");
    let mut store = store(&stores, 0, 1);
    let names = |frozen: &Frozen| frozen.files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let many: BTreeMap<_, _> = (0..5000).map(|n| (key(n), vec![(0.5, None)])).collect();
    store.put(&mut [entries_of(pane(0), &many)].into_iter()).expect("put");
    let first = names(&store.freeze().expect("frozen").expect("on disk"));
    let again = names(&store.freeze().expect("frozen").expect("on disk"));
    assert_eq!(first, again);
    let few: BTreeMap<_, _> = (0..5).map(|n| (key(n), vec![(1.5, None)])).collect();
    store.put(&mut [entries_of(pane(2), &few)].into_iter()).expect("put");
    let changed = names(&store.freeze().expect("frozen").expect("on disk"));
    let tables =
        |names: &[String]| names.iter().filter(|name| name.starts_with("state/tables/")).cloned().collect::<Vec<_>>();
    assert!(tables(&first).iter().all(|name| changed.contains(name)), "{first:?}, then {changed:?}");
    assert!(tables(&changed).len() > tables(&first).len(), "{first:?}, then {changed:?}");
}
