"""Whole columns that can be computed with: the operators make a plan, and the host carries it out.

A column is one of the batch, with its buffers, or what an operation gives of others. Nothing is computed before
somebody asks for the values: then all of it is at once, and no item is touched in Python.
"""

import sys
import typing
from itertools import count

from . import _operations as ops
from ._columns import Buffers, buffers, values
from ._operations import Operation
from ._types import TYPES, Type

T = typing.TypeVar("T")
HERE = __file__.rsplit("/", 1)[0] + "/"
NUMBERS = count()
LARGEST = 200
"""Operations that are put off at most before some of them are computed."""
NATURAL = {"boolean": TYPES[bool], "int64": TYPES[int], "float64": TYPES[float]}


def kind_of(value) -> str:
    """What a column or a constant is to compute with."""
    if isinstance(value, Column):
        return value.kind
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "int64"
    if isinstance(value, float):
        return "float64"
    raise TypeError(f"{type(value).__name__} is nothing to compute with")


def here() -> tuple[str, int, str]:
    """Where the function is that works with columns: file, line and name."""
    frame = sys._getframe(2)
    while frame.f_code.co_filename.startswith(HERE) and frame.f_back:
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name


class Column(typing.Generic[T]):
    """A whole column, in the hint of an argument or a result: `Column[float]`.

    An argument of numbers or booleans is one of these: compute with it as with a single value (`a * b`, `a < 3`,
    `-a`, `abs(a)`, `math.floor(a)`, `&`, `|`, `~`, and `where`, `minimum` and others of this module), or take its
    items. Texts, bytes and times come as a list. A result may be one of these, or anything that can be iterated.
    Outside of a component `Column([1.0, None])` makes one.
    """

    __slots__ = ("kind", "rows", "type", "buffers", "operation", "operands", "size", "number", "place", "large", "_items")
    __hash__ = None

    def __init__(self, given, type: Type | None = None):
        given = list(given)
        if type is None:
            kinds = {kind_of(value) for value in given if value is not None} or {"float64"}
            type = NATURAL[ops.same(kinds)]._replace(nullable=None in given)
        self._leaf(type, buffers(type, given), len(given))

    @classmethod
    def over(cls, type: Type, column, rows: int) -> "Column":
        """A column that came in."""
        made = cls.__new__(cls)
        made._leaf(type, column, rows)
        return made

    def _leaf(self, type: Type, column, rows: int) -> None:
        self.type, self.buffers, self.rows = type, column, rows
        self.kind = {"int32": "int64", "timestamp": "int64", "float32": "float64"}.get(type.name, type.name)
        self.operation, self.operands, self.size, self.place, self._items = None, (), 1, None, None
        # Whole numbers that need more than 64 bits, by row: they are Python's alone.
        self.large: dict[int, int] = {}
        self.number = next(NUMBERS)

    def __len__(self):
        return self.rows

    def compute(self) -> "Column":
        """Computes it now."""
        if self.operation is not None:
            from ._evaluate import forced

            number, type = self.number, NATURAL[self.kind]._replace(nullable=True)
            made, large = forced(self, type)
            self._leaf(type, made, self.rows)
            self.number, self.large = number, large
        return self

    def items(self):
        """The values, None where there is none: a memoryview of numbers without nulls, else a list."""
        self.compute()
        if self._items is None:
            if self.type.code and not self.buffers.validity:
                self._items = memoryview(self.buffers.values).cast(self.type.code)
            else:
                self._items = values(self.type, self.buffers, self.rows)
            if self.large:
                self._items = list(self._items)
                for row, value in self.large.items():
                    self._items[row] = value
        return self._items

    def tolist(self) -> list:
        items = self.items()
        return items.tolist() if isinstance(items, memoryview) else list(items)

    def __iter__(self):
        return iter(self.items())

    def __getitem__(self, place):
        return self.items()[place]

    def __contains__(self, value):
        return value in self.tolist()

    def __buffer__(self, flags):
        return memoryview(self.items())

    def __repr__(self):
        return f"Column({self.tolist()!r})"

    def __bool__(self):
        raise TypeError("a column is many values, and neither true nor false: use &, |, ~, where() and fail()")

    def __add__(self, other):
        return apply(ops.ADD, self, other)

    def __radd__(self, other):
        return apply(ops.ADD, other, self)

    def __sub__(self, other):
        return apply(ops.SUBTRACT, self, other)

    def __rsub__(self, other):
        return apply(ops.SUBTRACT, other, self)

    def __mul__(self, other):
        return apply(ops.MULTIPLY, self, other)

    def __rmul__(self, other):
        return apply(ops.MULTIPLY, other, self)

    def __truediv__(self, other):
        return apply(ops.DIVIDE, self, other)

    def __rtruediv__(self, other):
        return apply(ops.DIVIDE, other, self)

    def __floordiv__(self, other):
        return apply(ops.FLOOR_DIVIDE, self, other)

    def __rfloordiv__(self, other):
        return apply(ops.FLOOR_DIVIDE, other, self)

    def __mod__(self, other):
        return apply(ops.MODULO, self, other)

    def __rmod__(self, other):
        return apply(ops.MODULO, other, self)

    def __neg__(self):
        return apply(ops.NEGATE, self)

    def __abs__(self):
        return apply(ops.ABSOLUTE, self)

    def __eq__(self, other):
        return apply(ops.EQUAL, self, other)

    def __ne__(self, other):
        return apply(ops.UNEQUAL, self, other)

    def __lt__(self, other):
        return apply(ops.LESS, self, other)

    def __le__(self, other):
        return apply(ops.LESS_EQUAL, self, other)

    def __gt__(self, other):
        return apply(ops.GREATER, self, other)

    def __ge__(self, other):
        return apply(ops.GREATER_EQUAL, self, other)

    def __and__(self, other):
        return apply(ops.AND, self, other)

    def __rand__(self, other):
        return apply(ops.AND, other, self)

    def __or__(self, other):
        return apply(ops.OR, self, other)

    def __ror__(self, other):
        return apply(ops.OR, other, self)

    def __invert__(self):
        return apply(ops.NOT, self)

    def __floor__(self):
        return apply(ops.FLOOR, self)

    def __ceil__(self):
        return apply(ops.CEIL, self)

    def __trunc__(self):
        return apply(ops.AS_INT, self)

    def __round__(self, digits=None):
        if digits is not None:
            raise TypeError("a column is rounded to whole numbers")
        return apply(ops.ROUND, self)


def apply(operation: Operation, *operands) -> Column:
    """What an operation gives, put off. None stands among the operands of a `where` only."""
    columns = [operand for operand in operands if isinstance(operand, Column)]
    rows = columns[0].rows
    if any(column.rows != rows for column in columns):
        raise ValueError("columns of " + " and ".join(str(column.rows) for column in columns) + " rows")
    if sum(column.size for column in columns) > LARGEST:
        for column in columns:
            column.compute()
    made = Column.__new__(Column)
    kinds = [None if operand is None else kind_of(operand) for operand in operands]
    if None in kinds:
        known = [kind for kind in kinds[1:] if kind] or ["float64"]
        kinds = [kind or ops.same(known) for kind in kinds]
    made.kind = operation.kind(kinds)
    made.rows, made.type, made.buffers, made._items, made.large = rows, None, None, None, {}
    made.operation, made.operands = operation, operands
    made.size = 1 + sum(column.size for column in columns)
    made.number, made.place = next(NUMBERS), here()
    return made
