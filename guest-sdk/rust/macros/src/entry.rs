//! What every function comes with: a type of its name, its catalog entry, and its calls.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ItemFn;

use crate::arguments::Arguments;
use crate::{parameters, types};

/// What differs from function to function.
pub(crate) struct Entry<'a> {
    /// Its name in the catalog.
    pub(crate) name: String,
    /// Its variant of `weir::export::Kind`.
    pub(crate) kind: TokenStream,
    pub(crate) arguments: &'a Arguments,
    /// The fields of its inputs, outputs and state.
    pub(crate) inputs: TokenStream,
    pub(crate) outputs: TokenStream,
    pub(crate) accumulator: TokenStream,
    /// Its variant of `weir::export::Calls`, with the functions that it names.
    pub(crate) calls: TokenStream,
    pub(crate) functions: TokenStream,
}

impl Entry<'_> {
    /// The function, and its `impl weir::Function`.
    pub(crate) fn of(self, item: &ItemFn) -> TokenStream {
        let Self { name, kind, arguments, inputs, outputs, accumulator, calls, functions } = self;
        let (function, visibility) = (&item.sig.ident, &item.vis);
        let doc = types::doc(&item.attrs);
        let parameters = parameters_struct(arguments);
        let about = format!("The function `{name}` as [`weir::export!`] takes it.");
        quote! {
            #item

            #[doc = #about]
            #[allow(non_camel_case_types, reason = "named like the function")]
            #[derive(Debug)]
            #visibility enum #function {}

            const _: () = {
                #parameters

                impl ::weir::Function for #function {
                    const ENTRY: ::weir::export::Entry =
                        ::weir::export::Entry { signature: weir_signature, calls: ::weir::export::Calls::#calls };
                }

                fn weir_signature() -> ::weir::export::Signature {
                    ::weir::export::Signature {
                        name: ::std::convert::From::from(#name),
                        kind: ::weir::export::Kind::#kind,
                        doc: ::std::convert::From::from(#doc),
                        parameters: <WeirParameters as ::weir::Parameters>::signature(),
                        inputs: #inputs,
                        outputs: #outputs,
                        accumulator: #accumulator,
                        retractable: false,
                    }
                }

                #functions
            };
        }
    }
}

fn parameters_struct(arguments: &Arguments) -> TokenStream {
    let fields = arguments.parameters.iter().map(|parameter| {
        let (ident, ty) = (&parameter.ident, &parameter.ty);
        quote!(#ident: #ty)
    });
    let implementation = parameters::implementation(&format_ident!("WeirParameters"), false, &arguments.parameters);
    quote! {
        struct WeirParameters { #(#fields),* }
        #implementation
    }
}
