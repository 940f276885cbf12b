//! A thousand rows of a value: loaded from a column's bytes, computed with, and stored as bytes again.

use super::operation::Kind;
use super::program::Constant;
use super::{Given, Made};
use crate::types::DataType;

/// Rows of a block. A multiple of 8, so that each block's bits start with a byte.
pub(super) const ROWS: usize = 1_024;

/// A block of one value. All of it is there whatever the number of rows; what stands behind them has no meaning.
pub(super) struct Block {
    pub(super) values: Values,
    /// Where there is a value.
    pub(super) valid: Vec<bool>,
    /// Whether there may be none in some row. Without, all of `valid` is set.
    pub(super) nulls: bool,
    /// Where there is no answer that is the same in every language. Only looked at where `any_bad`.
    pub(super) bad: Vec<bool>,
    pub(super) any_bad: bool,
}

pub(super) enum Values {
    Boolean(Vec<bool>),
    Int(Vec<i64>),
    Float(Vec<f64>),
}

/// Whether a column's buffers are as long as they have to be.
pub(super) fn check(column: &Given<'_>, data_type: DataType, rows: usize) -> Result<(), String> {
    let expected = match data_type {
        DataType::Boolean => rows.div_ceil(8),
        DataType::Int32 | DataType::Float32 => rows * 4,
        _ => rows * 8,
    };
    if column.values.len() != expected {
        let bytes = column.values.len();
        return Err(format!("{bytes} bytes of values, expected {expected} for {rows} rows of {data_type}"));
    }
    match column.validity.len() {
        0 => Ok(()),
        bytes if bytes == rows.div_ceil(8) => Ok(()),
        bytes => Err(format!("{bytes} bytes of validity, expected {} for {rows} rows", rows.div_ceil(8))),
    }
}

impl Block {
    pub(super) fn new(kind: Kind) -> Self {
        let values = match kind {
            Kind::Boolean => Values::Boolean(vec![false; ROWS]),
            Kind::Int => Values::Int(vec![0; ROWS]),
            Kind::Float => Values::Float(vec![0.0; ROWS]),
        };
        Self { values, valid: vec![true; ROWS], nulls: false, bad: vec![false; ROWS], any_bad: false }
    }

    pub(super) fn fill(&mut self, constant: &Constant) {
        match (constant, &mut self.values) {
            (Constant::Boolean(value), Values::Boolean(all)) => all.fill(*value),
            (Constant::Int(value), Values::Int(all)) => all.fill(*value),
            (Constant::Float(value), Values::Float(all)) => all.fill(*value),
            _ => {
                self.nulls = true;
                self.valid.fill(false);
            }
        }
    }

    /// Takes rows of a column, whose length has been checked.
    pub(super) fn load(&mut self, column: &Given<'_>, data_type: DataType, start: usize, rows: usize) {
        if !column.validity.is_empty() {
            self.nulls = true;
            pull_bits(&column.validity[start / 8..], &mut self.valid[..rows]);
        }
        let bytes = column.values;
        match (&mut self.values, data_type) {
            (Values::Boolean(to), _) => pull_bits(&bytes[start / 8..], &mut to[..rows]),
            (Values::Int(to), DataType::Int32) => pull(&bytes[start * 4..], to, rows, |b| i32::from_le_bytes(b).into()),
            (Values::Int(to), _) => pull(&bytes[start * 8..], to, rows, i64::from_le_bytes),
            (Values::Float(to), DataType::Float32) => {
                pull(&bytes[start * 4..], to, rows, |b| f32::from_le_bytes(b).into());
            }
            (Values::Float(to), _) => pull(&bytes[start * 8..], to, rows, f64::from_le_bytes),
        }
    }

    /// Marks the rows without an answer.
    pub(super) fn bad_rows(&self, failed: &mut [bool; ROWS]) {
        if self.any_bad {
            for (failed, bad) in failed.iter_mut().zip(&self.bad) {
                *failed |= bad;
            }
        }
    }

    /// Marks the rows that are true.
    pub(super) fn true_rows(&self, failed: &mut [bool; ROWS]) {
        if let Values::Boolean(values) = &self.values {
            for ((failed, value), valid) in failed.iter_mut().zip(values).zip(&self.valid) {
                *failed |= value & valid;
            }
        }
    }

    /// Appends the rows to a column. One that its type can't hold is marked.
    pub(super) fn store(
        &self,
        data_type: DataType,
        start: usize,
        rows: usize,
        to: &mut Made,
        failed: &mut [bool; ROWS],
    ) {
        if self.nulls && to.validity.is_empty() && start > 0 {
            to.validity.resize(start / 8, 0xff);
        }
        if self.nulls || !to.validity.is_empty() {
            push_bits(&mut to.validity, &self.valid[..rows]);
        }
        match (&self.values, data_type) {
            (Values::Boolean(from), _) => push_bits(&mut to.values, &from[..rows]),
            (Values::Int(from), DataType::Int32) => {
                for ((failed, value), valid) in failed.iter_mut().zip(from).zip(&self.valid) {
                    *failed |= i32::try_from(*value).is_err() & valid;
                }
                push(&mut to.values, &from[..rows], |value| (value as i32).to_le_bytes());
            }
            (Values::Int(from), _) => push(&mut to.values, &from[..rows], i64::to_le_bytes),
            (Values::Float(from), DataType::Float32) => {
                push(&mut to.values, &from[..rows], |value| (canonical(value) as f32).to_le_bytes());
            }
            (Values::Float(from), _) => push(&mut to.values, &from[..rows], |value| canonical(value).to_le_bytes()),
        }
    }
}

/// The one NaN that guests see.
fn canonical(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value }
}

fn pull<T, const N: usize>(bytes: &[u8], to: &mut [T], rows: usize, number: impl Fn([u8; N]) -> T) {
    let (numbers, _) = bytes.as_chunks::<N>();
    for (to, bytes) in to[..rows].iter_mut().zip(numbers) {
        *to = number(*bytes);
    }
}

fn push<T: Copy, const N: usize>(to: &mut Vec<u8>, from: &[T], bytes: impl Fn(T) -> [u8; N]) {
    let start = to.len();
    to.resize(start + from.len() * N, 0);
    let (places, _) = to[start..].as_chunks_mut::<N>();
    for (place, value) in places.iter_mut().zip(from) {
        *place = bytes(*value);
    }
}

fn pull_bits(bits: &[u8], to: &mut [bool]) {
    for (eight, byte) in to.chunks_mut(8).zip(bits) {
        for (bit, to) in eight.iter_mut().enumerate() {
            *to = byte >> bit & 1 == 1;
        }
    }
}

/// Appends a bit for each; bits behind the last are zero.
pub(super) fn push_bits(to: &mut Vec<u8>, from: &[bool]) {
    to.extend(from.chunks(8).map(|eight| eight.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit))));
}
