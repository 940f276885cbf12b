//! `#[weir::group_map]` and `#[weir::group_flat_map]`: functions whose arguments are the columns of a
//! whole group.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Error, ItemFn, ReturnType};

use crate::arguments::Arguments;
use crate::entry::Entry;
use crate::function::{Kind, check_signature};
use crate::options::Options;
use crate::types;

/// The function, and its `impl weir::Function`.
pub(crate) fn expand(kind: Kind, options: Options, mut item: ItemFn) -> syn::Result<TokenStream> {
    check_signature(&item.sig)?;
    if let Some(columns) = &options.columns {
        return Err(Error::new_spanned(columns, "a function of groups takes whole columns anyway"));
    }
    let arguments = Arguments::take(&mut item.sig.inputs, 0)?;
    if arguments.inputs.is_empty() {
        return Err(Error::new_spanned(&item.sig.ident, "a function of groups needs a column: `values: &[f64]`"));
    }
    let ReturnType::Type(_, returned) = &item.sig.output else {
        return Err(Error::new_spanned(&item.sig.ident, "a function of groups returns something"));
    };

    let function = &item.sig.ident;
    let name = options.name.map_or_else(|| types::name(function), |name| name.value());
    let output = options.output.map_or_else(|| types::name(function), |output| output.value());
    let fallible = types::last(returned).is_some_and(|last| last == "Result");
    let (run, outputs) = match (kind, fallible) {
        (Kind::FlatMap, false) => ("map_groups_to_rows", "outputs_of_rows"),
        (Kind::FlatMap, true) => ("map_groups_to_rows_result", "outputs_of_rows_result"),
        (Kind::Map | Kind::Filter, _) => ("map_groups", "outputs"),
    };
    let (run, outputs, absent) = (format_ident!("{run}"), format_ident!("{outputs}"), arguments.absent());
    let outputs = quote_spanned!(types::place(&returned)=> ::weir::export::#outputs(#output, || #function(#absent)));
    let (inputs, open) = (arguments.fields("group_input"), arguments.open("hold_group"));
    let group = arguments.of_group();
    let body = quote_spanned! {types::place(&returned)=>
        ::weir::export::#run(weir_count, &weir_groups, weir_rows, |weir_range| #function(#group))
    };
    let functions = quote! {
        fn weir_call(
            weir_count: u32,
            weir_groups: ::std::vec::Vec<u8>,
            weir_input: ::weir::export::Batch,
        ) -> ::std::result::Result<::weir::export::Grouped, ::std::string::String> {
            ::weir::export::with_parameters::<WeirParameters, _>(|weir_parameters| {
                let _ = weir_parameters;
                #open
                #body
            })
        }
    };
    let (kind, accumulator) = (quote!(GroupMapper), quote!(::std::vec::Vec::new()));
    let calls = quote!(GroupMap(weir_call));
    Ok(Entry { name, kind, arguments: &arguments, inputs, outputs, accumulator, calls, functions }.of(&item))
}
