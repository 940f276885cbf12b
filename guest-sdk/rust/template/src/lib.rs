//! Functions for streams.

/// Dear or cheap.
#[weir::map]
fn price_class(
    price: f64,
    /// From where on it is dear.
    #[param(default = 100.0)]
    limit: f64,
) -> Result<&'static str, &'static str> {
    match price {
        ..0.0 => Err("a price below zero"),
        price if price > limit => Ok("dear"),
        _ => Ok("cheap"),
    }
}

weir::export!(price_class);
