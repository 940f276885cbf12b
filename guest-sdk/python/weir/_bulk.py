"""What is said of columns in words, for there is no operator: of single values the same."""

import math

from . import _evaluate
from . import _operations as ops
from ._column import Column, apply
from ._types import RowError


def _any(*values) -> bool:
    return any(isinstance(value, Column) for value in values)


def where(mask, then, other):
    """`then` where the mask is true, else `other`: `then if mask else other`. What is not chosen fails no row."""
    return apply(ops.WHERE, mask, then, other) if _any(mask, then, other) else then if mask else other


def fail(mask, message: str) -> None:
    """Rows of the mask are row errors with this message: `if mask: raise RowError(message)`."""
    if _any(mask):
        _evaluate.fail(mask, message)
    elif mask:
        raise RowError(message)


def is_null(value):
    """Whether there is no value: `value is None`."""
    return apply(ops.IS_NULL, value) if _any(value) else value is None


def minimum(a, b):
    """The lesser one: `min(a, b)`."""
    return apply(ops.MINIMUM, a, b) if _any(a, b) else min(a, b)


def maximum(a, b):
    """The greater one: `max(a, b)`."""
    return apply(ops.MAXIMUM, a, b) if _any(a, b) else max(a, b)


def sqrt(value):
    """The square root: `math.sqrt(value)`."""
    return apply(ops.SQRT, value) if _any(value) else math.sqrt(value)


def as_int(value):
    """A whole number, towards zero: `int(value)`."""
    return apply(ops.AS_INT, value) if _any(value) else int(value)


def as_float(value):
    """A float: `float(value)`."""
    return apply(ops.AS_FLOAT, value) if _any(value) else float(value)
