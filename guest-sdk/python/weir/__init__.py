"""Write functions for Weir in Python.

A function is a plain `def` with type hints under `@weir.map`, `@weir.filter`, `@weir.flat_map` or
`@weir.group_map`; an aggregate or something with a state is a class. The arguments are columns,
keyword-only arguments are parameters that the pipeline sets. See README.md.
"""

from ._bulk import as_float, as_int, fail, is_null, maximum, minimum, sqrt, where
from ._column import Column
from ._functions import (
    aggregate,
    filter,
    flat_map,
    group_flat_map,
    group_map,
    map,
    stateful_filter,
    stateful_flat_map,
    stateful_map,
)
from ._host import debug, error, info, now, random, warn
from ._types import Float32, Int32, Refuse, RowError, Timestamp

__all__ = [
    "Column", "Float32", "Int32", "Refuse", "RowError", "Timestamp", "aggregate", "as_float", "as_int", "debug",
    "error", "fail", "filter", "flat_map", "group_flat_map", "group_map", "info", "is_null", "map", "maximum",
    "minimum", "now", "random", "sqrt", "stateful_filter", "stateful_flat_map", "stateful_map", "warn", "where",
]
