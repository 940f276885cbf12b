//! The arguments of a function: input columns and parameters.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::punctuated::Punctuated;
use syn::{Error, FnArg, Ident, Pat, Token, Type};

use crate::parameters::Parameter;
use crate::types;

/// An input column.
pub(crate) struct Input {
    name: String,
    ty: Type,
    column: Ident,
}

/// How a call gets an argument.
enum Source {
    Input(usize),
    Parameter { ident: Ident, by_reference: bool },
}

/// The arguments of a function, in order.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) inputs: Vec<Input>,
    pub(crate) parameters: Vec<Parameter>,
    sources: Vec<Source>,
}

impl Arguments {
    /// Takes the arguments from the `skip`th on; `#[param]` and docs are taken off them.
    pub(crate) fn take(arguments: &mut Punctuated<FnArg, Token![,]>, skip: usize) -> syn::Result<Self> {
        let mut taken = Self::default();
        for argument in arguments.iter_mut().skip(skip) {
            let FnArg::Typed(argument) = argument else {
                return Err(Error::new_spanned(argument, "a function of rows has no `self`"));
            };
            let Pat::Ident(pattern) = &*argument.pat else {
                let message = "an argument's name is the column's name: use a plain name";
                return Err(Error::new_spanned(&argument.pat, message));
            };
            let ident = pattern.ident.clone();
            if argument.attrs.iter().any(|attribute| attribute.path().is_ident("param")) {
                taken.parameter(ident, &argument.ty, &argument.attrs)?;
                argument
                    .attrs
                    .retain(|attribute| !attribute.path().is_ident("param") && !attribute.path().is_ident("doc"));
            } else {
                if let Type::ImplTrait(ty) = &*argument.ty {
                    return Err(Error::new_spanned(
                        ty,
                        "an argument's type decides the column's type: `impl` says too little",
                    ));
                }
                taken.sources.push(Source::Input(taken.inputs.len()));
                let column = Ident::new(&format!("weir_column_{}", taken.inputs.len()), Span::mixed_site());
                taken.inputs.push(Input { name: types::name(&ident), ty: types::inferred(&argument.ty), column });
            }
        }
        Ok(taken)
    }

    fn parameter(&mut self, ident: Ident, ty: &Type, attributes: &[syn::Attribute]) -> syn::Result<()> {
        let (ty, by_reference) = match ty {
            Type::Reference(reference) if reference.mutability.is_some() => {
                return Err(Error::new_spanned(reference, "a parameter is a constant: it cannot be `&mut`"));
            }
            Type::Reference(reference) if types::last(&reference.elem).is_some_and(|last| last == "str") => {
                let span = types::place(reference);
                (syn::parse2(quote_spanned!(span=> ::std::string::String))?, true)
            }
            Type::Reference(reference) => ((*reference.elem).clone(), true),
            ty => (ty.clone(), false),
        };
        self.sources.push(Source::Parameter { ident: ident.clone(), by_reference });
        self.parameters.push(Parameter::new(ident, ty, attributes)?);
        Ok(())
    }

    /// Stand-ins for all arguments, of which only the types matter.
    pub(crate) fn absent(&self) -> TokenStream {
        let absent = self.sources.iter().map(|_| quote!(::weir::export::absent()));
        quote!(#(#absent),*)
    }

    /// The fields of the inputs, by `input`, `whole_input` or `group_input`.
    pub(crate) fn fields(&self, describe: &str) -> TokenStream {
        let describe = format_ident!("{describe}");
        let fields = self
            .inputs
            .iter()
            .map(|Input { name, ty, .. }| quote_spanned!(types::place(&ty)=> ::weir::export::#describe::<#ty>(#name)));
        quote!(::std::vec![#(#fields),*])
    }

    /// Statements that open the columns of `weir_input`, by `open`, `hold` or `hold_group`.
    pub(crate) fn open(&self, open: &str) -> TokenStream {
        let open = format_ident!("{open}");
        let columns = self.inputs.iter().map(|input| &input.column);
        let opens = self.inputs.iter().map(|Input { name, ty, column }| {
            let open = quote_spanned!(types::place(&ty)=> ::weir::export::#open::<#ty>(#name, #column, weir_rows));
            quote!(let #column = #open?;)
        });
        quote! {
            let [#(#columns),*] = ::weir::export::columns(&weir_input)?;
            let weir_rows = weir_input.rows as usize;
            #(#opens)*
        }
    }

    /// The opened columns: `(first, (second, ()))`.
    pub(crate) fn columns(&self) -> TokenStream {
        self.inputs.iter().rev().fold(quote!(()), |rest, Input { column, .. }| quote!((#column, #rest)))
    }

    /// The arguments for a row, taken apart by the pattern that [`Arguments::columns`] is too.
    pub(crate) fn of_row(&self) -> TokenStream {
        self.each(|Input { column, .. }| quote!(#column))
    }

    /// The arguments for a whole batch.
    pub(crate) fn of_batch(&self) -> TokenStream {
        self.each(|Input { ty, column, .. }| quote_spanned!(types::place(&ty)=> ::weir::export::view::<#ty>(&#column)))
    }

    /// The arguments for the group whose rows are `weir_range`.
    pub(crate) fn of_group(&self) -> TokenStream {
        self.each(|Input { ty, column, .. }| {
            quote_spanned!(types::place(&ty)=> ::weir::export::of_group::<#ty>(&#column, ::std::clone::Clone::clone(&weir_range)))
        })
    }

    fn each(&self, input: impl Fn(&Input) -> TokenStream) -> TokenStream {
        let arguments = self.sources.iter().map(|source| match source {
            Source::Input(index) => input(&self.inputs[*index]),
            Source::Parameter { ident, by_reference: true } => quote!(&weir_parameters.#ident),
            Source::Parameter { ident, by_reference: false } => {
                quote!(::std::clone::Clone::clone(&weir_parameters.#ident))
            }
        });
        quote!(#(#arguments),*)
    }
}
