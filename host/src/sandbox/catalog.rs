//! What a component says it offers: asked once, in a sandbox, and held to its limits. Names and docs end up in
//! errors, reports and other people's terminals, so they are short and have no control characters.

use super::artifact::Artifact;
use super::bindings::weir::udf::types as wit;
use super::instance;
use super::limits::Limits;
use crate::function::{Kind, Parameter, Signature};
use crate::types::{DataType, Field};

/// The functions of a component, or why its catalog is not taken.
pub(super) fn read(artifact: &Artifact, limits: &Limits) -> Result<Vec<Signature>, String> {
    let catalog =
        instance::catalog(artifact, limits).map_err(|fault| format!("its catalog can't be read: it {fault}"))?;
    if catalog.len() > limits.functions_max {
        return Err(format!("it offers {} functions, and at most {} are allowed", catalog.len(), limits.functions_max));
    }
    let functions: Vec<Signature> = catalog.into_iter().map(signature).collect();
    match functions.iter().find_map(|function| problem(function, limits)) {
        Some(problem) => Err(problem),
        None => Ok(functions),
    }
}

/// What is too long or unprintable in a signature, if anything is.
fn problem(function: &Signature, limits: &Limits) -> Option<String> {
    let Signature { parameters, inputs, outputs, accumulator, .. } = function;
    let fields = || inputs.iter().chain(outputs).chain(accumulator);
    let names = std::iter::once(&function.name).chain(parameters.iter().map(|p| &p.name));
    for name in names.chain(fields().map(|f| &f.name)) {
        if name.len() > limits.name_bytes_max {
            let most = limits.name_bytes_max;
            return Some(format!("a name in its catalog has {} bytes, and at most {most} are allowed", name.len()));
        }
        if name.chars().any(char::is_control) {
            return Some(format!("a name in its catalog has a control character: {name:?}"));
        }
    }
    for doc in std::iter::once(&function.doc).chain(parameters.iter().map(|p| &p.doc)) {
        if doc.len() > limits.doc_bytes_max {
            let (name, most) = (&function.name, limits.doc_bytes_max);
            return Some(format!("function `{name}`: a doc of {} bytes, and at most {most} are allowed", doc.len()));
        }
        if doc.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Some(format!("function `{}`: its doc has a control character", function.name));
        }
    }
    let columns = fields().count().max(parameters.len());
    (columns > limits.columns_max).then(|| {
        let (name, most) = (&function.name, limits.columns_max);
        format!("function `{name}`: {columns} columns or parameters, and at most {most} are allowed")
    })
}

fn signature(s: wit::Signature) -> Signature {
    let fields = |fields: Vec<wit::Field>| -> Vec<Field> {
        fields.into_iter().map(|f| Field::new(f.name, data_type(f.data_type), f.nullable)).collect()
    };
    let parameter = |p: wit::Parameter| Parameter {
        name: p.name,
        data_type: data_type(p.data_type),
        default: p.default,
        doc: p.doc,
    };
    Signature {
        name: s.name,
        kind: match s.kind {
            wit::Kind::Mapper => Kind::Mapper,
            wit::Kind::Filter => Kind::Filter,
            wit::Kind::FlatMapper => Kind::FlatMapper,
            wit::Kind::Aggregate => Kind::Aggregate,
            wit::Kind::StatefulMapper => Kind::StatefulMapper,
            wit::Kind::GroupMapper => Kind::GroupMapper,
        },
        doc: s.doc,
        parameters: s.parameters.into_iter().map(parameter).collect(),
        inputs: fields(s.inputs),
        outputs: fields(s.outputs),
        accumulator: fields(s.accumulator),
        retractable: s.retractable,
    }
}

fn data_type(data_type: wit::DataType) -> DataType {
    match data_type {
        wit::DataType::Boolean => DataType::Boolean,
        wit::DataType::Int32 => DataType::Int32,
        wit::DataType::Int64 => DataType::Int64,
        wit::DataType::Float32 => DataType::Float32,
        wit::DataType::Float64 => DataType::Float64,
        wit::DataType::Timestamp => DataType::Timestamp,
        wit::DataType::Text => DataType::Text,
        wit::DataType::Bytes => DataType::Bytes,
    }
}
