import weir


@weir.map
def price_class(price: float, *, limit: float = 100.0) -> str:
    """Dear or cheap."""
    if price < 0:
        raise weir.RowError("a price below zero")
    return "dear" if price > limit else "cheap"
