//! The macros of `weir-guest`, which documents them.
//!
//! A function's tokens come in. Out go the same function, untouched but for `#[param]`, and beside
//! it an `impl weir::Function` for a type of the function's name: its catalog entry, and a call that
//! opens the columns and hands the rows to the loops in `weir::export`. What is written here is thin;
//! types are checked by traits, so that aliases work and errors stand at the user's own words.

mod aggregate;
mod arguments;
mod default;
mod entry;
mod fields;
mod function;
mod group;
mod options;
mod parameters;
mod stateful;
mod types;

use proc_macro::TokenStream;
use syn::parse_macro_input;

/// One row out for each row in: a function of the input columns that its arguments are named after.
///
/// `#[weir::map(name = "..", output = "..")]` names it in the catalog and its scalar output column;
/// both default to the function's name. `#[weir::map(columns)]` hands it whole columns.
#[proc_macro_attribute]
pub fn map(attribute: TokenStream, item: TokenStream) -> TokenStream {
    function(function::Kind::Map, attribute, item)
}

/// Keeps the rows for which it returns true: a function of the input columns that its arguments are
/// named after, which returns `bool` or `Result<bool, E>`.
///
/// `#[weir::filter(name = "..")]` names it in the catalog. `#[weir::filter(columns)]` hands it whole
/// columns; it then returns `Vec<bool>`.
#[proc_macro_attribute]
pub fn filter(attribute: TokenStream, item: TokenStream) -> TokenStream {
    function(function::Kind::Filter, attribute, item)
}

/// Any number of rows out for each row in: a function that returns something to iterate over, or a
/// `Result` of that.
///
/// `#[weir::flat_map(name = "..", output = "..")]` names it and its scalar output column.
#[proc_macro_attribute]
pub fn flat_map(attribute: TokenStream, item: TokenStream) -> TokenStream {
    function(function::Kind::FlatMap, attribute, item)
}

fn function(kind: function::Kind, attribute: TokenStream, item: TokenStream) -> TokenStream {
    let options = parse_macro_input!(attribute as options::Options);
    let item = parse_macro_input!(item as syn::ItemFn);
    function::expand(kind, options, item).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Folds rows into accumulators that the host keeps: an `impl` with `create`, `accumulate`, `merge`,
/// `finish` and perhaps `retract`. The type's fields are the parameters.
///
/// `#[weir::aggregate(name = "..", output = "..")]` names it (else the type's name in snake case)
/// and its scalar output column.
#[proc_macro_attribute]
pub fn aggregate(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let options = parse_macro_input!(attribute as options::Options);
    let item = parse_macro_input!(item as syn::ItemImpl);
    aggregate::expand(options, item).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// As [`macro@map`], with a state for each key, which the host keeps: the first argument,
/// `state: &mut State`. A row that fails leaves it as it was.
#[proc_macro_attribute]
pub fn stateful_map(attribute: TokenStream, item: TokenStream) -> TokenStream {
    stateful(function::Kind::Map, attribute, item)
}

/// As [`macro@filter`], with a state for each key, which the host keeps: the first argument,
/// `state: &mut State`. A row that fails leaves it as it was.
#[proc_macro_attribute]
pub fn stateful_filter(attribute: TokenStream, item: TokenStream) -> TokenStream {
    stateful(function::Kind::Filter, attribute, item)
}

/// As [`macro@flat_map`], with a state for each key, which the host keeps: the first argument,
/// `state: &mut State`. A row that fails leaves it as it was.
#[proc_macro_attribute]
pub fn stateful_flat_map(attribute: TokenStream, item: TokenStream) -> TokenStream {
    stateful(function::Kind::FlatMap, attribute, item)
}

fn stateful(kind: function::Kind, attribute: TokenStream, item: TokenStream) -> TokenStream {
    let options = parse_macro_input!(attribute as options::Options);
    let item = parse_macro_input!(item as syn::ItemFn);
    stateful::expand(kind, options, item).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// One row out for each whole group of rows: a function of slices, `values: &[f64]`, that have the
/// group's rows in the order of time.
///
/// `#[weir::group_map(name = "..", output = "..")]` names it and its scalar output column.
#[proc_macro_attribute]
pub fn group_map(attribute: TokenStream, item: TokenStream) -> TokenStream {
    group(function::Kind::Map, attribute, item)
}

/// Any number of rows out for each whole group of rows: as [`macro@group_map`], but that it returns
/// something to iterate over, or a `Result` of that.
#[proc_macro_attribute]
pub fn group_flat_map(attribute: TokenStream, item: TokenStream) -> TokenStream {
    group(function::Kind::FlatMap, attribute, item)
}

fn group(kind: function::Kind, attribute: TokenStream, item: TokenStream) -> TokenStream {
    let options = parse_macro_input!(attribute as options::Options);
    let item = parse_macro_input!(item as syn::ItemFn);
    group::expand(kind, options, item).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Several output columns, named like the fields.
#[proc_macro_derive(Row)]
pub fn row(item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as syn::DeriveInput);
    fields::row(&item).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// An aggregate's accumulator, kept by the host in columns named like the fields. It is a row too.
#[proc_macro_derive(Accumulator)]
pub fn accumulator(item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as syn::DeriveInput);
    fields::accumulator(&item).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Several whole output columns of a function in column style, named like the fields.
#[proc_macro_derive(Columns)]
pub fn columns(item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as syn::DeriveInput);
    fields::columns(&item).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// An aggregate's parameters, named like the fields; `#[param(default = ..)]` gives a default.
#[proc_macro_derive(Parameters, attributes(param))]
pub fn parameters(item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as syn::DeriveInput);
    parameters::derive(item).unwrap_or_else(syn::Error::into_compile_error).into()
}
