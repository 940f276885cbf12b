//! Whatever the bytes, and however they are cut: the same rows and the same bad records as a
//! naive reader finds that goes through all of them byte by byte.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_select::concat::concat_batches;
use proptest::prelude::*;

use super::*;
use crate::types::{DataType, arrow_schema};

fn dialect() -> CsvFormat {
    CsvFormat { delimiter: b',', quote: b'"', header: false, nulls: vec!["NA".to_owned()] }
}

fn fields() -> Vec<Field> {
    vec![
        Field::new("n", DataType::Int64, true),
        Field::new("t", DataType::Text, true),
        Field::new("must", DataType::Text, false),
    ]
}

/// The columns are those of [`fields`]; a record is a row of them, or why it is none.
type Record = Result<(Option<i64>, Option<String>, String), String>;

/// Decodes bytes that come in blocks, in chunks of so many rows.
fn decoded(mut decoder: Decoder, bytes: &[u8], blocks: &[usize], rows: usize) -> Vec<Record> {
    let mut records = Vec::new();
    let (mut start, mut end, mut blocks) = (0, 0, blocks.iter().copied());
    let mut frames = Frames::default();
    loop {
        let tail = if end == bytes.len() { Tail::End } else { Tail::Open };
        let framed = decoder.frame(&bytes[start..end], tail, rows, &mut frames);
        if framed == Framed::NeedsMore && tail == Tail::Open {
            end = bytes.len().min(end + blocks.next().unwrap_or(usize::MAX / 2).max(1));
            continue;
        }
        assert!(frames.records.len() <= rows);
        let Rows { batch, faults } = decoder.decode(&bytes[start..end], &mut frames).expect("decoded");
        assert_eq!(batch.schema(), arrow_schema(&fields()));
        let (n, t) = (batch.column(0).as_primitive::<Int64Type>(), batch.column(1).as_string::<i32>());
        let (mut faults, mut row) = (faults.into_iter().peekable(), 0);
        for record in 0..frames.records.len() {
            match faults.next_if(|fault| fault.record == record) {
                Some(fault) => records.push(Err(fault.reason)),
                None => {
                    let must = batch.column(2).as_string::<i32>().value(row).to_owned();
                    let text = t.is_valid(row).then(|| t.value(row).to_owned());
                    records.push(Ok((n.is_valid(row).then(|| n.value(row)), text, must)));
                    row += 1;
                }
            }
        }
        assert_eq!((row, faults.next()), (batch.num_rows(), None));
        start += frames.consumed;
        decoder.clear(&mut frames);
        if framed == Framed::NeedsMore {
            assert_eq!(start, bytes.len());
            return records;
        }
    }
}

/// A field, and whether it began with a quote.
type Text = (Vec<u8>, bool);

/// CSV, byte by byte: each record's fields, its bytes and whether its quotes are closed.
fn naive_csv(bytes: &[u8]) -> Vec<(Vec<Text>, &[u8], bool)> {
    let mut records = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        if rest == b"\r" || rest.starts_with(b"\n") || rest.starts_with(b"\r\n") {
            at += if rest[0] == b'\r' { 2 } else { 1 };
            continue;
        }
        let (mut fields, mut field, mut quoted, mut inside, mut i) = (Vec::new(), Vec::new(), false, false, at);
        let closed = loop {
            let field_start = i == at || (!inside && bytes[i - 1] == b',' && field.is_empty() && !quoted);
            let ends = bytes.get(i).is_none_or(|b| *b == b'\n')
                || bytes[i] == b'\r' && bytes.get(i + 1).is_none_or(|b| *b == b'\n');
            match bytes.get(i) {
                None if inside => break false,
                _ if ends && !inside => {
                    fields.push((field, quoted));
                    break true;
                }
                Some(b'"') if field_start => (quoted, inside) = (true, true),
                Some(b'"') if inside && bytes.get(i + 1) == Some(&b'"') => {
                    field.push(b'"');
                    i += 1;
                }
                Some(b'"') if inside => inside = false,
                Some(b',') if !inside => {
                    fields.push((std::mem::take(&mut field), quoted));
                    quoted = false;
                }
                Some(b) => field.push(*b),
                None => unreachable!("the end is an end"),
            }
            i += 1;
        };
        if !closed {
            fields = Vec::new();
            i = at + bytes[at..].iter().position(|b| *b == b'\n').unwrap_or(bytes.len() - at);
        }
        records.push((fields, &bytes[at..i], closed));
        at = bytes.len().min(i + 1 + usize::from(closed && bytes.get(i) == Some(&b'\r')));
    }
    records
}

fn expected_csv(bytes: &[u8]) -> Vec<Record> {
    let record = |(fields, raw, closed): (Vec<Text>, &[u8], bool)| {
        if !closed {
            return Err("a quote is opened and not closed".to_owned());
        }
        if fields.len() != 3 {
            let s = if fields.len() == 1 { "" } else { "s" };
            return Err(format!("{} field{s}, expected 3", fields.len()));
        }
        if std::str::from_utf8(raw).is_err() {
            return Err("no valid UTF-8".to_owned());
        }
        let text = |i: usize| String::from_utf8(fields[i].0.clone()).expect("UTF-8");
        let null = |i: usize| text(i).is_empty() || text(i) == "NA";
        let n = match text(0).trim().parse() {
            Ok(n) => Some(n),
            Err(_) if null(0) => None,
            Err(_) => return Err(format!("column `n`: \"{}\" is no int64", text(0))),
        };
        let t = (fields[1].1 || !null(1)).then(|| text(1));
        match fields[2].1 || !null(2) {
            true => Ok((n, t, text(2))),
            false => Err("column `must`: null where the schema says text without `?`".to_owned()),
        }
    };
    naive_csv(bytes).into_iter().map(record).collect()
}

fn expected_json(bytes: &[u8]) -> Vec<Record> {
    let lines = bytes.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let record = |line: &[u8]| {
        let text = std::str::from_utf8(line).map_err(|_| "no valid UTF-8".to_owned())?;
        let value: serde_json::Value = serde_json::from_str(text).map_err(|_| "not JSON".to_owned())?;
        let object = value.as_object().ok_or("no JSON object")?;
        let n = match object.get("n") {
            None | Some(serde_json::Value::Null) => None,
            Some(n) => Some(n.as_i64().ok_or_else(|| format!("column `n`: {n} is no int64"))?),
        };
        let text = |name| match object.get(name) {
            None | Some(serde_json::Value::Null) => None,
            Some(serde_json::Value::String(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
        };
        let must = text("must").ok_or("column `must`: null where the schema says text without `?`")?;
        Ok((n, text("t"), must))
    };
    lines.map(record).collect()
}

fn pieces(of: Vec<&'static [u8]>, count: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(of), 0..count).prop_map(|pieces| pieces.concat())
}

/// Bytes that are CSV more often than not.
fn csv_bytes() -> impl Strategy<Value = Vec<u8>> {
    pieces(
        vec![
            b",",
            b",",
            b"\"",
            b"\"\"",
            b"\n",
            b"\r\n",
            b"\r",
            b"1",
            b"-42",
            b"x",
            b"NA",
            b" ",
            b"\xff",
            "é".as_bytes(),
            b"1,a,b\n",
            b"2,\"a\nb\",\"\"\r\n",
            b",,z\n",
            b"1,\"a\"\"b\",c\n",
            b"123456789,abcdefgh,\"ijk,lmn\"\n",
        ],
        30,
    )
}

fn json_bytes() -> impl Strategy<Value = Vec<u8>> {
    pieces(
        vec![
            b"{\"n\":1,\"t\":\"a\\n\",\"must\":\"\"}\n",
            b"{\"must\":true,\"n\":-7}\r\n",
            b"{\"must\":\"a\",\"n\":\"x\"}\n",
            b"{\"must\":\"\xff\"}\n",
            b"{\"t\":null}\n",
            b"[1]\n",
            b"\n",
            b" \n",
            b"{\"must\":\"\\u00e9\"}",
            b"{}",
            b"}\n",
            b"{\"must\":[1,{\"a\":null}],\"other\":[{}]}\n",
            b",",
            b"{\"must\":\"a\",\"must\":\"b\"}\n",
        ],
        20,
    )
}

/// JSON's reasons are ours in detail and the oracle's in kind.
fn in_kind(records: Vec<Record>) -> Vec<Record> {
    let kind = |reason: String| if reason.starts_with("not JSON: ") { "not JSON".to_owned() } else { reason };
    records.into_iter().map(|record| record.map_err(kind)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn csv_is_what_a_naive_reader_makes_of_it(
        bytes in csv_bytes(), blocks in prop::collection::vec(1..40_usize, 0..30), rows in 1..9_usize,
    ) {
        let decoder = Decoder::csv(&dialect(), 3, fields(), &[0, 1, 2]);
        prop_assert_eq!(decoded(decoder, &bytes, &blocks, rows), expected_csv(&bytes));
    }

    #[test]
    fn json_lines_are_what_a_naive_reader_makes_of_them(
        bytes in json_bytes(), blocks in prop::collection::vec(1..40_usize, 0..30), rows in 1..9_usize,
    ) {
        prop_assert_eq!(in_kind(decoded(Decoder::json(fields()), &bytes, &blocks, rows)), expected_json(&bytes));
    }

    #[test]
    fn good_csv_is_what_arrow_makes_of_it(
        rows in prop::collection::vec((any::<i64>(), "[a-c\"\n,é ]{1,5}", "[a-c\"\n,é ]{1,5}", any::<bool>()), 1..20),
    ) {
        let line = |(n, t, must, quote): &(i64, String, String, bool)| {
            let text = |text: &str| match *quote || text.contains(['"', ',', '\n']) {
                true => format!("\"{}\"", text.replace('"', "\"\"")),
                false => text.to_owned(),
            };
            format!("{n},{},{}\n", text(t), text(must))
        };
        let text: String = rows.iter().map(line).collect();
        let mut ours = Decoder::csv(&dialect(), 3, fields(), &[0, 1, 2]);
        let mut frames = Frames::default();
        ours.frame(text.as_bytes(), Tail::End, 100, &mut frames);
        let ours = ours.decode(text.as_bytes(), &mut frames).expect("decoded");
        prop_assert_eq!(ours.faults, vec![]);
        let theirs = arrow_csv::ReaderBuilder::new(arrow_schema(&fields())).build(text.as_bytes()).expect("a reader");
        let theirs: Vec<_> = theirs.collect::<Result<_, _>>().expect("read");
        prop_assert_eq!(ours.batch, concat_batches(&arrow_schema(&fields()), &theirs).expect("one schema"));
    }
}

#[test]
fn the_naive_reader_reads_as_it_should() {
    let good = |n, t: &str, must: &str| Ok((n, Some(t.to_owned()), must.to_owned()));
    assert_eq!(
        expected_csv(b"1,a,b\r\n\r\n2,\"a\"\"\n\"x,\"\"\n"),
        [good(Some(1), "a", "b"), good(Some(2), "a\"\nx", "")]
    );
    let open = "a quote is opened and not closed".to_owned();
    assert_eq!(expected_csv(b"1,\"a,b\n2,a,b"), [Err(open), good(Some(2), "a", "b")]);
}

#[test]
fn a_null_with_odd_quotes_is_null_in_a_column_of_numbers() {
    let records = decoded(Decoder::csv(&dialect(), 3, fields(), &[0, 1, 2]), b"\"\"NA,\"\"NA,z", &[], 10);
    assert_eq!(records, [Ok((None, Some("NA".to_owned()), "z".to_owned()))]);
}

#[test]
fn reasons_quote_no_more_than_sixty_characters() {
    let text = format!("{},a,b\n", "é".repeat(100));
    let records = decoded(Decoder::csv(&dialect(), 3, fields(), &[0, 1, 2]), text.as_bytes(), &[], 10);
    assert_eq!(records, [Err(format!("column `n`: \"{}…\" is no int64", "é".repeat(60)))]);
}
