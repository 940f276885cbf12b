"""From type hints to the types of columns, and the errors that a function may raise."""

import dataclasses
import datetime
import types
import typing
from typing import Any, NamedTuple, NewType, Union

Int32 = NewType("Int32", int)
"""A whole number of 32 bits; a plain `int` has 64."""
Float32 = NewType("Float32", float)
"""A number of 32 bits; a plain `float` has 64."""
Timestamp = NewType("Timestamp", int)
"""Microseconds since 1970-01-01T00:00:00Z; `datetime.datetime` is the same column, slower."""

class RowError(Exception):
    """This row fails with this message; the others stand."""


class Refuse(Exception):
    """The whole call can't be served, say because of a parameter: the pipeline fails."""


class Type(NamedTuple):
    """What a column holds."""

    name: str  # as in the contract, with "_" for "-"
    code: str  # for `array`; empty for booleans, texts and bytes
    nullable: bool = False
    datetime: bool = False

    @property
    def zero(self):
        """What stands where there is no value."""
        if self.datetime:
            return EPOCH
        return {"boolean": False, "text": "", "bytes": b"", "float32": 0.0, "float64": 0.0}.get(self.name, 0)


class FieldOf(NamedTuple):
    """A column's name and type."""

    name: str
    type: Type


EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MICROSECOND = datetime.timedelta(microseconds=1)

TYPES = {
    bool: Type("boolean", ""),
    Int32: Type("int32", "i"),
    int: Type("int64", "q"),
    Float32: Type("float32", "f"),
    float: Type("float64", "d"),
    Timestamp: Type("timestamp", "q"),
    datetime.datetime: Type("timestamp", "q", datetime=True),
    str: Type("text", ""),
    bytes: Type("bytes", ""),
}


def scalar(hint: Any, where: str) -> Type:
    """The type of a hint such as `int` or `float | None`."""
    nullable = False
    if typing.get_origin(hint) in (Union, types.UnionType):
        others = [arg for arg in typing.get_args(hint) if arg is not type(None)]
        if len(others) == 1 and len(others) < len(typing.get_args(hint)):
            hint, nullable = others[0], True
    found = TYPES.get(hint)
    if found is None:
        raise TypeError(
            f"{where}: {hint!r} is no type of a column; use bool, int, float, str, bytes, datetime.datetime, "
            "weir.Int32, weir.Float32 or weir.Timestamp, with `| None` where there may be nulls"
        )
    return found._replace(nullable=nullable)


def column(hint: Any, origin: Any) -> Any:
    """What is in the brackets, where the hint is `Column[..]` or `list[..]`, else nothing."""
    return typing.get_args(hint)[0] if typing.get_origin(hint) is origin else None


class Shape(NamedTuple):
    """How a result becomes columns."""

    fields: list[FieldOf]
    parts: str  # "" for a scalar, "tuple" for a NamedTuple, "names" for a dataclass


def shape(hint: Any, name: str, where: str, of=scalar) -> Shape:
    """The columns of a result: a scalar is one of the function's name, a NamedTuple or a dataclass one for
    each field."""
    if isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields"):
        hints = typing.get_type_hints(hint)
        return Shape([FieldOf(f, of(hints[f], f"{where}, `{f}`")) for f in hint._fields], "tuple")
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        names = [f.name for f in dataclasses.fields(hint)]
        return Shape([FieldOf(f, of(hints[f], f"{where}, `{f}`")) for f in names], "names")
    return Shape([FieldOf(name, of(hint, where))], "")
