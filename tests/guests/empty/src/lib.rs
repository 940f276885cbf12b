//! A component with a catalog that has no functions.

/// Offers nothing.
#[derive(Debug)]
pub struct Component;

impl weir::export::Component for Component {
    const FUNCTIONS: &'static [weir::export::Entry] = &[];
}

#[cfg(target_arch = "wasm32")]
weir::bindings::export!(Component with_types_in weir::bindings);
