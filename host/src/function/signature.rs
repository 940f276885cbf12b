//! What a component says of one function, and the checks that make it worth believing.

use std::collections::HashSet;
use std::fmt;

use serde::Serialize;

use crate::types::{DataType, Field};

/// What a function does with rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One row out for each row in.
    Mapper,
    /// Keeps some of the rows.
    Filter,
    /// Any number of rows out for each row in.
    FlatMapper,
    /// Folds rows into accumulators.
    Aggregate,
    /// Any number of rows out for each row in, and a state for each key.
    StatefulMapper,
    /// Any number of rows out for each whole group.
    GroupMapper,
}

impl Kind {
    /// The name in catalogs and errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mapper => "mapper",
            Self::Filter => "filter",
            Self::FlatMapper => "flat-mapper",
            Self::Aggregate => "aggregate",
            Self::StatefulMapper => "stateful-mapper",
            Self::GroupMapper => "group-mapper",
        }
    }

    /// The name in a sentence.
    pub fn with_article(self) -> &'static str {
        match self {
            Self::Mapper => "a mapper",
            Self::Filter => "a filter",
            Self::FlatMapper => "a flat-mapper",
            Self::Aggregate => "an aggregate",
            Self::StatefulMapper => "a stateful mapper",
            Self::GroupMapper => "a group mapper",
        }
    }

    /// The key of the step that takes it.
    pub fn step(self) -> &'static str {
        match self {
            Self::Mapper => "map",
            Self::Filter => "filter",
            Self::FlatMapper => "flat-map",
            Self::Aggregate => "aggregate",
            Self::StatefulMapper => "stateful-map",
            Self::GroupMapper => "group-map",
        }
    }
}

/// One function of a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Signature {
    /// Its name; functions of one name and kind with other inputs are overloads.
    pub name: String,
    /// What it does with rows.
    pub kind: Kind,
    /// What it says of itself.
    pub doc: String,
    /// Constants that a pipeline may or must give.
    pub parameters: Vec<Parameter>,
    /// The columns it takes.
    pub inputs: Vec<Field>,
    /// The columns it gives; empty for a filter, and for a stateful mapper that only says which rows
    /// pass.
    pub outputs: Vec<Field>,
    /// The columns of an aggregate's accumulator or of a stateful mapper's state; empty for all
    /// others.
    pub accumulator: Vec<Field>,
    /// Whether rows can be taken out of an accumulator again.
    pub retractable: bool,
}

/// A constant of a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub data_type: DataType,
    /// Its text form where the pipeline gives none.
    pub default: Option<String>,
    /// What it does.
    pub doc: String,
}

impl fmt::Display for Signature {
    /// `mean(value: float64) -> mean: float64?`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name, list(&self.inputs))?;
        match self.outputs.as_slice() {
            [] => Ok(()),
            [one] => write!(f, " -> {one}"),
            many => write!(f, " -> ({})", list(many)),
        }
    }
}

fn list(fields: &[Field]) -> String {
    fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Signature {
    /// What is wrong with it, if anything is; said of `function` in the component's catalog.
    pub fn problem(&self) -> Option<String> {
        let says = |what: String| Some(format!("function `{}`: {what}", self.name));
        if self.name.is_empty() || !self.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
            return Some(format!("a function is named {:?}; letters, digits, `_` and `-` are allowed", self.name));
        }
        for (what, fields) in [("input", &self.inputs), ("output", &self.outputs), ("accumulator", &self.accumulator)] {
            let mut seen = HashSet::new();
            for field in fields {
                if field.name.is_empty() {
                    return says(format!("an {what} column has no name"));
                }
                if !seen.insert(&field.name) {
                    return says(format!("two {what} columns are named `{}`", field.name));
                }
            }
        }
        match self.kind {
            Kind::Filter if !self.outputs.is_empty() => return says("a filter has no outputs".into()),
            Kind::Mapper | Kind::FlatMapper | Kind::Aggregate | Kind::GroupMapper if self.outputs.is_empty() => {
                return says(format!("{} needs an output", self.kind.with_article()));
            }
            Kind::Aggregate | Kind::StatefulMapper if self.accumulator.is_empty() => {
                return says(format!("{} needs an accumulator", self.kind.with_article()));
            }
            Kind::Mapper | Kind::Filter | Kind::FlatMapper | Kind::GroupMapper if !self.accumulator.is_empty() => {
                return says(format!("{} has no accumulator", self.kind.with_article()));
            }
            _ => {}
        }
        self.parameters.iter().find_map(|p| {
            let bad = p.default.as_ref().filter(|text| !fits(text, p.data_type))?;
            says(format!("parameter `{}` is {} but its default is {bad:?}", p.name, p.data_type))
        })
    }

    /// The parameter of that name.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|p| p.name == name)
    }
}

/// Whether a text form is one of that type.
pub fn fits(text: &str, data_type: DataType) -> bool {
    match data_type {
        DataType::Boolean => text.parse::<bool>().is_ok(),
        DataType::Int32 => text.parse::<i32>().is_ok(),
        DataType::Int64 | DataType::Timestamp => text.parse::<i64>().is_ok(),
        DataType::Float32 | DataType::Float64 => text.parse::<f64>().is_ok(),
        DataType::Text | DataType::Bytes => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter() -> Signature {
        Signature {
            name: "departed".into(),
            kind: Kind::Filter,
            doc: String::new(),
            parameters: vec![],
            inputs: vec![Field::new("t", DataType::Int64, true)],
            outputs: vec![],
            accumulator: vec![],
            retractable: false,
        }
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(filter().problem(), None);
        let twice = Signature { inputs: vec![filter().inputs[0].clone(), filter().inputs[0].clone()], ..filter() };
        assert_eq!(twice.problem().as_deref(), Some("function `departed`: two input columns are named `t`"));
        let mapper = Signature { kind: Kind::Mapper, ..filter() };
        assert_eq!(mapper.problem().as_deref(), Some("function `departed`: a mapper needs an output"));
        let group = Signature { accumulator: filter().inputs, kind: Kind::GroupMapper, ..filter() };
        let group = Signature { outputs: filter().inputs, ..group };
        assert_eq!(group.problem().as_deref(), Some("function `departed`: a group mapper has no accumulator"));
        let stateful = Signature { kind: Kind::StatefulMapper, ..filter() };
        assert_eq!(stateful.problem().as_deref(), Some("function `departed`: a stateful mapper needs an accumulator"));
        assert_eq!(Signature { accumulator: filter().inputs, ..stateful }.problem(), None);
        let default =
            Parameter { name: "p".into(), data_type: DataType::Int64, default: Some("x".into()), doc: String::new() };
        let bad = Signature { parameters: vec![default], ..filter() };
        assert_eq!(
            bad.problem().as_deref(),
            Some("function `departed`: parameter `p` is int64 but its default is \"x\"")
        );
    }
}
