//! The accumulators of one aggregate, or the states of a stateful map: a column for each of its fields, a place in it for each
//! slot.
//!
//! A fold gathers the places that a batch touches into Arrow columns, and scatters what came back.
//! Values of fixed width stand side by side; texts and bytes, whose size changes from fold to
//! fold, each in an allocation of their own.

use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray};
use arrow_buffer::NullBuffer;

use crate::types::{DataType, Field};

/// The accumulators of one aggregate.
#[derive(Debug)]
pub(in crate::flow) struct Store {
    columns: Vec<Column>,
    empty: Vec<ArrayRef>,
}

#[derive(Debug)]
struct Column {
    values: Values,
    /// Set where there is a value; absent where the field has no nulls.
    valid: Option<Vec<bool>>,
    /// Bytes of texts and bytes that are held.
    held: usize,
}

#[derive(Debug)]
enum Values {
    Boolean(Vec<bool>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    Timestamp(Vec<i64>),
    Text(Vec<Box<str>>),
    Bytes(Vec<Box<[u8]>>),
}

impl Store {
    /// A store for accumulators of these fields. `empty` has one that has seen nothing.
    pub(in crate::flow) fn new(fields: &[Field], empty: Vec<ArrayRef>) -> Self {
        Self { columns: fields.iter().map(Column::new).collect(), empty }
    }

    /// Makes places for so many slots.
    pub(in crate::flow) fn grow(&mut self, slots: usize) {
        self.columns.iter_mut().for_each(|c| c.grow(slots));
    }

    /// Puts an accumulator that has seen nothing into each of these slots.
    pub(in crate::flow) fn clear(&mut self, slots: &[u32]) {
        for (column, empty) in self.columns.iter_mut().zip(&self.empty) {
            column.scatter(slots, empty, |_| 0);
        }
    }

    /// How many columns an accumulator has.
    pub(in crate::flow) fn columns(&self) -> usize {
        self.columns.len()
    }

    /// Gives back what freed slots hold.
    pub(in crate::flow) fn forget(&mut self, slots: &[u32]) {
        self.columns.iter_mut().for_each(|c| c.forget(slots));
    }

    /// About how many bytes accumulators take.
    pub(in crate::flow) fn bytes(&self, accumulators: usize) -> usize {
        self.columns.iter().map(|c| c.held + c.width() * accumulators).sum()
    }

    /// The accumulators of these slots, in their order.
    pub(in crate::flow) fn gather(&self, slots: &[u32]) -> Vec<ArrayRef> {
        self.columns.iter().map(|c| c.gather(slots)).collect()
    }

    /// Puts accumulators into these slots, in their order.
    pub(in crate::flow) fn scatter(&mut self, slots: &[u32], accumulators: &[ArrayRef]) {
        for (column, array) in self.columns.iter_mut().zip(accumulators) {
            column.scatter(slots, array, |i| i);
        }
    }
}

impl Column {
    fn new(field: &Field) -> Self {
        let values = match field.data_type {
            DataType::Boolean => Values::Boolean(Vec::new()),
            DataType::Int32 => Values::Int32(Vec::new()),
            DataType::Int64 => Values::Int64(Vec::new()),
            DataType::Float32 => Values::Float32(Vec::new()),
            DataType::Float64 => Values::Float64(Vec::new()),
            DataType::Timestamp => Values::Timestamp(Vec::new()),
            DataType::Text => Values::Text(Vec::new()),
            DataType::Bytes => Values::Bytes(Vec::new()),
        };
        Self { values, valid: field.nullable.then(Vec::new), held: 0 }
    }

    fn grow(&mut self, slots: usize) {
        fn to<T: Clone + Default>(values: &mut Vec<T>, slots: usize) {
            values.resize(slots.max(values.len()), T::default());
        }
        match &mut self.values {
            Values::Boolean(values) => to(values, slots),
            Values::Int32(values) => to(values, slots),
            Values::Int64(values) | Values::Timestamp(values) => to(values, slots),
            Values::Float32(values) => to(values, slots),
            Values::Float64(values) => to(values, slots),
            Values::Text(values) => to(values, slots),
            Values::Bytes(values) => to(values, slots),
        }
        if let Some(valid) = &mut self.valid {
            to(valid, slots);
        }
    }

    fn gather(&self, slots: &[u32]) -> ArrayRef {
        let nulls = self.valid.as_ref().map(|valid| slots.iter().map(|s| valid[*s as usize]).collect::<NullBuffer>());
        let at = |slot: &u32| *slot as usize;
        match &self.values {
            Values::Boolean(values) => {
                Arc::new(BooleanArray::new(slots.iter().map(|s| values[at(s)]).collect(), nulls))
            }
            Values::Int32(values) => numbers::<Int32Type>(values, slots, nulls),
            Values::Int64(values) => numbers::<Int64Type>(values, slots, nulls),
            Values::Float32(values) => numbers::<Float32Type>(values, slots, nulls),
            Values::Float64(values) => numbers::<Float64Type>(values, slots, nulls),
            Values::Timestamp(values) => numbers::<TimestampMicrosecondType>(values, slots, nulls),
            Values::Text(values) => {
                let mut builder = StringBuilder::with_capacity(slots.len(), 0);
                for (i, slot) in slots.iter().enumerate() {
                    let valid = nulls.as_ref().is_none_or(|n| n.is_valid(i));
                    builder.append_option(valid.then(|| &*values[at(slot)]));
                }
                Arc::new(builder.finish())
            }
            Values::Bytes(values) => {
                let mut builder = BinaryBuilder::with_capacity(slots.len(), 0);
                for (i, slot) in slots.iter().enumerate() {
                    let valid = nulls.as_ref().is_none_or(|n| n.is_valid(i));
                    builder.append_option(valid.then(|| &*values[at(slot)]));
                }
                Arc::new(builder.finish())
            }
        }
    }

    /// Bytes of a place.
    fn width(&self) -> usize {
        let value = match &self.values {
            Values::Boolean(_) => 1,
            Values::Int32(_) | Values::Float32(_) => 4,
            Values::Int64(_) | Values::Float64(_) | Values::Timestamp(_) => 8,
            Values::Text(_) | Values::Bytes(_) => 16,
        };
        value + usize::from(self.valid.is_some())
    }

    fn forget(&mut self, slots: &[u32]) {
        fn clear<T: Default>(values: &mut [T], slots: &[u32], bytes: fn(&T) -> usize) -> usize {
            slots.iter().map(|slot| bytes(&std::mem::take(&mut values[*slot as usize]))).sum()
        }
        self.held -= match &mut self.values {
            Values::Text(values) => clear(values, slots, |text| text.len()),
            Values::Bytes(values) => clear(values, slots, |bytes| bytes.len()),
            _ => 0,
        };
    }

    /// Puts into the i-th slot the array's value `row(i)`.
    fn scatter(&mut self, slots: &[u32], array: &ArrayRef, row: impl Fn(usize) -> usize) {
        fn put<T, U: Into<T>>(values: &mut [T], slots: &[u32], get: impl Fn(usize) -> U) {
            for (i, slot) in slots.iter().enumerate() {
                values[*slot as usize] = get(i).into();
            }
        }
        let held = &mut self.held;
        match &mut self.values {
            Values::Boolean(values) => put(values, slots, |i| array.as_boolean().value(row(i))),
            Values::Int32(values) => {
                let from = array.as_primitive::<Int32Type>().values();
                put(values, slots, |i| from[row(i)]);
            }
            Values::Int64(values) => {
                let from = array.as_primitive::<Int64Type>().values();
                put(values, slots, |i| from[row(i)]);
            }
            Values::Timestamp(values) => {
                let from = array.as_primitive::<TimestampMicrosecondType>().values();
                put(values, slots, |i| from[row(i)]);
            }
            Values::Float32(values) => {
                let from = array.as_primitive::<Float32Type>().values();
                put(values, slots, |i| from[row(i)]);
            }
            Values::Float64(values) => {
                let from = array.as_primitive::<Float64Type>().values();
                put(values, slots, |i| from[row(i)]);
            }
            Values::Text(values) => {
                let array = array.as_string::<i32>();
                *held += (0..slots.len()).map(|i| array.value(row(i)).len()).sum::<usize>();
                *held -= slots.iter().map(|slot| values[*slot as usize].len()).sum::<usize>();
                put(values, slots, |i| array.value(row(i)));
            }
            Values::Bytes(values) => {
                let array = array.as_binary::<i32>();
                *held += (0..slots.len()).map(|i| array.value(row(i)).len()).sum::<usize>();
                *held -= slots.iter().map(|slot| values[*slot as usize].len()).sum::<usize>();
                put(values, slots, |i| array.value(row(i)));
            }
        }
        if let Some(valid) = &mut self.valid {
            put(valid, slots, |i| array.is_valid(row(i)));
        }
    }
}

fn numbers<T: ArrowPrimitiveType>(values: &[T::Native], slots: &[u32], nulls: Option<NullBuffer>) -> ArrayRef {
    let gathered: Vec<T::Native> = slots.iter().map(|slot| values[*slot as usize]).collect();
    let array = PrimitiveArray::<T>::new(gathered.into(), nulls);
    match T::DATA_TYPE {
        arrow_schema::DataType::Timestamp(..) => Arc::new(array.with_data_type(DataType::Timestamp.arrow())),
        _ => Arc::new(array),
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{BinaryArray, Float64Array, StringArray, TimestampMicrosecondArray};

    use super::*;

    #[test]
    fn what_is_scattered_is_gathered() {
        let columns: Vec<(DataType, ArrayRef)> = vec![
            (DataType::Boolean, Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
            (DataType::Float64, Arc::new(Float64Array::from(vec![Some(1.5), None, Some(-0.0)]))),
            (
                DataType::Timestamp,
                Arc::new(
                    TimestampMicrosecondArray::from(vec![Some(7), None, Some(-7)])
                        .with_data_type(DataType::Timestamp.arrow()),
                ),
            ),
            (DataType::Text, Arc::new(StringArray::from(vec![Some("long enough"), None, Some("")]))),
            (DataType::Bytes, Arc::new(BinaryArray::from(vec![Some(&b"\xff"[..]), None, Some(b"")]))),
        ];
        let fields: Vec<Field> = columns.iter().map(|(t, _)| Field::new("f", *t, true)).collect();
        let arrays: Vec<ArrayRef> = columns.iter().map(|(_, a)| Arc::clone(a)).collect();
        let mut store = Store::new(&fields, arrays.iter().map(|a| a.slice(0, 1)).collect());
        store.grow(10);
        store.scatter(&[7, 2, 4], &arrays);
        assert_eq!(store.gather(&[7, 2, 4]), arrays);
        store.clear(&[2]);
        let again: Vec<ArrayRef> = store.gather(&[2]);
        assert_eq!(again, arrays.iter().map(|a| a.slice(0, 1)).collect::<Vec<_>>());
        // Two of "long enough" and of one byte, and what three places take.
        assert_eq!((store.columns(), store.bytes(3)), (5, 2 * (11 + 1) + 3 * (2 + 9 + 9 + 17 + 17)));
        store.forget(&[2, 7]);
        assert_eq!(store.bytes(0), 0);
    }
}
