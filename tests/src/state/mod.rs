//! The stores of state against a map, and what goes wrong with them.

mod failures;
mod frozen;
mod keyed;
mod layout;
mod results;
mod rows;
mod windows;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::{Float64Builder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, BinaryArray, Int64Array};
use weir::flow::exchange::key_converter;
use weir::state::{Entries, Pane, Part, PerKey, Saved, Settings, Store, Stores};
use weir::types::{DataType, Field};

use crate::random::Random;
use crate::redis;

/// An accumulator: a number and maybe a text.
type Value = (f64, Option<String>);

/// What a store should have.
type Model = BTreeMap<(Pane, Vec<u8>), Vec<Value>>;

fn key_fields() -> [Field; 1] {
    [Field::new("n", DataType::Int64, false)]
}

fn value_fields() -> [Field; 2] {
    [Field::new("a.sum", DataType::Float64, false), Field::new("a.last", DataType::Text, true)]
}

/// The encoded key of a number.
fn key(n: i64) -> Vec<u8> {
    let column: ArrayRef = Arc::new(Int64Array::from(vec![n]));
    let rows = key_converter(&key_fields()).convert_columns(&[column]).expect("a key");
    rows.row(0).data().to_vec()
}

fn pane(start: i64) -> Pane {
    Pane { start, variant: start % 2 }
}

/// The store of a worker of so many, with one row of each key; keys are a worker's by their last byte.
fn store(stores: &Stores, worker: usize, workers: usize) -> Box<dyn Store> {
    store_of(stores, PerKey::One, worker, workers, None)
}

fn store_of(
    stores: &Stores,
    per_key: PerKey,
    worker: usize,
    workers: usize,
    saved: Option<&Saved<'_>>,
) -> Box<dyn Store> {
    let mine = move |key: &[u8]| usize::from(key[key.len() - 1]) % workers == worker;
    let (key, values) = (key_fields(), value_fields());
    let mine = Box::new(mine);
    let part = Part { step: "by: n", index: None, worker, workers, key: &key, values: &values, per_key, mine };
    stores.store(part, saved).expect("a store").expect("state that is not in memory alone")
}

fn keys<'a>(keys: impl Iterator<Item = &'a Vec<u8>>) -> BinaryArray {
    BinaryArray::from_iter_values(keys)
}

fn entries(pane: Pane, of: &BTreeMap<Vec<u8>, Value>) -> Entries {
    let of = of.iter().map(|(key, value)| (key.clone(), vec![value.clone()])).collect();
    Entries { counts: None, ..entries_of(pane, &of) }
}

/// Entries of keys that have any number of rows.
fn entries_of(pane: Pane, of: &BTreeMap<Vec<u8>, Vec<Value>>) -> Entries {
    let (mut numbers, mut texts) = (Float64Builder::new(), StringBuilder::new());
    for (number, text) in of.values().flatten() {
        numbers.append_value(*number);
        texts.append_option(text.as_ref());
    }
    let counts = Some(of.values().map(|rows| rows.len() as u32).collect());
    Entries { pane, keys: keys(of.keys()), counts, values: vec![Arc::new(numbers.finish()), Arc::new(texts.finish())] }
}

/// The rows of each key.
fn values(counts: Option<&Vec<u32>>, columns: &[ArrayRef]) -> Vec<Vec<Value>> {
    let (numbers, texts) = (columns[0].as_primitive::<Float64Type>(), columns[1].as_string::<i32>());
    let text = |row| texts.is_valid(row).then(|| texts.value(row).to_owned());
    let mut rows = (0..numbers.len()).map(|row| (numbers.value(row), text(row)));
    let each = vec![1; numbers.len()];
    counts.unwrap_or(&each).iter().map(|count| rows.by_ref().take(*count as usize).collect()).collect()
}

/// All entries of a pane, so many at a time.
fn pages(store: &mut dyn Store, pane: Pane, rows: usize) -> Vec<(Vec<u8>, Vec<Value>)> {
    let mut all: Vec<(Vec<u8>, Vec<Value>)> = Vec::new();
    loop {
        let after = all.last().map(|(key, _)| key.clone());
        let Some(page) = store.page(pane, after.as_deref(), rows).expect("a page") else { return all };
        assert_eq!((page.pane, page.keys.len() <= rows && !page.keys.is_empty()), (pane, true));
        all.extend(page.keys.iter().flatten().map(<[u8]>::to_vec).zip(values(page.counts.as_ref(), &page.values)));
    }
}

/// Some keys in their order, few of which are new.
fn some_keys(random: &mut Random, most: i64) -> Vec<Vec<u8>> {
    let mut keys: Vec<Vec<u8>> = (0..random.of(1..most)).map(|_| key(random.of(-30..30))).collect();
    keys.sort();
    keys.dedup();
    keys
}

fn behaves_as_a_map(settings: &Settings, per_key: PerKey, seed: u64) {
    let mut random = Random::new(seed);
    let stores = Stores::open(settings, "model", 1).expect("a place for state");
    let mut workers = [0, 1].map(|worker| store_of(&stores, per_key, worker, 2, None));
    let mut models = [Model::new(), Model::new()];
    let mut removed = Vec::new();
    for round in 0..60 {
        let worker = random.of(0..2) as usize;
        let (store, model) = (&mut workers[worker], &mut models[worker]);
        let mine = |key: &Vec<u8>| usize::from(key[key.len() - 1]) % 2 == worker;
        let panes = (-3..4).map(pane).filter(|pane| !removed.contains(&(worker, *pane)));
        let panes: Vec<Pane> = panes.collect();
        match random.of(0..6) {
            0..3 => {
                let mut all = Vec::new();
                for pane in &panes {
                    let mut value = |key: Vec<u8>| {
                        let most = if per_key == PerKey::One { 2 } else { 5 };
                        let mut row = |n| {
                            let text = (!random.once_in(3)).then(|| "x".repeat(random.of(0..70) as usize));
                            (f64::from(round) + 0.1 * n as f64, text)
                        };
                        let rows: Vec<Value> = (0..most).map(&mut row).collect();
                        (key, rows[..random.of(0..most) as usize].to_vec())
                    };
                    let keys = some_keys(&mut Random::new(seed ^ round as u64 ^ pane.start as u64), 20);
                    let new: BTreeMap<_, _> = keys.into_iter().filter(mine).map(&mut value).collect();
                    model.extend(new.iter().map(|(key, value)| ((*pane, key.clone()), value.clone())));
                    model.retain(|_, rows| !rows.is_empty());
                    all.push(entries_of(*pane, &new));
                }
                store.put(&mut all.into_iter()).expect("put");
            }
            3 => {
                if let Some(pane) = panes.first().filter(|_| random.once_in(3)) {
                    store.remove(&[*pane]).expect("removed");
                    model.retain(|(of, _), _| of != pane);
                    removed.push((worker, *pane));
                }
            }
            4 => {
                let pane = pane(random.of(-4..4));
                let asked: Vec<_> = some_keys(&mut random, 40).into_iter().filter(mine).collect();
                let found = store.get(pane, &keys(asked.iter())).expect("found");
                let known = |place: usize| model.get(&(pane, asked[place].clone())).cloned();
                let expected: Vec<(u32, Vec<Value>)> =
                    (0..asked.len()).filter_map(|place| Some((place as u32, known(place)?))).collect();
                let rows = values(found.counts.as_ref(), &found.values);
                let got: Vec<(u32, Vec<Value>)> = found.places.into_iter().zip(rows).collect();
                assert_eq!(got, expected, "seed {seed}");
            }
            _ => {
                for pane in panes {
                    let expected = model.iter().filter(|((of, _), _)| *of == pane);
                    let expected: Vec<_> = expected.map(|((_, key), value)| (key.clone(), value.clone())).collect();
                    assert_eq!(pages(&mut **store, pane, random.of(1..10) as usize), expected, "seed {seed}");
                }
            }
        }
        assert!(!model.is_empty() || store.bytes() < 100_000);
    }
}

fn seeds() -> impl Iterator<Item = (u64, PerKey)> {
    (0..16).map(|seed| (seed, if seed % 2 == 0 { PerKey::One } else { PerKey::Many }))
}

#[test]
fn a_store_on_disk_is_a_map() {
    for (seed, per_key) in seeds() {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = Settings::Disk { folder: folder.path().join("state"), memory_bytes: 1 << 20 };
        behaves_as_a_map(&settings, per_key, seed);
    }
}

#[test]
fn a_store_in_redis_is_a_map() {
    for (seed, per_key) in seeds() {
        let (url, prefix) = (redis::shared(), "map".to_owned());
        behaves_as_a_map(&Settings::Redis { url, prefix, memory_bytes: 1 << 20 }, per_key, seed);
    }
}

#[test]
fn what_is_removed_leaves_the_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = Settings::Disk { folder: folder.path().join("state"), memory_bytes: 1 << 20 };
    let stores = Stores::open(&settings, "p", 1).expect("a place for state");
    let mut store = store(&stores, 0, 1);
    let many: BTreeMap<_, _> = (0..10_000).map(|n| (key(n), (0.5, None))).collect();
    for start in 0..4 {
        store.put(&mut [entries(pane(start), &many)].into_iter()).expect("put");
    }
    let full = store.bytes();
    store.remove(&[pane(0), pane(1)]).expect("removed");
    store.put(&mut [entries(pane(4), &many)].into_iter()).expect("put");
    store.remove(&[pane(2), pane(3), pane(4)]).expect("removed");
    assert!(full > 100_000 && store.bytes() == 0, "{full} bytes, then {}", store.bytes());
}
