//! Rows to measure a function on: made up from its inputs' types, or a user's own.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, RecordBatch,
    RecordBatchOptions, StringArray, TimestampMicrosecondArray,
};
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;
use weir::error::{Error, Invalid, Result};
use weir::types::{DataType, Field, arrow_schema};

/// `n` made-up rows, the same for the same fields: small numbers, words of 4 to 12 letters, and in
/// a nullable column a null in every ten.
pub(super) fn made_up(fields: &[Field], n: usize) -> Result<RecordBatch> {
    let columns = fields.iter().enumerate().map(|(i, field)| column(field, n, i as u64 + 1)).collect();
    batch(fields, columns, n)
}

/// `n` rows of a JSON Lines file, from the start again where it has fewer.
pub(super) fn from_file(path: &Path, fields: &[Field], n: usize) -> Result<RecordBatch> {
    let file =
        File::open(path).map_err(|e| Error::source_io(format!("the rows {} can't be read", path.display()), e))?;
    let wrong = |e: ArrowError| {
        let columns = fields.iter().map(Field::to_string).collect::<Vec<_>>().join(", ");
        Error::from(
            Invalid::new(format!("{}: {e}", path.display())).hint(format!("each line is an object with {columns}")),
        )
    };
    let schema = arrow_schema(fields);
    let mut reader = arrow_json::ReaderBuilder::new(Arc::clone(&schema))
        .with_batch_size(n)
        .build(BufReader::new(file))
        .map_err(wrong)?;
    let first = match reader.next() {
        Some(batch) => batch.map_err(wrong)?,
        None => RecordBatch::new_empty(Arc::clone(&schema)),
    };
    if first.num_rows() == 0 {
        return Err(Error::invalid(format!("{} has no rows", path.display())));
    }
    let times = n.div_ceil(first.num_rows());
    Ok(concat_batches(&schema, std::iter::repeat_n(&first, times)).map_err(wrong)?.slice(0, n))
}

fn batch(fields: &[Field], columns: Vec<ArrayRef>, n: usize) -> Result<RecordBatch> {
    // A function without inputs still has rows.
    let options = RecordBatchOptions::new().with_row_count(Some(n));
    RecordBatch::try_new_with_options(arrow_schema(fields), columns, &options)
        .map_err(|e| Error::Bug(format!("made-up rows: {e}")))
}

fn column(field: &Field, n: usize, seed: u64) -> ArrayRef {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = move || {
        // xorshift64 (Marsaglia, 2003).
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let values: Vec<Option<u64>> = (0..n)
        .map(|_| {
            let value = next();
            (!field.nullable || value % 10 != 0).then_some(value >> 8)
        })
        .collect();
    let numbers = values.iter().map(|v| v.map(|v| v % 1000));
    let words = || values.iter().map(|v| v.map(word));
    match field.data_type {
        DataType::Boolean => Arc::new(numbers.map(|v| v.map(|v| v % 2 == 0)).collect::<BooleanArray>()),
        DataType::Int32 => Arc::new(numbers.map(|v| v.map(|v| v as i32)).collect::<Int32Array>()),
        DataType::Int64 => Arc::new(numbers.map(|v| v.map(|v| v as i64)).collect::<Int64Array>()),
        DataType::Float32 => Arc::new(numbers.map(|v| v.map(|v| v as f32 / 8.0)).collect::<Float32Array>()),
        DataType::Float64 => Arc::new(numbers.map(|v| v.map(|v| v as f64 / 8.0)).collect::<Float64Array>()),
        DataType::Timestamp => {
            // Minutes from the start of 2026 on.
            let times = numbers.map(|v| v.map(|v| 1_767_225_600_000_000 + v as i64 * 60_000_000));
            Arc::new(times.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        }
        DataType::Text => Arc::new(words().collect::<StringArray>()),
        DataType::Bytes => {
            let words: Vec<Option<String>> = words().collect();
            Arc::new(words.iter().map(|w| w.as_ref().map(String::as_bytes)).collect::<BinaryArray>())
        }
    }
}

fn word(value: u64) -> String {
    let length = 4 + (value % 9) as u32;
    (0..length).map(|i| char::from(b'a' + (value >> (5 * (i % 10)) & 31) as u8 % 26)).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use arrow_array::Array;

    use super::*;

    #[test]
    fn made_up_rows_have_the_types_of_every_field_and_nulls_only_where_allowed() {
        for nullable in [false, true] {
            let fields: Vec<_> = DataType::ALL.iter().map(|t| Field::new(t.name(), *t, nullable)).collect();
            let rows = made_up(&fields, 1000).unwrap();
            assert_eq!(rows.num_rows(), 1000);
            let nulls: Vec<_> = rows.columns().iter().map(|c| c.null_count()).collect();
            assert!(nulls.iter().all(|n| if nullable { (50..200).contains(n) } else { *n == 0 }), "{nulls:?}");
        }
        assert_eq!(made_up(&[], 7).unwrap().num_rows(), 7);
    }

    #[test]
    fn a_file_s_rows_are_repeated_until_there_are_enough() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"{\"a\": 1, \"other\": 2}\n{\"a\": null}\n").unwrap();
        let nullable = [Field::new("a", DataType::Int64, true)];
        let rows = from_file(file.path(), &nullable, 5).unwrap();
        assert_eq!(format!("{:?}", rows.column(0)).matches('1').count(), 3);
        assert_eq!(rows.num_rows(), 5);
        let error = from_file(file.path(), &[Field::new("a", DataType::Int64, false)], 5).unwrap_err();
        assert_eq!(error.hint(), Some("each line is an object with a: int64"), "{error}");
        let empty = tempfile::NamedTempFile::new().unwrap();
        assert!(from_file(empty.path(), &nullable, 5).unwrap_err().to_string().ends_with("has no rows"));
    }
}
