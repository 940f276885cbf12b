//! Arithmetic over whole columns, for languages that can't touch an item for less than it costs here.
//!
//! A program and columns come in, columns go out, and with them the rows that are given back: those for which an
//! operation has no answer that is the same in every language (an integer that overflows, a division by zero). What
//! becomes of such a row is for the guest to say, in its language's own words. A program runs over blocks of rows
//! that stay in the processor's cache, so that what stands between two operations is never written anywhere.
//! Nothing here depends on anything but its arguments.

mod block;
mod kernels;
mod operation;
mod program;

use super::limits::Limits;
use block::{Block, ROWS};
use program::{Program, Step};

/// A column as it comes in: its bits of validity and its values, in the contract's layout.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) validity: &'a [u8],
    pub(super) values: &'a [u8],
}

/// A column as it goes out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) validity: Vec<u8>,
    pub(super) values: Vec<u8>,
}

/// What a program came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) columns: Vec<Made>,
    /// One bit a row, set where it is given back; empty: none is.
    pub(super) given_back: Vec<u8>,
}

/// A program with columns that fit it, of so many rows.
pub(super) struct Task<'a> {
    program: Program,
    rows: usize,
    columns: &'a [Given<'a>],
}

impl<'a> Task<'a> {
    /// Checks all that a guest says before anything is computed or allocated. The error is for the guest.
    pub(super) fn new(text: &str, rows: usize, columns: &'a [Given<'a>], limits: &Limits) -> Result<Self, String> {
        let program = Program::parse(text)?;
        if rows > limits.output_rows_max {
            return Err(format!("{rows} rows, and the limit is {}", limits.output_rows_max));
        }
        let bytes = program.outputs.len().saturating_mul(rows).saturating_mul(size_of::<i64>());
        if bytes > limits.output_bytes_max {
            return Err(format!("{bytes} bytes of answer, and the limit is {}", limits.output_bytes_max));
        }
        if program.columns.len() != columns.len() {
            return Err(format!("{} columns, but the program takes {}", columns.len(), program.columns.len()));
        }
        for (place, (column, data_type)) in columns.iter().zip(&program.columns).enumerate() {
            block::check(column, *data_type, rows).map_err(|rule| format!("column {place}: {rule}"))?;
        }
        Ok(Self { program, rows, columns })
    }

    /// What it costs: one for each operation and row.
    pub(super) fn work(&self) -> u64 {
        (self.program.steps.len() as u64 + self.program.outputs.len() as u64).saturating_mul(self.rows as u64)
    }

    /// Computes it. `go_on` is asked every thousand rows of an operation.
    pub(super) fn run<E>(&self, mut go_on: impl FnMut() -> Result<(), E>) -> Result<Answer, E> {
        let program = &self.program;
        let mut answer = Answer::default();
        answer.columns.resize_with(program.outputs.len(), Made::default);
        let mut given_back = Vec::new();
        let mut values: Vec<Block> = program.steps.iter().map(|step| Block::new(step.kind)).collect();
        for (value, step) in values.iter_mut().zip(&program.steps) {
            if let Step::Constant(constant) = &step.step {
                value.fill(constant);
            }
        }
        let mut failed = [false; ROWS];
        for start in (0..self.rows).step_by(ROWS) {
            let rows = (self.rows - start).min(ROWS);
            failed.fill(false);
            for (place, step) in program.steps.iter().enumerate() {
                go_on()?;
                let (before, rest) = values.split_at_mut(place);
                match &step.step {
                    Step::Constant(_) => {}
                    Step::Column(column) => {
                        rest[0].load(&self.columns[*column], program.columns[*column], start, rows);
                    }
                    Step::Apply(operation, operands) => {
                        kernels::apply(*operation, operands.map(|o| &before[o]), &mut rest[0]);
                    }
                }
            }
            for refused in &program.refusals {
                values[*refused].bad_rows(&mut failed);
                values[*refused].true_rows(&mut failed);
            }
            for ((data_type, value), made) in program.outputs.iter().zip(&mut answer.columns) {
                values[*value].bad_rows(&mut failed);
                values[*value].store(*data_type, start, rows, made, &mut failed);
            }
            block::push_bits(&mut given_back, &failed[..rows]);
        }
        if given_back.iter().any(|byte| *byte != 0) {
            answer.given_back = given_back;
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests;
