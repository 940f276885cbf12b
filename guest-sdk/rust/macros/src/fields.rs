//! The derives for structs whose fields are columns.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Data, DeriveInput, Error, Fields, Ident, Index, Type};

use crate::types;

struct Field<'a> {
    ident: &'a Ident,
    name: String,
    ty: &'a Type,
    index: Index,
}

fn fields(item: &DeriveInput) -> syn::Result<Vec<Field<'_>>> {
    let named = match &item.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) if !fields.named.is_empty() => &fields.named,
            _ => {
                return Err(Error::new_spanned(
                    &item.ident,
                    "the fields name the columns: use a struct with named fields",
                ));
            }
        },
        _ => return Err(Error::new_spanned(&item.ident, "columns are the fields of a struct")),
    };
    Ok(named
        .iter()
        .enumerate()
        .filter_map(|(index, field)| {
            let ident = field.ident.as_ref()?;
            Some(Field { ident, name: types::name(ident), ty: &field.ty, index: Index::from(index) })
        })
        .collect())
}

/// `#[derive(weir::Row)]`: a tuple of the fields' columns.
pub(crate) fn row(item: &DeriveInput) -> syn::Result<TokenStream> {
    let fields = fields(item)?;
    let owner = &item.ident;
    let (generics, arguments, bounds) = item.generics.split_for_impl();
    let output = |field: &Field<'_>| {
        let ty = field.ty;
        quote_spanned!(types::place(&ty)=> <#ty as ::weir::Output>)
    };
    let columns =
        fields.iter().map(|Field { ty, .. }| quote_spanned!(types::place(ty)=> <#ty as ::weir::Output>::Columns));
    let names = fields.iter().map(|field| {
        let (output, name) = (output(field), &field.name);
        quote!(#output::fields(#name, fields))
    });
    let news = fields.iter().map(output);
    let grows = fields.iter().map(|field| {
        let (output, index) = (output(field), &field.index);
        quote!(#output::grow(&mut columns.#index, rows))
    });
    let puts = fields.iter().map(|field| {
        let (output, index, ident) = (output(field), &field.index, field.ident);
        quote!(#output::put(self.#ident, &mut columns.#index, row))
    });
    let skips = fields.iter().map(|field| {
        let (output, index) = (output(field), &field.index);
        quote!(#output::skip(&mut columns.#index, row))
    });
    let finishes = fields.iter().map(|field| {
        let (output, index) = (output(field), &field.index);
        quote!(#output::finish(columns.#index, rows, out)?)
    });
    Ok(quote! {
        #[automatically_derived]
        impl #generics ::weir::Output for #owner #arguments #bounds {
            type Columns = (#(#columns,)*);

            fn fields(_: &str, fields: &mut ::std::vec::Vec<::weir::export::Field>) {
                #(#names;)*
            }

            #[inline]
            fn columns(rows: usize) -> Self::Columns {
                (#(#news::columns(rows),)*)
            }

            fn grow(columns: &mut Self::Columns, rows: usize) {
                #(#grows;)*
            }

            #[inline]
            fn put(self, columns: &mut Self::Columns, row: usize) {
                #(#puts;)*
            }

            #[inline]
            fn skip(columns: &mut Self::Columns, row: usize) {
                #(#skips;)*
            }

            #[inline]
            fn finish(
                columns: Self::Columns,
                rows: usize,
                out: &mut ::std::vec::Vec<::weir::export::Column>,
            ) -> ::std::result::Result<(), ::std::string::String> {
                #(#finishes;)*
                ::std::result::Result::Ok(())
            }
        }
    })
}

/// `#[derive(weir::Accumulator)]`: a row that can be read back.
pub(crate) fn accumulator(item: &DeriveInput) -> syn::Result<TokenStream> {
    let fields = fields(item)?;
    let owner = &item.ident;
    if let Some(lifetime) = item.generics.lifetimes().next() {
        return Err(Error::new_spanned(lifetime, "an accumulator owns its values: use String or Vec<u8>"));
    }
    let row = row(item)?;
    let (generics, arguments, bounds) = item.generics.split_for_impl();
    let accumulator = |field: &Field<'_>| {
        let ty = field.ty;
        quote_spanned!(types::place(&ty)=> <#ty as ::weir::export::Accumulator>)
    };
    let types = fields
        .iter()
        .map(|Field { ty, .. }| quote_spanned!(types::place(ty)=> <#ty as ::weir::export::Accumulator>::Open<'weir>));
    let opens = fields.iter().map(|field| {
        let (accumulator, name) = (accumulator(field), &field.name);
        quote!(#accumulator::open(columns, rows).map_err(|error| ::std::format!("column `{}`: {error}", #name))?)
    });
    let reads = fields.iter().map(|field| {
        let (accumulator, index, ident) = (accumulator(field), &field.index, field.ident);
        quote!(#ident: #accumulator::read(&columns.#index, row))
    });
    Ok(quote! {
        #row

        #[automatically_derived]
        impl #generics ::weir::export::Accumulator for #owner #arguments #bounds {
            type Open<'weir> = (#(#types,)*);

            #[inline]
            fn open<'weir>(
                columns: &mut ::std::slice::Iter<'weir, ::weir::export::Column>,
                rows: usize,
            ) -> ::std::result::Result<Self::Open<'weir>, ::std::string::String> {
                ::std::result::Result::Ok((#(#opens,)*))
            }

            #[inline]
            fn read(columns: &Self::Open<'_>, row: usize) -> Self {
                Self { #(#reads),* }
            }
        }
    })
}

/// `#[derive(weir::Columns)]`: whole columns.
pub(crate) fn columns(item: &DeriveInput) -> syn::Result<TokenStream> {
    let fields = fields(item)?;
    let owner = &item.ident;
    let (generics, arguments, bounds) = item.generics.split_for_impl();
    let output = |field: &Field<'_>| {
        let ty = field.ty;
        quote_spanned!(types::place(&ty)=> <#ty as ::weir::export::WholeOutput>)
    };
    let names = fields.iter().map(|field| {
        let (output, name) = (output(field), &field.name);
        quote!(#output::fields(#name, fields))
    });
    let finishes = fields.iter().map(|field| {
        let (output, ident, name) = (output(field), field.ident, &field.name);
        quote! {
            #output::finish(self.#ident, rows, out).map_err(|error| ::std::format!("column `{}`: {error}", #name))?
        }
    });
    Ok(quote! {
        #[automatically_derived]
        impl #generics ::weir::export::WholeOutput for #owner #arguments #bounds {
            fn fields(_: &str, fields: &mut ::std::vec::Vec<::weir::export::Field>) {
                #(#names;)*
            }

            fn finish(
                self,
                rows: usize,
                out: &mut ::std::vec::Vec<::weir::export::Column>,
            ) -> ::std::result::Result<(), ::std::string::String> {
                #(#finishes;)*
                ::std::result::Result::Ok(())
            }
        }
    })
}
