//! What is written, and that it is read back as it was.

use std::io::{self, Read as _, Write};
use std::sync::{Arc, Mutex};

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use proptest::prelude::*;
use tempfile::TempDir;

use super::encode::Encoder;
use super::output::Encoded;
use super::*;
use crate::flow::source::{self, CsvFormat, Input, Next, Settings};
use crate::types::{DataType, Field, arrow_schema};

fn csv(nulls: &[&str]) -> Format {
    let nulls = nulls.iter().map(|null| (*null).to_owned()).collect();
    Format::Csv(CsvFormat { delimiter: b',', quote: b'"', header: true, nulls })
}

/// A value of each type; the third is the timestamp as well.
type Row = (bool, i32, i64, f32, f64, String, Vec<u8>);

/// One column of each type, all nullable.
fn batch(rows: &[Option<Row>]) -> RecordBatch {
    let fields: Vec<Field> = DataType::ALL.iter().map(|t| Field::new(t.name(), *t, true)).collect();
    macro_rules! column {
        ($array:ty, $at:tt) => {
            Arc::new(<$array>::from_iter(rows.iter().map(|row| row.as_ref().map(|row| row.$at.clone())))) as ArrayRef
        };
    }
    let times = TimestampMicrosecondArray::from_iter(rows.iter().map(|row| row.as_ref().map(|row| row.2 % (1 << 55))));
    let columns = vec![
        column!(BooleanArray, 0),
        column!(Int32Array, 1),
        column!(Int64Array, 2),
        column!(Float32Array, 3),
        column!(Float64Array, 4),
        Arc::new(times.with_timezone("UTC")),
        column!(StringArray, 5),
        column!(BinaryArray, 6),
    ];
    RecordBatch::try_new(arrow_schema(&fields), columns).expect("a batch")
}

fn written(rows: &RecordBatch, format: &Format) -> String {
    let encoder = Encoder::new(format, &rows.schema());
    let mut out = Vec::new();
    encoder.header(&mut out);
    encoder.rows(rows, &mut out).expect("encoded");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn csv_and_json_lines() {
    let row = (true, -1, 1_500_000, 0.1, 1e300, "a \"b\",\n\u{1}é".to_owned(), vec![0, 255]);
    let nan = (false, 0, 2_000_000, f32::INFINITY, f64::NAN, String::new(), vec![]);
    let rows = batch(&[Some(row), Some(nan), None]);
    assert_eq!(
        written(&rows, &csv(&[])),
        "boolean,int32,int64,float32,float64,timestamp,text,bytes\n\
         true,-1,1500000,0.1,1e+300,1970-01-01T00:00:01.5Z,\"a \"\"b\"\",\n\u{1}é\",00ff\n\
         false,0,2000000,inf,NaN,1970-01-01T00:00:02Z,\"\",\"\"\n\
         ,,,,,,,\n"
    );
    assert_eq!(
        written(&rows, &Format::JsonLines),
        "{\"boolean\":true,\"int32\":-1,\"int64\":1500000,\"float32\":0.1,\"float64\":1e+300,\
         \"timestamp\":\"1970-01-01T00:00:01.5Z\",\"text\":\"a \\\"b\\\",\\n\\u0001é\",\"bytes\":\"00ff\"}\n\
         {\"boolean\":false,\"int32\":0,\"int64\":2000000,\"float32\":null,\"float64\":null,\
         \"timestamp\":\"1970-01-01T00:00:02Z\",\"text\":\"\",\"bytes\":\"\"}\n\
         {\"boolean\":null,\"int32\":null,\"int64\":null,\"float32\":null,\"float64\":null,\"timestamp\":null,\
         \"text\":null,\"bytes\":null}\n"
    );
}

#[test]
fn a_lone_null_is_no_blank_line() {
    let rows = batch(&[None]).project(&[1]).expect("a column");
    assert_eq!(written(&rows, &csv(&[])), "int32\n\"\"\n");
    assert_eq!(written(&rows, &csv(&["NA"])), "int32\nNA\n");
}

/// What a test has written, for it to look at.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<(Vec<u8>, bool)>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut shared = self.0.lock().expect("not poisoned");
        if shared.1 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        shared.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let place = Shared::default();
    let rows = batch(&[None]).project(&[1]).expect("a column");
    let mut writer = Encoded::to(place.clone(), Encoder::new(&Format::JsonLines, &rows.schema()));
    assert_eq!(writer.write(&rows).expect("written"), Wrote::All);
    assert_eq!(writer.bytes(), 0);
    assert_eq!(writer.flush().expect("flushed"), Wrote::All);
    assert_eq!(place.0.lock().expect("not poisoned").0, b"{\"int32\":null}\n");
    assert_eq!(writer.bytes(), 15);
    place.0.lock().expect("not poisoned").1 = true;
    assert_eq!(writer.write(&rows).expect("buffered"), Wrote::All);
    assert_eq!(writer.flush().expect("no error"), Wrote::Closed);
    assert_eq!(writer.write(&rows).expect("no error"), Wrote::Closed);
    assert_eq!(writer.finish().expect("no error"), Wrote::Closed);
}

#[test]
fn files_are_packed_by_name_and_have_a_header_without_rows() {
    let dir = TempDir::new().expect("a folder");
    let rows = batch(&[None]).project(&[1]).expect("a column");
    for name in ["a.csv", "a.csv.gz", "a.csv.zst"] {
        let path = dir.path().join(name);
        let mut writer = open(&Output::File(path.clone()), &csv(&[]), &rows.schema()).expect("opened");
        assert_eq!(writer.finish().expect("finished"), Wrote::All);
        assert_eq!(writer.bytes(), path.metadata().expect("a file").len());
        drop(writer);
        let file = std::fs::File::open(&path).expect("a file");
        let mut text = String::new();
        let mut reader: Box<dyn io::Read> = match name.rsplit('.').next() {
            Some("gz") => Box::new(flate2::read::GzDecoder::new(file)),
            Some("zst") => Box::new(zstd::Decoder::new(file).expect("zstd")),
            _ => Box::new(file),
        };
        reader.read_to_string(&mut text).expect("read");
        assert_eq!(text, "int32\n", "{name}");
    }
}

#[test]
fn a_file_that_can_not_be_made_is_named() {
    let dir = TempDir::new().expect("a folder");
    let path = dir.path().join("none/a.csv");
    let fails = |path| match open(&Output::File(path), &Format::JsonLines, &Schema::empty()) {
        Ok(_) => panic!("opened"),
        Err(error) => (error.exit_code(), error.to_string()),
    };
    let (code, message) = fails(path);
    assert_eq!(code, 5);
    assert!(message.contains("none/a.csv`: there is no folder `"), "{message}");
    assert_eq!(fails(dir.path().to_owned()).1, format!("can't write to `{}`", dir.path().display()));
}

/// The rows of a file, in one batch.
fn read(path: PathBuf, format: Format, fields: Vec<Field>) -> RecordBatch {
    let settings = Settings { input: Input::File(path), format, schema: Some(fields.clone()) };
    let discovered = source::discover(&settings).expect("discovered");
    let mut partition = source::open(&settings, &discovered, 0, &fields).expect("opened");
    match partition.next(1000).expect("read") {
        Next::Rows(decoded) => {
            assert_eq!(decoded.bad, []);
            decoded.rows
        }
        _ => RecordBatch::new_empty(arrow_schema(&fields)),
    }
}

proptest! {
    #[test]
    fn rows_are_read_back_as_they_were(
        rows in prop::collection::vec(prop::option::of(
            (any::<bool>(), any::<i32>(), any::<i64>(), prop::num::f32::NORMAL, prop::num::f64::NORMAL, "(NA|[a,\"\r\né]){0,4}", prop::collection::vec(any::<u8>(), 0..3)),
        ), 0..20),
        columns in prop::sample::subsequence((0..8).collect::<Vec<_>>(), 2..=8),
        delimiter in prop::sample::select(b",;-.\t".to_vec()),
    ) {
        let rows = batch(&rows).project(&columns).expect("columns");
        let fields: Vec<Field> = columns.iter().map(|c| Field::new(DataType::ALL[*c].name(), DataType::ALL[*c], true)).collect();
        let Format::Csv(mut dialect) = csv(&["NA"]) else { unreachable!() };
        dialect.delimiter = delimiter;
        let dir = TempDir::new().expect("a folder");
        for format in [Format::Csv(dialect), Format::JsonLines] {
            let path = dir.path().join("rows");
            let mut writer = open(&Output::File(path.clone()), &format, &rows.schema()).expect("opened");
            writer.write(&rows).expect("written");
            drop(writer);
            prop_assert_eq!(&read(path, format, fields.clone()), &rows);
        }
    }
}
