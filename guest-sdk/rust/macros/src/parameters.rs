//! Parameters: the struct that holds them, how the catalog describes them, how they are read.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Attribute, Data, DeriveInput, Error, Expr, Fields, Ident, Meta, Token, Type};

use crate::{default, types};

/// One parameter.
pub(crate) struct Parameter {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) default: Option<String>,
    pub(crate) doc: String,
}

impl Parameter {
    /// From a field's or an argument's name, owned type and attributes.
    pub(crate) fn new(ident: Ident, ty: Type, attributes: &[Attribute]) -> syn::Result<Self> {
        let mut default = None;
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("param")) {
            if let Meta::Path(_) = attribute.meta {
                continue;
            }
            attribute.parse_nested_meta(|meta| {
                if !meta.path.is_ident("default") {
                    return Err(meta.error("`#[param]` takes `default = ..` and nothing else"));
                }
                meta.input.parse::<Token![=]>()?;
                let literal: Expr = meta.input.parse()?;
                default = Some(default::text(&literal, &ty)?);
                Ok(())
            })?;
        }
        Ok(Self { ident, ty, default, doc: types::doc(attributes) })
    }
}

/// `impl weir::Parameters`.
pub(crate) fn implementation(owner: &Ident, unit: bool, parameters: &[Parameter]) -> TokenStream {
    let signatures = parameters.iter().map(|parameter| {
        let Parameter { ident, ty, default, doc } = parameter;
        let (name, default) = (types::name(ident), option(default.as_ref()));
        quote_spanned!(types::place(&ty)=> ::weir::export::parameter::<#ty>(#name, #default, #doc))
    });
    let reads = parameters.iter().map(|Parameter { ident, ty, default, .. }| {
        let (name, default) = (types::name(ident), option(default.as_ref()));
        let parse = quote_spanned!(types::place(&ty)=> ::weir::export::parse::<#ty>(#name, #default));
        quote!(#ident: #parse?)
    });
    let value = if unit { quote!(Self) } else { quote!(Self { #(#reads),* }) };
    quote! {
        impl ::weir::Parameters for #owner {
            fn signature() -> ::std::vec::Vec<::weir::export::ParameterSignature> {
                ::std::vec![#(#signatures),*]
            }

            fn read() -> ::std::result::Result<Self, ::std::string::String> {
                ::std::result::Result::Ok(#value)
            }

            fn cell() -> &'static ::std::thread::LocalKey<::std::cell::OnceCell<Self>> {
                ::std::thread_local! {
                    static CELL: ::std::cell::OnceCell<#owner> = const { ::std::cell::OnceCell::new() };
                }
                &CELL
            }
        }
    }
}

fn option(default: Option<&String>) -> TokenStream {
    match default {
        Some(text) => quote!(::std::option::Option::Some(#text)),
        None => quote!(::std::option::Option::None),
    }
}

/// `#[derive(weir::Parameters)]`.
pub(crate) fn derive(item: DeriveInput) -> syn::Result<TokenStream> {
    if let Some(generic) = item.generics.params.first() {
        return Err(Error::new_spanned(generic, "the parameters of a function have no generics"));
    }
    let Data::Struct(data) = item.data else {
        return Err(Error::new_spanned(item.ident, "parameters are the fields of a struct"));
    };
    let (unit, fields) = match data.fields {
        Fields::Unit => (true, Vec::new()),
        Fields::Named(fields) => (false, fields.named.into_iter().collect()),
        Fields::Unnamed(fields) => {
            return Err(Error::new_spanned(fields, "a parameter needs a name: use named fields"));
        }
    };
    let mut parameters = Vec::new();
    for field in fields {
        if let Some(ident) = field.ident {
            parameters.push(Parameter::new(ident, field.ty, &field.attrs)?);
        }
    }
    Ok(implementation(&item.ident, unit, &parameters))
}
