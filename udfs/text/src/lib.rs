//! Functions on text: taking it apart, changing it, finding something in it.
//!
//! Text comes in and goes out in UTF-8, and everything here goes by characters, never by bytes. A
//! null stays null. Nothing depends on a language or a place.

mod case;
mod json;
mod parts;
mod pattern;

pub use case::{length, lower, trim, upper};
pub use json::{json_field, json_number};
pub use parts::{split, words};
pub use pattern::{extract, matches, replace};

weir::export!(split, words, upper, lower, trim, length, extract, matches, replace, json_field, json_number);
