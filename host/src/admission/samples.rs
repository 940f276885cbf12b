//! Rows made up from columns' types: plain ones to measure and compare on, and the edges of each type.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};

use crate::flow::batch::record_batch;
use crate::types::{DataType, Field, arrow_schema};

/// `n` rows, the same for the same fields and seed: small numbers, words of 4 to 12 letters, and in a nullable
/// column a null in every ten.
pub fn rows(fields: &[Field], n: usize, seed: u64) -> RecordBatch {
    let column = |(i, field): (usize, &Field)| column(field, n, seed.wrapping_mul(1_000).wrapping_add(i as u64));
    let columns = fields.iter().enumerate().map(column).collect();
    record_batch(arrow_schema(fields), columns, n)
}

/// Rows of the edges of the types: the least and greatest numbers, not a number, nothing, much. Columns take
/// turns, so each edge of each column is there once.
pub fn edges(fields: &[Field]) -> RecordBatch {
    const EDGES: usize = 6;
    let columns = fields.iter().map(|field| edge(field, EDGES)).collect();
    record_batch(arrow_schema(fields), columns, EDGES)
}

fn edge(field: &Field, n: usize) -> ArrayRef {
    fn turns<T: Clone>(values: &[T], n: usize, nullable: bool) -> Vec<Option<T>> {
        let mut turns: Vec<Option<T>> = values.iter().cloned().map(Some).cycle().take(n).collect();
        if let (true, Some(last)) = (nullable, turns.last_mut()) {
            *last = None;
        }
        turns
    }
    let long = "é".repeat(5_000);
    let texts = ["", "\u{0}", "😀", long.as_str(), " ", "0"].map(str::to_string);
    match field.data_type {
        DataType::Boolean => Arc::new(BooleanArray::from(turns(&[false, true], n, field.nullable))),
        DataType::Int32 => Arc::new(Int32Array::from(turns(&[i32::MIN, i32::MAX, 0, -1], n, field.nullable))),
        DataType::Int64 => Arc::new(Int64Array::from(turns(&[i64::MIN, i64::MAX, 0, -1], n, field.nullable))),
        DataType::Float32 => {
            let values = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, f32::MAX];
            Arc::new(Float32Array::from(turns(&values, n, field.nullable)))
        }
        DataType::Float64 => {
            let values = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, f64::MAX];
            Arc::new(Float64Array::from(turns(&values, n, field.nullable)))
        }
        DataType::Timestamp => {
            let values = turns(&[i64::MIN, i64::MAX, 0, -1], n, field.nullable);
            Arc::new(TimestampMicrosecondArray::from(values).with_timezone("UTC"))
        }
        DataType::Text => Arc::new(StringArray::from(turns(&texts, n, field.nullable))),
        DataType::Bytes => {
            let values = turns(&texts, n, field.nullable);
            Arc::new(values.iter().map(|v| v.as_ref().map(String::as_bytes)).collect::<BinaryArray>())
        }
    }
}

fn column(field: &Field, n: usize, seed: u64) -> ArrayRef {
    let mut state = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
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
    use arrow_array::Array;

    use super::*;

    #[test]
    fn rows_have_the_types_of_every_field_and_nulls_only_where_allowed() {
        for nullable in [false, true] {
            let fields: Vec<_> = DataType::ALL.iter().map(|t| Field::new(t.name(), *t, nullable)).collect();
            let rows = rows(&fields, 1000, 1);
            let nulls: Vec<_> = rows.columns().iter().map(|c| c.null_count()).collect();
            assert!(nulls.iter().all(|n| if nullable { (50..200).contains(n) } else { *n == 0 }), "{nulls:?}");
            let edges = edges(&fields);
            assert!(edges.columns().iter().all(|c| c.null_count() == usize::from(nullable)));
        }
        assert_eq!(rows(&[], 7, 1).num_rows(), 7);
    }

    #[test]
    fn other_seeds_give_other_rows() {
        let field = [Field::new("n", DataType::Int64, false)];
        assert_eq!(rows(&field, 9, 3), rows(&field, 9, 3));
        assert_ne!(rows(&field, 9, 3), rows(&field, 9, 4));
    }
}
