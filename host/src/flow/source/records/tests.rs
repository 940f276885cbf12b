//! Records from files, read in pieces of any size.

mod pipe;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use tempfile::TempDir;

use super::*;
use crate::flow::source::{Input as SourceInput, Settings, discover, open};
use crate::types::DataType;

fn csv() -> Format {
    Format::Csv(CsvFormat { delimiter: b',', quote: b'"', header: true, nulls: vec!["NA".to_owned()] })
}

fn file(dir: &TempDir, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).expect("written");
    path
}

fn settings(path: impl AsRef<Path>, format: Format, schema: Option<Vec<Field>>) -> Settings {
    Settings { input: SourceInput::File(path.as_ref().to_owned()), format, schema }
}

/// Everything of a partition: each row as text, its position, and the bad records.
#[derive(Debug, Default, PartialEq)]
struct All {
    rows: Vec<(u64, String)>,
    bad: Vec<BadRecord>,
}

impl All {
    fn take(&mut self, decoded: &Decoded) {
        assert_eq!(decoded.positions.len(), decoded.rows.num_rows());
        for (row, position) in decoded.positions.iter().enumerate() {
            let cells = decoded.rows.columns().iter().map(|column| {
                let shown = arrow_cast::display::array_value_to_string(column, row).expect("shown");
                if column.is_null(row) { "-".to_owned() } else { shown }
            });
            self.rows.push((*position, cells.collect::<Vec<_>>().join("|")));
        }
        self.bad.extend(decoded.bad.iter().cloned());
    }

    fn reasons(&self) -> Vec<(u64, u64, &str)> {
        self.bad.iter().map(|bad| (bad.position, bad.line, bad.reason.as_str())).collect()
    }

    fn texts(&self) -> Vec<&str> {
        self.rows.iter().map(|(_, text)| text.as_str()).collect()
    }
}

fn read(partition: &mut dyn Partition, rows: usize) -> Result<All> {
    let mut all = All::default();
    loop {
        match partition.next(rows)? {
            Next::Rows(decoded) => {
                let count = decoded.rows.num_rows() + decoded.bad.len();
                assert!((1..=rows).contains(&count), "{count} records for {rows}");
                all.take(&decoded);
            }
            Next::Pending => {}
            Next::End => return Ok(all),
        }
    }
}

/// Every column of the only partition.
fn read_all(settings: &Settings, rows: usize) -> Result<All> {
    let discovered = discover(settings)?;
    read(&mut *open(settings, &discovered, 0, &discovered.columns)?, rows)
}

#[test]
fn csv_with_a_mark_crlf_quotes_and_bad_records() {
    let dir = TempDir::new().expect("a folder");
    let text = b"\xef\xbb\xbfid,\"the, name\",when\r\n1,\"a \"\"b\"\"\nc\",2013-02-01\r\n\r\n2,NA,\r\n3\r\n\
        x,y,2013-02-01T05:00:00Z\r\n5,\xff,\r\n6,\"\",1,2\r\n7,\"NA\",2013-02-01T05:00:00.25+01:00";
    let schema = ["id: int64", "the, name: text?", "when: timestamp?"];
    let schema = Some(
        schema
            .iter()
            .map(|text| {
                let (name, data_type) = text.split_once(": ").expect("a type");
                let nullable = data_type.ends_with('?');
                Field::new(name, DataType::parse(data_type.trim_end_matches('?')).expect("a type"), nullable)
            })
            .collect(),
    );
    let settings = settings(file(&dir, "a.csv", text), csv(), schema);
    for rows in [1, 2, 3, 100] {
        let all = read_all(&settings, rows).expect("read");
        let expected = ["1|a \"b\"\nc|2013-02-01T00:00:00Z", "2|-|-", "7|NA|2013-02-01T04:00:00.250Z"];
        assert_eq!(all.texts(), expected);
        assert_eq!(all.rows.iter().map(|(p, _)| *p).collect::<Vec<_>>(), [0, 1, 6]);
        assert_eq!(
            all.reasons(),
            [
                (2, 6, "1 field, expected 3"),
                (3, 7, "column `id`: \"x\" is no int64"),
                (4, 8, "no valid UTF-8"),
                (5, 9, "4 fields, expected 3"),
            ]
        );
        assert_eq!(all.bad[2].text, "5,\u{fffd},");
    }
}

#[test]
fn json_lines_with_bad_records() {
    let dir = TempDir::new().expect("a folder");
    let text = b"{\"a\":1,\"b\":\"x\\u00e9\",\"c\":{\"d\":[1, 2]}}\n\n{\"b\":null,\"a\":2.0}\r\n{\"a\":1.5}\n{\"a\":\n\
        [1]\n{\"a\":true}\n{\"a\":1}{\"a\":2}\n{\"b\":7}\n{\"a\":\"3\",\"b\":1.10,\"a\":4}\n{\"a\":1,\"b\":\"\xff\"}\n{\"a\":null}";
    let schema = vec![
        Field::new("a", DataType::Int64, false),
        Field::new("b", DataType::Text, true),
        Field::new("c", DataType::Text, true),
    ];
    let settings = settings(file(&dir, "a.jsonl", text), Format::JsonLines, Some(schema));
    for rows in [1, 2, 100] {
        let all = read_all(&settings, rows).expect("read");
        assert_eq!(all.texts(), ["1|xé|{\"d\":[1, 2]}", "2|-|-", "4|1.10|-"]);
        assert_eq!(
            all.reasons(),
            [
                (2, 4, "column `a`: 1.5 is no int64"),
                (3, 5, "not JSON: expected a value at byte 6"),
                (4, 6, "no JSON object"),
                (5, 7, "column `a`: true is no int64"),
                (6, 8, "not JSON: more text behind the object at byte 8"),
                (7, 9, "column `a`: null where the schema says int64 without `?`"),
                (9, 11, "no valid UTF-8"),
                (10, 12, "column `a`: null where the schema says int64 without `?`"),
            ]
        );
    }
}

#[test]
fn columns_of_every_type_are_the_contracts_arrow_types() {
    let dir = TempDir::new().expect("a folder");
    let fields: Vec<Field> = DataType::ALL.iter().map(|t| Field::new(t.name(), *t, true)).collect();
    let header: Vec<&str> = fields.iter().map(|f| f.name.as_str()).collect();
    let text = format!("{}\ntrue,1,-2,1.5,-0.1,2013-02-01,t,00ff\n,,,,,,,\n", header.join(","));
    let json = r#"{"boolean":true,"int32":1,"int64":-2,"float32":1.5,"float64":-0.1,"timestamp":1359676800000000,"text":"t","bytes":"00ff"}
        {}"#;
    for (path, format) in [(file(&dir, "a.csv", text), csv()), (file(&dir, "a.jsonl", json), Format::JsonLines)] {
        let settings = settings(path, format, Some(fields.clone()));
        let discovered = discover(&settings).expect("discovered");
        let mut partition = open(&settings, &discovered, 0, &fields).expect("opened");
        let Next::Rows(Decoded { rows, bad, .. }) = partition.next(10).expect("rows") else { panic!("no rows") };
        assert_eq!(bad, []);
        assert_eq!(rows.schema(), crate::types::arrow_schema(&fields));
        assert!(rows.columns().iter().all(|c| c.len() == 2 && c.is_valid(0) && c.is_null(1)));
        assert_eq!(rows.column(2).as_primitive::<Int64Type>().value(0), -2);
        assert_eq!(rows.column(4).as_primitive::<Float64Type>().value(0), -0.1);
        assert_eq!(rows.column(5).as_primitive::<TimestampMicrosecondType>().value(0), 1_359_676_800_000_000);
        assert_eq!(rows.column(7).as_binary::<i32>().value(0), [0, 255]);
    }
}

#[test]
fn only_what_is_needed_is_read_and_no_column_at_all_counts_rows() {
    let dir = TempDir::new().expect("a folder");
    for (name, text, format) in [
        ("a.csv", "a,b,c\n1,2,3\n4,x,6\n", csv()),
        ("a.jsonl", "{\"a\":1,\"b\":2,\"c\":3}\n{\"a\":4,\"b\":\"x\",\"c\":6}\n", Format::JsonLines),
    ] {
        let settings = settings(file(&dir, name, text), format, None);
        let discovered = discover(&settings).expect("discovered");
        let number = |name: &str| Field::new(name, DataType::Int64, true);
        let mut partition = open(&settings, &discovered, 0, &[number("c"), number("a")]).expect("opened");
        assert_eq!(read(&mut *partition, 9).expect("read").texts(), ["3|1", "6|4"]);
        // `b` is text as inferred, but as an int64 the second record would be bad.
        let mut partition = open(&settings, &discovered, 0, &[]).expect("opened");
        assert_eq!(read(&mut *partition, 9).expect("read").rows.len(), 2);
    }
}

#[test]
fn packed_files_are_unpacked_whatever_they_are_called() {
    let dir = TempDir::new().expect("a folder");
    let gzip = |text: &str| {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(text.as_bytes()).expect("packed");
        out.finish().expect("packed")
    };
    let members = [gzip("a\n1\n"), gzip("2\n3\n")].concat();
    let frames = ["a\n1\n", "2\n3\n"].map(|text| zstd::encode_all(text.as_bytes(), 1).expect("packed")).concat();
    for (name, bytes) in [("a.csv.gz", &members), ("a.csv", &members), ("b.csv.zst", &frames), ("b.csv", &frames)] {
        let settings = settings(file(&dir, name, bytes), csv(), None);
        let discovered = discover(&settings).expect("discovered");
        let mut partition = open(&settings, &discovered, 0, &discovered.columns).expect("opened");
        assert_eq!(read(&mut *partition, 2).expect("read").texts(), ["1", "2", "3"], "{name}");
        assert_eq!(partition.bytes(), bytes.len() as u64);
    }
    let error = discover(&settings(file(&dir, "plain.gz", "a\n1\n"), csv(), None)).expect_err("no gzip");
    assert!(error.to_string().contains("plain.gz"), "{error}");
}

#[test]
fn a_truncated_file_gives_its_whole_records_and_then_an_error() {
    let dir = TempDir::new().expect("a folder");
    let text: String = (0..20_000).map(|i| format!("{i},{}\n", i * 7919 % 10_007)).collect();
    let text = format!("a,b\n{text}");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).expect("packed");
    let gzip = gzip.finish().expect("packed");
    let zstd = zstd::encode_all(text.as_bytes(), 1).expect("packed");
    for (name, bytes) in [("a.csv.gz", gzip), ("a.csv.zst", zstd)] {
        let settings = settings(file(&dir, name, &bytes[..bytes.len() - bytes.len() / 3]), csv(), None);
        let discovered = discover(&settings).expect("discovered");
        let mut partition = open(&settings, &discovered, 0, &discovered.columns).expect("opened");
        let mut all = All::default();
        let error = loop {
            match partition.next(1000) {
                Ok(Next::Rows(decoded)) => all.take(&decoded),
                Ok(next) => panic!("{next:?}"),
                Err(error) => break error,
            }
        };
        assert!(all.rows.len() > 1000 && all.rows.len() < 20_000, "{}", all.rows.len());
        for (i, (position, row)) in all.rows.iter().enumerate() {
            assert_eq!((*position, row), (i as u64, &format!("{i}|{}", i * 7919 % 10_007)));
        }
        let message = error.to_string();
        assert!(message.contains(name) && message.contains(&format!("{} records", all.rows.len())), "{message}");
        assert_eq!(error.exit_code(), 4);
        assert!(matches!(partition.next(10), Ok(Next::End)));
    }
}

#[test]
fn files_come_in_the_order_of_their_paths_and_columns_by_name() {
    let dir = TempDir::new().expect("a folder");
    file(&dir, "b.csv", "y,x\n2,1\n");
    file(&dir, "a.csv", "x,y\n1,2\n");
    file(&dir, "c.csv", "x,z\n1,2\n");
    std::fs::create_dir(dir.path().join("d.csv")).expect("a folder");
    let settings = settings(dir.path().join("*.csv"), csv(), None);
    let discovered = discover(&settings).expect("discovered");
    let names: Vec<_> = discovered.partitions.iter().map(|p| p.rsplit('/').next().expect("a name")).collect();
    assert_eq!(names, ["a.csv", "b.csv", "c.csv"]);
    let read = |partition, columns: &[Field]| read(&mut *open(&settings, &discovered, partition, columns)?, 9);
    for partition in [0, 1] {
        assert_eq!(read(partition, &discovered.columns).expect("read").texts(), ["1|2"]);
    }
    assert_eq!(read(2, &discovered.columns[..1]).expect("read").texts(), ["1"]);
    let error = read(2, &discovered.columns).expect_err("no y").to_string();
    assert!(error.contains("c.csv` has no column `y`; it has: x, z"), "{error}");
}

#[test]
fn what_can_not_be_read_is_named() {
    let dir = TempDir::new().expect("a folder");
    let fails = |settings: &Settings| {
        let error = discover(settings).expect_err("nothing");
        format!("{error} / {:?} / {}", error.hint(), error.exit_code())
    };
    let path = file(&dir, "a.csv", "a,b,a\n1,2,3\n");
    let a = |name: &str| Some(vec![Field::new(name, DataType::Int64, true)]);
    for (settings, parts) in [
        (settings(dir.path().join("x*.csv"), csv(), None), vec!["no file matches `", "x*.csv` / None / 4"]),
        (settings(dir.path().join("x.csv"), csv(), None), vec!["can't read `", "x.csv` / None / 4"]),
        (settings(dir.path(), csv(), None), vec!["is a folder", "*.csv", "/ 2"]),
        (settings(&path, csv(), None), vec!["has two columns `a`"]),
        (settings(&path, csv(), a("c")), vec!["no column `c`; it has: a, b, a", "/ 2"]),
        (settings(file(&dir, "empty.csv", ""), csv(), None), vec!["has no record", "schema"]),
    ] {
        let message = fails(&settings);
        assert!(parts.iter().all(|part| message.contains(part)), "{message}: {parts:?}");
    }
}

#[test]
fn a_quote_that_is_not_closed_costs_one_line() {
    let dir = TempDir::new().expect("a folder");
    let settings = settings(file(&dir, "a.csv", "a,b\n1,2\n3,\"4\n5,6\n7,8\n"), csv(), None);
    let discovered = discover(&settings).expect("discovered");
    let mut partition = open(&settings, &discovered, 0, &discovered.columns).expect("opened");
    let all = read(&mut *partition, 9).expect("read");
    assert_eq!(all.reasons(), [(1, 3, "a quote is opened and not closed")]);
    assert_eq!(all.bad[0].text, "3,\"4");
    assert_eq!(all.rows.iter().map(|(p, _)| *p).collect::<Vec<_>>(), [0, 2, 3]);
}

#[test]
fn a_line_of_forty_mebibytes_is_one_bad_record() {
    let dir = TempDir::new().expect("a folder");
    let long = "x".repeat(40 << 20);
    for (name, text, format) in [
        ("a.csv", format!("a\n1\n{long}\n2\n\"{long}\n3\n4"), csv()),
        (
            "a.jsonl",
            format!("{{\"a\":1}}\n{long}\n{{\"a\":2}}\n{{\"a\":\"{long}\"}}\n{{\"a\":3}}\n{{\"a\":4}}"),
            Format::JsonLines,
        ),
    ] {
        let schema = Some(vec![Field::new("a", DataType::Int64, true)]);
        let all = read_all(&settings(file(&dir, name, text), format, schema), 10).expect("read");
        assert_eq!(all.texts(), ["1", "2", "3", "4"]);
        let header = u64::from(name == "a.csv");
        assert_eq!(
            all.bad.iter().map(|b| (b.position, b.line)).collect::<Vec<_>>(),
            [(1, 2 + header), (3, 4 + header)]
        );
        assert!(
            all.bad.iter().all(|b| b.text.len() == TEXT_BYTES_MAX && b.reason.contains("16 MiB")),
            "{:?}",
            all.reasons()
        );
    }
}

#[test]
fn skipping_gives_the_rest_as_it_would_have_been() {
    let dir = TempDir::new().expect("a folder");
    let text: String =
        (0..50).map(|i| if i % 7 == 0 { "bad,\"1\n2\"\n".to_owned() } else { format!("{i}\n\n") }).collect();
    let settings = settings(file(&dir, "a.csv", format!("a\n{text}")), csv(), None);
    let discovered = discover(&settings).expect("discovered");
    let whole = read(&mut *open(&settings, &discovered, 0, &discovered.columns).expect("opened"), 9).expect("read");
    for from in [0, 1, 7, 8, 30, 49, 50, 99] {
        let mut partition = open(&settings, &discovered, 0, &discovered.columns).expect("opened");
        partition.skip_to(from);
        let rest = read(&mut *partition, 4).expect("read");
        assert!(rest.rows.iter().eq(whole.rows.iter().filter(|(p, _)| *p >= from)), "{from}");
        assert!(rest.bad.iter().eq(whole.bad.iter().filter(|b| b.position >= from)), "{from}");
    }
}
