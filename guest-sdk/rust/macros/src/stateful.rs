//! `#[weir::stateful_map]`, `#[weir::stateful_filter]` and `#[weir::stateful_flat_map]`: as without
//! `stateful_`, but that the first argument is what is remembered of the row's key.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Error, FnArg, ItemFn, ReturnType, Signature, Type};

use crate::arguments::Arguments;
use crate::entry::Entry;
use crate::function::{Kind, check_signature};
use crate::options::Options;
use crate::types;

/// The function, and its `impl weir::Function`.
pub(crate) fn expand(kind: Kind, options: Options, mut item: ItemFn) -> syn::Result<TokenStream> {
    check_signature(&item.sig)?;
    if let Some(columns) = &options.columns {
        return Err(Error::new_spanned(columns, "a function with a state takes rows: there is no column style"));
    }
    if let (Kind::Filter, Some(output)) = (kind, &options.output) {
        return Err(Error::new_spanned(output, "a filter has no output column"));
    }
    let state = state(&item.sig)?;
    let arguments = Arguments::take(&mut item.sig.inputs, 1)?;
    let ReturnType::Type(_, returned) = &item.sig.output else {
        return Err(Error::new_spanned(&item.sig.ident, "a function of rows returns something"));
    };

    let function = &item.sig.ident;
    let name = options.name.map_or_else(|| types::name(function), |name| name.value());
    let output = options.output.map_or_else(|| types::name(function), |output| output.value());
    let fallible = types::last(returned).is_some_and(|last| last == "Result");
    let (run, outputs) = match (kind, fallible) {
        (Kind::Map, _) => ("stateful_map", "outputs"),
        (Kind::Filter, _) => ("stateful_filter", ""),
        (Kind::FlatMap, false) => ("stateful_expand", "outputs_of_rows"),
        (Kind::FlatMap, true) => ("stateful_expand_result", "outputs_of_rows_result"),
    };
    let run = format_ident!("{run}");
    let outputs = if outputs.is_empty() {
        quote!(::std::vec::Vec::new())
    } else {
        let (outputs, absent) = (format_ident!("{outputs}"), arguments.absent());
        quote_spanned! {types::place(&returned)=>
            ::weir::export::#outputs(#output, || #function(::weir::export::absent(), #absent))
        }
    };
    let (inputs, open) = (arguments.fields("input"), arguments.open("open"));
    let (columns, row) = (arguments.columns(), arguments.of_row());
    let call = quote!(|weir_state: &mut #state, #columns| #function(weir_state, #row));
    let body = quote_spanned! {types::place(&returned)=>
        ::weir::export::#run(&weir_states, &weir_groups, &#columns, weir_rows, #call)
    };
    let accumulator = quote_spanned!(types::place(&state)=> ::weir::export::state_fields::<#state>());
    let create = quote_spanned!(types::place(&state)=> ::weir::export::create_states::<#state>(weir_count));
    let functions = quote! {
        fn weir_create(weir_count: u32) -> ::std::result::Result<::weir::export::Batch, ::std::string::String> {
            ::weir::export::with_parameters::<WeirParameters, _>(|_| #create)
        }

        fn weir_step(
            weir_states: ::weir::export::Batch,
            weir_groups: ::std::vec::Vec<u8>,
            weir_input: ::weir::export::Batch,
        ) -> ::std::result::Result<::weir::export::Stepped, ::std::string::String> {
            ::weir::export::with_parameters::<WeirParameters, _>(|weir_parameters| {
                let _ = weir_parameters;
                #open
                #body
            })
        }
    };
    let kind = quote!(StatefulMapper);
    let calls = quote!(StatefulMap(::weir::export::StatefulCalls { create: weir_create, step: weir_step }));
    Ok(Entry { name, kind, arguments: &arguments, inputs, outputs, accumulator, calls, functions }.of(&item))
}

/// The type that the first argument is a `&mut` of.
fn state(signature: &Signature) -> syn::Result<Type> {
    let message = "the first argument is what is remembered of a key: `state: &mut State`";
    match signature.inputs.first() {
        Some(FnArg::Typed(argument)) => match &*argument.ty {
            Type::Reference(reference) if reference.mutability.is_some() => Ok(types::inferred(&reference.elem)),
            other => Err(Error::new_spanned(other, message)),
        },
        Some(other) => Err(Error::new_spanned(other, message)),
        None => Err(Error::new_spanned(&signature.ident, message)),
    }
}
