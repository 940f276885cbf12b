//! From a call as written to a function with its columns: finds the overload that fits, widens
//! what has to be, and gives each parameter its text form.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::call::Call;
use super::{Argument, Bound, Function, dry_run};
use crate::error::Invalid;
use crate::function::signature::fits;
use crate::function::{Kind, Native, Signature};
use crate::sandbox::{Artifact, Limits};
use crate::types::{DataType, Field};

/// An entry of `[functions]`, loaded.
#[derive(Debug, Clone)]
pub(super) enum Component {
    Sandboxed { artifact: Arc<Artifact>, limits: Box<Limits> },
    Native(Vec<Arc<Native>>),
}

impl Component {
    fn signatures(&self) -> Vec<&Signature> {
        match self {
            Self::Sandboxed { artifact, .. } => artifact.functions().iter().collect(),
            Self::Native(functions) => functions.iter().map(|n| n.signature()).collect(),
        }
    }
}

/// Binds a call to the columns of a stream. Also returns what a call of no rows gave: for an
/// aggregate, an empty accumulator.
pub(super) fn bind(
    component: &Component,
    call: &Call,
    kind: Kind,
    columns: &[Field],
) -> Result<(Bound, Vec<arrow_array::ArrayRef>), Invalid> {
    let label = format!("{}.{}", call.component, call.function);
    let signatures = component.signatures();
    let named: Vec<usize> = (0..signatures.len()).filter(|i| signatures[*i].name == call.function).collect();
    if named.is_empty() {
        let all: Vec<_> = signatures.iter().map(|s| s.name.as_str()).collect();
        return Err(Invalid::new(format!("`{}` has no function `{}`", call.component, call.function))
            .hint(did_you_mean(&call.function, &all)));
    }
    let of_kind: Vec<usize> = named.iter().copied().filter(|i| signatures[*i].kind == kind).collect();
    let Some(first) = of_kind.first() else {
        let is = signatures[named[0]].kind;
        return Err(Invalid::new(format!(
            "`{label}` is {}, but `{}` takes {}",
            is.with_article(),
            kind.step(),
            kind.with_article()
        ))
        .hint(format!("write `{} = \"{label}\"`", is.step())));
    };

    let mut best: Option<(u32, usize, Vec<Argument>)> = None;
    let mut misfits = Vec::new();
    for index in &of_kind {
        match arguments(signatures[*index], call, columns) {
            Ok((cost, arguments)) if best.as_ref().is_none_or(|(least, ..)| cost < *least) => {
                best = Some((cost, *index, arguments));
            }
            Ok(_) => {}
            Err(misfit) => misfits.push(misfit),
        }
    }
    let Some((_, index, arguments)) = best else {
        let misfit = misfits.swap_remove(0);
        if of_kind.len() == 1 {
            return Err(Invalid::new(format!("`{label}`: {}", misfit.message)).hint_opt(misfit.hint));
        }
        let forms: Vec<_> = of_kind.iter().map(|i| signatures[*i].to_string()).collect();
        let given = match &call.columns {
            Some(names) => described(names, columns),
            None => described(&signatures[*first].inputs.iter().map(|f| f.name.clone()).collect::<Vec<_>>(), columns),
        };
        return Err(Invalid::new(format!("no form of `{label}` takes ({given}): {}", misfit.message))
            .hint(format!("its forms are: {}", forms.join("; "))));
    };

    let signature = signatures[index];
    let parameters = parameters(&label, signature, call)?;
    let function = match component {
        Component::Sandboxed { artifact, limits } => Function::Sandboxed {
            artifact: Arc::clone(artifact),
            index,
            parameters: Arc::new(parameters),
            limits: limits.clone(),
        },
        Component::Native(functions) => Function::Native(Arc::clone(&functions[index])),
    };
    let empty = dry_run(&function).map_err(|fault| {
        Invalid::new(format!("`{label}` can't be called with these parameters: it {}", one_line(&fault.to_string())))
    })?;
    Ok((Bound { label, function, arguments, seed: 0 }, empty))
}

struct Misfit {
    message: String,
    hint: Option<String>,
}

/// The columns for a signature's inputs, and how many steps of widening they need.
fn arguments(signature: &Signature, call: &Call, columns: &[Field]) -> Result<(u32, Vec<Argument>), Misfit> {
    let names: Vec<String> = match &call.columns {
        Some(names) => names.clone(),
        None => signature.inputs.iter().map(|f| f.name.clone()).collect(),
    };
    let plain = |message| Misfit { message, hint: None };
    if names.len() != signature.inputs.len() {
        return Err(plain(format!(
            "it takes {} ({signature}), but {} given",
            counted(signature.inputs.len()),
            match names.len() {
                1 => "1 is".to_string(),
                n => format!("{n} are"),
            }
        )));
    }
    let mut cost = 0;
    let mut arguments = Vec::new();
    for (name, input) in names.iter().zip(&signature.inputs) {
        let Some(column) = columns.iter().find(|c| c.name == *name) else {
            let all: Vec<_> = columns.iter().map(|c| c.name.as_str()).collect();
            let how = match call.columns {
                Some(_) => "",
                None => ", which its input of that name asks for",
            };
            return Err(Misfit {
                message: format!("there is no column `{name}`{how}"),
                hint: Some(did_you_mean(name, &all)),
            });
        };
        let Some(steps) = widening(column.data_type, input.data_type) else {
            return Err(plain(format!(
                "input `{}` is {}, but column `{name}` is {}",
                input.name,
                input.type_name(),
                column.type_name()
            )));
        };
        cost += steps;
        arguments.push(Argument {
            column: name.clone(),
            widen: (steps > 0).then_some(input.data_type),
            strict: column.nullable && !input.nullable,
        });
    }
    Ok((cost, arguments))
}

/// How many steps one type is from a wider one that takes it in: int32 to int64 to float64, and
/// float32 to float64.
fn widening(from: DataType, to: DataType) -> Option<u32> {
    use DataType::{Float32, Float64, Int32, Int64};
    match (from, to) {
        _ if from == to => Some(0),
        (Int32, Int64) | (Float32, Float64) => Some(1),
        (Int64 | Int32, Float64) => Some(2),
        _ => None,
    }
}

fn parameters(label: &str, signature: &Signature, call: &Call) -> Result<BTreeMap<String, String>, Invalid> {
    let mut given = BTreeMap::new();
    for (name, value) in &call.parameters {
        let Some(parameter) = signature.parameter(name) else {
            let all: Vec<_> = signature.parameters.iter().map(|p| p.name.as_str()).collect();
            return Err(Invalid::new(format!("`{label}` has no parameter `{name}`")).hint(match all.is_empty() {
                true => "it has none".to_string(),
                false => did_you_mean(name, &all),
            }));
        };
        if !fits(value, parameter.data_type) && parameter.data_type != DataType::Timestamp {
            return Err(Invalid::new(format!(
                "`{label}`: parameter `{name}` is {}, but {value:?} is given",
                parameter.data_type
            )));
        }
        if given.insert(name.clone(), value.clone()).is_some() {
            return Err(Invalid::new(format!("`{label}`: parameter `{name}` is given twice")));
        }
    }
    for parameter in &signature.parameters {
        if given.contains_key(&parameter.name) {
            continue;
        }
        let Some(default) = &parameter.default else {
            return Err(Invalid::new(format!(
                "`{label}` needs the parameter `{}` ({})",
                parameter.name, parameter.data_type
            ))
            .hint(format!("write `{label}(.., {} = ..)`, or `with = {{ {} = .. }}`", parameter.name, parameter.name)));
        };
        given.insert(parameter.name.clone(), default.clone());
    }
    Ok(given)
}

/// Some libraries' errors are drawings of several lines.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn counted(columns: usize) -> String {
    match columns {
        0 => "no columns".to_string(),
        1 => "1 column".to_string(),
        n => format!("{n} columns"),
    }
}

fn described(names: &[String], columns: &[Field]) -> String {
    let one = |name: &String| match columns.iter().find(|c| c.name == *name) {
        Some(column) => column.to_string(),
        None => format!("{name}: no such column"),
    };
    names.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The nearest of some names, and all of them.
pub(super) fn did_you_mean(name: &str, all: &[&str]) -> String {
    let mut seen = HashSet::new();
    let once = all.iter().filter(|n| seen.insert(**n));
    let list = once.map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    match nearest(name, all) {
        Some(n) => format!("did you mean `{n}`? there are: {list}"),
        None if all.is_empty() => "there are none".to_string(),
        None => format!("there are: {list}"),
    }
}

/// The name that is not far from what was written, if there is one.
pub(super) fn nearest<'a>(name: &str, all: &[&'a str]) -> Option<&'a str> {
    let nearest = all.iter().map(|n| (distance(name, n), *n)).min();
    nearest.filter(|(d, _)| *d <= 1 + name.len() / 4).map(|(_, n)| n)
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let changed = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered() {
        assert_eq!(
            did_you_mean("departd", &["arrived", "departed"]),
            "did you mean `departed`? there are: `arrived`, `departed`"
        );
        assert_eq!(did_you_mean("xyz", &["arrived"]), "there are: `arrived`");
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn widening_never_narrows() {
        assert_eq!(widening(DataType::Int32, DataType::Float64), Some(2));
        assert_eq!(widening(DataType::Float64, DataType::Int64), None);
        assert_eq!(widening(DataType::Int64, DataType::Timestamp), None);
    }
}
