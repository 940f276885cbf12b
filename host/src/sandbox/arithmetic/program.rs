//! From a program's text to its steps, each of which has been checked: what is run is never wrong.
//!
//! Instructions stand in lines. `column` and constants and operations each make a value, which the ones behind it
//! name by its number, from 0; `fail` and `out` make none.

use super::operation::{Kind, Operation};
use crate::types::DataType;

/// Instructions that a program may have. Each needs a block of memory while the program runs.
const INSTRUCTIONS_MAX: usize = 1_000;

/// What is computed.
#[derive(Debug)]
pub(super) struct Program {
    /// The types of the columns that it takes.
    pub(super) columns: Vec<DataType>,
    /// One for each value.
    pub(super) steps: Vec<Typed>,
    /// Values whose true rows are given back.
    pub(super) refusals: Vec<usize>,
    /// What it gives, by type and value.
    pub(super) outputs: Vec<(DataType, usize)>,
}

/// How a value comes to be, and what it is.
#[derive(Debug)]
pub(super) struct Typed {
    pub(super) step: Step,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Step {
    Column(usize),
    Constant(Constant),
    /// An operation that takes fewer than three values has its first one again for the rest.
    Apply(Operation, [usize; 3]),
}

/// A value that is the same in each row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Constant {
    Boolean(bool),
    Int(i64),
    Float(f64),
    Null,
}

impl Program {
    /// The program of a text. The error names the line.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut program = Self { columns: Vec::new(), steps: Vec::new(), refusals: Vec::new(), outputs: Vec::new() };
        for (line, instruction) in text.lines().enumerate() {
            if line == INSTRUCTIONS_MAX {
                return Err(format!("a program of more than {INSTRUCTIONS_MAX} instructions"));
            }
            program.instruction(instruction).map_err(|e| format!("line {} of the program: {e}", line + 1))?;
        }
        Ok(program)
    }

    fn instruction(&mut self, line: &str) -> Result<(), String> {
        let mut words = line.split_ascii_whitespace();
        let (name, arguments): (_, Vec<&str>) = (words.next().unwrap_or_default(), words.take(4).collect());
        let typed = match (name, &arguments[..]) {
            ("column", [name]) => {
                let data_type = data_type(name)?;
                self.columns.push(data_type);
                Typed { step: Step::Column(self.columns.len() - 1), kind: kind(data_type) }
            }
            ("null", [name]) => Typed { step: Step::Constant(Constant::Null), kind: kind(data_type(name)?) },
            ("boolean" | "int64" | "float64", [value]) => constant(name, value)?,
            ("fail", [value]) => {
                let value = self.value(value)?;
                self.takes(name, &[value], self.steps[value].kind == Kind::Boolean)?;
                self.refusals.push(value);
                return Ok(());
            }
            ("out", [name, value]) => {
                let (data_type, value) = (data_type(name)?, self.value(value)?);
                self.takes(&format!("out {data_type}"), &[value], self.steps[value].kind == kind(data_type))?;
                self.outputs.push((data_type, value));
                return Ok(());
            }
            _ => self.operation(name, &arguments)?,
        };
        self.steps.push(typed);
        Ok(())
    }

    fn operation(&self, name: &str, arguments: &[&str]) -> Result<Typed, String> {
        let (operation, takes) = Operation::named(name).ok_or_else(|| {
            let name: String = name.chars().take(40).collect();
            format!("there is no `{name}`")
        })?;
        if arguments.len() != takes {
            return Err(format!("`{name}` takes {takes}, not {} values", arguments.len()));
        }
        let operands = arguments.iter().map(|a| self.value(a)).collect::<Result<Vec<_>, _>>()?;
        let kinds: Vec<Kind> = operands.iter().map(|o| self.steps[*o].kind).collect();
        let kind = operation.gives(&kinds);
        self.takes(name, &operands, kind.is_some())?;
        let operand = |place: usize| operands.get(place).copied().unwrap_or(operands[0]);
        let step = Step::Apply(operation, [operand(0), operand(1), operand(2)]);
        Ok(Typed { step, kind: kind.unwrap_or(Kind::Boolean) })
    }

    /// A value that stands before this line.
    fn value(&self, word: &str) -> Result<usize, String> {
        let before = self.steps.len();
        match word.parse() {
            Ok(value) if value < before => Ok(value),
            _ => {
                Err(format!("`{}` is none of the {before} values before it", word.chars().take(40).collect::<String>()))
            }
        }
    }

    fn takes(&self, name: &str, operands: &[usize], fits: bool) -> Result<(), String> {
        if fits {
            return Ok(());
        }
        let kinds: Vec<&str> = operands.iter().map(|o| self.steps[*o].kind.name()).collect();
        Err(format!("`{name}` does not take {}", kinds.join(" and ")))
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Int => "int64",
            Self::Float => "float64",
        }
    }
}

fn constant(name: &str, value: &str) -> Result<Typed, String> {
    let wrong = || format!("`{}` is no {name}", value.chars().take(40).collect::<String>());
    let (constant, kind) = match name {
        "boolean" => (Constant::Boolean(value.parse().map_err(|_| wrong())?), Kind::Boolean),
        "int64" => (Constant::Int(value.parse().map_err(|_| wrong())?), Kind::Int),
        _ => (Constant::Float(value.parse().map_err(|_| wrong())?), Kind::Float),
    };
    Ok(Typed { step: Step::Constant(constant), kind })
}

fn data_type(name: &str) -> Result<DataType, String> {
    let numeric = |t: &&DataType| !matches!(t, DataType::Text | DataType::Bytes);
    DataType::ALL.iter().filter(numeric).find(|t| t.name() == name).copied().ok_or_else(|| {
        let name: String = name.chars().take(40).collect();
        format!("`{name}` is no type to compute with")
    })
}

fn kind(data_type: DataType) -> Kind {
    match data_type {
        DataType::Boolean => Kind::Boolean,
        DataType::Float32 | DataType::Float64 => Kind::Float,
        _ => Kind::Int,
    }
}
