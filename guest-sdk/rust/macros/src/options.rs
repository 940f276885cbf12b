//! What stands in the brackets: `name = ".."`, `output = ".."`, `columns`.

use syn::parse::{Parse, ParseStream};
use syn::{Ident, LitStr, Token};

/// The options of a function.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    pub(crate) output: Option<LitStr>,
    pub(crate) columns: Option<Ident>,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut options = Self::default();
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            match key.to_string().as_str() {
                "name" => options.name = Some(text(input)?),
                "output" => options.output = Some(text(input)?),
                "columns" => options.columns = Some(key),
                other => {
                    let message =
                        format!("no option `{other}`; there are `name = \"..\"`, `output = \"..\"` and `columns`");
                    return Err(syn::Error::new(key.span(), message));
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }
}

fn text(input: ParseStream<'_>) -> syn::Result<LitStr> {
    input.parse::<Token![=]>()?;
    let text: LitStr = input.parse()?;
    if text.value().is_empty() {
        return Err(syn::Error::new(text.span(), "a name cannot be empty"));
    }
    Ok(text)
}
