//! The operations that there are, by name, and what each takes and gives.

/// What a value is while it is computed with: the contract's narrower types are widened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Int,
    Float,
}

/// An operation on one to three values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    Quotient,
    Remainder,
    FloorDivide,
    Modulo,
    Negate,
    Absolute,
    Minimum,
    Maximum,
    Equal,
    Unequal,
    Less,
    LessEqual,
    And,
    Or,
    Not,
    IsNull,
    Where,
    Except,
    Floor,
    Ceil,
    Trunc,
    Round,
    Sqrt,
    ToFloat,
    ExactFloat,
    ToInt,
    ExactInt,
}

use Kind::{Boolean, Float, Int};
use Operation::*;

/// Each with its name in programs and how many values it takes.
const NAMES: [(&str, Operation, usize); 31] = [
    ("add", Add, 2),
    ("subtract", Subtract, 2),
    ("multiply", Multiply, 2),
    ("divide", Divide, 2),
    ("quotient", Quotient, 2),
    ("remainder", Remainder, 2),
    ("floor-divide", FloorDivide, 2),
    ("modulo", Modulo, 2),
    ("negate", Negate, 1),
    ("absolute", Absolute, 1),
    ("minimum", Minimum, 2),
    ("maximum", Maximum, 2),
    ("equal", Equal, 2),
    ("unequal", Unequal, 2),
    ("less", Less, 2),
    ("less-equal", LessEqual, 2),
    ("and", And, 2),
    ("or", Or, 2),
    ("not", Not, 1),
    ("is-null", IsNull, 1),
    ("where", Where, 3),
    ("except", Except, 2),
    ("floor", Floor, 1),
    ("ceil", Ceil, 1),
    ("trunc", Trunc, 1),
    ("round", Round, 1),
    ("sqrt", Sqrt, 1),
    ("to-float", ToFloat, 1),
    ("exact-float", ExactFloat, 1),
    ("to-int", ToInt, 1),
    ("exact-int", ExactInt, 1),
];

impl Operation {
    /// The operation of that name, and how many values it takes.
    pub(super) fn named(name: &str) -> Option<(Self, usize)> {
        NAMES.iter().find(|(n, ..)| *n == name).map(|(_, operation, takes)| (*operation, *takes))
    }

    /// What it gives for values of these kinds, if it takes them.
    pub(super) fn gives(self, kinds: &[Kind]) -> Option<Kind> {
        match (self, kinds) {
            (Add | Subtract | Multiply | Remainder | FloorDivide | Modulo | Minimum | Maximum, [a, b])
                if a == b && *a != Boolean =>
            {
                Some(*a)
            }
            (Divide, [Float, Float]) => Some(Float),
            (Quotient, [Int, Int]) => Some(Int),
            (Negate | Absolute, [a]) if *a != Boolean => Some(*a),
            (Equal | Unequal, [a, b]) if a == b => Some(Boolean),
            (Less | LessEqual, [a, b]) if a == b && *a != Boolean => Some(Boolean),
            (And | Or, [Boolean, Boolean]) | (Not, [Boolean]) | (IsNull, [_]) => Some(Boolean),
            (Where, [Boolean, a, b]) if a == b => Some(*a),
            (Except, [a, Boolean]) => Some(*a),
            (Floor | Ceil | Trunc | Round | Sqrt, [Float]) => Some(Float),
            (ToFloat | ExactFloat, [Int]) => Some(Float),
            (ToInt, [Boolean | Float]) | (ExactInt, [Float]) => Some(Int),
            _ => None,
        }
    }
}
