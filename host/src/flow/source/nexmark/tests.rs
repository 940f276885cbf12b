//! The same rows however they are asked for, and the published shape of the streams.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, Int64Array};
use arrow_select::concat::concat_batches;
use proptest::prelude::*;

use super::*;

fn settings(stream: NexmarkStream, rows: u64, partitions: usize) -> NexmarkSettings {
    NexmarkSettings { stream, rows, seed: 7, partitions }
}

fn rows(settings: &NexmarkSettings, partition: usize, columns: &[Field], batch: usize, from: u64) -> RecordBatch {
    let mut generator = Generator::new(settings, partition, columns).expect("its columns");
    generator.skip_to(from);
    let mut batches = Vec::new();
    let mut position = from;
    while let Next::Rows(decoded) = generator.next(batch).expect("rows") {
        assert!(decoded.rows.num_rows() <= batch);
        assert_eq!(decoded.positions, (position..position + decoded.rows.num_rows() as u64).collect::<Vec<_>>());
        position += decoded.rows.num_rows() as u64;
        batches.push(decoded.rows);
    }
    concat_batches(&arrow_schema(columns), &batches).expect("one schema")
}

fn all(stream: NexmarkStream, count: u64) -> RecordBatch {
    rows(&settings(stream, count, 1), 0, &columns(stream), 1000, 0)
}

fn numbers<'a>(rows: &'a RecordBatch, column: &str) -> &'a Int64Array {
    rows.column_by_name(column).expect("a column").as_primitive()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn rows_depend_on_nothing_but_the_seed(
        stream in prop::sample::select(vec![NexmarkStream::Person, NexmarkStream::Auction, NexmarkStream::Bid, NexmarkStream::All]),
        count in 1..300_u64,
        partitions in 1..5_usize,
        batch in 1..100_usize,
        from in 0..50_u64,
        needed in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let whole = all(stream, count);
        let names = columns(stream);
        let places: Vec<usize> = needed.iter().map(|index| index.index(names.len())).collect::<BTreeSet<_>>().into_iter().collect();
        let needed: Vec<Field> = places.iter().map(|place| names[*place].clone()).collect();
        let mut found = 0;
        for partition in 0..partitions {
            let part = rows(&settings(stream, count, partitions), partition, &needed, batch, from);
            for row in 0..part.num_rows() {
                let of_whole = (from as usize + row) * partitions + partition;
                prop_assert_eq!(part.slice(row, 1), whole.slice(of_whole, 1).project(&places).expect("columns"));
            }
            found += part.num_rows();
        }
        let skipped: u64 = (0..partitions as u64).map(|p| from.min(count.saturating_sub(p).div_ceil(partitions as u64))).sum();
        prop_assert_eq!(found as u64, count - skipped);
    }
}

#[test]
fn of_fifty_events_one_is_a_person_and_three_are_auctions() {
    let rows = all(NexmarkStream::All, 5000);
    let mut counts = BTreeMap::new();
    for name in rows.column(0).as_string::<i32>().iter().flatten() {
        *counts.entry(name).or_insert(0) += 1;
    }
    assert_eq!(counts, BTreeMap::from([("auction", 300), ("bid", 4600), ("person", 100)]));
    for column in rows.columns().iter().zip(columns(NexmarkStream::All)) {
        let of = column.1.name.split('_').next().and_then(|kind| counts.get(kind));
        let valid = column.0.len() - column.0.null_count();
        assert_eq!(valid, if column.1.nullable { *of.expect("a kind") } else { 5000 }, "{}", column.1.name);
    }
    // The same events as in the streams of their own.
    let prices: Vec<i64> = numbers(&rows, "bid_price").iter().flatten().collect();
    assert_eq!(prices, numbers(&all(NexmarkStream::Bid, 4600), "price").values().to_vec());
}

#[test]
fn ids_grow_and_refer_to_what_is_there() {
    let people = all(NexmarkStream::Person, 300);
    assert_eq!(numbers(&people, "id").values().to_vec(), (1000..1300).collect::<Vec<_>>());
    let auctions = all(NexmarkStream::Auction, 900);
    assert_eq!(numbers(&auctions, "id").values().to_vec(), (1000..1900).collect::<Vec<_>>());
    let times: &PrimitiveArray<TimestampMicrosecondType> =
        auctions.column_by_name("date_time").expect("times").as_primitive();
    let expires: &PrimitiveArray<TimestampMicrosecondType> =
        auctions.column_by_name("expires").expect("times").as_primitive();
    for row in 0..900 {
        assert_eq!(times.value(row), 1_436_918_400_000_000 + (row as i64 / 3 * 50 + 1 + row as i64 % 3) * 100);
        let length = expires.value(row) - times.value(row);
        assert!((1000..=333_000).contains(&length), "{length}");
        let seller = numbers(&auctions, "seller").value(row);
        assert!((1000..=1000 + row as i64 / 3 + 10).contains(&seller), "{seller} at {row}");
        assert!((10..15).contains(&numbers(&auctions, "category").value(row)));
        assert!(numbers(&auctions, "reserve").value(row) > numbers(&auctions, "initial_bid").value(row));
    }
    let bids = all(NexmarkStream::Bid, 46 * 300);
    for row in 0..bids.num_rows() {
        let round = row as i64 / 46;
        let auction = numbers(&bids, "auction").value(row) - 1000;
        assert!((0..=round * 3 + 2 + 10).contains(&auction), "{auction} at {row}");
        assert!(auction >= round * 3 + 2 - 100, "{auction} at {row}");
        let bidder = numbers(&bids, "bidder").value(row) - 1000;
        assert!((0..=round + 10).contains(&bidder), "{bidder} at {row}");
    }
}

#[test]
fn hot_ones_are_hot_and_prices_are_spread_over_magnitudes() {
    let bids = all(NexmarkStream::Bid, 46_000);
    let share = |column: &str, is: &dyn Fn(i64) -> bool| {
        numbers(&bids, column).values().iter().filter(|v| is(**v)).count() as f64 / 46_000.0
    };
    let hot_auctions = share("auction", &|id| (id - 1000) % 100 == 0);
    assert!((0.5..0.52).contains(&hot_auctions), "{hot_auctions}");
    let hot_bidders = share("bidder", &|id| (id - 1000) % 100 == 1);
    assert!((0.75..0.77).contains(&hot_bidders), "{hot_bidders}");
    for magnitude in 0..6 {
        let from = 100 * 10_i64.pow(magnitude);
        let share = share("price", &|price| (from..from * 10).contains(&price));
        assert!((share - 1.0 / 6.0).abs() < 0.01, "{share} from {from}");
    }
    let channels = bids.column_by_name("channel").expect("a column").as_string::<i32>();
    let urls = bids.column_by_name("url").expect("a column").as_string::<i32>();
    let mut by_channel = BTreeMap::new();
    for (channel, url) in channels.iter().zip(urls) {
        assert_eq!(*by_channel.entry(channel).or_insert(url), url, "a channel has one url");
    }
    assert!(by_channel.len() > 8000, "{}", by_channel.len());
    let apple = channels.iter().filter(|c| *c == Some("Apple")).count() as f64 / 46_000.0;
    assert!((0.11..0.14).contains(&apple), "{apple}");
}

#[test]
fn texts_look_like_what_they_are_and_rows_have_the_published_size() {
    let people = all(NexmarkStream::Person, 1000);
    let text =
        |column: &str, row| people.column_by_name(column).expect("a column").as_string::<i32>().value(row).to_owned();
    let cards = regex::Regex::new(r"^\d{4} \d{4} \d{4} \d{4}$").expect("a pattern");
    let mails = regex::Regex::new(r"^[a-z_]{3,6}@[a-z_]{3,4}\.com$").expect("a pattern");
    for row in 0..1000 {
        assert!(cards.is_match(&text("credit_card", row)), "{}", text("credit_card", row));
        assert!(mails.is_match(&text("email_address", row)), "{}", text("email_address", row));
        assert!(text("name", row).contains(' '));
    }
    for (stream, bytes) in
        [(NexmarkStream::Person, 200.0), (NexmarkStream::Auction, 500.0), (NexmarkStream::Bid, 100.0)]
    {
        let rows = all(stream, 1000);
        let size: usize = rows
            .columns()
            .iter()
            .zip(rows.schema().fields())
            // The others leave what Flink has added out as well.
            .filter(|(_, field)| !matches!(field.name().as_str(), "channel" | "url"))
            .map(|(column, _)| match column.as_string_opt::<i32>() {
                Some(texts) => texts.value_data().len(),
                None => column.len() * 8,
            })
            .sum();
        let average = size as f64 / 1000.0;
        assert!((average / bytes - 1.0).abs() < 0.15, "{average} for {bytes}");
    }
}

#[test]
fn another_seed_gives_other_rows() {
    let bids = |seed| {
        let settings = NexmarkSettings { seed, ..settings(NexmarkStream::Bid, 100, 1) };
        rows(&settings, 0, &columns(NexmarkStream::Bid)[..3], 100, 0)
    };
    assert_eq!(bids(1), bids(1));
    let (one, two) = (bids(1), bids(2));
    assert_ne!(one.column(2).as_primitive::<Int64Type>(), two.column(2).as_primitive::<Int64Type>());
}
