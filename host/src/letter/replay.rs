//! A letter's call, made again: the same columns, parameters, clock, random numbers and limits, on a fresh instance.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef};
use serde_json::Value;

use super::{Letter, Made, values};
use crate::error::{Error, Invalid, Result};
use crate::function::invoke::attempt::Method;
use crate::function::{Calls, Fault, Input, RowError, Signature};
use crate::plan::limits_as_written;
use crate::sandbox::{Artifact, Instance, Limits, Reuse};
use crate::types::{DataType, Field};

/// How a call ended that was made again.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It gave these columns; a filter, whether it keeps the row.
    Gave(Vec<(String, Value)>),
    /// It said that the row failed.
    RowError(String),
    /// It failed as a whole.
    Fault(Fault),
}

impl Outcome {
    /// Why it failed, as a letter says it; `None` if it did not.
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Gave(_) => None,
            Self::RowError(message) => Some(message.clone()),
            Self::Fault(fault) => Some(fault.to_string()),
        }
    }
}

impl Letter {
    /// The limits that its function had.
    pub fn limits(&self) -> Result<Limits> {
        limits_as_written(&self.limits)
            .map_err(|message| Invalid::new(format!("the letter's limits: {message}")).into())
    }

    /// Makes its call again.
    pub fn replay(&self, artifact: &Arc<Artifact>) -> Result<Outcome> {
        let made = self.made()?;
        let (index, signature) = self.find(made, artifact.functions())?;
        let columns = read(&made.columns, &made.types)?;
        let held_types: Vec<DataType> = signature.accumulator.iter().map(|f| f.data_type).collect();
        let held = read(&made.held, &held_types)?;
        let parameters = Arc::new(self.parameters.clone());
        let mut instance = Instance::new(artifact, index, parameters, self.limits()?, Reuse::UntilFault);
        let called = call(&mut instance, made, self, &columns, &held);
        Ok(match called {
            Err(fault) => Outcome::Fault(fault),
            Ok((errors, _)) if !errors.is_empty() => Outcome::RowError(errors[0].message.clone()),
            Ok((_, outputs)) => Outcome::Gave(named(made.method, signature, &outputs)),
        })
    }

    /// Its call.
    pub fn made(&self) -> Result<&Made> {
        self.call.as_ref().ok_or_else(|| {
            Invalid::new(format!("step `{}` has no call to make again: {}", self.step, self.reason))
                .hint("records that could not be read, and functions of the host, have none")
                .into()
        })
    }

    /// The function of the call: the one of that name that takes these columns.
    fn find<'a>(&self, made: &Made, functions: &'a [Signature]) -> Result<(usize, &'a Signature)> {
        let name = self.function_name().unwrap_or_default();
        let types = |fields: &[Field]| fields.iter().map(|f| f.data_type).collect::<Vec<_>>();
        let fits = |signature: &Signature| match made.method {
            Method::Merge | Method::Finish => types(&signature.accumulator) == made.types,
            _ => types(&signature.inputs) == made.types,
        };
        let found =
            functions.iter().enumerate().find(|(_, s)| s.name == name && s.kind == made.method.kind() && fits(s));
        found.ok_or_else(|| {
            let types: Vec<_> = made.types.iter().map(ToString::to_string).collect();
            let all: Vec<_> = functions.iter().map(ToString::to_string).collect();
            Error::from(
                Invalid::new(format!(
                    "the component has no {} `{name}` of ({})",
                    made.method.kind().name(),
                    types.join(", ")
                ))
                .hint(format!("it has: {}", all.join("; "))),
            )
        })
    }
}

pub(super) fn read(columns: &[Value], types: &[DataType]) -> Result<Vec<ArrayRef>> {
    let column = |(values, of): (&Value, &DataType)| match values {
        Value::Array(values) => values::read(values, *of),
        other => Err(format!("{other} is no list")),
    };
    let all: std::result::Result<_, String> = columns.iter().zip(types).map(column).collect();
    all.map_err(|message| Invalid::new(format!("the letter's columns: {message}")).into())
}

type Called = std::result::Result<(Vec<RowError>, Vec<ArrayRef>), Fault>;

fn call(instance: &mut Instance, made: &Made, letter: &Letter, columns: &[ArrayRef], held: &[ArrayRef]) -> Called {
    let rows = columns.first().map_or(1, Array::len);
    let input = Input { rows, columns, now: letter.now, seed: letter.seed };
    let accumulators = Input { rows: 1, columns: held, ..input };
    let groups = vec![0; rows];
    Ok(match made.method {
        Method::Map => {
            let mapped = instance.map(input)?;
            (mapped.errors, mapped.outputs)
        }
        Method::Filter => {
            let kept = instance.filter(input)?;
            (kept.errors, vec![Arc::new(arrow_array::BooleanArray::new(kept.selection, None)) as ArrayRef])
        }
        Method::FlatMap => {
            let expanded = instance.flat_map(input)?;
            (expanded.errors, expanded.outputs)
        }
        Method::GroupMap => {
            let expanded = instance.map_groups(1, &groups, input)?;
            (expanded.errors, expanded.outputs)
        }
        Method::StatefulMap => {
            let stepped = instance.stateful_map(accumulators, &groups, input)?;
            (stepped.errors, stepped.outputs)
        }
        Method::Accumulate => {
            let folded = instance.accumulate(accumulators, &groups, input)?;
            (folded.errors, folded.accumulators)
        }
        Method::Merge => (Vec::new(), instance.merge(accumulators, &groups, input)?),
        Method::Finish => (Vec::new(), instance.finish(input)?),
    })
}

fn named(method: Method, signature: &Signature, outputs: &[ArrayRef]) -> Vec<(String, Value)> {
    let names: Vec<String> = match method {
        Method::Filter => vec!["kept".into()],
        Method::Accumulate | Method::Merge => signature.accumulator.iter().map(|f| f.name.clone()).collect(),
        _ => signature.outputs.iter().map(|f| f.name.clone()).collect(),
    };
    names.into_iter().zip(outputs.iter().map(values::write)).collect()
}
