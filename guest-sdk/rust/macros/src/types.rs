//! Small questions about the user's types and words.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit_mut::{VisitMut, visit_type_bare_fn_mut};
use syn::{Attribute, Expr, ExprLit, Ident, Lifetime, Lit, Meta, Type, TypeBareFn};

/// The type with every named lifetime but `'static` left to inference, for use in another body.
pub(crate) fn inferred(ty: &Type) -> Type {
    struct Infer;
    impl VisitMut for Infer {
        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            if lifetime.ident != "static" {
                *lifetime = Lifetime::new("'_", lifetime.span());
            }
        }

        fn visit_type_bare_fn_mut(&mut self, ty: &mut TypeBareFn) {
            if ty.lifetimes.is_none() {
                visit_type_bare_fn_mut(self, ty);
            }
        }
    }
    let mut ty = ty.clone();
    Infer.visit_type_mut(&mut ty);
    ty
}

/// The last word of a type's path.
pub(crate) fn last(ty: &Type) -> Option<&Ident> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| &segment.ident),
        Type::Group(group) => last(&group.elem),
        Type::Paren(paren) => last(&paren.elem),
        _ => None,
    }
}

/// An identifier as a name in the catalog: without `r#`.
pub(crate) fn name(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// `CountDistinct` as `count_distinct`.
pub(crate) fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let letters: Vec<char> = name.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let before_lower = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase()
            && at > 0
            && (!letters[at - 1].is_uppercase() || before_lower)
            && letters[at - 1] != '_'
        {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// The text of the doc comments.
pub(crate) fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) => Some(line.value()),
            _ => None,
        },
        _ => None,
    });
    let lines: Vec<String> = lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned()).collect();
    lines.join("\n").trim().to_owned()
}

/// Where the user's tokens stand, for errors, with the names that the macro's own code sees.
pub(crate) fn place(tokens: &impl Spanned) -> Span {
    tokens.span().resolved_at(Span::call_site())
}
