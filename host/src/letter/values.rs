//! Values as JSON that is read back to the bit: numbers of 64 bits whole, floats in Rust's shortest
//! form as text, other NaNs than the usual one by their bits, bytes in hexadecimal.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use serde_json::{Value, json};

use crate::types::DataType;

/// A column's values.
pub(super) fn write(column: &ArrayRef) -> Value {
    let value = |row: usize| match DataType::of(column.data_type()) {
        _ if column.is_null(row) => Value::Null,
        Some(DataType::Boolean) => json!(column.as_boolean().value(row)),
        Some(DataType::Int32) => json!(column.as_primitive::<Int32Type>().value(row)),
        Some(DataType::Int64) => json!(column.as_primitive::<Int64Type>().value(row)),
        Some(DataType::Timestamp) => json!(column.as_primitive::<TimestampMicrosecondType>().value(row)),
        Some(DataType::Float32) => {
            let value = column.as_primitive::<Float32Type>().value(row);
            let usual = !value.is_nan() || value.to_bits() == f32::NAN.to_bits();
            json!(if usual { format!("{value:?}") } else { format!("0x{:08x}", value.to_bits()) })
        }
        Some(DataType::Float64) => {
            let value = column.as_primitive::<Float64Type>().value(row);
            let usual = !value.is_nan() || value.to_bits() == f64::NAN.to_bits();
            json!(if usual { format!("{value:?}") } else { format!("0x{:016x}", value.to_bits()) })
        }
        Some(DataType::Text) => json!(column.as_string::<i32>().value(row)),
        Some(DataType::Bytes) => {
            json!(column.as_binary::<i32>().value(row).iter().map(|b| format!("{b:02x}")).collect::<String>())
        }
        None => Value::Null,
    };
    Value::Array((0..column.len()).map(value).collect())
}

/// A column of that type, or the value that is none of it.
pub(super) fn read(values: &[Value], of: DataType) -> Result<ArrayRef, String> {
    fn each<T>(values: &[Value], of: DataType, read: impl Fn(&Value) -> Option<T>) -> Result<Vec<Option<T>>, String> {
        let one = |value: &Value| match value {
            Value::Null => Ok(None),
            value => read(value).map(Some).ok_or_else(|| format!("{value} is no {of}")),
        };
        values.iter().map(one).collect()
    }
    Ok(match of {
        DataType::Boolean => Arc::new(BooleanArray::from(each(values, of, Value::as_bool)?)),
        DataType::Int32 => {
            Arc::new(Int32Array::from(each(values, of, |v| v.as_i64().and_then(|n| i32::try_from(n).ok()))?))
        }
        DataType::Int64 => Arc::new(Int64Array::from(each(values, of, Value::as_i64)?)),
        DataType::Timestamp => {
            Arc::new(TimestampMicrosecondArray::from(each(values, of, Value::as_i64)?).with_timezone("UTC"))
        }
        DataType::Float32 => Arc::new(Float32Array::from(each(values, of, |v| {
            let text = v.as_str()?;
            match text.strip_prefix("0x") {
                Some(bits) => u32::from_str_radix(bits, 16).ok().map(f32::from_bits),
                None => text.parse().ok(),
            }
        })?)),
        DataType::Float64 => Arc::new(Float64Array::from(each(values, of, |v| {
            let text = v.as_str()?;
            match text.strip_prefix("0x") {
                Some(bits) => u64::from_str_radix(bits, 16).ok().map(f64::from_bits),
                None => text.parse().ok(),
            }
        })?)),
        DataType::Text => Arc::new(StringArray::from(each(values, of, |v| v.as_str().map(str::to_string))?)),
        DataType::Bytes => {
            let bytes = each(values, of, |v| bytes(v.as_str()?))?;
            Arc::new(bytes.iter().map(|b| b.as_deref()).collect::<BinaryArray>())
        }
    })
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok().filter(|_| pair.len() == 2)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn column() -> impl Strategy<Value = ArrayRef> {
        let n = 0..5_usize;
        prop_oneof![
            prop::collection::vec(any::<Option<bool>>(), n.clone())
                .prop_map(|v| Arc::new(BooleanArray::from(v)) as ArrayRef),
            prop::collection::vec(any::<Option<i32>>(), n.clone())
                .prop_map(|v| Arc::new(Int32Array::from(v)) as ArrayRef),
            prop::collection::vec(any::<Option<i64>>(), n.clone())
                .prop_map(|v| Arc::new(Int64Array::from(v)) as ArrayRef),
            prop::collection::vec(any::<Option<i64>>(), n.clone())
                .prop_map(|v| Arc::new(TimestampMicrosecondArray::from(v).with_timezone("UTC")) as ArrayRef),
            prop::collection::vec(any::<Option<u32>>(), n.clone()).prop_map(|v| Arc::new(
                v.into_iter().map(|b| b.map(f32::from_bits)).collect::<Float32Array>()
            ) as ArrayRef),
            prop::collection::vec(any::<Option<u64>>(), n.clone()).prop_map(|v| Arc::new(
                v.into_iter().map(|b| b.map(f64::from_bits)).collect::<Float64Array>()
            ) as ArrayRef),
            prop::collection::vec(any::<Option<String>>(), n.clone())
                .prop_map(|v| Arc::new(StringArray::from(v)) as ArrayRef),
            prop::collection::vec(any::<Option<Vec<u8>>>(), n)
                .prop_map(|v| Arc::new(v.iter().map(|b| b.as_deref()).collect::<BinaryArray>()) as ArrayRef),
        ]
    }

    proptest! {
        #[test]
        fn values_are_read_back_to_the_bit(column in column()) {
            let text = write(&column).to_string();
            let Value::Array(values) = serde_json::from_str(&text).expect("JSON") else { unreachable!("a list") };
            let of = DataType::of(column.data_type()).expect("one of ours");
            let back = read(&values, of).expect("the values were written");
            // NaNs are not equal to themselves; what is written of them is.
            prop_assert_eq!(write(&back), write(&column));
            prop_assert_eq!(back.data_type(), column.data_type());
        }
    }

    #[test]
    fn nans_keep_their_bits() {
        let odd = f64::from_bits(0x7ff0_0000_0000_0001);
        let column: ArrayRef = Arc::new(Float64Array::from(vec![f64::NAN, odd, -0.0, f64::INFINITY, 0.1]));
        let Value::Array(values) = write(&column) else { unreachable!("a list") };
        assert_eq!(json!(values), json!(["NaN", "0x7ff0000000000001", "-0.0", "inf", "0.1"]));
        let back = read(&values, DataType::Float64).expect("they were written");
        let bits =
            |a: &ArrayRef| a.as_primitive::<Float64Type>().values().iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back), bits(&column));
        assert_eq!(read(&[json!(1)], DataType::Text).expect_err("a number"), "1 is no text");
    }
}
