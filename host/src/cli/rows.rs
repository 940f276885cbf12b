//! Rows to measure a function on: a user's own.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use arrow_select::concat::concat_batches;
use weir::error::{Error, Invalid, Result};
use weir::types::{Field, arrow_schema};

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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use weir::types::DataType;

    use super::*;

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
