//! The default of a parameter: a literal, checked against the type where that is one of ours.

use syn::{Error, Expr, ExprLit, ExprUnary, Lit, Type, UnOp};

use crate::types::last;

/// The text form of the default.
pub(crate) fn text(default: &Expr, ty: &Type) -> syn::Result<String> {
    let (negative, literal) = match default {
        Expr::Lit(ExprLit { lit, .. }) => (false, lit),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => match &**expr {
            Expr::Lit(ExprLit { lit: lit @ (Lit::Int(_) | Lit::Float(_)), .. }) => (true, lit),
            _ => return Err(Error::new_spanned(default, "a default is a literal")),
        },
        _ => return Err(Error::new_spanned(default, "a default is a literal")),
    };
    let text = match literal {
        Lit::Str(text) => text.value(),
        Lit::Bool(truth) => truth.value.to_string(),
        Lit::Int(number) => number.base10_digits().to_owned(),
        Lit::Float(number) => number.base10_digits().to_owned(),
        _ => return Err(Error::new_spanned(default, "a default is a text, a number, true or false")),
    };
    let text = if negative { format!("-{text}") } else { text };
    let name = last(ty).map(ToString::to_string).unwrap_or_default();
    let (fits, expected) = match (name.as_str(), literal) {
        ("bool", literal) => (matches!(literal, Lit::Bool(_)), "true or false"),
        ("i32", literal) => {
            (matches!(literal, Lit::Int(_)) && text.parse::<i32>().is_ok(), "a whole number of 32 bits")
        }
        ("i64", literal) => {
            (matches!(literal, Lit::Int(_)) && text.parse::<i64>().is_ok(), "a whole number of 64 bits")
        }
        ("f32" | "f64", literal) => (matches!(literal, Lit::Int(_) | Lit::Float(_)), "a number"),
        ("String" | "str", literal) => (matches!(literal, Lit::Str(_)), "a text in quotes"),
        ("Timestamp", literal) => {
            (matches!(literal, Lit::Str(_) | Lit::Int(_)), "a text like \"2013-02-08T12:30:00Z\", or microseconds")
        }
        _ => (true, ""),
    };
    if !fits {
        return Err(Error::new_spanned(default, format!("the default of a `{name}` is {expected}")));
    }
    Ok(text)
}
