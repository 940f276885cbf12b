"""Functions twice: over whole columns, and row by row under the same name with `_rows`. Both give the same, errors
included: `src/bulk.rs` holds them to it."""

import math
from typing import NamedTuple

import weir
from weir import Column, Float32, Int32, RowError, Timestamp


@weir.map
def product(x: Column[float], y: Column[float]) -> Column[float]:
    return x * y


@weir.map
def product_rows(x: float, y: float) -> float:
    return x * y


@weir.map
def sums(a: Column[int], b: Column[int]) -> Column[int]:
    return -(a * b) + abs(a) - b * 3


@weir.map
def sums_rows(a: int, b: int) -> int:
    return -(a * b) + abs(a) - b * 3


@weir.map
def beyond(a: Column[int], b: Column[int]) -> Column[int]:
    """What stands between may need more than 64 bits."""
    return a * b * 2**70 % 1000 + (a - b) // 2


@weir.map
def beyond_rows(a: int, b: int) -> int:
    return a * b * 2**70 % 1000 + (a - b) // 2


@weir.map
def quotient(a: Column[int], b: Column[int]) -> Column[int]:
    return a // b


@weir.map
def quotient_rows(a: int, b: int) -> int:
    return a // b


@weir.map
def modulo(a: Column[int], b: Column[int]) -> Column[int]:
    return a % b


@weir.map
def modulo_rows(a: int, b: int) -> int:
    return a % b


@weir.map
def ratio(a: Column[int], b: Column[int], y: Column[float]) -> Column[float]:
    return a / b + 1 / y


@weir.map
def ratio_rows(a: int, b: int, y: float) -> float:
    return a / b + 1 / y


@weir.map
def floored(x: Column[float], y: Column[float]) -> Column[float]:
    return x // y


@weir.map
def floored_rows(x: float, y: float) -> float:
    return x // y


@weir.map
def left(x: Column[float], y: Column[float]) -> Column[float]:
    return x % y


@weir.map
def left_rows(x: float, y: float) -> float:
    return x % y


@weir.map
def mixed(a: Column[int], x: Column[float], p: Column[bool]) -> Column[float]:
    return a * x + p - 2


@weir.map
def mixed_rows(a: int, x: float, p: bool) -> float:
    return a * x + p - 2


class Compared(NamedTuple):
    less: Column[bool]
    more: Column[bool]
    both: Column[bool]


class ComparedRow(NamedTuple):
    less: bool
    more: bool
    both: bool


@weir.map
def compared(a: Column[int], b: Column[int], x: Column[float], p: Column[bool]) -> Compared:
    return Compared((a < x) | (a == b), (x >= a) & ~(a != b), (b > x) & (p == (a <= b)))


@weir.map
def compared_rows(a: int, b: int, x: float, p: bool) -> ComparedRow:
    return ComparedRow(a < x or a == b, x >= a and not a != b, b > x and p == (a <= b))


class Wholes(NamedTuple):
    floor: Column[int]
    ceil: Column[int]
    round: Column[int]
    trunc: Column[int]


class WholesRow(NamedTuple):
    floor: int
    ceil: int
    round: int
    trunc: int


@weir.map
def wholes(x: Column[float]) -> Wholes:
    return Wholes(math.floor(x), math.ceil(x), round(x), weir.as_int(x))


@weir.map
def wholes_rows(x: float) -> WholesRow:
    return WholesRow(math.floor(x), math.ceil(x), round(x), weir.as_int(x))


@weir.map
def root(x: Column[float], a: Column[int]) -> Column[float]:
    return weir.sqrt(x) + weir.sqrt(abs(a))


@weir.map
def root_rows(x: float, a: int) -> float:
    return weir.sqrt(x) + weir.sqrt(abs(a))


class Narrow(NamedTuple):
    i: Column[Int32]
    f: Column[Float32]
    t: Column[Timestamp]


class NarrowRow(NamedTuple):
    i: Int32
    f: Float32
    t: Timestamp


@weir.map
def narrow(i: Column[Int32], f: Column[Float32], t: Column[Timestamp], a: Column[int]) -> Narrow:
    return Narrow(i * 3 + 1, f * 0.1 + i, t + a)


@weir.map
def narrow_rows(i: Int32, f: Float32, t: Timestamp, a: int) -> NarrowRow:
    return NarrowRow(i * 3 + 1, f * 0.1 + i, t + a)


@weir.map
def guarded(a: Column[int], b: Column[int]) -> Column[int]:
    return weir.where(b != 0, a // b, -1)


@weir.map
def guarded_rows(a: int, b: int) -> int:
    return a // b if b != 0 else -1


@weir.map
def kept(x: Column[float], y: Column[float], a: Column[int]) -> Column[float]:
    return weir.where((y != 0) & (x >= 0), weir.sqrt(x) / y, weir.where(a == 0, 0.0, 1 / a))


@weir.map
def kept_rows(x: float, y: float, a: int) -> float:
    return weir.sqrt(x) / y if y != 0 and x >= 0 else 0.0 if a == 0 else 1 / a


@weir.map
def refused(x: Column[float], y: Column[float]) -> Column[float]:
    weir.fail(x < 0, "below zero")
    ratio = x / y
    weir.fail(ratio > 100, "too much")
    return ratio


@weir.map
def refused_rows(x: float, y: float) -> float:
    weir.fail(x < 0, "below zero")
    ratio = x / y
    weir.fail(ratio > 100, "too much")
    return ratio


@weir.map
def filled(x: Column[float | None], a: Column[int | None], limit: Column[int]) -> Column[float | None]:
    return weir.where(weir.is_null(x), limit, x + a)


@weir.map
def filled_rows(x: float | None, a: int | None, limit: int) -> float | None:
    return float(limit) if x is None else None if a is None else x + a


@weir.map
def needed(x: Column[float | None]) -> Column[float]:
    """A null where there must be none."""
    return x * 2


@weir.map
def needed_rows(x: float | None) -> float:
    return None if x is None else x * 2


@weir.map
def logic(p: Column[bool | None], q: Column[bool | None]) -> Column[bool | None]:
    return (p & q) | ~p


@weir.map
def logic_rows(p: bool | None, q: bool | None) -> bool | None:
    if p is None:
        return None
    return q if p else True


class Extremes(NamedTuple):
    least: Column[float]
    most: Column[float]
    whole: Column[int]


class ExtremesRow(NamedTuple):
    least: float
    most: float
    whole: int


@weir.map
def extremes(a: Column[int], b: Column[int], x: Column[float], y: Column[float]) -> Extremes:
    return Extremes(weir.minimum(x, y), weir.maximum(a, x), weir.minimum(weir.maximum(a, b), 7))


@weir.map
def extremes_rows(a: int, b: int, x: float, y: float) -> ExtremesRow:
    return ExtremesRow(weir.minimum(x, y), float(weir.maximum(a, x)), weir.minimum(weir.maximum(a, b), 7))


@weir.map
def taken(a: Column[int], b: Column[int]) -> Column[int]:
    """Items in between, and more operations than stand in one program."""
    sum = a * 0
    for item in range(300):
        sum = sum + b // 1000 * item
    assert len(list(sum)) == len(a)
    return sum - a


@weir.map
def taken_rows(a: int, b: int) -> int:
    sum = a * 0
    for item in range(300):
        sum = sum + b // 1000 * item
    return sum - a


@weir.filter
def between(x: Column[float], y: Column[float]) -> Column[bool]:
    weir.fail(x != x, "not a number")
    return (x > y) & (y > -1)


@weir.filter
def between_rows(x: float, y: float) -> bool:
    if x != x:
        raise RowError("not a number")
    return x > y and y > -1
