//! `#[weir::map]`, `#[weir::filter]` and `#[weir::flat_map]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Error, ItemFn, ReturnType, Signature};

use crate::arguments::Arguments;
use crate::entry::Entry;
use crate::options::Options;
use crate::types;

/// What a function does with rows.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Map,
    Filter,
    FlatMap,
}

/// The function, and its `impl weir::Function`.
pub(crate) fn expand(kind: Kind, options: Options, mut item: ItemFn) -> syn::Result<TokenStream> {
    check(kind, &options)?;
    check_signature(&item.sig)?;
    let arguments = Arguments::take(&mut item.sig.inputs, 0)?;
    if options.columns.is_some() && arguments.inputs.is_empty() {
        return Err(Error::new_spanned(&item.sig.ident, "a function in column style needs a column"));
    }
    let ReturnType::Type(_, returned) = &item.sig.output else {
        return Err(Error::new_spanned(&item.sig.ident, "a function of rows returns something"));
    };

    let function = &item.sig.ident;
    let name = options.name.map_or_else(|| types::name(function), |name| name.value());
    let output = options.output.map_or_else(|| types::name(function), |output| output.value());
    let columns = options.columns.is_some();
    let fallible = types::last(returned).is_some_and(|last| last == "Result");
    let (wit, calls, answer) = match kind {
        Kind::Map => ("Mapper", "Map", "Mapped"),
        Kind::Filter => ("Filter", "Filter", "Kept"),
        Kind::FlatMap => ("FlatMapper", "FlatMap", "Expanded"),
    };
    let (wit, calls, answer) = (format_ident!("{wit}"), format_ident!("{calls}"), format_ident!("{answer}"));
    let (run, outputs) = match (kind, columns, fallible) {
        (Kind::Map, false, _) => ("map", "outputs"),
        (Kind::Map, true, _) => ("map_columns", "whole_outputs"),
        (Kind::Filter, false, _) => ("filter", ""),
        (Kind::Filter, true, _) => ("verdict_columns", ""),
        (Kind::FlatMap, _, false) => ("expand", "outputs_of_rows"),
        (Kind::FlatMap, _, true) => ("expand_result", "outputs_of_rows_result"),
    };
    let run = format_ident!("{run}");
    let outputs = if outputs.is_empty() {
        quote!(::std::vec::Vec::new())
    } else {
        let (outputs, absent) = (format_ident!("{outputs}"), arguments.absent());
        quote_spanned!(types::place(&returned)=> ::weir::export::#outputs(#output, || #function(#absent)))
    };
    let (describe, open) = if columns { ("whole_input", "hold") } else { ("input", "open") };
    let (inputs, open) = (arguments.fields(describe), arguments.open(open));
    let body = if columns {
        let batch = arguments.of_batch();
        quote_spanned!(types::place(&returned)=> ::weir::export::#run(weir_rows, || #function(#batch)))
    } else {
        let (columns, row) = (arguments.columns(), arguments.of_row());
        let call = quote!(|#columns| #function(#row));
        quote_spanned!(types::place(&returned)=> ::weir::export::#run(&#columns, weir_rows, #call))
    };
    let functions = quote! {
        fn weir_call(
            weir_input: ::weir::export::Batch,
        ) -> ::std::result::Result<::weir::export::#answer, ::std::string::String> {
            ::weir::export::with_parameters::<WeirParameters, _>(|weir_parameters| {
                let _ = weir_parameters;
                #open
                #body
            })
        }
    };
    let (kind, accumulator) = (quote!(#wit), quote!(::std::vec::Vec::new()));
    let calls = quote!(#calls(weir_call));
    Ok(Entry { name, kind, arguments: &arguments, inputs, outputs, accumulator, calls, functions }.of(&item))
}

fn check(kind: Kind, options: &Options) -> syn::Result<()> {
    if let (Kind::Filter, Some(output)) = (kind, &options.output) {
        return Err(Error::new_spanned(output, "a filter has no output column"));
    }
    if let (Kind::FlatMap, Some(columns)) = (kind, &options.columns) {
        return Err(Error::new_spanned(columns, "maps and filters have a column style; a flat-map takes rows"));
    }
    Ok(())
}

/// What no function that the catalog names may be.
pub(crate) fn check_signature(signature: &Signature) -> syn::Result<()> {
    if let Some(generic) = signature.generics.type_params().next() {
        return Err(Error::new_spanned(generic, "the catalog needs types: a function of rows has no type parameters"));
    }
    if let Some(generic) = signature.generics.const_params().next() {
        return Err(Error::new_spanned(generic, "the catalog needs types: a function of rows has no const parameters"));
    }
    if let Some(asyncness) = &signature.asyncness {
        return Err(Error::new_spanned(asyncness, "a function of rows is not async: it can wait for nothing"));
    }
    if let Some(unsafety) = &signature.unsafety {
        return Err(Error::new_spanned(unsafety, "a function of rows is called by safe code: it cannot be unsafe"));
    }
    Ok(())
}
