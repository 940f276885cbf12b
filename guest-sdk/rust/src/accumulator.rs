//! An aggregate's accumulator: a value that the host keeps as columns between calls.

use std::slice;

use crate::bindings::weir::udf::types::{Batch, Column};
use crate::input::{self, Input, Opened, unrolled};
use crate::output::Output;

/// A type that crosses as columns both ways: an owned scalar, an `Option` of one, or a struct with
/// `#[derive(weir::Accumulator)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an accumulator",
    label = "not an accumulator",
    note = "use bool, i32, i64, f32, f64, weir::Timestamp, String, Vec<u8>, an Option of one, or a struct of them with #[derive(weir::Accumulator)]"
)]
pub trait Accumulator: Output + 'static {
    /// The checked buffers.
    type Open<'a>;
    /// Takes its columns, in order, and checks them.
    fn open<'a>(columns: &mut slice::Iter<'a, Column>, rows: usize) -> Result<Self::Open<'a>, String>;
    /// The value of a row below `rows`.
    fn read(columns: &Self::Open<'_>, row: usize) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T> Accumulator for T
where
    T: for<'a> Input<'a> + Output + 'static,
{
    type Open<'a> = Opened<'a, T>;

    #[inline]
    fn open<'a>(columns: &mut slice::Iter<'a, Column>, rows: usize) -> Result<Self::Open<'a>, String> {
        input::open("value", columns.next().ok_or("too few columns")?, rows)
    }

    #[inline]
    fn read(columns: &Self::Open<'_>, row: usize) -> Self {
        columns.get(row)
    }
}

/// The checked columns of a batch of accumulators.
pub(crate) fn open<A: Accumulator>(batch: &Batch) -> Result<A::Open<'_>, String> {
    let mut columns = batch.columns.iter();
    let open = A::open(&mut columns, batch.rows as usize).map_err(|error| format!("accumulators: {error}"))?;
    match columns.len() {
        0 => Ok(open),
        more => Err(format!("accumulators: {more} columns too many")),
    }
}

/// All of a batch, as values.
pub(crate) fn decode<A: Accumulator>(batch: &Batch) -> Result<Vec<A>, String> {
    let columns = open::<A>(batch)?;
    Ok((0..batch.rows as usize).map(|row| A::read(&columns, row)).collect())
}

/// Values as a batch.
#[inline]
pub(crate) fn encode<O: Output>(mut rows: impl ExactSizeIterator<Item = O>) -> Result<Batch, String> {
    let count = rows.len();
    let mut columns = O::columns(count);
    unrolled(count, |row| match rows.next() {
        Some(value) => value.put(&mut columns, row),
        None => O::skip(&mut columns, row),
    });
    finish::<O>(columns, count)
}

/// The columns that were written, as a batch.
#[inline]
pub(crate) fn finish<O: Output>(columns: O::Columns, rows: usize) -> Result<Batch, String> {
    let mut out = Vec::new();
    O::finish(columns, rows, &mut out)?;
    let rows = u32::try_from(rows).map_err(|_| format!("{rows} rows in one batch; at most {} fit", u32::MAX))?;
    Ok(Batch { rows, columns: out })
}
