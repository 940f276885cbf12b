//! What our decoders cost beside arrow's alone on the same bytes, and a row of Nexmark.
//!
//! `cargo bench -p weir --bench decode`. Twins stand next to each other: the ratio within one run
//! is what counts.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{BufReader, Cursor};
use std::path::Path;

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use weir::flow::source::{
    CsvFormat, Discovered, Format, Input, NexmarkSettings, NexmarkStream, Next, Settings, discover, open,
};
use weir::types::{DataType, Field, arrow_schema};

const ROWS: u64 = 100_000;
const BATCH: usize = 8192;

/// Departures of flights: 19 columns, as the well-known file has them, some without a value.
fn flights() -> (Vec<Field>, String, String) {
    const COLUMNS: &str = "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,\
        carrier,flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour";
    let data_type = |name: &str| match name {
        "carrier" | "tailnum" | "origin" | "dest" => DataType::Text,
        "time_hour" => DataType::Timestamp,
        _ => DataType::Int64,
    };
    let fields: Vec<Field> = COLUMNS.split(',').map(|name| Field::new(name, data_type(name), true)).collect();
    let (mut csv, mut json) = (format!("{COLUMNS}\n"), String::new());
    for i in 0..ROWS {
        let left = if i % 37 == 0 { String::new() } else { (500 + i * 7 % 1800).to_string() };
        let row = format!(
            "2013,2,{},{left},{},{},{},837,{},UA,{},N{}UA,EWR,IAH,{},1416,{},{},2013-02-{:02}T{:02}:00:00Z",
            1 + i % 28,
            515 + i % 900,
            i % 40,
            600 + i * 3 % 1700,
            i % 70,
            i % 3000,
            i % 900,
            100 + i % 300,
            i % 24,
            i % 60,
            1 + i % 28,
            i % 24,
        );
        csv.push_str(&row);
        csv.push('\n');
        for (field, text) in fields.iter().zip(row.split(',')) {
            let start = if field.name == "year" { '{' } else { ',' };
            let written = match field.data_type {
                _ if text.is_empty() => write!(json, "{start}\"{}\":null", field.name),
                DataType::Int64 => write!(json, "{start}\"{}\":{text}", field.name),
                _ => write!(json, "{start}\"{}\":\"{text}\"", field.name),
            };
            written.expect("memory");
        }
        json.push_str("}\n");
    }
    (fields, csv, json)
}

fn csv_format(nulls: &[&str]) -> Format {
    let nulls = nulls.iter().map(|null| (*null).to_owned()).collect();
    Format::Csv(CsvFormat { delimiter: b',', quote: b'"', header: true, nulls })
}

fn read(settings: &Settings, discovered: &Discovered, columns: &[Field]) -> u64 {
    let mut partition = open(settings, discovered, 0, columns).expect("opened");
    let mut rows = 0;
    while let Next::Rows(decoded) = partition.next(BATCH).expect("read") {
        assert!(decoded.bad.is_empty());
        rows += black_box(decoded).rows.num_rows() as u64;
    }
    rows
}

fn ours(
    group: &mut BenchmarkGroup<'_, criterion::measurement::WallTime>,
    name: &str,
    path: &Path,
    format: Format,
    all: &[Field],
    columns: &[Field],
) {
    let settings = Settings { input: Input::File(path.to_owned()), format, schema: Some(all.to_vec()) };
    let discovered = discover(&settings).expect("discovered");
    group.bench_function(name, |b| b.iter(|| assert_eq!(read(&settings, &discovered, columns), ROWS)));
}

fn decode(c: &mut Criterion) {
    let (fields, csv, json) = flights();
    let dir = tempfile::tempdir().expect("a folder");
    let (csv_path, json_path) = (dir.path().join("flights.csv"), dir.path().join("flights.jsonl"));
    std::fs::write(&csv_path, &csv).expect("written");
    std::fs::write(&json_path, &json).expect("written");
    let few: Vec<Field> =
        fields.iter().filter(|f| ["time_hour", "origin", "dep_delay"].contains(&f.name.as_str())).cloned().collect();

    let mut group = c.benchmark_group("csv");
    group.throughput(Throughput::Elements(ROWS));
    let arrow = |null: Option<&str>, projection: Option<Vec<usize>>| {
        let mut builder = arrow_csv::ReaderBuilder::new(arrow_schema(&fields)).with_header(true).with_batch_size(BATCH);
        if let Some(null) = null {
            builder = builder.with_null_regex(regex::Regex::new(null).expect("a pattern"));
        }
        if let Some(projection) = projection {
            builder = builder.with_projection(projection);
        }
        let reader = builder.build_buffered(Cursor::new(csv.as_bytes())).expect("a reader");
        reader.map(|batch| batch.expect("read").num_rows() as u64).sum::<u64>()
    };
    group.bench_function("arrow", |b| b.iter(|| assert_eq!(arrow(None, None), ROWS)));
    ours(&mut group, "weir", &csv_path, csv_format(&[]), &fields, &fields);
    group.bench_function("arrow, nulls", |b| b.iter(|| assert_eq!(arrow(Some("^(NA|null)?$"), None), ROWS)));
    ours(&mut group, "weir, nulls", &csv_path, csv_format(&["NA", "null"]), &fields, &fields);
    group.bench_function("arrow, 3 of 19 columns", |b| b.iter(|| assert_eq!(arrow(None, Some(vec![5, 12, 18])), ROWS)));
    ours(&mut group, "weir, 3 of 19 columns", &csv_path, csv_format(&[]), &fields, &few);
    group.finish();

    let mut group = c.benchmark_group("json lines");
    group.throughput(Throughput::Elements(ROWS));
    let arrow = |fields: &[Field]| {
        let builder = arrow_json::ReaderBuilder::new(arrow_schema(fields)).with_batch_size(BATCH);
        let reader = builder.build(BufReader::new(Cursor::new(json.as_bytes()))).expect("a reader");
        reader.map(|batch| batch.expect("read").num_rows() as u64).sum::<u64>()
    };
    group.bench_function("arrow", |b| b.iter(|| assert_eq!(arrow(&fields), ROWS)));
    ours(&mut group, "weir", &json_path, Format::JsonLines, &fields, &fields);
    group.bench_function("arrow, 3 of 19 columns", |b| b.iter(|| assert_eq!(arrow(&few), ROWS)));
    ours(&mut group, "weir, 3 of 19 columns", &json_path, Format::JsonLines, &fields, &few);
    group.finish();
}

fn nexmark(c: &mut Criterion) {
    let mut group = c.benchmark_group("nexmark bids");
    group.throughput(Throughput::Elements(ROWS));
    let nexmark = NexmarkSettings { stream: NexmarkStream::Bid, rows: ROWS, seed: 1, partitions: 1 };
    let settings = Settings { input: Input::Nexmark(nexmark), format: Format::JsonLines, schema: None };
    let discovered = discover(&settings).expect("discovered");
    for (name, count) in [("auction, bidder, price", 3), ("all columns", 7)] {
        group.bench_function(name, |b| b.iter(|| read(&settings, &discovered, &discovered.columns[..count])));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = decode, nexmark
}
criterion_main!(benches);
