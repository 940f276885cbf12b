//! `#[weir::aggregate]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Error, ImplItem, ImplItemFn, ItemImpl, ReturnType, Type};

use crate::arguments::Arguments;
use crate::options::Options;
use crate::types;

/// The `impl`, and its `impl weir::Function`.
pub(crate) fn expand(options: Options, mut item: ItemImpl) -> syn::Result<TokenStream> {
    if let Some(columns) = &options.columns {
        return Err(Error::new_spanned(columns, "maps and filters have a column style; an aggregate takes rows"));
    }
    if let Some((_, path, _)) = &item.trait_ {
        return Err(Error::new_spanned(path, "an aggregate is a plain `impl`: `impl Mean { .. }`"));
    }
    if let Some(generic) = item.generics.params.first() {
        return Err(Error::new_spanned(generic, "the catalog needs types: an aggregate has no generics"));
    }
    let owner = (*item.self_ty).clone();
    let Some(ident) = types::last(&owner).cloned() else {
        return Err(Error::new_spanned(owner, "an aggregate is the `impl` of a struct"));
    };

    let create = method(&item, "create", "fn create(&self) -> State", 1)?.clone();
    let ReturnType::Type(_, state) = &create.sig.output else {
        return Err(Error::new_spanned(&create.sig, "`create` returns the accumulator: `fn create(&self) -> State`"));
    };
    method(&item, "merge", "fn merge(&self, state: &mut State, other: State)", 3)?;
    let finish = method(&item, "finish", "fn finish(&self, state: &State) -> f64", 2)?.clone();
    let ReturnType::Type(_, output_type) = &finish.sig.output else {
        return Err(Error::new_spanned(
            &finish.sig,
            "`finish` returns the output: `fn finish(&self, state: &State) -> f64`",
        ));
    };
    method(&item, "accumulate", "fn accumulate(&self, state: &mut State, value: f64)", 0)?;
    let accumulate = fold(&mut item, "accumulate")?;
    let retract = fold(&mut item, "retract")?;
    if let (Some(accumulate), Some(retract)) = (&accumulate, &retract) {
        let (first, second) = (accumulate.inputs(), retract.inputs());
        if first.to_string() != second.to_string() {
            return Err(Error::new(retract.span, "`retract` takes the arguments of `accumulate`"));
        }
    }
    let Some(accumulate) = accumulate else { return Err(Error::new_spanned(&item, "no `accumulate`")) };

    let default_name = types::snake_case(&types::name(&ident));
    let name = options.name.map_or_else(|| default_name, |name| name.value());
    let output = options.output.map_or_else(|| name.clone(), |output| output.value());
    let doc = types::doc(&item.attrs);
    let inputs = accumulate.inputs();
    let outputs = quote_spanned! {types::place(&output_type)=>
        ::weir::export::outputs_of_finish(#output, || #owner::finish(::weir::export::absent(), ::weir::export::absent()))
    };
    let accumulator = quote_spanned!(types::place(&state)=> ::weir::export::accumulator_fields::<#state>());
    let retractable = retract.is_some();
    let accumulate = accumulate.call(&owner, state);
    let (retract, retract_entry) = match retract {
        Some(retract) => (retract.call(&owner, state), quote!(::std::option::Option::Some(retract))),
        None => (quote!(), quote!(::std::option::Option::None)),
    };
    let finish = quote_spanned! {types::place(&output_type)=>
        ::weir::export::finish(&accumulators, |state: &#state| #owner::finish(this, state))
    };

    Ok(quote! {
        #item

        const _: () = {
            impl ::weir::Function for #owner {
                const ENTRY: ::weir::export::Entry = ::weir::export::Entry {
                    signature,
                    calls: ::weir::export::Calls::Aggregate(::weir::export::AggregateCalls {
                        create,
                        accumulate,
                        retract: #retract_entry,
                        merge,
                        finish,
                    }),
                };
            }

            fn signature() -> ::weir::export::Signature {
                ::weir::export::Signature {
                    name: ::std::convert::From::from(#name),
                    kind: ::weir::export::Kind::Aggregate,
                    doc: ::std::convert::From::from(#doc),
                    parameters: <#owner as ::weir::Parameters>::signature(),
                    inputs: #inputs,
                    outputs: #outputs,
                    accumulator: #accumulator,
                    retractable: #retractable,
                }
            }

            fn create(count: u32) -> ::std::result::Result<::weir::export::Batch, ::std::string::String> {
                ::weir::export::with_parameters::<#owner, _>(|this| {
                    ::weir::export::create(count, || #owner::create(this))
                })
            }

            #accumulate
            #retract

            fn merge(
                accumulators: ::weir::export::Batch,
                groups: ::std::vec::Vec<u8>,
                others: ::weir::export::Batch,
            ) -> ::std::result::Result<::weir::export::Batch, ::std::string::String> {
                ::weir::export::with_parameters::<#owner, _>(|this| {
                    ::weir::export::merge(&accumulators, &groups, &others, |state: &mut #state, other| {
                        #owner::merge(this, state, other)
                    })
                })
            }

            fn finish(
                accumulators: ::weir::export::Batch,
            ) -> ::std::result::Result<::weir::export::Batch, ::std::string::String> {
                ::weir::export::with_parameters::<#owner, _>(|this| #finish)
            }
        };
    })
}

fn method<'a>(item: &'a ItemImpl, name: &str, like: &str, arguments: usize) -> syn::Result<&'a ImplItemFn> {
    let found = item.items.iter().find_map(|item| match item {
        ImplItem::Fn(function) if function.sig.ident == name => Some(function),
        _ => None,
    });
    let Some(found) = found else {
        return Err(Error::new_spanned(&item.self_ty, format!("an aggregate needs `{name}`: `{like}`")));
    };
    let by_reference = |receiver: &syn::Receiver| receiver.reference.is_some() && receiver.mutability.is_none();
    if !found.sig.receiver().is_some_and(by_reference) || (arguments > 0 && found.sig.inputs.len() != arguments) {
        return Err(Error::new_spanned(&found.sig, format!("`{name}` is written `{like}`")));
    }
    Ok(found)
}

/// `accumulate` or `retract`.
struct Fold {
    name: syn::Ident,
    arguments: Arguments,
    returned: proc_macro2::Span,
    span: proc_macro2::Span,
}

fn fold(item: &mut ItemImpl, name: &str) -> syn::Result<Option<Fold>> {
    let found = item.items.iter_mut().find_map(|item| match item {
        ImplItem::Fn(function) if function.sig.ident == name => Some(function),
        _ => None,
    });
    let Some(function) = found else { return Ok(None) };
    if function.sig.inputs.len() < 2 || function.sig.receiver().is_none() {
        let message = format!("`{name}` is written `fn {name}(&self, state: &mut State, value: f64)`");
        return Err(Error::new_spanned(&function.sig, message));
    }
    let span = types::place(&function.sig.ident);
    let returned = match &function.sig.output {
        ReturnType::Default => span,
        ReturnType::Type(_, ty) => types::place(ty),
    };
    let arguments = Arguments::take(&mut function.sig.inputs, 2)?;
    if let Some(parameter) = arguments.parameters.first() {
        return Err(Error::new_spanned(&parameter.ident, "an aggregate's parameters are the fields of its type"));
    }
    Ok(Some(Fold { name: function.sig.ident.clone(), arguments, returned, span }))
}

impl Fold {
    fn inputs(&self) -> TokenStream {
        self.arguments.fields("input")
    }

    fn call(&self, owner: &Type, state: &Type) -> TokenStream {
        let (name, arguments) = (&self.name, &self.arguments);
        let (open, columns, row) = (arguments.open("open"), arguments.columns(), arguments.of_row());
        let comma = (!row.is_empty()).then(|| quote!(,));
        let call = quote!(|state: &mut #state, #columns| #owner::#name(this, state #comma #row));
        let run = quote_spanned! {self.returned=>
            ::weir::export::fold(&accumulators, &groups, &#columns, weir_rows, #call)
        };
        quote! {
            fn #name(
                accumulators: ::weir::export::Batch,
                groups: ::std::vec::Vec<u8>,
                weir_input: ::weir::export::Batch,
            ) -> ::std::result::Result<::weir::export::Folded, ::std::string::String> {
                ::weir::export::with_parameters::<#owner, _>(|this| {
                    #open
                    #run
                })
            }
        }
    }
}
